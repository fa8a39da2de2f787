/** What the service finds wrong with itself, and what `lamppost doctor` finds, by the English words (see `problems.ts`). */
export const health: Readonly<Record<string, string>> = {
  runtime: "entorno",
  settings: "ajustes",
  "data directory": "carpeta de datos",
  service: "servicio",
  reachable: "accesible",
  ledger: "cuentas",
  sensors: "sensores",
  store: "almacén",
  ok: "bien",
  degraded: "degradado",
  failed: "fallado",
  starting: "arrancando",
  "run npm ci: it brings the pinned runtime": "ejecute npm ci: trae el entorno fijado",
  "as .env.example describes them": "como los describe .env.example",
  "see .env.example": "vea .env.example",
  "{path} (not there yet)": "{path} (aún no existe)",
  "make it writable for this user, or set LAMPPOST_DATA_DIR to another place":
    "dé permiso de escritura a este usuario o ponga LAMPPOST_DATA_DIR en otro sitio",
  "nothing was refused lately": "últimamente no se rechazó nada",
  "{n} and more send what is refused or not taken (lamppost quarantine sensors). {details}":
    "{n} y más envían lo que se rechaza o no se toma (lamppost quarantine sensors). {details}",
  "{n} send what is refused or not taken (lamppost quarantine sensors). {details}":
    "{n} envían lo que se rechaza o no se toma (lamppost quarantine sensors). {details}",
  "look at the log of the service": "mire el registro del servicio",
  'it may have stopped: look at its log, then "lamppost start"':
    "quizá se ha detenido: mire su registro y luego «lamppost start»",
  "{url} does not answer: {why}": "{url} no responde: {why}",
  "{n} received, {m} in the journal, balanced": "{n} recibidos, {m} en el diario, las cuentas cuadran",
  "{n} received, {m} in the journal, NOT balanced": "{n} recibidos, {m} en el diario, las cuentas NO cuadran",
  "keep the data directory as it is and report this": "deje la carpeta de datos como está e informe de esto",
  "the token is not the admin's: give --token-file, or read <data>/admin-token":
    "el token no es el de administración: indique --token-file o lea <datos>/admin-token",
  "see above": "vea arriba",
  'no service runs on {path}; start one with "lamppost start", set LAMPPOST_DATA_DIR, or give --url and --token-file':
    "no hay ningún servicio en {path}; arránquelo con «lamppost start», defina LAMPPOST_DATA_DIR o indique --url y --token-file",
  "--url {url} is not a URL; an example is http://127.0.0.1:8080":
    "--url {url} no es una URL; un ejemplo es http://127.0.0.1:8080",
  "there is no admin token in {path}; give --token-file or set LAMPPOST_ADMIN_TOKEN":
    "no hay token de administración en {path}; indique --token-file o defina LAMPPOST_ADMIN_TOKEN",
  "Cannot be done now and is tried again: {names}. Check the disk of the data directory.":
    "No se puede hacer ahora y se reintenta: {names}. Revise el disco de la carpeta de datos.",
  "The journal cannot be written. The service restarts and replays.":
    "No se puede escribir el diario. El servicio se reinicia y recupera.",
  "The books did not balance and have not been counted again since.":
    "Las cuentas no cuadraban y no se han vuelto a contar.",
  "These targets cannot be told of alerts: {names}. Look at GET /api/v1/targets.":
    "No se puede avisar a estos destinos: {names}. Vea GET /api/v1/targets.",
  "What is to be told of alerts cannot be decided ({why}). Check the disk of the data directory.":
    "No se puede decidir qué avisar ({why}). Revise el disco de la carpeta de datos.",
  "Alerts cannot be kept ({why}); {n} wait. Check the disk of the data directory.":
    "No se pueden guardar alertas ({why}); {n} esperan. Revise el disco de la carpeta de datos.",
  "Rules out of use after an error: {names}. Restart to try again.":
    "Reglas fuera de uso tras un error: {names}. Reinicie para intentarlo de nuevo.",
  "HTTPS cannot accept a connection: {why}": "HTTPS no puede aceptar conexiones: {why}",
  "The points of an earlier version are copied first; readings wait in the journal meanwhile":
    "Antes se copian los puntos de una versión anterior; las mediciones esperan en el diario",
  "Nobody is told of alerts: this data folder was restored from the backup of {time}, and the service it was made of may still run. If this is the real one, start it with: {command}":
    "No se avisa a nadie: esta carpeta de datos se restauró de la copia del {time}, y el servicio del que se hizo puede seguir en marcha. Si este es el verdadero, arránquelo con: {command}",
  muted: "en silencio",
};
