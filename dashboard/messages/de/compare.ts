import type * as en from "../en/compare.ts";

export const compare: typeof en.compare = {
  title: "Vergleich",
  hint: "Bis zu vier Sensoren nebeneinander, und jeder mit sich selbst vor einiger Zeit.",
  choose: "Wählen Sie zuerst einen Sensor.",
  noMetric: "Wählen Sie, was verglichen werden soll.",
  add: "Sensor suchen",
  addHint: "Name oder Kennung eines Sensors",
  full: "Mehr als vier geht nicht",
  sensor: "Sensor",
  metric: "Messgröße",
  days: "Zeitraum",
  before: "Mit früher",
  label: (title, names) => `${title}, im Vergleich: ${names}. Die Werte stehen in der Tabelle darunter.`,
  shifted: (days) =>
    `Gestrichelt: ${days === 1 ? "der Tag davor" : `${days} Tage früher`}, an dieselbe Stelle gerückt.`,
  ago: (name, days) => `${name}, ${days === 1 ? "1 Tag" : `${days} Tage`} früher`,
  lastDays: (n) => (n === 1 ? "Letzter Tag" : `Letzte ${n} Tage`),
  daysBefore: (n) => (n === 1 ? "der Tag davor" : `${n} Tage früher`),
  remove: (id) => `${id} entfernen`,
  addNote: (id) => `Notiz zu ${id} schreiben`,
};
