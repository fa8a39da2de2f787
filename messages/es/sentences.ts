import type { WindowWords } from "../../model/sentence.ts";
import type { Pack } from "../pack.ts";
import { rules } from "./rules.ts";

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
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

export const sentences: Pack["sentences"] = {
  text: ({ text }) => text,
  "rule.title": ({ rule }) => rules[rule]?.title,
  "rule.advice": ({ rule }) => rules[rule]?.advice,

  threshold({ metric, where, value, at, side, limit, since, counts, window, aggregate: name }) {
    const measured = window ? `${aggregate(window, name ?? "mean")} de ${value} (${at.until})` : `${value} ${at.at}`;
    const held = since ? ` ${since.since}` : "";
    const condition = counts === undefined ? "" : `; se avisa si dura ${counts}`;
    return `${capital(metric)} en ${where}: ${measured}, ${SIDES[side]} del límite de ${limit}${held}${condition}.`;
  },
  "threshold.notHeld": ({ at, value, held }) => `Terminó ${at.at} con ${value}, antes de durar ${held}.`,
  consecutive({ metric, where, value, at, window, limit, count }) {
    const run = count === 1 ? "" : `, ${inARow(count, window)}`;
    return `${capital(metric)} en ${where}: ${aggregate(window, "mean")} de ${value} (${at.until})${run} por encima de ${limit}.`;
  },
  change({ metric, where, direction, by, from, fromAt, to, at, limit, within }) {
    const moved = `${direction === "rise" ? "subió" : "bajó"} ${by}, de ${from} (${fromAt.text}) a ${to} (${at.text})`;
    return `${capital(metric)} en ${where}: ${moved}; se avisa a partir de ${limit} en ${within}.`;
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
    `Terminó ${at.at}: no se rechazó ningún mensaje más; fueron ${number(count)} en total.`,
  "rejections.valuesEnded": ({ at, count }, { number }) =>
    `Terminó ${at.at}: no se rechazó ningún valor más; fueron ${number(count)} en total.`,
  flatline({ metric, where, value, since, count, tolerance, low, high }, { number }) {
    const near = tolerance === undefined ? "" : ` ± ${tolerance}`;
    const values =
      low === undefined || high === undefined ? "valores iguales seguidos" : `valores seguidos entre ${low} y ${high}`;
    return `${capital(metric)} en ${where}: sin cambios en ${value}${near} ${since.since} (${number(count)} ${values}); es probable que el sensor esté bloqueado.`;
  },
  "flatline.ended": ({ at, value }) => `Llegó otro valor ${at.at}: ${value}.`,
  spike({ metric, where, value, at, before, after, limit, count, within }) {
    const run = count === 1 ? "" : `; es el pico número ${count} en ${within}`;
    return `${capital(metric)} en ${where}: un solo valor de ${value} ${at.at} entre ${before} y ${after}, a más de ${limit} de los valores anterior y posterior${run}.`;
  },
  "spike.ended": ({ at, within }) => `Terminó ${at.at}, tras ${within} sin otro.`,
  anomaly({ metric, where, value, at, window, count, side, usual, low, high }) {
    const bound = `${SIDES[side]} de ${side === "above" ? high : low}`;
    const run = count === 1 ? bound : `${inARow(count, window)} fuera de lo habitual, ahora ${bound}`;
    return `${capital(metric)} en ${where}: ${aggregate(window, "mean")} de ${value} (${at.until}), ${run} (lo habitual a esta hora: ${usual}, de ${low} a ${high}).`;
  },
  "anomaly.newNormal": ({ at, value }) =>
    `Terminó ${at.at} con ${value}: lo que dura cuatro semanas se toma como la nueva normalidad.`,
  forecast({ metric, where, value, at, side, limit, likely, from, to, trend, per, over }) {
    const passes = side === "below" ? `bajará de ${limit}` : `superará ${limit}`;
    const unit = per === "hour" ? "hora" : "día";
    return `${capital(metric)} en ${where}: se prevé que ${passes} ${likely.at} (entre ${from.text} y ${to.text}); ${at.at} estaba en ${value}, con una tendencia de ${trend} por ${unit} en los últimos ${over}.`;
  },
  "forecast.ended": ({ at, value }) =>
    `Terminó ${at.at}: la tendencia ya no alcanza el límite en ese plazo; está en ${value}.`,
  "register.fell": ({ metric, where, from, fromAt, to, at }) =>
    `El contador (${metric}) en ${where} bajó de ${from} a ${to} entre ${fromAt.text} y ${at.text}; un contador nunca baja, salvo que se cambie o se reinicie.`,
  "register.rose": ({ metric, where, from, fromAt, to, at, limit }) =>
    `El contador (${metric}) en ${where} subió de ${from} a ${to} entre ${fromAt.text} y ${at.text}; con la potencia de su acometida podría marcar como máximo ${limit}.`,
  "register.ended": ({ at }) => `Terminó ${at.at}, tras varias mediciones plausibles.`,
  drift({ metric, where, value, off, side, neighbours, days, day, around }, { number, many }) {
    const beside = `un ${off} ${SIDES[side]} de la mediana de ${neighbours === 1 ? "su vecino" : `sus ${many(neighbours, "", "vecinos")}`}`;
    return `${capital(metric)} en ${where}: desde hace ${number(days)} días, ${beside} (${day}: ${value} frente a ${around}).`;
  },
  "drift.back": ({ at }) => `Terminó ${at.at}: vuelve a estar cerca de sus vecinos.`,
  "drift.noData": ({ at }) => `Terminó ${at.at}: ya no se puede comparar.`,
  quorum: ({ count, watched, place, deed, within }, { number }) =>
    `${number(count)} de ${number(watched)} sensores ${place} ${deed} ${within === "0 s" ? "al mismo tiempo" : `en ${within}`}.`,
  "quorum.ended": ({ at, left }, { number }) =>
    `Terminó ${at.at}${left > 0 ? `; ${number(left)} siguen afectados` : ""}.`,
  "place.gateway": ({ gateway }) => `detrás de la pasarela ${gateway}`,
  "place.district": ({ district }) => `en el distrito ${district}`,
  "place.tag": ({ tag, value, district }) => `con ${tag} ${value} en el distrito ${district}`,
  "deed.silent": () => "dejaron de comunicar",
  "deed.missing": ({ metric }) => `dejaron de enviar ${metric}`,
  "deed.stuck": ({ metric }) => `empezaron a repetir un mismo valor de ${metric}`,
  "deed.refused": () => "enviaron mensajes que se rechazaron",
  "deed.refusedValues": ({ metric }) => `enviaron valores imposibles de ${metric}`,
  "deed.rule": ({ title }) => `avisaron de «${title}»`,

  "ended.value": ({ at, value }) => `Terminó ${at.at} con ${value}.`,
  "ended.noData": ({ at }) => `Terminó ${at.at} porque no llegaron más datos válidos.`,
};
