import type { map as en } from "../en/map.ts";

export const map: typeof en = {
  zoomIn: "Vergrößern",
  zoomOut: "Verkleinern",
  failed: "Die Karte konnte nicht geladen werden. Der Rest der Seite funktioniert ohne sie.",
  pickLabel: "Einen Ort auf der Karte wählen",
  pickHint:
    "Klicken Sie in die Karte, um den Ort zu setzen, oder ziehen Sie die Nadel. Mit der Tastatur: Pfeiltasten verschieben die Karte, + und − ändern den Maßstab, Eingabe setzt den Ort in der Mitte.",
};
