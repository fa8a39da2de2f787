/** What the service finds wrong with itself, and what `lamppost doctor` finds, by the English words (see `problems.ts`). */
export const health: Readonly<Record<string, string>> = {
  runtime: "Laufzeitumgebung",
  settings: "Einstellungen",
  "data directory": "Datenordner",
  service: "Dienst",
  reachable: "erreichbar",
  ledger: "Bücher",
  sensors: "Sensoren",
  store: "Speicher",
  ok: "in Ordnung",
  degraded: "eingeschränkt",
  failed: "ausgefallen",
  starting: "startet",
  "run npm ci: it brings the pinned runtime": "npm ci ausführen: das bringt die festgelegte Laufzeitumgebung mit",
  "as .env.example describes them": "wie in .env.example beschrieben",
  "see .env.example": "siehe .env.example",
  "{path} (not there yet)": "{path} (noch nicht vorhanden)",
  "make it writable for this user, or set LAMPPOST_DATA_DIR to another place":
    "für diesen Benutzer beschreibbar machen oder LAMPPOST_DATA_DIR anders setzen",
  "nothing was refused lately": "in letzter Zeit wurde nichts abgewiesen",
  "{n} and more send what is refused or not taken (lamppost quarantine sensors). {details}":
    "{n} und mehr senden, was abgewiesen oder nicht genommen wird (lamppost quarantine sensors). {details}",
  "{n} send what is refused or not taken (lamppost quarantine sensors). {details}":
    "{n} senden, was abgewiesen oder nicht genommen wird (lamppost quarantine sensors). {details}",
  "look at the log of the service": "in das Protokoll des Dienstes schauen",
  'it may have stopped: look at its log, then "lamppost start"':
    "vielleicht ist er stehen geblieben: in sein Protokoll schauen, dann „lamppost start“",
  "{url} does not answer: {why}": "{url} antwortet nicht: {why}",
  "{n} received, {m} in the journal, balanced": "{n} empfangen, {m} im Journal, die Bücher stimmen",
  "{n} received, {m} in the journal, NOT balanced": "{n} empfangen, {m} im Journal, die Bücher stimmen NICHT",
  "keep the data directory as it is and report this": "den Datenordner lassen, wie er ist, und dies melden",
  "the token is not the admin's: give --token-file, or read <data>/admin-token":
    "das Token gehört nicht der Administration: --token-file angeben oder <Daten>/admin-token lesen",
  "see above": "siehe oben",
  'no service runs on {path}; start one with "lamppost start", set LAMPPOST_DATA_DIR, or give --url and --token-file':
    "auf {path} läuft kein Dienst; mit „lamppost start“ starten, LAMPPOST_DATA_DIR setzen oder --url und --token-file angeben",
  "--url {url} is not a URL; an example is http://127.0.0.1:8080":
    "--url {url} ist keine URL; ein Beispiel ist http://127.0.0.1:8080",
  "there is no admin token in {path}; give --token-file or set LAMPPOST_ADMIN_TOKEN":
    "in {path} ist kein Token der Administration; --token-file angeben oder LAMPPOST_ADMIN_TOKEN setzen",
  "Cannot be done now and is tried again: {names}. Check the disk of the data directory.":
    "Gelingt gerade nicht und wird noch einmal versucht: {names}. Den Datenträger des Datenordners prüfen.",
  "The journal cannot be written. The service restarts and replays.":
    "Das Journal lässt sich nicht schreiben. Der Dienst startet neu und holt nach.",
  "The books did not balance and have not been counted again since.":
    "Die Bücher stimmten nicht und wurden seither nicht neu gezählt.",
  "These targets cannot be told of alerts: {names}. Look at GET /api/v1/targets.":
    "Diese Ziele lassen sich nicht erreichen: {names}. Siehe GET /api/v1/targets.",
  "What is to be told of alerts cannot be decided ({why}). Check the disk of the data directory.":
    "Was zu melden ist, lässt sich nicht entscheiden ({why}). Den Datenträger des Datenordners prüfen.",
  "Alerts cannot be kept ({why}); {n} wait. Check the disk of the data directory.":
    "Meldungen lassen sich nicht speichern ({why}); {n} warten. Den Datenträger des Datenordners prüfen.",
  "Rules out of use after an error: {names}. Restart to try again.":
    "Regeln nach einem Fehler außer Betrieb: {names}. Für einen neuen Versuch neu starten.",
  "HTTPS cannot accept a connection: {why}": "HTTPS kann keine Verbindung annehmen: {why}",
  "The points of an earlier version are copied first; readings wait in the journal meanwhile":
    "Erst werden die Punkte einer früheren Version kopiert; Messwerte warten solange im Journal",
  "Nobody is told of alerts: this data folder was restored from the backup of {time}, and the service it was made of may still run. If this is the real one, start it with: {command}":
    "Niemand wird benachrichtigt: dieser Datenordner stammt aus der Sicherung vom {time}, und der Dienst, von dem sie ist, läuft vielleicht noch. Ist dies der richtige, so starten: {command}",
  muted: "stumm",
};
