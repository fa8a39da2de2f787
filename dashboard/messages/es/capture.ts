import type * as en from "../en/capture.ts";

export const capture: typeof en.capture = {
  title: "Disponibilidad de datos",
  hint: "La parte de los valores esperados que llegó, por sensor y mes.",
  year: "Año",
  sensor: "Sensor",
  metric: "Magnitud",
  only: (sensor) => `Solo ${sensor} ×`,
  table: (year) => `Disponibilidad de datos en ${year}`,
  gaps: "Huecos",
  silent: "En silencio",
  corrections: "Correcciones",
  notes: "Notas",
  more: "Más sensores",
  all: "Mostrar todos",
  nothing: (year) => `No se conservan valores de ${year}.`,
  without: (n) => (n === 1 ? "1 sensor sin valores en este año:" : `${n} sensores sin valores en este año:`),
  noShare: "No se sabe con qué frecuencia debería enviar: llegaron muy pocos valores.",
  detail: (values, expected, gaps, longest) =>
    `${values} de unos ${expected} valores. ${gaps === 1 ? "1 hueco" : `${gaps} huecos`}${gaps > 0 ? `, el más largo de ${longest}` : ""}.`,
  hours: (valid, all) => `${valid} de ${all} horas tienen al menos el 75 % de sus valores.`,
  every: (interval) => `cada ${interval}`,
  legendTitle: "Cómo leerlo",
  legend: (enough, little) =>
    `Por debajo de ${enough} va sombreado; por debajo de ${little}, subrayado. Un punto es un mes anterior al sensor o que está por venir. Los valores dudosos cuentan como ausentes. Los huecos son horas enteras sin valores.`,
  marks: {
    "interval-learnt": "aprendido",
    "no-interval": "sin intervalo",
    "hours-only": "solo horas",
    "days-only": "solo días",
    "before-registered": "histórico",
    "invalid-left-out": "no válidos",
    moved: "trasladado",
    "not-over": "en curso",
  },
  unknown: {
    "interval-learnt":
      "No hay un intervalo declarado: lo esperado se deduce de la frecuencia con que el sensor envió alrededor de cada hora. Si siempre pierde la misma parte, parece completo.",
    "no-interval": "Hay muy pocos valores para saber con qué frecuencia debería enviar: no se indica una parte.",
    "hours-only":
      "De una parte de este tiempo solo quedan valores por hora: no se ven huecos de menos de una hora, y un valor no válido se lleva toda su hora.",
    "days-only":
      "De una parte de este tiempo solo quedan valores por día: no se ven huecos de menos de un día, y los días son los de UTC.",
    "before-registered": "Hay valores anteriores al alta del sensor. Se cuenta desde el primer valor.",
    "invalid-left-out": "Hay valores declarados no válidos. Cuentan como ausentes.",
    moved: "El sensor estuvo en otro lugar durante una parte de este tiempo.",
    "not-over": "El año no ha terminado: se cuenta hasta ahora.",
  },
};
