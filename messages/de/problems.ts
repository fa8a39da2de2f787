/**
 * What the service answers to a request it cannot meet, by its English words; `{name}` is what varies. In `{what}` stands
 * one of the words below, in `{text}` another text of this list.
 */
export const problems: Readonly<Record<string, string>> = {
  "The request is not valid": "Die Anfrage ist nicht gültig",
  "A valid bearer token is needed": "Ein gültiges Token (Bearer) ist nötig",
  "This account may not do that": "Dieses Konto darf das nicht",
  "Not found": "Nicht gefunden",
  "This address does not support that method": "Diese Adresse kennt diese Methode nicht",
  "This conflicts with the current state": "Das widerspricht dem jetzigen Stand",
  "The body is too large": "Der Inhalt ist zu groß",
  "Bodies are application/json": "Inhalte sind application/json",
  "This service does not answer to that host name": "Dieser Dienst antwortet nicht unter diesem Namen",
  "No reading was accepted": "Kein Messwert wurde angenommen",
  "Too many requests": "Zu viele Anfragen",
  "Something went wrong in the service": "Im Dienst ist etwas schiefgegangen",
  "The service cannot do this right now": "Der Dienst kann das gerade nicht",
  'There is no {what} "{id}".': "{what} „{id}“ gibt es nicht.",
  'There is no {what} "{id}"; did you mean {near}?': "{what} „{id}“ gibt es nicht; war {near} gemeint?",
  "There is no alert {id}.": "Die Meldung {id} gibt es nicht.",
  "This name is already in use: choose another.": "Dieser Name ist schon vergeben: einen anderen wählen.",
  "The disk is full. Try again later.": "Der Datenträger ist voll. Später noch einmal versuchen.",
  "The disk is nearly full, and you have had your share of what is left. Try again later.":
    "Der Datenträger ist fast voll, und Ihr Anteil am Rest ist verbraucht. Später noch einmal versuchen.",
  "The service cannot read or write its files now. Try again later.":
    "Der Dienst kann seine Dateien gerade nicht lesen oder schreiben. Später noch einmal versuchen.",
  "The journal does not take messages now. Try again later.":
    "Das Journal nimmt gerade keine Nachrichten an. Später noch einmal versuchen.",
  "The reading store does not answer: try again later.":
    "Der Speicher der Messwerte antwortet nicht: später noch einmal versuchen.",
  "See /docs for the addresses.": "Die Adressen stehen unter /docs.",
  "Try {methods}.": "Möglich: {methods}.",
  "A request with the page's cookie needs the header x-lamppost.":
    "Eine Anfrage mit dem Cookie der Seite braucht den Header x-lamppost.",
  "Sign in, or send Authorization: Bearer <token>.": "Anmelden oder Authorization: Bearer <Token> senden.",
  "The role of {name} ({role}) does not allow this.": "Die Rolle von {name} ({role}) erlaubt das nicht.",
  "The token is not valid, and too many wrong ones came from this address: wait before the next try.":
    "Das Token ist nicht gültig, und von dieser Adresse kamen zu viele falsche: vor dem nächsten Versuch warten.",
  "The token is not valid: check it, or ask an admin for a new one.":
    "Das Token ist nicht gültig: prüfen oder bei der Administration ein neues erbitten.",
  "Devices and gateways cannot sign in on the page: use a person's account.":
    "Geräte und Gateways können sich auf der Seite nicht anmelden: das Konto einer Person verwenden.",
  "The name or the password is wrong.": "Der Name oder das Passwort ist falsch.",
  "Too many sign-ins at once: try again in a few seconds.":
    "Zu viele Anmeldungen auf einmal: in einigen Sekunden noch einmal versuchen.",
  "Too many wrong passwords were tried for this name from here. A token is still taken.":
    "Für diesen Namen wurden von hier zu viele falsche Passwörter versucht. Ein Token wird weiter angenommen.",
  "The current password is wrong.": "Das jetzige Passwort ist falsch.",
  "The password must not contain the user name.": "Das Passwort darf den Benutzernamen nicht enthalten.",
  "Send a token, or a user and a password.": "Ein Token oder Benutzer und Passwort senden.",
  "The service has too many requests in progress: try again later.":
    "Der Dienst bearbeitet gerade zu viele Anfragen: später noch einmal versuchen.",
  "This {what} has {n} requests in progress, the most allowed: wait until some have been answered.":
    "{what}: {n} Anfragen sind in Arbeit, mehr sind nicht erlaubt; warten, bis einige beantwortet sind.",
  "As many connections are open as the service can take.":
    "Es sind so viele Verbindungen offen, wie der Dienst annehmen kann.",
  "The service has as many open streams as it can take.":
    "Der Dienst hat so viele offene Streams, wie er annehmen kann.",
  "This account has {n} open streams.": "Dieses Konto hat {n} offene Streams.",
  "This address has {n} open streams.": "Diese Adresse hat {n} offene Streams.",
  "{whose} has reached the limit of {n}, running and waiting. Try again later.":
    "{whose} hat die Grenze von {n} (laufend und wartend) erreicht. Später noch einmal versuchen.",
  "This took longer than {n} s (LAMPPOST_QUERY_TIMEOUT_S): ask for a shorter range.":
    "Das dauerte länger als {n} s (LAMPPOST_QUERY_TIMEOUT_S): einen kürzeren Zeitraum abfragen.",
  "This waited {n} s and could not begin. Try again later.":
    "Das wartete {n} s und konnte nicht beginnen. Später noch einmal versuchen.",
  "The client closed the connection.": "Der Client hat die Verbindung geschlossen.",
  "{name} may send {n} readings a second ({setting}).": "{name} darf {n} Messwerte je Sekunde senden ({setting}).",
  "Unknown key: remove it or check its spelling.": "Unbekanntes Feld: entfernen oder die Schreibweise prüfen.",
  "The body is nested more than {n} deep.": "Der Inhalt ist tiefer als {n} Ebenen geschachtelt.",
  "The body is not valid JSON.": "Der Inhalt ist kein gültiges JSON.",
  "The body is not valid UTF-8.": "Der Inhalt ist kein gültiges UTF-8.",
  "{word} at character {at} is not JSON: send null.": "{word} an Zeichen {at} ist kein JSON: null senden.",
  "Request body is too large": "Der Inhalt ist zu groß",
  "Unsupported Media Type": "Diese Art von Inhalt wird nicht angenommen",
  "Unsupported Media Type: {type}": "Diese Art von Inhalt wird nicht angenommen: {type}",
  "Body cannot be empty when content-type is set to 'application/json'":
    "Der Inhalt darf nicht leer sein, wenn content-type application/json ist",
  "The cursor is not valid: send `next` of the last page as it is, or start again without a cursor.":
    "Der Cursor ist nicht gültig: `next` der letzten Seite unverändert senden oder ohne Cursor neu beginnen.",
  "locale is a language and, if need be, a country, like de or es-MX.":
    "locale ist eine Sprache und, wo nötig, ein Land, wie de oder es-MX.",
  "A locale is a language and, if need be, a country, like de or es-MX.":
    "locale ist eine Sprache und, wo nötig, ein Land, wie de oder es-MX.",
  "{name} is ISO 8601 with a zone, like 2026-11-21T10:00:00Z or 2026-11-21T10:00:00%2B01:00 (a + in an address), or epoch milliseconds.":
    "{name} ist ISO 8601 mit Zone, wie 2026-11-21T10:00:00Z oder 2026-11-21T10:00:00%2B01:00 (ein + in einer Adresse), oder Millisekunden seit 1970.",
  "ISO 8601 with a zone, like 2026-11-21T10:00:00Z, or epoch milliseconds.":
    "ISO 8601 mit Zone, wie 2026-11-21T10:00:00Z, oder Millisekunden seit 1970.",
  "Write an ISO 8601 time with a zone.": "Eine Zeit nach ISO 8601 mit Zone schreiben.",
  "Write an ISO 8601 time with a zone, such as 2026-11-21T10:00:00Z.":
    "Eine Zeit nach ISO 8601 mit Zone schreiben, etwa 2026-11-21T10:00:00Z.",
  "An ISO 8601 time with a zone, such as 2026-11-21T10:00:00Z.":
    "Eine Zeit nach ISO 8601 mit Zone, etwa 2026-11-21T10:00:00Z.",
  "At most {n} days at a time: ask for shorter ranges one by one.":
    "Höchstens {n} Tage auf einmal: kürzere Zeiträume nacheinander abfragen.",
  "At most {n} days at a time.": "Höchstens {n} Tage auf einmal.",
  "At most {n} days.": "Höchstens {n} Tage.",
  "That is more than {n} steps. Use every={m}m or longer, or a shorter range.":
    "Das sind mehr als {n} Schritte. every={m}m oder länger verwenden, oder einen kürzeren Zeitraum.",
  "every must be a whole number followed by s, m, h or d, such as 5m, and at most 366d.":
    "every ist eine ganze Zahl mit s, m, h oder d, etwa 5m, und höchstens 366d.",
  "Write a whole number followed by s, m, h or d, such as 1d.":
    "Eine ganze Zahl mit s, m, h oder d schreiben, etwa 1d.",
  "from must be before to.": "from muss vor to liegen.",
  "to must be after from.": "to muss nach from liegen.",
  "It must be after from.": "Es muss nach from liegen.",
  "zone is a time zone, like Europe/Madrid or UTC.": "zone ist eine Zeitzone, wie Europe/Madrid oder UTC.",
  "Use a comma-separated list of {names}.": "Eine Liste mit Kommas aus {names} verwenden.",
  "An event id is a whole number.": "Die Nummer eines Ereignisses ist eine ganze Zahl.",
  "The id of a {what} is a whole number.": "Die Nummer ({what}) ist eine ganze Zahl.",
  "An id is 1 to 64 of a-z, 0-9 and -, and does not start with -.":
    "Eine id hat 1 bis 64 Zeichen aus a-z, 0-9 und - und beginnt nicht mit -.",
  "an id is 1 to 64 of a-z, 0-9 and -, and does not start with -":
    "Eine id hat 1 bis 64 Zeichen aus a-z, 0-9 und - und beginnt nicht mit -.",
  "1 to 64 of a-z, 0-9 and -, not beginning with -": "1 bis 64 Zeichen aus a-z, 0-9 und -, nicht mit - beginnend",
  '"{id}" stands for alerts of no district; give it another id.':
    "„{id}“ steht für Meldungen ohne Bezirk; eine andere id wählen.",
  '"{id}" stands for alerts of no district.': "„{id}“ steht für Meldungen ohne Bezirk.",
  "{name} is for single readings: leave every out.": "{name} gilt für einzelne Messwerte: every weglassen.",
  "Say of which metrics, {n} at most: metrics=pm25.": "Sagen, von welchen Messgrößen (höchstens {n}): metrics=pm25.",
  "Metrics of {what} sensors are {names}.": "Messgrößen von Sensoren der Art {what} sind {names}.",
  "Only operators and admins may use verify=true.": "Nur Leitstelle und Administration dürfen verify=true verwenden.",
  "Send either ids or a reason.": "Entweder ids oder einen Grund senden.",
  "Use either sensor or by=sensor, not both.": "Entweder sensor oder by=sensor verwenden, nicht beides.",
  "{id} is registered as {what} in {district}.": "{id} ist als {what} in {district} eingetragen.",
  'A crew is called "{name}".': "Ein Trupp heißt „{name}“.",
  "Only an admin gives the import right.": "Nur die Administration vergibt das Recht zum Import.",
  'The name "{name}" is taken. Remove it first to get a new password.':
    "Der Name „{name}“ ist vergeben. Für ein neues Passwort erst entfernen.",
  "You cannot remove your own account: ask another admin.":
    "Das eigene Konto lässt sich nicht entfernen: eine andere Administratorin bitten.",
  "{new} has taken the place of {id} already.": "{new} hat {id} schon ersetzt.",
  "{id} is {what}, and {other} is {what2}.": "{id} ist {what}, {other} ist {what2}.",
  "{id} took the place of {other} itself.": "{id} hat selbst {other} ersetzt.",
  "A file of sensors is being taken in.": "Eine Datei mit Sensoren wird gerade übernommen.",
  "Another file is being taken in.": "Eine andere Datei wird gerade übernommen.",
  "The file is text/csv.": "Die Datei ist text/csv.",
  "The gateway {gateway} does not speak for {district}: add it with that district, or use another.":
    "Das Gateway {gateway} spricht nicht für {district}: mit diesem Bezirk anlegen oder ein anderes verwenden.",
  "{id} is on the register.": "{id} steht im Verzeichnis.",
  "{id} was taken off the register: put it back first (POST /sensors/{id2}/restore).":
    "{id} wurde aus dem Verzeichnis genommen: erst zurückholen (POST /sensors/{id2}/restore).",
  "{id} was taken off the register: put it back first.": "{id} wurde aus dem Verzeichnis genommen: erst zurückholen.",
  "replacesFrom lies in the future.": "replacesFrom liegt in der Zukunft.",
  "{id} is registered as {what}; a sensor's kind does not change.":
    "{id} ist als {what} eingetragen; die Art eines Sensors ändert sich nicht.",
  "{id} stands in line {line} already.": "{id} steht schon in Zeile {line}.",
  "A district is 1 to 64 of a-z, 0-9 and -.": "Ein Bezirk hat 1 bis 64 Zeichen aus a-z, 0-9 und -.",
  "A file has at most {n} sensors: divide it.": "Eine Datei hat höchstens {n} Sensoren: aufteilen.",
  "A file has at most {n} columns of tags.": "Eine Datei hat höchstens {n} Spalten mit Merkmalen.",
  "A sensor has at most {n} tags.": "Ein Sensor hat höchstens {n} Merkmale.",
  "At most {n} tags.": "Höchstens {n} Merkmale.",
  "A tag cannot have this name.": "So kann kein Merkmal heißen.",
  "A tag has at most 200 characters.": "Ein Merkmal hat höchstens 200 Zeichen.",
  "The name of a tag has at most 64 characters.": "Der Name eines Merkmals hat höchstens 64 Zeichen.",
  "Characters that control a terminal or turn the direction of a text are not taken.":
    "Zeichen, die ein Terminal steuern oder die Schreibrichtung ändern, werden nicht angenommen.",
  "One of {names} was expected.": "Erwartet wurde eines von {names}.",
  "Somebody changed one of these sensors meanwhile: import the file again.":
    "Inzwischen hat jemand einen dieser Sensoren geändert: die Datei noch einmal importieren.",
  "The column comes twice.": "Die Spalte kommt zweimal vor.",
  "The column id is missing.": "Die Spalte id fehlt.",
  "The file is empty.": "Die Datei ist leer.",
  "The id of a sensor was expected.": "Die id eines Sensors wurde erwartet.",
  "The name {id} is that of a {what}.": "Der Name {id} gehört schon jemandem ({what}).",
  "The quote is never closed.": "Das Anführungszeichen wird nie geschlossen.",
  "There are {n} cells for {m} columns.": "Es sind {n} Zellen für {m} Spalten.",
  'There is no column "{name}": there are {names}, and {tag}… for a tag.':
    "Die Spalte „{name}“ gibt es nicht; es gibt {names} und {tag}… für ein Merkmal.",
  "yes or no was expected.": "yes oder no wurde erwartet.",
  "A topic filter such as v3/+/devices/+/up, not below city, import, alerts or in.":
    "Ein Topic-Filter wie v3/+/devices/+/up, nicht unter city, import, alerts oder in.",
  "The alert is acknowledged already.": "Die Meldung ist schon bestätigt.",
  "The alert is acknowledged already by {name} at {time}.": "Die Meldung ist schon bestätigt, von {name} um {time}.",
  "The alert is not closed, it is acknowledged.": "Die Meldung ist nicht geschlossen, sondern bestätigt.",
  "The alert is in-progress already.": "Die Meldung ist schon in Arbeit.",
  "The alert is in-progress already by {name} at {time}.": "Die Meldung ist schon in Arbeit, von {name} um {time}.",
  "The alert is not closed, it is in-progress.": "Die Meldung ist nicht geschlossen, sondern in Arbeit.",
  "The alert is closed already.": "Die Meldung ist schon geschlossen.",
  "The alert is closed already by {name} at {time}.": "Die Meldung ist schon geschlossen, von {name} um {time}.",
  "The alert is not closed, it is closed.": "Die Meldung ist nicht geschlossen, sondern geschlossen.",
  "The alert is open already.": "Die Meldung ist schon offen.",
  "The alert is open already by {name} at {time}.": "Die Meldung ist schon offen, von {name} um {time}.",
  "The alert is not closed, it is open.": "Die Meldung ist nicht geschlossen, sondern offen.",
  "The alert is assigned to {name}.": "Die Meldung ist {name} zugewiesen.",
  "The alert was closed by {name} at {time}.": "Die Meldung wurde von {name} um {time} geschlossen.",
  "The alert was closed.": "Die Meldung wurde geschlossen.",
  "The work was started already by {name} at {time}.": "Die Arbeit wurde schon von {name} um {time} begonnen.",
  "The work was started already.": "Die Arbeit wurde schon begonnen.",
  'There is no crew, operator or admin called "{name}".':
    "Es gibt keinen Trupp und niemanden in Leitstelle oder Administration mit dem Namen „{name}“.",
  'There is no crew member, operator or admin called "{name}".':
    "Es gibt niemanden in Trupps, Leitstelle oder Administration mit dem Namen „{name}“.",
  "{action} needs {field}.": "{action} braucht {field}.",
  "There is nothing to do.": "Es gibt nichts zu tun.",
  '"{id}" is the name of an account: call it otherwise.': "„{id}“ ist der Name eines Kontos: anders nennen.",
  "There are {n} crews already: remove one.": "Es gibt schon {n} Trupps: einen entfernen.",
  'There is no sensor in a district "{district}".': "In einem Bezirk „{district}“ gibt es keinen Sensor.",
  "{id} has {n} calibrations already: end some.": "{id} hat schon {n} Kalibrierungen: einige beenden.",
  "{id} has {n} corrections in force already: revoke some, or correct more with one.":
    "{id} hat schon {n} Korrekturen in Kraft: einige widerrufen oder mit einer mehr korrigieren.",
  "A factor of 0 would leave nothing.": "Ein Faktor von 0 ließe nichts übrig.",
  "A factor of 0 would leave nothing: mark the values as invalid.":
    "Ein Faktor von 0 ließe nichts übrig: die Werte als ungültig kennzeichnen.",
  "A shift moves the whole reading: leave metrics out.":
    "Eine Verschiebung bewegt den ganzen Messwert: metrics weglassen.",
  "At most a day ahead: for what comes from now on use a calibration.":
    "Höchstens einen Tag voraus: für das Künftige eine Kalibrierung verwenden.",
  "This has not been measured yet: for what comes from now on use a calibration.":
    "Das ist noch nicht gemessen: für das Künftige eine Kalibrierung verwenden.",
  "This moves nothing.": "Das verschiebt nichts.",
  "{field} does not go with what: {kind}.": "{field} passt nicht zu what: {kind}.",
  "what: {kind} needs the metrics it is for.": "what: {kind} braucht die Messgrößen, für die es gilt.",
  "what: {kind} needs {fields}.": "what: {kind} braucht {fields}.",
  "It was sent through again: decide the item that came of it.":
    "Es wurde noch einmal durchgeschickt: über das entscheiden, was daraus wurde.",
  "Only a conflict is decided: two values of one moment that disagree.":
    "Entschieden wird nur ein Widerspruch: zwei verschiedene Werte eines Augenblicks.",
  "The new value was taken: revoke its correction to have the old one again.":
    "Der neue Wert wurde genommen: seine Korrektur widerrufen, um den alten zurückzuholen.",
  "What is there is marked as invalid: revoke that correction first.":
    "Was da ist, ist als ungültig gekennzeichnet: erst diese Korrektur widerrufen.",
  "Which value it brought cannot be told any more.": "Welchen Wert es brachte, lässt sich nicht mehr sagen.",
  "{name} was not given the mapping {mapping} (accepts).": "{name} hat die Zuordnung {mapping} nicht (accepts).",
  "{n} bytes cannot be cut into messages of {m} bytes and {k} readings: send less at a time.":
    "{n} Bytes lassen sich nicht in Nachrichten von {m} Bytes und {k} Messwerten teilen: weniger auf einmal senden.",
  "Bodies are plain, gzip or snappy.": "Inhalte sind unverpackt, gzip oder snappy.",
  "Send the secret as bearer, Basic password or in the header that the mapping names.":
    "Das Geheimnis als Bearer, als Basic-Passwort oder im Header senden, den die Zuordnung nennt.",
  "The body is not a snappy block of at most 1 MiB.": "Der Inhalt ist kein Snappy-Block von höchstens 1 MiB.",
  "The body is not valid gzip.": "Der Inhalt ist kein gültiges gzip.",
  "The name and the password are not of one account.": "Name und Passwort gehören nicht zu einem Konto.",
  "The role of {name} sends no readings.": "Die Rolle von {name} sendet keine Messwerte.",
  'There is no mapping "{id}": a bucket, database or address names one.':
    "Eine Zuordnung „{id}“ gibt es nicht: Bucket, Datenbank oder Adresse nennen eine.",
  "{name} may not send for {id} in {district}.": "{name} darf nicht für {id} in {district} senden.",
  "{id} is not registered: add it with POST /devices.": "{id} ist nicht eingetragen: mit POST /devices anlegen.",
  "{id} is not registered; add it, or publish through a gateway.":
    "{id} ist nicht eingetragen; anlegen oder über ein Gateway senden.",
  "A reading has at most {n} bytes.": "Ein Messwert hat höchstens {n} Bytes.",
  "A reading has at most {n} keys.": "Ein Messwert hat höchstens {n} Felder.",
  "This text is too long.": "Dieser Text ist zu lang.",
  "Importing needs a gateway with the import right, or an admin.":
    "Zum Importieren braucht es ein Gateway mit dem Recht dazu oder die Administration.",
  "Measured at {time}, and the database removes what was measured more than {span} ago: give its bucket or retention policy a longer retention, or leave this out.":
    "Gemessen um {time}, und die Datenbank löscht, was älter ist als {span}: ihrem Bucket oder ihrer Retention Policy mehr Zeit geben oder dies weglassen.",
  "{key} is {value}; possible is {low} to {high}; it looks like {text}.":
    "{key} ist {value}; möglich ist {low} bis {high}; das sieht nach {text} aus.",
  "{key} is {value}; possible is {low} to {high}.": "{key} ist {value}; möglich ist {low} bis {high}.",
  "{key} would be {value}; possible is {low} to {high}.": "{key} wäre {value}; möglich ist {low} bis {high}.",
  "tenths of a degree": "Zehntelgrad",
  "hundredths of a degree": "Hundertstelgrad",
  "tenths of a percent": "Zehntelprozent",
  "hundredths of a percent": "Hundertstelprozent",
  "{key} must be a number or null, not {text}: it has a decimal comma, write {number}.":
    "{key} ist eine Zahl oder null, nicht {text}: mit Dezimalpunkt schreiben, {number}.",
  "{key} must be a number or null, not {text}: send the number alone, without its unit.":
    "{key} ist eine Zahl oder null, nicht {text}: nur die Zahl senden, ohne Einheit.",
  "{key} must be a number or null, not {text}.": "{key} ist eine Zahl oder null, nicht {text}.",
  "a string": "ein Text",
  "a boolean": "wahr oder falsch",
  "an array": "eine Liste",
  "an object": "ein Objekt",
  "an empty text": "ein leerer Text",
  null: "null",
  "a number": "eine Zahl",
  "a text": "ein Text",
  "A reading is a JSON object, not {text}.": "Ein Messwert ist ein JSON-Objekt, nicht {text}.",
  '"{key}" does not belong here: the topic says whose reading it is.':
    "„{key}“ gehört nicht hierher: das Topic sagt, von wem der Messwert ist.",
  '"{key}" is not a metric of {what} sensors; did you mean "{near}"?':
    "„{key}“ ist keine Messgröße von Sensoren der Art {what}; war „{near}“ gemeint?",
  '"{key}" is not a metric of {what} sensors.': "„{key}“ ist keine Messgröße von Sensoren der Art {what}.",
  '"{key}" is not taken: metrics stand in the reading itself, not in an object within.':
    "„{key}“ wird nicht genommen: Messgrößen stehen im Messwert selbst, nicht in einem Objekt darin.",
  '"{key}" is not taken: the time of a reading is "measuredAt".':
    "„{key}“ wird nicht genommen: die Zeit eines Messwerts ist „measuredAt“.",
  "Not one metric has a value: null and stand-ins such as -999 count as missing.":
    "Keine Messgröße hat einen Wert: null und Platzhalter wie -999 gelten als fehlend.",
  "Not one metric has a value: {text}": "Keine Messgröße hat einen Wert: {text}",
  'A key contains "{word}": personal data is not taken, the payload was not kept.':
    "Ein Feld enthält „{word}“: personenbezogene Daten werden nicht angenommen, der Inhalt wurde nicht behalten.",
  "measuredAt as a number must be seconds, ms, µs or ns since 1970, up to 2100.":
    "measuredAt als Zahl sind Sekunden, ms, µs oder ns seit 1970, bis 2100.",
  "measuredAt has no zone: end it with Z or an offset.":
    "measuredAt hat keine Zone: mit Z oder einem Abstand zu UTC enden lassen.",
  "measuredAt is {span} old; 7 days are allowed, history goes to import/….":
    "measuredAt ist {span} alt; 7 Tage sind erlaubt, Vergangenes geht an import/….",
  "measuredAt is {span} old (1,024 weeks: a GPS receiver whose week number began anew); 7 days are allowed, history goes to import/….":
    "measuredAt ist {span} alt (1.024 Wochen: ein GPS-Empfänger, dessen Wochenzählung neu begann); 7 Tage sind erlaubt, Vergangenes geht an import/….",
  "measuredAt is {span} ahead of the service's clock; 5 min are allowed.":
    "measuredAt liegt {span} vor der Uhr des Dienstes; 5 min sind erlaubt.",
  "measuredAt is not a real date and time.": "measuredAt ist kein Datum mit Uhrzeit, das es gibt.",
  "measuredAt is of a clock that was never set, and history needs its time.":
    "measuredAt ist von einer Uhr, die nie gestellt wurde; Vergangenes braucht seine Zeit.",
  "measuredAt must be ISO 8601 with a zone, such as 2026-11-21T10:00:00Z, or a number since 1970.":
    "measuredAt ist ISO 8601 mit Zone, etwa 2026-11-21T10:00:00Z, oder eine Zahl seit 1970.",
  "{id} has stood in {district} since {time}, no longer in {former}: publish to {topic}.":
    "{id} steht seit {time} in {district}, nicht mehr in {former}: an {topic} senden.",
  "{id} is registered as {what} in {district}, not as {what2} in {other}.":
    "{id} ist als {what} in {district} eingetragen, nicht als {what2} in {other}.",
  '{id} was taken off the register on {day}, when {new} took its place: switch it off, or put it back with "{command}".':
    "{id} wurde am {day} aus dem Verzeichnis genommen, als {new} seinen Platz einnahm: ausschalten oder mit „{command}“ zurückholen.",
  '{id} was taken off the register on {day}: switch it off, or put it back with "{command}".':
    "{id} wurde am {day} aus dem Verzeichnis genommen: ausschalten oder mit „{command}“ zurückholen.",
  "{name} is running a backtest since {time}.": "{name} lässt seit {time} einen Rücktest laufen.",
  "The rule is not valid.": "Die Regel ist nicht gültig.",
  "The rules would contradict each other.": "Die Regeln würden einander widersprechen.",
  "The rules cannot be read: simplify them.": "Die Regeln lassen sich nicht lesen: vereinfachen.",
  "The rules have too many parts, or are nested too deep.":
    "Die Regeln haben zu viele Teile oder sind zu tief geschachtelt.",
  "The rules take longer than {n} s to read: simplify or split them.":
    "Die Regeln zu lesen dauert länger als {n} s: vereinfachen oder aufteilen.",
  'The rule\'s id is "{id}", not "{other}".': "Die id der Regel ist „{id}“, nicht „{other}“.",
  "It is version {n} now, not {m}. {text}": "Es ist jetzt Version {n}, nicht {m}. {text}",
  'There is a rule "{id}". {text}': "Eine Regel „{id}“ gibt es schon. {text}",
  "{id} is live already. {text}": "{id} ist schon in Betrieb. {text}",
  "It is as in its file.": "Sie ist wie in ihrer Datei.",
  "There is no such rule any more.": "Diese Regel gibt es nicht mehr.",
  "At most 30 days: for longer, change the rule instead.": "Höchstens 30 Tage: für länger die Regel ändern.",
  "At most 90 days.": "Höchstens 90 Tage.",
  "At most a year ahead.": "Höchstens ein Jahr voraus.",
  "Between startsAt and endsAt this window never comes.": "Zwischen startsAt und endsAt kommt dieses Zeitfenster nie.",
  "It must end after now and after its start.": "Das Ende muss nach jetzt und nach dem Beginn liegen.",
  "Only maintenance comes back every week: kind maintenance.":
    "Nur Wartung wiederholt sich jede Woche: kind maintenance.",
  "Say when it ends: at most 30 days later.": "Sagen, wann es endet: höchstens 30 Tage später.",
  "The silence was ended by {name} at {time}.": "Die Stummschaltung wurde von {name} um {time} beendet.",
  "This silence has already ended.": "Diese Stummschaltung ist schon zu Ende.",
  "There are {n} silences already: end some, or match more with one.":
    "Es gibt schon {n} Stummschaltungen: einige beenden oder mit einer mehr erfassen.",
  "at least one matcher: without any, everything would be silent":
    "Mindestens ein Merkmal zum Auswählen: ohne wäre alles stumm",
  "name at least one day": "Mindestens einen Tag nennen",
  "name a tag": "Ein Merkmal nennen",
  "a time zone is an IANA name such as Europe/Madrid": "Eine Zeitzone ist ein IANA-Name wie Europe/Madrid",
  "write hours and minutes, such as 22:00": "Stunden und Minuten schreiben, etwa 22:00",
  "Name either a scenario or a recording.": "Entweder ein Szenario oder eine Aufnahme nennen.",
  "Send payload, or base64.": "payload oder base64 senden.",
  "Send yaml, or mapping.": "yaml oder mapping senden.",
  "This city shows no public page.": "Diese Stadt zeigt keine öffentliche Seite.",
  "{year} has not begun.": "{year} hat noch nicht begonnen.",
  'There is a target "{id}" already.': "Ein Ziel „{id}“ gibt es schon.",
  "There are {n} targets already, the most allowed: remove one first.":
    "Es gibt schon {n} Ziele, mehr sind nicht erlaubt: erst eines entfernen.",
  'The target "{id}" escalates to it.': "Das Ziel „{id}“ gibt an dieses weiter.",
  "These targets would escalate in a circle: change one escalateTo.":
    "Diese Ziele würden im Kreis weitergeben: ein escalateTo ändern.",
  "from {from} to {to} is a whole day; a target that is to hear nothing is switched off.":
    "Von {from} bis {to} ist ein ganzer Tag; ein Ziel, das nichts hören soll, wird ausgeschaltet.",
  "a {type} target needs a url.": "Ein Ziel der Art {type} braucht eine url.",
  "a {type} target has a url, not a to.": "Ein Ziel der Art {type} hat eine url, kein to.",
  "a target of type {type} has a to, not a url.": "Ein Ziel der Art {type} hat ein to, keine url.",
  "leave user and password out.": "Benutzer und Passwort weglassen.",
  "1 to {n} e-mail addresses separated by commas were expected.":
    "Erwartet wurden 1 bis {n} E-Mail-Adressen, durch Kommas getrennt.",
  "a topic of the form alerts/to/<name> was expected.": "Ein Topic der Form alerts/to/<Name> wurde erwartet.",
  "only webhooks are signed with a secret.": "Nur Webhooks werden mit einem Geheimnis signiert.",
  "escalateAfter and escalateTo go together.": "escalateAfter und escalateTo gehören zusammen.",
  "a target cannot escalate to itself.": "Ein Ziel kann nicht an sich selbst weitergeben.",
  "there is no such time zone; write a name such as Europe/Vienna":
    "Diese Zeitzone gibt es nicht; einen Namen wie Europe/Vienna schreiben",
  "an https:// or http:// address was expected": "Eine Adresse mit https:// oder http:// wurde erwartet",
  "whsec_ and 24 to 64 bytes in base64 were expected": "whsec_ und 24 bis 64 Bytes in Base64 wurden erwartet",
  "write a whole number and s, m, h or d, such as {example}; from {low} to {high}":
    "Eine ganze Zahl mit s, m, h oder d schreiben, etwa {example}; von {low} bis {high}",
  "https:// is needed; LAMPPOST_NOTIFY_ALLOW can allow http:// for a host.":
    "https:// ist nötig; LAMPPOST_NOTIFY_ALLOW kann http:// für einen Host erlauben.",
  "only https:// and http:// addresses can be told.": "Nur Adressen mit https:// und http:// sind möglich.",
  "port {port} is not one of a web server.": "Port {port} ist keiner eines Webservers.",
  "the host is not on the public internet; LAMPPOST_NOTIFY_ALLOW can allow it.":
    "Der Host ist nicht im öffentlichen Internet; LAMPPOST_NOTIFY_ALLOW kann ihn erlauben.",
  "{host} has no address.": "{host} hat keine Adresse.",
  "set LAMPPOST_SMTP_URL and LAMPPOST_SMTP_FROM to send mails.":
    "Für Mails LAMPPOST_SMTP_URL und LAMPPOST_SMTP_FROM setzen.",
  "At most {n} districts have a name or an outline.": "Höchstens {n} Bezirke haben einen Namen oder einen Umriss.",
  "Only admins may undo this.": "Nur die Administration kann das rückgängig machen.",
  'There is another target "{id}" by now.': "Inzwischen gibt es ein anderes Ziel „{id}“.",
  "Something else was said of {id} by now.": "Inzwischen wurde über {id} etwas anderes eingetragen.",
  "{id} is on the register again, or forgotten.": "{id} steht wieder im Verzeichnis oder ist vergessen.",
  "{id} is off the register: put it back first.": "{id} ist nicht im Verzeichnis: erst zurückholen.",
  "The first admin's token is changed by LAMPPOST_ADMIN_TOKEN and a restart.":
    "Das Token der ersten Administration ändern LAMPPOST_ADMIN_TOKEN und ein Neustart.",
  "Choose a password of your own under Account.": "Ein eigenes Passwort unter „Konto“ wählen.",
  "You cannot change your own role: ask another admin.":
    "Die eigene Rolle lässt sich nicht ändern: eine andere Administratorin bitten.",
  "{id} is the last admin.": "{id} hat als Letzte die Administration.",
  "There is no such part of it": "Diesen Teil davon gibt es nicht",
  "{action} takes neither parts nor photos.": "{action} nimmt weder Teile noch Fotos.",
  'This alert has no photo "{id}".': "Diese Meldung hat kein Foto „{id}“.",
  "This alert has {n} photos: no more are taken.": "Diese Meldung hat {n} Fotos: mehr werden nicht genommen.",
  "There is no room for more photos.": "Für weitere Fotos ist kein Platz.",
  "to must not be before from.": "to darf nicht vor from liegen.",
  "{id} has {n} annotations already: remove one first.": "{id} hat schon {n} Anmerkungen: erst eine entfernen.",
  "{name} wrote this.": "Das hat {name} geschrieben.",
  "Send one of ids, reason and mapping.": "Eines von ids, reason und mapping senden.",
  "Ask for a range of it, such as Range: bytes=0-16383.": "Einen Bereich davon abfragen, etwa Range: bytes=0-16383.",
  "It has {n} bytes.": "Es hat {n} Bytes.",
  "A map file is sent as {type}.": "Eine Kartendatei wird als {type} gesendet.",
  "This file is refused: {why}.": "Diese Datei wird abgewiesen: {why}.",
  "You have {n} saved filters already: remove one first.":
    "Sie haben schon {n} gespeicherte Filter: erst einen entfernen.",
  "You follow {n} sensors already: give up one first.": "Sie beobachten schon {n} Sensoren: erst einen aufgeben.",
  'There is a display "{id}" already.': "Eine Anzeige „{id}“ gibt es schon.",
  "There are {n} displays already: remove one first.": "Es gibt schon {n} Anzeigen: erst eine entfernen.",
  "Open the address with the display's token, or sign in.":
    "Die Adresse mit dem Token der Anzeige öffnen oder anmelden.",
  "The role of {name} does not allow this.": "Die Rolle von {name} erlaubt das nicht.",
  "Too many screens show this already.": "Zu viele Bildschirme zeigen das schon.",
};

export const problemWords: Readonly<Record<string, string>> = {
  sensor: "Sensor",
  alert: "Meldung",
  incident: "Vorfall",
  user: "Benutzer",
  device: "Gerät",
  gateway: "Gateway",
  crew: "Trupp",
  rule: "Regel",
  district: "Bezirk",
  silence: "Stummschaltung",
  target: "Ziel",
  mapping: "Zuordnung",
  correction: "Korrektur",
  calibration: "Kalibrierung",
  recording: "Aufnahme",
  "running simulation": "Laufende Simulation",
  "recording under way": "Laufende Aufnahme",
  "quarantined message": "Nachricht in Quarantäne",
  air: "Luft",
  traffic: "Verkehr",
  energy: "Energie",
  account: "Konto",
  address: "Adresse",
  admin: "Administration",
  operator: "Leitstelle",
  viewer: "Lesezugriff",
  "saved view": "Gespeicherte Ansicht",
  view: "Ansicht",
};
