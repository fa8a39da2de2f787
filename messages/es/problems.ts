/**
 * What the service answers to a request it cannot meet, by its English words; `{name}` is what varies. In `{what}` stands
 * one of the words below, in `{text}` another text of this list.
 */
export const problems: Readonly<Record<string, string>> = {
  "The request is not valid": "La solicitud no es válida",
  "A valid bearer token is needed": "Hace falta un token (Bearer) válido",
  "This account may not do that": "Esta cuenta no puede hacer eso",
  "Not found": "No encontrado",
  "This address does not support that method": "Esta dirección no admite ese método",
  "This conflicts with the current state": "Esto entra en conflicto con el estado actual",
  "The body is too large": "El contenido es demasiado grande",
  "Bodies are application/json": "Los contenidos son application/json",
  "This service does not answer to that host name": "Este servicio no responde a ese nombre de host",
  "No reading was accepted": "No se aceptó ninguna medición",
  "Too many requests": "Demasiadas solicitudes",
  "Something went wrong in the service": "Algo ha fallado en el servicio",
  "The service cannot do this right now": "El servicio no puede hacerlo ahora mismo",
  'There is no {what} "{id}".': "No existe: {what} «{id}».",
  'There is no {what} "{id}"; did you mean {near}?': "No existe: {what} «{id}»; ¿quería decir {near}?",
  "There is no alert {id}.": "No existe la alerta {id}.",
  "This name is already in use: choose another.": "Este nombre ya está en uso: elija otro.",
  "The disk is full. Try again later.": "El disco está lleno. Inténtelo más tarde.",
  "The disk is nearly full, and you have had your share of what is left. Try again later.":
    "El disco está casi lleno y ya ha usado su parte de lo que queda. Inténtelo más tarde.",
  "The service cannot read or write its files now. Try again later.":
    "El servicio no puede leer o escribir sus archivos ahora. Inténtelo más tarde.",
  "The journal does not take messages now. Try again later.":
    "El diario no acepta mensajes ahora. Inténtelo más tarde.",
  "The reading store does not answer: try again later.": "El almacén de mediciones no responde: inténtelo más tarde.",
  "See /docs for the addresses.": "Las direcciones están en /docs.",
  "Try {methods}.": "Pruebe con {methods}.",
  "A request with the page's cookie needs the header x-lamppost.":
    "Una solicitud con la cookie de la página necesita la cabecera x-lamppost.",
  "Sign in, or send Authorization: Bearer <token>.": "Inicie sesión o envíe Authorization: Bearer <token>.",
  "The role of {name} ({role}) does not allow this.": "El rol de {name} ({role}) no permite esto.",
  "The token is not valid, and too many wrong ones came from this address: wait before the next try.":
    "El token no es válido y desde esta dirección llegaron demasiados incorrectos: espere antes de volver a intentarlo.",
  "The token is not valid: check it, or ask an admin for a new one.":
    "El token no es válido: compruébelo o pida uno nuevo a administración.",
  "Devices and gateways cannot sign in on the page: use a person's account.":
    "Los dispositivos y pasarelas no pueden iniciar sesión en la página: use la cuenta de una persona.",
  "The name or the password is wrong.": "El nombre o la contraseña son incorrectos.",
  "Too many sign-ins at once: try again in a few seconds.":
    "Demasiados inicios de sesión a la vez: inténtelo en unos segundos.",
  "Too many wrong passwords were tried for this name from here. A token is still taken.":
    "Desde aquí se probaron demasiadas contraseñas incorrectas para este nombre. Un token se sigue aceptando.",
  "The current password is wrong.": "La contraseña actual es incorrecta.",
  "The password must not contain the user name.": "La contraseña no debe contener el nombre de usuario.",
  "Send a token, or a user and a password.": "Envíe un token, o un usuario y una contraseña.",
  "The service has too many requests in progress: try again later.":
    "El servicio tiene demasiadas solicitudes en curso: inténtelo más tarde.",
  "This {what} has {n} requests in progress, the most allowed: wait until some have been answered.":
    "{what}: hay {n} solicitudes en curso, el máximo permitido; espere a que se respondan algunas.",
  "As many connections are open as the service can take.":
    "Hay tantas conexiones abiertas como el servicio puede aceptar.",
  "The service has as many open streams as it can take.":
    "El servicio tiene tantos flujos abiertos como puede aceptar.",
  "This account has {n} open streams.": "Esta cuenta tiene {n} flujos abiertos.",
  "This address has {n} open streams.": "Esta dirección tiene {n} flujos abiertos.",
  "{whose} has reached the limit of {n}, running and waiting. Try again later.":
    "{whose} ha alcanzado el límite de {n} (en curso y en espera). Inténtelo más tarde.",
  "This took longer than {n} s (LAMPPOST_QUERY_TIMEOUT_S): ask for a shorter range.":
    "Esto tardó más de {n} s (LAMPPOST_QUERY_TIMEOUT_S): pida un intervalo más corto.",
  "This waited {n} s and could not begin. Try again later.":
    "Esto esperó {n} s y no pudo empezar. Inténtelo más tarde.",
  "The client closed the connection.": "El cliente cerró la conexión.",
  "{name} may send {n} readings a second ({setting}).": "{name} puede enviar {n} mediciones por segundo ({setting}).",
  "Unknown key: remove it or check its spelling.": "Campo desconocido: quítelo o revise cómo está escrito.",
  "The body is nested more than {n} deep.": "El contenido está anidado a más de {n} niveles.",
  "The body is not valid JSON.": "El contenido no es JSON válido.",
  "The body is not valid UTF-8.": "El contenido no es UTF-8 válido.",
  "{word} at character {at} is not JSON: send null.": "{word} en el carácter {at} no es JSON: envíe null.",
  "Request body is too large": "El contenido es demasiado grande",
  "Unsupported Media Type": "Este tipo de contenido no se acepta",
  "Unsupported Media Type: {type}": "Este tipo de contenido no se acepta: {type}",
  "Body cannot be empty when content-type is set to 'application/json'":
    "El contenido no puede estar vacío si content-type es application/json",
  "The cursor is not valid: send `next` of the last page as it is, or start again without a cursor.":
    "El cursor no es válido: envíe el `next` de la última página tal cual, o empiece sin cursor.",
  "locale is a language and, if need be, a country, like de or es-MX.":
    "locale es un idioma y, si hace falta, un país, como de o es-MX.",
  "A locale is a language and, if need be, a country, like de or es-MX.":
    "locale es un idioma y, si hace falta, un país, como de o es-MX.",
  "{name} is ISO 8601 with a zone, like 2026-11-21T10:00:00Z or 2026-11-21T10:00:00%2B01:00 (a + in an address), or epoch milliseconds.":
    "{name} es ISO 8601 con zona, como 2026-11-21T10:00:00Z o 2026-11-21T10:00:00%2B01:00 (un + en una dirección), o milisegundos desde 1970.",
  "ISO 8601 with a zone, like 2026-11-21T10:00:00Z, or epoch milliseconds.":
    "ISO 8601 con zona, como 2026-11-21T10:00:00Z, o milisegundos desde 1970.",
  "Write an ISO 8601 time with a zone.": "Escriba una hora ISO 8601 con zona.",
  "Write an ISO 8601 time with a zone, such as 2026-11-21T10:00:00Z.":
    "Escriba una hora ISO 8601 con zona, como 2026-11-21T10:00:00Z.",
  "An ISO 8601 time with a zone, such as 2026-11-21T10:00:00Z.":
    "Una hora ISO 8601 con zona, como 2026-11-21T10:00:00Z.",
  "At most {n} days at a time: ask for shorter ranges one by one.":
    "{n} días a la vez como máximo: pida intervalos más cortos uno por uno.",
  "At most {n} days at a time.": "{n} días a la vez como máximo.",
  "At most {n} days.": "{n} días como máximo.",
  "That is more than {n} steps. Use every={m}m or longer, or a shorter range.":
    "Son más de {n} pasos. Use every={m}m o más, o un intervalo más corto.",
  "every must be a whole number followed by s, m, h or d, such as 5m, and at most 366d.":
    "every es un número entero seguido de s, m, h o d, como 5m, y 366d como máximo.",
  "Write a whole number followed by s, m, h or d, such as 1d.":
    "Escriba un número entero seguido de s, m, h o d, como 1d.",
  "from must be before to.": "from debe ser anterior a to.",
  "to must be after from.": "to debe ser posterior a from.",
  "It must be after from.": "Debe ser posterior a from.",
  "zone is a time zone, like Europe/Madrid or UTC.": "zone es una zona horaria, como Europe/Madrid o UTC.",
  "Use a comma-separated list of {names}.": "Use una lista separada por comas de {names}.",
  "An event id is a whole number.": "El id de un evento es un número entero.",
  "The id of a {what} is a whole number.": "El id ({what}) es un número entero.",
  "An id is 1 to 64 of a-z, 0-9 and -, and does not start with -.":
    "Un id tiene de 1 a 64 caracteres de a-z, 0-9 y -, y no empieza por -.",
  "an id is 1 to 64 of a-z, 0-9 and -, and does not start with -":
    "Un id tiene de 1 a 64 caracteres de a-z, 0-9 y -, y no empieza por -.",
  "1 to 64 of a-z, 0-9 and -, not beginning with -": "De 1 a 64 caracteres de a-z, 0-9 y -, sin empezar por -",
  '"{id}" stands for alerts of no district; give it another id.':
    "«{id}» representa alertas sin distrito; use otro id.",
  '"{id}" stands for alerts of no district.': "«{id}» representa alertas sin distrito.",
  "{name} is for single readings: leave every out.": "{name} es para mediciones sueltas: quite every.",
  "Say of which metrics, {n} at most: metrics=pm25.": "Diga de qué magnitudes ({n} como máximo): metrics=pm25.",
  "Metrics of {what} sensors are {names}.": "Las magnitudes de los sensores de {what} son {names}.",
  "Only operators and admins may use verify=true.": "Solo operadores y administradores pueden usar verify=true.",
  "Send either ids or a reason.": "Envíe ids o un motivo.",
  "Use either sensor or by=sensor, not both.": "Use sensor o by=sensor, no ambos.",
  "{id} is registered as {what} in {district}.": "{id} está registrado como {what} en {district}.",
  'A crew is called "{name}".': "Hay una brigada llamada «{name}».",
  "Only an admin gives the import right.": "Solo administración da el derecho de importar.",
  'The name "{name}" is taken. Remove it first to get a new password.':
    "El nombre «{name}» está en uso. Quítelo primero para obtener una contraseña nueva.",
  "You cannot remove your own account: ask another admin.":
    "No puede eliminar su propia cuenta: pídalo a otro administrador.",
  "{new} has taken the place of {id} already.": "{new} ya ha sustituido a {id}.",
  "{id} is {what}, and {other} is {what2}.": "{id} es {what} y {other} es {what2}.",
  "{id} took the place of {other} itself.": "{id} sustituyó a {other}.",
  "A file of sensors is being taken in.": "Se está importando un archivo de sensores.",
  "Another file is being taken in.": "Se está importando otro archivo.",
  "The file is text/csv.": "El archivo es text/csv.",
  "The gateway {gateway} does not speak for {district}: add it with that district, or use another.":
    "La pasarela {gateway} no habla por {district}: añádala con ese distrito o use otra.",
  "{id} is on the register.": "{id} está en el registro.",
  "{id} was taken off the register: put it back first (POST /sensors/{id2}/restore).":
    "{id} se retiró del registro: recupérelo antes (POST /sensors/{id2}/restore).",
  "{id} was taken off the register: put it back first.": "{id} se retiró del registro: recupérelo antes.",
  "replacesFrom lies in the future.": "replacesFrom está en el futuro.",
  "{id} is registered as {what}; a sensor's kind does not change.":
    "{id} está registrado como {what}; el tipo de un sensor no cambia.",
  "{id} stands in line {line} already.": "{id} ya está en la línea {line}.",
  "A district is 1 to 64 of a-z, 0-9 and -.": "Un distrito tiene de 1 a 64 caracteres de a-z, 0-9 y -.",
  "A file has at most {n} sensors: divide it.": "Un archivo tiene {n} sensores como máximo: divídalo.",
  "A file has at most {n} columns of tags.": "Un archivo tiene {n} columnas de etiquetas como máximo.",
  "A sensor has at most {n} tags.": "Un sensor tiene {n} etiquetas como máximo.",
  "At most {n} tags.": "{n} etiquetas como máximo.",
  "A tag cannot have this name.": "Una etiqueta no puede tener este nombre.",
  "A tag has at most 200 characters.": "Una etiqueta tiene 200 caracteres como máximo.",
  "The name of a tag has at most 64 characters.": "El nombre de una etiqueta tiene 64 caracteres como máximo.",
  "Characters that control a terminal or turn the direction of a text are not taken.":
    "No se aceptan caracteres que controlan un terminal o cambian la dirección del texto.",
  "One of {names} was expected.": "Se esperaba uno de {names}.",
  "Somebody changed one of these sensors meanwhile: import the file again.":
    "Alguien cambió entretanto uno de estos sensores: importe el archivo otra vez.",
  "The column comes twice.": "La columna aparece dos veces.",
  "The column id is missing.": "Falta la columna id.",
  "The file is empty.": "El archivo está vacío.",
  "The id of a sensor was expected.": "Se esperaba el id de un sensor.",
  "The name {id} is that of a {what}.": "El nombre {id} ya es de otra cuenta ({what}).",
  "The quote is never closed.": "Las comillas no se cierran.",
  "There are {n} cells for {m} columns.": "Hay {n} celdas para {m} columnas.",
  'There is no column "{name}": there are {names}, and {tag}… for a tag.':
    "No existe la columna «{name}»: existen {names}, y {tag}… para una etiqueta.",
  "yes or no was expected.": "Se esperaba yes o no.",
  "A topic filter such as v3/+/devices/+/up, not below city, import, alerts or in.":
    "Un filtro de temas como v3/+/devices/+/up, no bajo city, import, alerts ni in.",
  "The alert is acknowledged already.": "La alerta ya está confirmada.",
  "The alert is acknowledged already by {name} at {time}.": "La alerta ya está confirmada, por {name} a las {time}.",
  "The alert is not closed, it is acknowledged.": "La alerta no está cerrada, está confirmada.",
  "The alert is in-progress already.": "La alerta ya está en curso.",
  "The alert is in-progress already by {name} at {time}.": "La alerta ya está en curso, por {name} a las {time}.",
  "The alert is not closed, it is in-progress.": "La alerta no está cerrada, está en curso.",
  "The alert is closed already.": "La alerta ya está cerrada.",
  "The alert is closed already by {name} at {time}.": "La alerta ya está cerrada, por {name} a las {time}.",
  "The alert is not closed, it is closed.": "La alerta no está cerrada, está cerrada.",
  "The alert is open already.": "La alerta ya está abierta.",
  "The alert is open already by {name} at {time}.": "La alerta ya está abierta, por {name} a las {time}.",
  "The alert is not closed, it is open.": "La alerta no está cerrada, está abierta.",
  "The alert is assigned to {name}.": "La alerta está asignada a {name}.",
  "The alert was closed by {name} at {time}.": "{name} cerró la alerta a las {time}.",
  "The alert was closed.": "La alerta se cerró.",
  "The work was started already by {name} at {time}.": "{name} ya empezó el trabajo a las {time}.",
  "The work was started already.": "El trabajo ya se empezó.",
  'There is no crew, operator or admin called "{name}".': "No hay brigada, operador ni administrador llamado «{name}».",
  'There is no crew member, operator or admin called "{name}".':
    "No hay miembro de brigada, operador ni administrador llamado «{name}».",
  "{action} needs {field}.": "{action} necesita {field}.",
  "There is nothing to do.": "No hay nada que hacer.",
  '"{id}" is the name of an account: call it otherwise.': "«{id}» es el nombre de una cuenta: use otro.",
  "There are {n} crews already: remove one.": "Ya hay {n} brigadas: elimine una.",
  'There is no sensor in a district "{district}".': "No hay ningún sensor en un distrito «{district}».",
  "{id} has {n} calibrations already: end some.": "{id} ya tiene {n} calibraciones: termine algunas.",
  "{id} has {n} corrections in force already: revoke some, or correct more with one.":
    "{id} ya tiene {n} correcciones en vigor: revoque algunas o corrija más con una.",
  "A factor of 0 would leave nothing.": "Un factor de 0 no dejaría nada.",
  "A factor of 0 would leave nothing: mark the values as invalid.":
    "Un factor de 0 no dejaría nada: marque los valores como no válidos.",
  "A shift moves the whole reading: leave metrics out.": "Un desplazamiento mueve toda la medición: quite metrics.",
  "At most a day ahead: for what comes from now on use a calibration.":
    "Un día por delante como máximo: para lo que venga desde ahora use una calibración.",
  "This has not been measured yet: for what comes from now on use a calibration.":
    "Esto aún no se ha medido: para lo que venga desde ahora use una calibración.",
  "This moves nothing.": "Esto no mueve nada.",
  "{field} does not go with what: {kind}.": "{field} no va con what: {kind}.",
  "what: {kind} needs the metrics it is for.": "what: {kind} necesita las magnitudes a las que se aplica.",
  "what: {kind} needs {fields}.": "what: {kind} necesita {fields}.",
  "It was sent through again: decide the item that came of it.":
    "Se volvió a enviar: decida sobre el elemento que resultó.",
  "Only a conflict is decided: two values of one moment that disagree.":
    "Solo se decide un conflicto: dos valores de un mismo momento que no coinciden.",
  "The new value was taken: revoke its correction to have the old one again.":
    "Se tomó el valor nuevo: revoque su corrección para recuperar el anterior.",
  "What is there is marked as invalid: revoke that correction first.":
    "Lo que hay está marcado como no válido: revoque antes esa corrección.",
  "Which value it brought cannot be told any more.": "Ya no se puede saber qué valor traía.",
  "{name} was not given the mapping {mapping} (accepts).": "{name} no tiene el mapeo {mapping} (accepts).",
  "{n} bytes cannot be cut into messages of {m} bytes and {k} readings: send less at a time.":
    "{n} bytes no se pueden dividir en mensajes de {m} bytes y {k} mediciones: envíe menos de una vez.",
  "Bodies are plain, gzip or snappy.": "Los contenidos van sin comprimir, en gzip o en snappy.",
  "Send the secret as bearer, Basic password or in the header that the mapping names.":
    "Envíe el secreto como bearer, como contraseña Basic o en la cabecera que indica el mapeo.",
  "The body is not a snappy block of at most 1 MiB.": "El contenido no es un bloque snappy de 1 MiB como máximo.",
  "The body is not valid gzip.": "El contenido no es gzip válido.",
  "The name and the password are not of one account.": "El nombre y la contraseña no son de una misma cuenta.",
  "The role of {name} sends no readings.": "El rol de {name} no envía mediciones.",
  'There is no mapping "{id}": a bucket, database or address names one.':
    "No existe el mapeo «{id}»: lo indica un bucket, una base de datos o una dirección.",
  "{name} may not send for {id} in {district}.": "{name} no puede enviar por {id} en {district}.",
  "{id} is not registered: add it with POST /devices.": "{id} no está registrado: añádalo con POST /devices.",
  "{id} is not registered; add it, or publish through a gateway.":
    "{id} no está registrado; añádalo o publique a través de una pasarela.",
  "A reading has at most {n} bytes.": "Una medición tiene {n} bytes como máximo.",
  "A reading has at most {n} keys.": "Una medición tiene {n} campos como máximo.",
  "This text is too long.": "Este texto es demasiado largo.",
  "Importing needs a gateway with the import right, or an admin.":
    "Para importar hace falta una pasarela con ese derecho, o administración.",
  "Measured at {time}, and the database removes what was measured more than {span} ago: give its bucket or retention policy a longer retention, or leave this out.":
    "Medido a las {time}, y la base de datos borra lo medido hace más de {span}: dé más retención a su bucket o política, o quite esto.",
  "{key} is {value}; possible is {low} to {high}; it looks like {text}.":
    "{key} es {value}; lo posible es de {low} a {high}; parece {text}.",
  "{key} is {value}; possible is {low} to {high}.": "{key} es {value}; lo posible es de {low} a {high}.",
  "{key} would be {value}; possible is {low} to {high}.": "{key} sería {value}; lo posible es de {low} a {high}.",
  "tenths of a degree": "décimas de grado",
  "hundredths of a degree": "centésimas de grado",
  "tenths of a percent": "décimas de porcentaje",
  "hundredths of a percent": "centésimas de porcentaje",
  "{key} must be a number or null, not {text}: it has a decimal comma, write {number}.":
    "{key} debe ser un número o null, no {text}: tiene coma decimal, escriba {number}.",
  "{key} must be a number or null, not {text}: send the number alone, without its unit.":
    "{key} debe ser un número o null, no {text}: envíe solo el número, sin su unidad.",
  "{key} must be a number or null, not {text}.": "{key} debe ser un número o null, no {text}.",
  "a string": "un texto",
  "a boolean": "un valor lógico",
  "an array": "una lista",
  "an object": "un objeto",
  "an empty text": "un texto vacío",
  null: "null",
  "a number": "un número",
  "a text": "un texto",
  "A reading is a JSON object, not {text}.": "Una medición es un objeto JSON, no {text}.",
  '"{key}" does not belong here: the topic says whose reading it is.':
    "«{key}» sobra aquí: el tema dice de quién es la medición.",
  '"{key}" is not a metric of {what} sensors; did you mean "{near}"?':
    "«{key}» no es una magnitud de los sensores de {what}; ¿quería decir «{near}»?",
  '"{key}" is not a metric of {what} sensors.': "«{key}» no es una magnitud de los sensores de {what}.",
  '"{key}" is not taken: metrics stand in the reading itself, not in an object within.':
    "«{key}» no se acepta: las magnitudes van en la propia medición, no en un objeto dentro.",
  '"{key}" is not taken: the time of a reading is "measuredAt".':
    "«{key}» no se acepta: la hora de una medición es «measuredAt».",
  "Not one metric has a value: null and stand-ins such as -999 count as missing.":
    "Ninguna magnitud tiene valor: null y sustitutos como -999 cuentan como ausentes.",
  "Not one metric has a value: {text}": "Ninguna magnitud tiene valor: {text}",
  'A key contains "{word}": personal data is not taken, the payload was not kept.':
    "Un campo contiene «{word}»: no se aceptan datos personales; el contenido no se guardó.",
  "measuredAt as a number must be seconds, ms, µs or ns since 1970, up to 2100.":
    "measuredAt como número son segundos, ms, µs o ns desde 1970, hasta 2100.",
  "measuredAt has no zone: end it with Z or an offset.": "measuredAt no tiene zona: termínelo en Z o con un desfase.",
  "measuredAt is {span} old; 7 days are allowed, history goes to import/….":
    "measuredAt tiene {span}; se admiten 7 días, el histórico va a import/….",
  "measuredAt is {span} old (1,024 weeks: a GPS receiver whose week number began anew); 7 days are allowed, history goes to import/….":
    "measuredAt tiene {span} (1024 semanas: un receptor GPS cuyo número de semana volvió a empezar); se admiten 7 días, el histórico va a import/….",
  "measuredAt is {span} ahead of the service's clock; 5 min are allowed.":
    "measuredAt va {span} por delante del reloj del servicio; se admiten 5 min.",
  "measuredAt is not a real date and time.": "measuredAt no es una fecha y hora reales.",
  "measuredAt is of a clock that was never set, and history needs its time.":
    "measuredAt es de un reloj que nunca se puso en hora, y el histórico necesita su hora.",
  "measuredAt must be ISO 8601 with a zone, such as 2026-11-21T10:00:00Z, or a number since 1970.":
    "measuredAt debe ser ISO 8601 con zona, como 2026-11-21T10:00:00Z, o un número desde 1970.",
  "{id} has stood in {district} since {time}, no longer in {former}: publish to {topic}.":
    "{id} está en {district} desde {time}, ya no en {former}: publique en {topic}.",
  "{id} is registered as {what} in {district}, not as {what2} in {other}.":
    "{id} está registrado como {what} en {district}, no como {what2} en {other}.",
  '{id} was taken off the register on {day}, when {new} took its place: switch it off, or put it back with "{command}".':
    "{id} se retiró del registro el {day}, cuando {new} lo sustituyó: apáguelo o recupérelo con «{command}».",
  '{id} was taken off the register on {day}: switch it off, or put it back with "{command}".':
    "{id} se retiró del registro el {day}: apáguelo o recupérelo con «{command}».",
  "{name} is running a backtest since {time}.": "{name} tiene una prueba retrospectiva en marcha desde {time}.",
  "The rule is not valid.": "La regla no es válida.",
  "The rules would contradict each other.": "Las reglas se contradirían.",
  "The rules cannot be read: simplify them.": "Las reglas no se pueden leer: simplifíquelas.",
  "The rules have too many parts, or are nested too deep.":
    "Las reglas tienen demasiadas partes o están demasiado anidadas.",
  "The rules take longer than {n} s to read: simplify or split them.":
    "Leer las reglas lleva más de {n} s: simplifíquelas o divídalas.",
  'The rule\'s id is "{id}", not "{other}".': "El id de la regla es «{id}», no «{other}».",
  "It is version {n} now, not {m}. {text}": "Ahora es la versión {n}, no la {m}. {text}",
  'There is a rule "{id}". {text}': "Ya existe la regla «{id}». {text}",
  "{id} is live already. {text}": "{id} ya está en funcionamiento. {text}",
  "It is as in its file.": "Está como en su archivo.",
  "There is no such rule any more.": "Esa regla ya no existe.",
  "At most 30 days: for longer, change the rule instead.": "30 días como máximo: para más tiempo, cambie la regla.",
  "At most 90 days.": "90 días como máximo.",
  "At most a year ahead.": "Un año por delante como máximo.",
  "Between startsAt and endsAt this window never comes.": "Entre startsAt y endsAt esta ventana no se da nunca.",
  "It must end after now and after its start.": "Debe terminar después de ahora y después de su inicio.",
  "Only maintenance comes back every week: kind maintenance.":
    "Solo el mantenimiento se repite cada semana: kind maintenance.",
  "Say when it ends: at most 30 days later.": "Diga cuándo termina: 30 días después como máximo.",
  "The silence was ended by {name} at {time}.": "{name} terminó el silencio a las {time}.",
  "This silence has already ended.": "Este silencio ya terminó.",
  "There are {n} silences already: end some, or match more with one.":
    "Ya hay {n} silencios: termine algunos o abarque más con uno.",
  "at least one matcher: without any, everything would be silent":
    "Al menos un criterio: sin ninguno, todo quedaría en silencio",
  "name at least one day": "Indique al menos un día",
  "name a tag": "Indique una etiqueta",
  "a time zone is an IANA name such as Europe/Madrid": "Una zona horaria es un nombre IANA como Europe/Madrid",
  "write hours and minutes, such as 22:00": "Escriba horas y minutos, como 22:00",
  "Name either a scenario or a recording.": "Indique un escenario o una grabación.",
  "Send payload, or base64.": "Envíe payload o base64.",
  "Send yaml, or mapping.": "Envíe yaml o mapping.",
  "This city shows no public page.": "Esta ciudad no muestra ninguna página pública.",
  "{year} has not begun.": "{year} no ha empezado.",
  'There is a target "{id}" already.': "Ya existe el destino «{id}».",
  "There are {n} targets already, the most allowed: remove one first.":
    "Ya hay {n} destinos, el máximo permitido: elimine uno antes.",
  'The target "{id}" escalates to it.': "El destino «{id}» escala a este.",
  "These targets would escalate in a circle: change one escalateTo.":
    "Estos destinos se escalarían en círculo: cambie un escalateTo.",
  "from {from} to {to} is a whole day; a target that is to hear nothing is switched off.":
    "De {from} a {to} es un día entero; un destino que no debe recibir nada se desactiva.",
  "a {type} target needs a url.": "Un destino de tipo {type} necesita una url.",
  "a {type} target has a url, not a to.": "Un destino de tipo {type} tiene url, no to.",
  "a target of type {type} has a to, not a url.": "Un destino de tipo {type} tiene to, no url.",
  "leave user and password out.": "Quite el usuario y la contraseña.",
  "1 to {n} e-mail addresses separated by commas were expected.":
    "Se esperaban de 1 a {n} direcciones de correo separadas por comas.",
  "a topic of the form alerts/to/<name> was expected.": "Se esperaba un tema de la forma alerts/to/<nombre>.",
  "only webhooks are signed with a secret.": "Solo los webhooks se firman con un secreto.",
  "escalateAfter and escalateTo go together.": "escalateAfter y escalateTo van juntos.",
  "a target cannot escalate to itself.": "Un destino no puede escalar a sí mismo.",
  "there is no such time zone; write a name such as Europe/Vienna":
    "Esa zona horaria no existe; escriba un nombre como Europe/Vienna",
  "an https:// or http:// address was expected": "Se esperaba una dirección https:// o http://",
  "whsec_ and 24 to 64 bytes in base64 were expected": "Se esperaba whsec_ y de 24 a 64 bytes en base64",
  "write a whole number and s, m, h or d, such as {example}; from {low} to {high}":
    "Escriba un número entero con s, m, h o d, como {example}; de {low} a {high}",
  "https:// is needed; LAMPPOST_NOTIFY_ALLOW can allow http:// for a host.":
    "Hace falta https://; LAMPPOST_NOTIFY_ALLOW puede permitir http:// para un host.",
  "only https:// and http:// addresses can be told.": "Solo son posibles direcciones https:// y http://.",
  "port {port} is not one of a web server.": "El puerto {port} no es de un servidor web.",
  "the host is not on the public internet; LAMPPOST_NOTIFY_ALLOW can allow it.":
    "El host no está en la internet pública; LAMPPOST_NOTIFY_ALLOW puede permitirlo.",
  "{host} has no address.": "{host} no tiene dirección.",
  "set LAMPPOST_SMTP_URL and LAMPPOST_SMTP_FROM to send mails.":
    "Para enviar correos defina LAMPPOST_SMTP_URL y LAMPPOST_SMTP_FROM.",
  "At most {n} districts have a name or an outline.": "{n} distritos como máximo tienen nombre o contorno.",
  "Only admins may undo this.": "Solo administración puede deshacer esto.",
  'There is another target "{id}" by now.': "Ahora hay otro destino «{id}».",
  "Something else was said of {id} by now.": "Entretanto se indicó otra cosa sobre {id}.",
  "{id} is on the register again, or forgotten.": "{id} está de nuevo en el registro, o se olvidó.",
  "{id} is off the register: put it back first.": "{id} está fuera del registro: recupérelo antes.",
  "The first admin's token is changed by LAMPPOST_ADMIN_TOKEN and a restart.":
    "El token del primer administrador se cambia con LAMPPOST_ADMIN_TOKEN y un reinicio.",
  "Choose a password of your own under Account.": "Elija su propia contraseña en «Cuenta».",
  "You cannot change your own role: ask another admin.": "No puede cambiar su propio rol: pídalo a otro administrador.",
  "{id} is the last admin.": "{id} es el último administrador.",
  "There is no such part of it": "No existe esa parte",
  "{action} takes neither parts nor photos.": "{action} no admite piezas ni fotos.",
  'This alert has no photo "{id}".': "Esta alerta no tiene la foto «{id}».",
  "This alert has {n} photos: no more are taken.": "Esta alerta tiene {n} fotos: no se aceptan más.",
  "There is no room for more photos.": "No hay espacio para más fotos.",
  "to must not be before from.": "to no puede ser anterior a from.",
  "{id} has {n} annotations already: remove one first.": "{id} ya tiene {n} anotaciones: quite una antes.",
  "{name} wrote this.": "Esto lo escribió {name}.",
  "Send one of ids, reason and mapping.": "Envíe uno de ids, reason y mapping.",
  "Ask for a range of it, such as Range: bytes=0-16383.": "Pida un rango, como Range: bytes=0-16383.",
  "It has {n} bytes.": "Tiene {n} bytes.",
  "A map file is sent as {type}.": "Un archivo de mapa se envía como {type}.",
  "This file is refused: {why}.": "Este archivo se rechaza: {why}.",
  "You have {n} saved filters already: remove one first.": "Ya tiene {n} filtros guardados: quite uno antes.",
  "You follow {n} sensors already: give up one first.": "Ya sigue {n} sensores: deje uno antes.",
  'There is a display "{id}" already.': "Ya existe la pantalla «{id}».",
  "There are {n} displays already: remove one first.": "Ya hay {n} pantallas: quite una antes.",
  "Open the address with the display's token, or sign in.":
    "Abra la dirección con el token de la pantalla o inicie sesión.",
  "The role of {name} does not allow this.": "El rol de {name} no permite esto.",
  "Too many screens show this already.": "Ya lo muestran demasiadas pantallas.",
};

export const problemWords: Readonly<Record<string, string>> = {
  sensor: "sensor",
  alert: "alerta",
  incident: "incidente",
  user: "usuario",
  device: "dispositivo",
  gateway: "pasarela",
  crew: "brigada",
  rule: "regla",
  district: "distrito",
  silence: "silencio",
  target: "destino",
  mapping: "mapeo",
  correction: "corrección",
  calibration: "calibración",
  recording: "grabación",
  "running simulation": "simulación en marcha",
  "recording under way": "grabación en curso",
  "quarantined message": "mensaje en cuarentena",
  air: "aire",
  traffic: "tráfico",
  energy: "energía",
  account: "cuenta",
  address: "dirección",
  admin: "administración",
  operator: "operador",
  viewer: "lectura",
  "saved view": "vista guardada",
  view: "vista",
};
