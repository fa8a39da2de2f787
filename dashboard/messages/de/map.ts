import type { map as en } from "../en/map.ts";

export const map: typeof en = {
  zoomIn: "Vergrößern",
  zoomOut: "Verkleinern",
  failed: "Die Karte konnte nicht geladen werden. Der Rest der Seite funktioniert ohne sie.",
  pickLabel: "Einen Ort auf der Karte wählen",
  pickHint:
    "Klicken Sie in die Karte, um den Ort zu setzen, oder ziehen Sie die Nadel. Mit der Tastatur: Pfeiltasten verschieben die Karte, + und − ändern den Maßstab, Eingabe setzt den Ort in der Mitte.",
  layers: "Ebenen",
  kinds: "Sensoren",
  shown: "Anzeigen",
  alerts: "Meldungen",
  maintenance: "Stumm oder in Wartung",
  coverage: "Abdeckung",
  coverageHint: "500 m um einen Sensor",
  legend: "Legende",
  values: "Nach Wert färben",
  noValues: "Keiner",
  nothingSent: "Kein Sensor hat ihn gesendet.",
  calm: "Keine offene Meldung",
  search: "Straße, Sensor oder Bezirk finden",
  found: "Gefundene Orte",
  nothingFound: "Nichts heißt so.",
  place: "Ort",
  where: (what) => `Karte: wo ${what} ist`,
  files: "Kartendateien",
  filesHint:
    "Was unter den Sensoren liegt: PMTiles (bis 512 MiB) oder GeoJSON (bis 32 MiB), im Datenordner und in Sicherungen. Andere Server werden nicht gefragt.",
  noFiles: "Es gibt keine: Die Karte zeigt nur die Sensoren.",
  from: { settings: "in den Einstellungen genannt", upload: "hochgeladen", simulation: "der simulierten Stadt" },
  remove: (name) => `${name} entfernen`,
  upload: "Kartendatei hochladen",
};
