import type { ruleWords as en } from "../en/rule-words.ts";

const NUMBERS = ["", "", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"];
const PARTS: Readonly<Record<string, string>> = { s: "segundos", m: "minutos", h: "horas", d: "días" };
const AGGREGATES: Readonly<Record<string, string>> = { mean: "la media", min: "el mínimo", max: "el máximo" };
/** "de" y "el" son "del". */
const de = (what: string) => `de ${what}`.replace(/^de el /, "del ");
const number = (count: number) => NUMBERS[count] ?? String(count);

function each(name: string, unit: string): string {
  if (unit === "m") return "de un minuto";
  if (unit === "d") return name === "mean" ? "diaria" : "diario";
  return name === "mean" ? "horaria" : "horario";
}

export const ruleWords: typeof en = {
  fires: (clause) => `Avisa cuando ${clause}.`,
  ends: (clause) => `Termina cuando ${clause}.`,
  plain: (metric) => `el valor de ${metric}`,
  windowed: (name, count, unit, metric) =>
    `${AGGREGATES[name]} ${count === 1 ? each(name, unit) : `de ${count} ${PARTS[unit]}`} de ${metric}`,
  above: (subject, limit, held = "", row = "") => `${subject} está por encima ${de(limit)}${held}${row}`,
  below: (subject, limit, held = "", row = "") => `${subject} está por debajo ${de(limit)}${held}${row}`,
  held: (span) => ` durante ${span}`,
  row: (count, size, unit) =>
    size === 1
      ? ` en ${number(count)} ${PARTS[unit]} ${unit === "h" ? "seguidas" : "seguidos"}`
      : ` en ${number(count)} intervalos seguidos de ${size} ${PARTS[unit]}`,
  atMost: (limit, held = "") => `el valor es como máximo ${limit}${held}`,
  atLeast: (limit, held = "") => `el valor es como mínimo ${limit}${held}`,
  windowBack: (limit) => `un intervalo queda como máximo en ${limit} o tres tienen pocos datos`,
  share: (percent, tag) => `el ${percent} de «${tag}» del sensor`,
  tag: (tag) => `«${tag}» del sensor`,
  aqiClass: (value) => `la clase ${value}`,
  silent: (after) => `un sensor no envía nada durante ${after} y durante tres de sus intervalos habituales`,
  missing: (metric, after) =>
    `no llega ningún valor de ${metric} durante ${after} y tres intervalos habituales, mientras el sensor envía otros`,
  heardAgain: "vuelve a llegar una medición",
  rises: (metric, by, within) => `el valor de ${metric} sube ${by} o más en ${within}`,
  falls: (metric, by, within) => `el valor de ${metric} baja ${by} o más en ${within}`,
  calm: (span) => `no hay un cambio así durante ${span}`,
  noChange: "ya no hay un cambio así",
  stuck: (metric, after, samples, tolerance) =>
    `el valor de ${metric} no cambia${tolerance === "" ? "" : ` más de ${tolerance}`} durante ${after}, con al menos ${samples} mediciones`,
  moves: "llega otro valor",
  ignores: (floor, ceiling) =>
    `Los valores ${[floor && `hasta ${floor}`, ceiling && `desde ${ceiling}`].filter(Boolean).join(" y ")} no cuentan.`,
  spike: (count, metric, above, within) =>
    count === 1
      ? `un solo valor de ${metric} se aparta de sus vecinos más de ${above}`
      : `${number(count)} valores sueltos de ${metric} se apartan de sus vecinos más de ${above} en ${within}`,
  spikesOver: (within) => `no llega otro durante ${within}`,
  unusual: (subject, sigmas, side, season, atLeast, row) =>
    `${subject} está a más de ${sigmas} desviaciones típicas robustas${atLeast === "" ? "" : `, y al menos a ${atLeast},`} ${
      { above: "por encima", below: "por debajo" }[side] ?? "lejos"
    } de lo habitual ${{ week: "a esta hora de la semana", day: "a esta hora del día" }[season] ?? "en el sensor"}${row}`,
  usualAgain: "un intervalo queda dentro de la mitad de esa distancia o tres tienen pocos datos",
  willBeAbove: (metric, limit, within, over) =>
    `el valor de ${metric} superará ${limit} dentro de ${within} si sigue como en los últimos ${over}`,
  willBeBelow: (metric, limit, within, over) =>
    `el valor de ${metric} bajará ${de(limit)} dentro de ${within} si sigue como en los últimos ${over}`,
  trendGone: "la tendencia desaparece o necesita claramente más tiempo",
  register: (metric, maxPower) => `el contador de ${metric} baja, o sube más deprisa de lo que permiten ${maxPower}`,
  registerBack: "llegan tres pasos plausibles a lo largo de una hora",
  drift: (metric, share, span, neighbours, radiusKm) =>
    `la mediana diaria de ${metric} se aparta de la de sus vecinos más del ${share}, siempre hacia el mismo lado, durante ${span} (al menos ${neighbours} vecinos en un radio de ${radiusKm} km que se movían igual)`,
  driftBack: "queda dentro de ese margen tres días seguidos",
  quorum: (count, share, rule, where, within) =>
    `al menos ${count} de los sensores que la regla «${rule}» vigila ${
      { gateway: "detrás de una pasarela", district: "en un distrito" }[where] ?? `con el mismo «${where}»`
    }, y al menos el ${share} de ellos, tienen a la vez una alerta suya${
      within === "" ? "" : `, empezada en un margen de ${within}`
    }`,
  quorumOver: "quedan demasiado pocas",
  watches: (who) => `Vigila ${who}.`,
  who: {
    any: "todos los sensores",
    air: "todos los sensores de aire",
    traffic: "todos los sensores de tráfico",
    energy: "todos los sensores de energía",
  },
  inDistrict: (districts) => `en ${districts}`,
  only: (sensors) => `pero solo ${sensors}`,
  tagged: (tags) => `con ${tags}`,
  tells: {
    operators: "Avisa a los operadores.",
    crews: "Avisa a las brigadas.",
    shadow: "Funciona como sombra: sus alertas se registran y no se avisa a nadie.",
  },
  where: (where) =>
    ({ sensor: "en el mismo sensor", district: "en el mismo distrito", gateway: "detrás de la misma pasarela" })[
      where
    ] ?? `con el mismo «${where}»`,
};
