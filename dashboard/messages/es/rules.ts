import type * as en from "../en/rules.ts";

export const rules: typeof en.rules = {
  title: "Reglas",
  filters: "Filtros",
  search: "Buscar",
  searchHint: "Buscar por nombre, identificador o valor",
  kind: "Tipo",
  kinds: { air: "Aire", traffic: "Tráfico", energy: "Energía", any: "Todo dispositivo" },
  audience: "Para",
  mode: "Modo",
  modes: { live: "Activa", shadow: "Sombra" },
  modeHint: { live: "Avisa a la gente.", shadow: "Funciona y no avisa a nadie." },
  state: "Estado",
  states: { ok: "En uso", error: "Fuera de uso" },
  any: "Todos",
  clear: "Quitar los filtros",
  count: (shown, all) => (shown === all ? `${all} reglas` : `${shown} de ${all} reglas`),
  broken: (n) =>
    n === 1 ? "1 regla está fuera de uso porque falló" : `${n} reglas están fuera de uso porque fallaron`,
  showBroken: "Mostrar",
  newRule: "Regla nueva",
  rule: "Regla",
  precision: "Precisión",
  precisionHint: "Cuántas de las alertas juzgadas eran correctas",
  judged: (right, wrong) => `${right} correctas, ${wrong} erróneas`,
  notJudged: "sin juzgar",
  perDay: "Alertas al día",
  noise: "No avisadas",
  noiseHint: "Alertas suprimidas de los últimos 30 días; entre ellas las que iban y venían",
  flapped: (n) => `${n} oscilaron`,
  toAcknowledge: "Tiempo hasta confirmar",
  toResolve: "Tiempo hasta terminar",
  median: "Mediana",
  changedBy: "Cambiada por",
  sortBy: (name) => `Ordenar por: ${name}`,
  emptyTitle: "Ninguna regla cumple estos filtros",
  none: "–",
  failed: "No se pudieron cargar las reglas",
  notFound: "Regla no encontrada",
  outOfUse: "Fuera de uso",
  outOfUseHint: "Falló y no juzga nada hasta que se cambie o se reinicie el servicio.",
  limit: "Límite",
  facts: "Datos",
  source: "Origen del límite",
  advice: "Qué hacer",
  tells: "A quién avisa",
  tellsNobody: "A nadie (sombra)",
  inhibits: "Inhibe",
  version: "Versión",
  file: "Archivo",
  noFile: "hecha aquí, en ningún archivo",
  last30: "Los últimos 30 días",
  alertsRaised: "Alertas",
  suppressed: "Suprimidas",
  retracted: "Retiradas",
  took: (median, p90) => `${median} (9 de 10 en ${p90})`,
  alerts: "Sus alertas",
  shadowAlerts: "Lo que habría dicho la sombra",
  noAlerts: "No ha dado ninguna alerta.",
  newest: (n) => `Las ${n} más recientes.`,
  alert: "Alerta",
  began: "Inicio",
  ended: "Fin",
  versions: "Versiones",
  noVersions: "Nadie la ha cambiado aquí.",
  asInFile: (file) => `Antes: como en ${file}`,
  what: { changed: "la cambió", promoted: "la activó", removed: "deshizo los cambios" },
  figures: (alerts, perDay) => `Simulación: ${alerts} alertas, ${perDay} al día`,
  olderVersion: (at) => `Como era desde ${at}`,
  older: "Mostrar anteriores",
  yaml: "YAML",
  edit: "Editar una copia",
  actions: "Acciones",
  promote: "Activarla",
  promoteHint: (n) =>
    `Como sombra habría dado ${n} ${n === 1 ? "alerta" : "alertas"} hasta ahora. Desde ahora avisa a la gente.`,
  promoteLive: "Desde ahora avisa a la gente.",
  replace: (id) => `Sustituir ${id}`,
  replaceHint: (id) => `Esta prueba pasa a ser la versión activa de ${id}; la prueba se elimina.`,
  trialOf: (id) => `Es una prueba de ${id}, que sigue como está.`,
  toFile: "Volver a la versión del archivo",
  toFileHint: "Los cambios hechos aquí se abandonan; las versiones quedan en la lista.",
  remove: "Eliminar la regla",
  removeHint: "No está en ningún archivo: desaparecerá. Sus alertas terminan.",
  reason: "Motivo",
  reasonHint: "Los demás lo leen en la lista de versiones.",
  done: "Hecho.",
};

export const ruleEditor: typeof en.ruleEditor = {
  title: (rule) => `Editar una copia: ${rule}`,
  newRule: "Regla nueva",
  back: "Volver a la regla",
  template: "Empezar con",
  templates: {
    limit: "Un límite durante un tiempo",
    mean: "Una media en varios intervalos",
    silence: "Un sensor deja de enviar",
    stuck: "Un valor no se mueve",
    change: "Un cambio rápido",
    unusual: "No es lo habitual a esta hora",
    forecast: "Un límite que se alcanzará",
    quorum: "Muchos sensores a la vez",
  },
  newTitle: "De qué trata, en pocas palabras",
  newSource: "Práctica: de dónde viene el límite",
  yaml: "La regla en YAML",
  keys: "Tab sangra; Esc y luego Tab sale del editor. Ctrl+Espacio completa. Los comentarios no se guardan.",
  goTo: "Ir a este error",
  checking: "Comprobando …",
  right: "Sin errores.",
  mistakes: (n) => (n === 1 ? "1 error" : `${n} errores`),
  notChecked: (why) => `No se pudo comprobar: ${why}`,
  oneRule: (n) => `Aquí hay ${n} reglas: escriba exactamente una`,
  sameId: (id) => `el identificador sigue siendo «${id}»; para otro, cree una regla nueva`,
  leave: "Hay cambios sin guardar. ¿Salir de todos modos?",
  kept: "Se han recuperado sus cambios sin guardar.",
  discard: "Empezar de nuevo",
  history: "Probarla con el pasado",
  figure: "Cifra",
  span: "Periodo",
  days: (n) => (n === 1 ? "1 día" : `${n} días`),
  run: "Probar",
  stop: "Detener",
  historyHint: "Vea qué alertas habría dado, antes de avisar a nadie.",
  historyWaits: "Cuando la regla no tenga errores, se podrá probar.",
  runningBefore: "La regla actual recorre el pasado …",
  runningAfter: "Su cambio recorre el pasado …",
  stale: "Ha cambiado la regla desde entonces: pruébela otra vez.",
  failed: (why) => `La regla falló: ${why}`,
  noReadings: "En este tiempo no hay mediciones que ella vigile.",
  diff: (added, removed, moved, same) =>
    `${added} añadidas, ${removed} eliminadas, ${moved} desplazadas, ${same} iguales`,
  dropped: "Hubo más alertas de las que se guardan: las cifras y el dibujo muestran una parte.",
  quiet: "En este tiempo no se habría avisado de nada.",
  firing: "Tiempo activa",
  before: "Regla actual",
  after: "Con su cambio",
  asTable: "Las alertas en una tabla",
  subject: "Dónde",
  difference: "Diferencia",
  differences: { same: "igual", moved: "desplazada", removed: "eliminada", added: "añadida" },
  chartLabel: (n) =>
    `Cuándo habría habido alertas activas en ${n} ${n === 1 ? "lugar" : "lugares"}, antes y después del cambio. La tabla de abajo dice lo mismo.`,
  lanesHint: "Arriba: la regla actual. Abajo: con su cambio.",
  showAll: (n) => `Mostrar las ${n}`,
  save: "Guardar",
  how: "Cómo guardarla",
  asTrial: "Probarla junto a la regla actual (recomendado)",
  asTrialHint: (id) =>
    `Funciona como sombra ${id} y no avisa a nadie; la regla actual sigue. Puede sustituirla más tarde.`,
  inPlace: "Sustituir la regla actual",
  inPlaceHint: "Vale desde ahora.",
  trialRuns: (by) => `Ya hay una prueba en marcha, de ${by}. Se sustituirá:`,
  goesQuiet: "La regla pasa a ser una sombra: desde ahora no avisa a nadie.",
  staysShadow: "Funciona como sombra y no avisa a nadie hasta que alguien la active.",
  goesLive: "Se activa enseguida y avisa. Para probarla antes, escriba mode: shadow.",
  atOnce: "Se activa enseguida. Las alertas de la versión actual terminan con una nota.",
  reason: "Motivo",
  reasonHint: "Los demás lo leen en la lista de versiones.",
  untried: "Guardar sin probar esta versión con el pasado",
  saveTrial: "Guardar como sombra",
  saveNow: "Guardar la regla",
  cancel: "Cancelar",
  takeTheirs: "Descartar la mía y tomar la suya",
  keepMine: "Mantener la mía sobre la suya",
  theirs: "La regla actual",
};

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

export const ruleWords: typeof en.ruleWords = {
  level: (severity, clause) => `${severity} cuando ${clause}.`,
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
  refused: (count, within) => `se rechazan ${count} mensajes de un sensor en ${within}`,
  refusedValues: (count, metric, within) => `se rechazan por imposibles ${count} valores de ${metric} en ${within}`,
  taken: (span) => `no se ha rechazado nada durante ${span}`,
  heardAgain: "vuelve a llegar una medición",
  rises: (metric, by, within) => `el valor de ${metric} sube ${by} o más en ${within}`,
  falls: (metric, by, within) => `el valor de ${metric} baja ${by} o más en ${within}`,
  calm: (span) => `no hay un cambio así durante ${span}`,
  noChange: "ya no hay un cambio así",
  stuck: (metric, after, samples, tolerance) =>
    `el valor de ${metric} no cambia${tolerance === "" ? "" : ` más de ${tolerance}`} durante ${after}, con al menos ${samples} mediciones`,
  moves: "el valor cambia",
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
  running: (metric, limit, span) => `la media móvil de ${metric} en ${span} está por encima de ${limit}`,
  lightsDark: (span) =>
    `un alumbrado público está apagado durante ${span} aunque, según el sol y sus últimas noches, debería estar encendido`,
  lightsOut: (share, span) =>
    `un alumbrado público consume durante ${span} al menos un ${share} menos que otras noches a esa hora`,
  lightsByDay: (span) => `un alumbrado público está encendido de día durante ${span}`,
  lightsSwitched: (tolerance, nights) =>
    `un alumbrado público se enciende o apaga más de ${tolerance} antes o después de lo que marca el sol, ${nights} noches seguidas`,
  lightsInterrupted:
    "se interrumpe de noche el suministro de un alumbrado público (menos de dos horas apagado, o vuelve con un arranque en frío)",
  lightsAsExpected: "vuelve a estar como se espera",
  lightsBack: "vuelve a su nivel pleno",
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
  untagged: (tags) => `sin ${tags}`,
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
