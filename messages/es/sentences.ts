import type { WindowWords } from "../../model/sentence.ts";
import type { Forms, Pack } from "../pack.ts";
import { rules } from "./rules.ts";

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
/** Hours are feminine, minutes and days are not. */
const last = (span: string) => (/^[\d.,]+ h/.test(span) ? `las últimas ${span}` : `los últimos ${span}`);
/** A difference of percentages is no percentage. */
const points = (amount: string) =>
  amount.replace(/ %$/, /^-?1 %/.test(amount) ? " punto porcentual" : " puntos porcentuales");
/** " + 3", " - 3". */
const plus = (offset: string | undefined) =>
  offset === undefined ? "" : offset.startsWith("-") ? ` - ${offset.slice(1)}` : ` + ${offset}`;
const AGGREGATES = {
  mean: { hour: "media horaria", day: "media diaria", span: "media de" },
  min: { hour: "mínimo horario", day: "mínimo diario", span: "mínimo de" },
  max: { hour: "máximo horario", day: "máximo diario", span: "máximo de" },
} as const;

/** "media horaria", "máximo de 10 min". */
function aggregate({ is, text }: WindowWords, name: keyof typeof AGGREGATES): string {
  return is === "span" ? `${AGGREGATES[name].span} ${text}` : AGGREGATES[name][is];
}

/** "3.ª hora consecutiva". */
const inARow = (count: number, { is, text }: WindowWords) =>
  is === "hour"
    ? `${count}.ª hora consecutiva`
    : is === "day"
      ? `${count}.º día consecutivo`
      : `${count}.º intervalo consecutivo de ${text}`;

const SIDES = { above: "por encima", below: "por debajo" } as const;

const PER = { hour: "hora", day: "día" } as const;
const moved = (count: number, direction: "rise" | "fall") =>
  direction === "rise" ? (count === 1 ? "subió" : "subieron") : count === 1 ? "bajó" : "bajaron";
/** "3 de 5 vecinos". */
const among = (count: number, of: number, { number }: Forms) => `${number(count)} de ${number(of)} vecinos`;
const beside = (count: number, { number }: Forms) => `sus ${number(count)} vecinos`;

const BASIS = {
  own: "(según la posición del sol en su ubicación y sus horas anteriores)",
  city: "(según la posición del sol en la ciudad, pues no se conoce su ubicación, y sus horas anteriores)",
  unknown: "(como en las últimas noches: no se conoce su ubicación)",
} as const;
const LATE = { later: "más tarde", earlier: "antes" } as const;

function allowance({ is }: WindowWords, nth: string | undefined, allowed: string | undefined): string {
  if (nth === undefined) return "";
  return is === "day"
    ? `: día ${nth} de este año, de ${allowed} permitidos`
    : `: hora ${nth} de este año, de ${allowed} permitidas`;
}

export const sentences: Pack["sentences"] = {
  text: ({ text }) => text,
  "rule.title": ({ rule }) => rules[rule]?.title,
  "rule.advice": ({ rule }) => rules[rule]?.advice,

  threshold({ metric, where, value, at, side, limit, because, since, counts, window, aggregate: name }) {
    const measured = window
      ? `${aggregate(window, name ?? "mean")} de ${value} (${at.until})`
      : `${value}${because ? ` (por ${because})` : ""} ${at.at}`;
    const held = since ? ` ${since.since}` : "";
    const condition = counts === undefined ? "" : `; se avisa si dura ${counts}`;
    return `${capital(metric)} en ${where}: ${measured}, ${SIDES[side]} del límite de ${limit}${held}${condition}.`;
  },
  "index.because": ({ metric, value }) => `${metric} con ${value}`,
  "level.lowered": ({ metric, where, value, at, side, limit }) =>
    `${capital(metric)} en ${where}: de vuelta a ${value} ${at.at}, al nivel ${SIDES[side]} del límite de ${limit}.`,
  "threshold.notHeld": ({ at, value, held }) => `Terminó ${at.at} con ${value}, antes de durar ${held}.`,
  consecutive({ metric, where, value, at, window, limit, count, nth, allowed }) {
    const run = count === 1 ? "" : `, ${inARow(count, window)}`;
    return `${capital(metric)} en ${where}: ${aggregate(window, "mean")} de ${value} (${at.until})${run} por encima de ${limit}${allowance(window, nth, allowed)}.`;
  },
  change({ metric, where, direction, by, from, fromAt, to, at, limit, within }) {
    const moved = `${direction === "rise" ? "subió" : "bajó"} ${points(by)}, de ${from} (${fromAt.text}) a ${to} (${at.text})`;
    return `${capital(metric)} en ${where}: ${moved}; se avisa a partir de ${points(limit)} en ${within}.`;
  },
  silence: ({ where, since, after }) =>
    `Sin mediciones de ${where} ${since.since}; se considera sin comunicación tras ${after}.`,
  "silence.value": ({ metric, where, since, after }) =>
    `Sin valores de ${metric} de ${where} ${since.since}, aunque envía otros; se consideran ausentes tras ${after}.`,
  "silence.heard": ({ at }) => `Volvió a llegar una medición ${at.at}.`,
  "silence.valueBack": ({ at }) => `Volvió a llegar un valor ${at.at}.`,
  rejections: ({ where, reason, count, within, at, example }, { number }) =>
    `Los mensajes de ${where} llegan y se rechazan: ${reason}, ${number(count)} en ${within} (${at.until}). El más reciente: ${example}`,
  "rejections.values": ({ metric, where, count, within, at, example }, { number }) =>
    `${where} envía valores imposibles de ${metric}: ${number(count)} en ${within} (${at.until}). El más reciente: ${example}`,
  "rejections.ended": ({ at, count }, { number }) =>
    `Terminó ${at.at}: no se rechazó ningún mensaje más; en total: ${number(count)}.`,
  "rejections.valuesEnded": ({ at, count }, { number }) =>
    `Terminó ${at.at}: no se rechazó ningún valor más; en total: ${number(count)}.`,
  flatline({ metric, where, value, meaning, since, count, tolerance, low, high }, { number }) {
    const near = tolerance === undefined ? "" : ` ± ${tolerance}`;
    const why =
      meaning === "stuck"
        ? "es probable que el sensor esté bloqueado."
        : "está cerca de sus valores más bajos y solo cuenta si sus vecinos no lo están también.";
    const values =
      low === undefined || high === undefined ? "valores iguales seguidos" : `valores seguidos entre ${low} y ${high}`;
    return `${capital(metric)} en ${where}: sin cambios en ${value}${near} ${since.since} (${number(count)} ${values}); ${why}`;
  },
  "flatline.ended": ({ at, value }) => `Llegó otro valor ${at.at}: ${value}.`,
  spike({ metric, where, value, at, before, after, limit, count, within }) {
    const run = count === 1 ? "" : `; es el pico número ${count} en ${within}`;
    return `${capital(metric)} en ${where}: un solo valor de ${value} ${at.at} entre ${before} y ${after}, a más de ${points(limit)} de los valores anterior y posterior${run}.`;
  },
  "spike.ended": ({ at, within }) => `Terminó ${at.at}, tras ${within} sin otro.`,
  anomaly({ metric, where, value, at, window, count, side, usual, low, high }) {
    const bound = `${SIDES[side]} de ${side === "above" ? high : low}`;
    const run = count === 1 ? bound : `${inARow(count, window)} fuera de lo habitual, ahora ${bound}`;
    return `${capital(metric)} en ${where}: ${aggregate(window, "mean")} de ${value} (${at.until}), ${run} (lo habitual a esta hora: ${usual}, de ${low} a ${high}).`;
  },
  "anomaly.newNormal": ({ at, value, since }) =>
    since
      ? `Terminó ${at.at} con ${value}: nuevo nivel ${since.since}.`
      : `Terminó ${at.at} con ${value}: lo que dura cuatro semanas se toma como la nueva normalidad.`,
  forecast({ metric, where, value, at, side, limit, likely, from, to, trend, per, over }) {
    const passes = side === "below" ? `bajará de ${limit}` : `superará ${limit}`;
    const unit = per === "hour" ? "hora" : "día";
    return `${capital(metric)} en ${where}: se prevé que ${passes} ${likely.at}, con una probabilidad del 80 % entre ${from.text} y ${to.text}; ${at.at} estaba en ${value}, con una tendencia de ${points(trend)} por ${unit} en ${last(over)}.`;
  },
  "forecast.ended": ({ at, value }) =>
    `Terminó ${at.at}: con esta tendencia ya no se alcanza el límite en ese plazo; el valor es ${value}.`,
  "forecast.reached": ({ at, value, limit }) => `Terminó ${at.at}: se alcanzó el límite de ${limit}, con ${value}.`,
  "forecast.overdue": ({ at, value }) =>
    `Terminó ${at.at}: se esperaba alcanzar el límite para entonces y no fue así; el valor es ${value}.`,
  "register.fell": ({ metric, where, from, fromAt, to, at }) =>
    `El contador (${metric}) en ${where} bajó de ${from} a ${to} entre ${fromAt.text} y ${at.text}; un contador nunca baja, salvo que se cambie o se reinicie.`,
  "register.rose": ({ metric, where, from, fromAt, to, at, limit }) =>
    `El contador (${metric}) en ${where} subió de ${from} a ${to} entre ${fromAt.text} y ${at.text}; con la potencia de su acometida podría marcar como máximo ${limit}.`,
  "register.ended": ({ at }) => `Terminó ${at.at}, tras varias mediciones plausibles.`,
  drift({ metric, where, value, off, side, neighbours, days, day, around }, { many }) {
    const beside = `un ${off} ${SIDES[side]} de la mediana de ${neighbours === 1 ? "su vecino" : `sus ${many(neighbours, "", "vecinos")}`}`;
    return `${capital(metric)} en ${where}: desde hace ${many(days, "día", "días")}, ${beside} (${day}: ${value} frente a ${around}).`;
  },
  "drift.back": ({ day }) => `Terminó el ${day}: vuelve a estar cerca de sus vecinos.`,
  "drift.noData": ({ day }) => `Terminó el ${day}: ya no se puede comparar.`,
  running: ({ metric, where, value, at, span, limit, days, allowed }) =>
    `${capital(metric)} en ${where}: media de ${span} de ${value} (${at.until}), por encima de ${limit}: día ${days} de este año${allowed === undefined ? "" : `, de ${allowed} permitidos`}.`,
  counted: ({ per, nth, allowed, limit }) =>
    per === "day"
      ? `Fue el día ${nth} de este año por encima de ${limit}${allowed === undefined ? "" : `, de ${allowed} permitidos`}.`
      : `Fue la hora ${nth} de este año por encima de ${limit}${allowed === undefined ? "" : `, de ${allowed} permitidas`}.`,
  "note.hoursAbove": ({ hours }) => `hora ${hours} de este año por encima del límite`,
  "note.daysAbove": ({ days }) => `día ${days} de este año por encima del límite`,
  "lighting.dark": ({ where, since, at, value, why }) =>
    `El alumbrado de ${where} está apagado ${since.since}${value === undefined ? "" : ` (${value} ${at.at})`}: ${why}.`,
  "lighting.byDay": ({ where, since, at, value, why }) =>
    `El alumbrado de ${where} está encendido de día ${since.since}${value === undefined ? "" : ` (${value} ${at.at})`}: ${why}.`,
  "lighting.lampsOut": ({ where, since, at, value, why }) =>
    `El alumbrado de ${where} consume muy poco ${since.since}: ${value} ${at.at}, ${why}.`,
  "lighting.switching": ({ where, nights, why }) =>
    `El alumbrado de ${where} no se encendió o apagó como se esperaba ${nights === 1 ? "una noche" : `${nights} noches seguidas`}: ${why}.`,
  "lighting.interruption": ({ where, since, why }) =>
    `Se interrumpió el suministro del alumbrado de ${where} ${since.at}: ${why}.`,
  "lighting.onAgain": ({ at }) => `Volvió a estar encendido ${at.at}.`,
  "lighting.offAgain": ({ at }) => `Volvió a estar apagado ${at.at}.`,
  "lighting.fullAgain": ({ at }) => `La potencia volvió a ser la habitual ${at.at}.`,
  "lighting.asExpected": ({ at }) => `Volvió a encenderse y apagarse como se esperaba ${at.at}.`,
  "lighting.over": ({ at, restart }) =>
    `Terminó ${at.at}${restart === "cold" ? ", tras la subida lenta de un arranque en frío" : ""}.`,
  "lighting.newUsual": ({ at }) => `Terminó ${at.at}: lo que se ha mantenido es lo habitual desde ahora.`,
  quorum: ({ count, watched, place, deed, within }, { number }) =>
    `${number(count)} de ${number(watched)} sensores ${place} ${deed} ${within === undefined ? "al mismo tiempo" : `en ${within}`}.`,
  "quorum.ended": ({ at, left }, { number }) =>
    `Terminó ${at.at}${left > 0 ? `; ${left === 1 ? "1 sigue afectado" : `${number(left)} siguen afectados`}` : ""}.`,
  "place.gateway": ({ gateway }) => `detrás de la pasarela ${gateway}`,
  "place.district": ({ district }) => `en el distrito ${district}`,
  "place.tag": ({ tag, value, district }) => `con ${tag} ${value} en el distrito ${district}`,
  "deed.silent": () => "dejaron de comunicar",
  "deed.missing": ({ metric }) => `dejaron de enviar ${metric}`,
  "deed.stuck": ({ metric }) => `empezaron a repetir un mismo valor de ${metric}`,
  "deed.refused": () => "enviaron mensajes que se rechazaron",
  "deed.refusedValues": ({ metric }) => `enviaron valores imposibles de ${metric}`,
  "deed.rule": ({ title }) => `avisaron de «${title}»`,

  "status.now": ({ value, span }) => `Ahora ${value}; dura ya ${span}.`,
  "status.newest": ({ value, at, span }) => `Último valor: ${value} ${at.at}; dura ya ${span}.`,
  "status.open": ({ span }) => `Dura ya ${span}.`,
  "status.silent": ({ span }) => `No llega nada desde hace ${span}.`,
  "status.lasted": ({ span }) => `Duró ${span}.`,

  "ended.value": ({ at, value }) => `Terminó ${at.at} con ${value}.`,
  "ended.noData": ({ at }) => `Terminó ${at.at} porque no llegaron más datos válidos.`,

  "quorum.retracted": () => "Con las mediciones tardías no hubo suficientes alertas a la vez.",
  "quorum.corrected": () => "Las mediciones tardías cambiaron qué alertas se cuentan.",
  "note.usual": ({ usual, low, high }) => `lo habitual a esta hora: ${usual}, de ${low} a ${high}`,
  "note.newNormal": () => "ha durado días: el nuevo nivel",
  "note.equal": ({ count }, { number }) => `${number(count)} valores iguales seguidos`,
  "note.within": ({ count, low, high }, { number }) => `${number(count)} valores seguidos entre ${low} y ${high}`,
  "note.trend": ({ trend, per, low, high, count }, { number }) =>
    `tendencia de ${trend} por ${PER[per]} (de ${low} a ${high}) con ${number(count)} valores`,
  "note.lampsOn": ({ from, basis }) => `se esperaba encendido${from ? ` ${from.since}` : ""} ${BASIS[basis]}`,
  "note.lampsOff": ({ from, basis }) => `se esperaba apagado${from ? ` ${from.since}` : ""} ${BASIS[basis]}`,
  "note.lampsMissing": ({ missing, usual, lamps, of }) =>
    `un ${missing} menos que los ${usual} de otras noches a esta hora${lamps === undefined ? "" : `, unas ${lamps} de ${of} lámparas`}`,
  "note.lampsSwitched": ({ edge, by, side }) =>
    `en la última, ${{ on: "encendido", off: "apagado", both: "encendido y apagado" }[edge]} ${by} ${LATE[side]} de lo esperado`,
  "note.lampsUsual": () => "se ha mantenido así: lo habitual desde ahora",
  "note.lampsBack": ({ at, restart }) =>
    `volvió ${at.at}${restart === "cold" ? ", con la subida lenta de un arranque en frío" : ""}`,
  "note.lastRefused": () => "el último rechazo",
  "note.lastReading": () => "la última medición antes del silencio",
  "note.heardAgain": () => "vuelve a enviar",
  "note.lastValue": () => "el último valor antes del hueco",
  "note.valueAgain": () => "vuelve a llegar",
  "note.standsOut": () => "se aparta de los valores anterior y posterior",
  "note.sinceThen": ({ sensor }) => `${sensor} desde entonces`,
  "note.dayMedian": ({ around }) => `mediana del día; vecinos ${around}`,

  "verdict.driftAlone": ({ neighbours }, { number }) =>
    `Sus ${number(neighbours)} vecinos coinciden entre sí y evolucionaron como él, pero a otro nivel.`,
  "verdict.driftAmong": ({ neighbours }, { number }) =>
    `Sus ${number(neighbours)} vecinos difieren otro tanto entre sí.`,
  "verdict.allStand": ({ count, of }, f) =>
    `${capital(among(count, of, f))} también repiten un mismo valor: el fallo está donde se publican los valores, no en este sensor.`,
  "verdict.floor": ({ value }) =>
    `${value} está cerca del mínimo que puede medir: probablemente es el límite de detección, no un sensor bloqueado.`,
  "verdict.stoodStill": ({ alive, of }, f) => `No cambió, mientras que ${among(alive, of, f)} sí variaron.`,
  "verdict.stoodLow": ({ value, span, neighbours, level }, f) =>
    `Se quedó en ${value} durante ${span}, mientras ${beside(neighbours, f)} tenían una mediana de ${level}, no menos de lo habitual.`,
  "verdict.stoodBeside": ({ value, span, metric, level }) =>
    `Se quedó en ${value} durante ${span}, mientras su propio valor de ${metric} variaba (mediana ${level}).`,
  "verdict.register": () =>
    "Un contador solo cuenta hacia arriba, y no más deprisa de lo que permite su acometida: la causa es el contador o sus datos.",
  "verdict.beyond": ({ count, of, side, limit }, f) =>
    `${capital(among(count, of, f))} también ${count === 1 ? "estaba" : "estaban"} ${SIDES[side]} de ${limit}.`,
  "verdict.moved": ({ count, of, direction, level }, f) =>
    `${capital(among(count, of, f))} ${moved(count, direction)} con él, hasta una mediana de ${level}.`,
  "verdict.stuck": ({ value, span, alive, of }, f) =>
    `Repite ${value} desde hace ${span}, mientras que ${among(alive, of, f)} variaron, aunque ninguno tanto.`,
  "verdict.odd": ({ odd, neighbours, level }, f) => `${odd}, y ${beside(neighbours, f)} siguieron cerca de ${level}.`,
  "verdict.contradicts": ({ what, neighbours }, f) =>
    `${capital(what)}${neighbours === undefined ? "" : `, y ninguno de sus ${f.number(neighbours)} vecinos lo muestra`}.`,
  "verdict.spikeAlone": ({ neighbours, level }, f) =>
    `Un solo valor se apartó, y ninguno de sus ${f.number(neighbours)} vecinos varió (mediana ${level}).`,
  "verdict.allSuspect": ({ neighbours, level }, f) =>
    `Todos sus valores son inverosímiles, y ${beside(neighbours, f)} siguieron cerca de ${level}.`,
  "verdict.agrees": ({ what }) => `${capital(what)}.`,
  "verdict.among": ({ neighbours, level }, f) =>
    `${capital(beside(neighbours, f))} muestran más o menos lo mismo (mediana ${level}).`,
  "verdict.suspect": ({ what, wrong }) =>
    wrong
      ? `Valores dudosos: ${what}; lo que no concuerda con los vecinos es su valor de ${wrong}.`
      : `Valores dudosos: ${what}; uno de los dos es erróneo, y puede ser el otro.`,
  "verdict.alone": ({ neighbours, level }, f) =>
    `Solo este sensor lo muestra: ${beside(neighbours, f)} siguieron cerca de ${level}. Un suceso local o un fallo.`,
  "verdict.fewNeighbours": ({ neighbours }) =>
    neighbours === 0
      ? "Ningún vecino tiene valores recientes con los que comparar."
      : "Solo un vecino tiene valores recientes con los que comparar.",
  "verdict.unsettled"({ moved: count, of, direction, level, beyond }, f) {
    const over = beyond === undefined ? "" : `; ${f.number(beyond)} más allá del límite`;
    return `Los vecinos no lo aclaran: ${among(count, of, f)} ${moved(count, direction)} con él${over} (mediana ${level}).`;
  },
  "verdict.unsettledStill": ({ standing, alive, of, level }, f) =>
    `Los vecinos no lo aclaran: ${among(standing, of, f)} ${standing === 1 ? "tampoco cambió" : "tampoco cambiaron"} y ${f.number(alive)} ${alive === 1 ? "varió" : "variaron"} (mediana ${level}).`,
  "verdict.nothingKnown": () => "No se sabe nada de sus valores.",
  "odd.range": ({ value }) => `${value} es el extremo de su rango`,
  "odd.sentinel": ({ value }) => `${value} es un valor que los dispositivos envían para indicar «ninguno»`,
  "sibling.particles": ({ coarse, fine }) =>
    `sus partículas más gruesas están en ${coarse}, y ${fine} no pueden ser una parte de ellas`,
  "sibling.vehicles": ({ length }) =>
    `la intensidad, la ocupación y la velocidad juntas darían vehículos de ${length} de largo`,
  "sibling.jam": ({ speedFrom, speedTo, occupancyFrom, occupancyTo }) =>
    `la velocidad bajó de ${speedFrom} a ${speedTo} mientras la ocupación subía de ${occupancyFrom} a ${occupancyTo}`,
  "sibling.power": ({ voltage, current, power }) => `${voltage} y ${current} no dan ${power}`,
  "sibling.load": ({ metric, from, to }) => `${metric}: subió a la vez, de ${from} a ${to}`,

  "late.retracted": () => "Retirada: una medición tardía muestra que no era así.",
  "late.corrected": () => "Una medición tardía muestra que fue de otra manera.",
  "late.confirmed": () => "Una medición tardía lo confirma.",
  "late.goesOn": () => "Había comenzado antes y continúa.",
  "why.notHeld": () => "No duró lo suficiente.",
  "why.noData": () => "No llegaron más datos válidos.",
  "end.unwatched": () => "La regla ya no vigila este sensor.",
  "end.ruleChanged": () => "Se cambió la regla.",
  "end.ruleDeleted": () => "Se eliminó la regla.",
  "end.nowLevel": ({ title }) => `La regla es ahora un nivel de «${title}», que continúa desde aquí.`,
  "end.ruleFailed": ({ error }) => `La regla falló: ${error}.`,
  "end.sensorRemoved": () => "Se retiró el sensor.",
  "end.sensorChanged": () => "El sensor se calibró o se trasladó.",
  "end.anew": () => "Su final se volvió a calcular tras un reinicio.",
  flaps: () => "Aparece y desaparece una y otra vez: se volverá a avisar cuando se calme.",
  corrected: ({ id, change, from, to, reason }) => `Corrección ${id}: ${change}, ${from.text} a ${to.text}: ${reason}`,
  "corrected.revoked": ({ id, reason }) => `Se revocó la corrección ${id}: ${reason}`,
  "corrected.andOthers": ({ newest, others }, { many }) => `${newest} Y ${many(others, "otra", "otras")}.`,
  "change.invalid": ({ metrics = "todos los valores" }) => `${metrics}: no válido`,
  "change.value": ({ metrics = "todos los valores", value }) => `${metrics} = ${value}`,
  "change.factor": ({ metrics = "todos los valores", factor, offset }) => `${metrics} × ${factor}${plus(offset)}`,
  "change.shift": ({ by, side }) => `hora ${by} ${side === "later" ? "más tarde" : "antes"}`,
  "suppressed.silence": ({ kind, id, reason, by }) =>
    `${reason} (${kind === "maintenance" ? "mantenimiento" : "silencio"} ${id} de ${by})`,
  "suppressed.rule": ({ alert }) => `La explica la alerta ${alert}.`,
  "suppressed.flapping": ({ changes, within }, { number }) =>
    `${number(changes)} cambios o más en ${within}: se volverá a avisar cuando se calme.`,
  escalated: ({ to, after }) => `A ${to}: nadie la confirmó en ${after}.`,
  "test.title": () => "Esto es una prueba",
  "test.works": ({ target }) => `Lamppost llega al destino «${target}». Todo está bien.`,
  "service.trouble": ({ part }) => `Problema en el servicio: ${part}`,
  "service.well": () => "La parte vuelve a funcionar bien.",
  "books.title": () => "Las cuentas no cuadran",
  "books.advice": () => "Ejecute «lamppost ledger --verify» y no toque la carpeta de datos.",
  "books.balance": () => "Se volvió a contar todo y las cuentas cuadran.",

  ended: ({ at }) => `Terminó ${at.at}.`,
};
