import type { WindowWords } from "../../model/sentence.ts";
import type { Pack } from "../pack.ts";
import { rules } from "./rules.ts";

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const windowWord = ({ is, text }: WindowWords) => (is === "span" ? text : is);
const windowUnit = ({ is, text }: WindowWords) => (is === "span" ? `${text} period` : is);

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"];

function ordinal(count: number): string {
  if (count <= ORDINALS.length) return ORDINALS[count - 1]!;
  const last = count % 100 >= 11 && count % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${last}`;
}

const AVERAGED = { mean: "averaged", min: "was at least", max: "reached" } as const;

export const sentences: Pack["sentences"] = {
  text: ({ text }) => text,
  "rule.title": ({ rule }) => rules[rule]?.title,
  "rule.advice": ({ rule }) => rules[rule]?.advice,

  threshold({ metric, where, value, at, side, limit, since, counts, window, aggregate }) {
    const measured = window
      ? `${AVERAGED[aggregate ?? "mean"]} ${value} over the ${windowWord(window)} ${at.until}`
      : `was ${value} ${at.at}`;
    const held = since ? ` ${since.since}` : "";
    const condition = counts === undefined ? "" : `; it counts once that has lasted ${counts}`;
    return `${capital(metric)} at ${where} ${measured}, ${side} ${limit}${held}${condition}.`;
  },
  "threshold.notHeld": ({ at, value, held }) => `It ended ${at.at} with ${value}, before it had held for ${held}.`,
  consecutive({ metric, where, value, at, window, limit, count }) {
    const run = count === 1 ? `above ${limit}` : `the ${ordinal(count)} ${windowUnit(window)} in a row above ${limit}`;
    return `${capital(metric)} at ${where} averaged ${value} over the ${windowWord(window)} ${at.until}, ${run}.`;
  },
  change({ metric, where, direction, by, from, fromAt, to, at, limit, within }) {
    const moved = `${direction === "rise" ? "rose" : "fell"} by ${by}, from ${from} ${fromAt.at} to ${to} ${at.at}`;
    return `${capital(metric)} at ${where} ${moved}; ${limit} or more within ${within} counts.`;
  },
  silence: ({ where, since, after }) => `No reading from ${where} ${since.since}; it counts as silent after ${after}.`,
  "silence.value": ({ metric, where, since, after }) =>
    `No value of ${metric} from ${where} ${since.since}, while it sends others; it counts as missing after ${after}.`,
  "silence.heard": ({ at }) => `A reading came again ${at.at}.`,
  "silence.valueBack": ({ at }) => `A value came again ${at.at}.`,
  rejections: ({ where, reason, count, within, at, example }, { number }) =>
    `Messages of ${where} arrive and are refused: ${reason}, ${number(count)} in ${within} ${at.until}. The newest: ${example}`,
  "rejections.values": ({ metric, where, count, within, at, example }, { number }) =>
    `${where} sends impossible values of ${metric}: ${number(count)} in ${within} ${at.until}. The newest: ${example}`,
  "rejections.ended": ({ at, count }, { number }) =>
    `It ended ${at.at}: no message was refused any more, of ${number(count)} in all.`,
  "rejections.valuesEnded": ({ at, count }, { number }) =>
    `It ended ${at.at}: no value was refused any more, of ${number(count)} in all.`,
  flatline({ metric, where, value, since, count, tolerance, low, high }, { number }) {
    const near = tolerance === undefined ? "at " : `within ${tolerance} of `;
    const values = low === undefined || high === undefined ? "equal values" : `values between ${low} and ${high}`;
    const run = `${number(count)} ${values} in a row`;
    return `${capital(metric)} at ${where} has stayed ${near}${value} ${since.since} (${run}); the sensor is probably stuck.`;
  },
  "flatline.ended": ({ at, value }) => `Another value came ${at.at}: ${value}.`,
  spike({ metric, where, value, at, before, after, limit, count, within }) {
    const one = `${capital(metric)} at ${where} was ${value} for one value ${at.at}, between ${before} and ${after}`;
    const run = count === 1 ? "" : `, the ${ordinal(count)} such spike within ${within}`;
    return `${one}: more than ${limit} off the values beside it${run}.`;
  },
  "spike.ended": ({ at, within }) => `It ended ${at.at}, after ${within} without another.`,
  anomaly({ metric, where, value, at, window, count, side, usual, low, high }) {
    const mean = `${capital(metric)} at ${where} averaged ${value} over the ${windowWord(window)} ${at.until}`;
    const bound = `${side} ${side === "above" ? high : low}`;
    const run =
      count === 1 ? bound : `the ${ordinal(count)} ${windowUnit(window)} in a row out of the usual, now ${bound}`;
    return `${mean}, ${run} (usual at this time: ${usual}, from ${low} to ${high}).`;
  },
  "anomaly.newNormal": ({ at, value }) =>
    `It ended ${at.at} with ${value}: what has lasted four weeks is taken for the new normal.`,
  forecast({ metric, where, value, at, side, limit, likely, from, to, trend, per, over }) {
    const passes = side === "below" ? `fall below ${limit}` : `rise above ${limit}`;
    const when = `${likely.at} (between ${from.text} and ${to.text})`;
    return `${capital(metric)} at ${where} is expected to ${passes} ${when}: it stood at ${value} ${at.at}, with a trend of ${trend} per ${per} over the last ${over}.`;
  },
  "forecast.ended": ({ at, value }) =>
    `It ended ${at.at}: the trend no longer reaches the limit in that time; it stands at ${value}.`,
  "register.fell": ({ metric, where, from, fromAt, to, at }) =>
    `The register of ${metric} at ${where} fell from ${from} to ${to} between ${fromAt.text} and ${at.text}; a register never falls, unless the meter was exchanged or reset.`,
  "register.rose": ({ metric, where, from, fromAt, to, at, limit }) =>
    `The register of ${metric} at ${where} rose from ${from} to ${to} between ${fromAt.text} and ${at.text}; with the power of its connection it could stand at ${limit} at most.`,
  "register.ended": ({ at }) => `It ended ${at.at}, after a run of plausible readings.`,
  drift({ metric, where, value, off, side, neighbours, days, day, around }, { number, many }) {
    const beside = `${off} ${side} the median of its ${many(neighbours, "neighbour", "neighbours")}`;
    return `${capital(metric)} at ${where} has been ${beside} for ${number(days)} days (${day}: ${value} against ${around}).`;
  },
  "drift.back": ({ at }) => `It ended ${at.at}, when it was near its neighbours again.`,
  "drift.noData": ({ at }) => `It ended ${at.at}, when it could not be compared any more.`,
  quorum: ({ count, watched, place, deed, within }, { number, many }) =>
    `${number(count)} of ${many(watched, "sensor", "sensors")} ${place} ${deed} ${within === "0 s" ? "at the same time" : `within ${within}`}.`,
  "quorum.ended": ({ at, left }, { number }) => `It ended ${at.at}${left > 0 ? `, with ${number(left)} left` : ""}.`,
  "place.gateway": ({ gateway }) => `behind gateway ${gateway}`,
  "place.district": ({ district }) => `in district ${district}`,
  "place.tag": ({ tag, value, district }) => `with ${tag} ${value} in district ${district}`,
  "deed.silent": () => "fell silent",
  "deed.missing": ({ metric }) => `stopped sending ${metric}`,
  "deed.stuck": ({ metric }) => `began to repeat one value of ${metric}`,
  "deed.refused": () => "sent messages that were refused",
  "deed.refusedValues": ({ metric }) => `sent impossible values of ${metric}`,
  "deed.rule": ({ title }) => `raised "${title}"`,

  "ended.value": ({ at, value }) => `It ended ${at.at} with ${value}.`,
  "ended.noData": ({ at }) => `It ended ${at.at} because no valid data followed.`,
};
