import type { sensor as en } from "../en/sensor.ts";

export const sensor: typeof en = {
  notFound: "Diesen Sensor gibt es nicht",
  nothingYet: "Seit dem Start des Dienstes hat er nichts gesendet. Sein Verlauf erscheint mit dem nächsten Messwert.",
  online: "Verbunden",
  offline: "Nicht verbunden",
  every: (seconds) => `alle ${seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`}`,
  values: "Neueste Werte",
  device: "Das Gerät selbst",
  suspect: "unplausibel",
  history: "Verlauf",
  metric: "Wert",
  spanLabel: "Wie viel davon",
  spans: { "1h": "1 Stunde", "6h": "6 Stunden", "1d": "1 Tag", "7d": "7 Tage", "30d": "30 Tage", "1y": "1 Jahr" },
  zoomHint: "Einen Teil des Diagramms überstreichen, um ihn größer zu sehen.",
  chartLabel: (metric, name) => `${metric}, ${name}, im Lauf der Zeit. Die Werte stehen in der Tabelle darunter.`,
  alerts: "Seine Meldungen",
  noAlerts: "Er hat keine Meldung ausgelöst.",
  rules: (n) => (n === 1 ? "1 Regel beobachtet ihn" : `${n} Regeln beobachten ihn`),
};
