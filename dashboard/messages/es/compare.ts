import type * as en from "../en/compare.ts";

export const compare: typeof en.compare = {
  title: "Comparación",
  hint: "Hasta cuatro sensores juntos, y cada uno con su propio pasado.",
  choose: "Elija primero un sensor.",
  noMetric: "Elija qué comparar.",
  add: "Buscar un sensor",
  addHint: "Nombre o identificador de un sensor",
  full: "Cuatro es el máximo",
  sensor: "Sensor",
  metric: "Magnitud",
  days: "Periodo",
  before: "Con antes",
  label: (title, names) => `${title}, comparado: ${names}. Los valores están en la tabla de abajo.`,
  shifted: (days) => `Con trazos: ${days === 1 ? "el día anterior" : `${days} días antes`}, llevado al mismo lugar.`,
  ago: (name, days) => `${name}, ${days === 1 ? "1 día" : `${days} días`} antes`,
  lastDays: (n) => (n === 1 ? "Último día" : `Últimos ${n} días`),
  daysBefore: (n) => (n === 1 ? "el día anterior" : `${n} días antes`),
  remove: (id) => `Quitar ${id}`,
  addNote: (id) => `Escribir una nota sobre ${id}`,
};
