import type { WindowWords } from "../../model/sentence.ts";
import type { Forms, Pack } from "../pack.ts";
import { rules } from "./rules.ts";

const lower = (text: string) => (/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
/** Metrics that are named by what is counted. */
const SEVERAL = /^(?:\w+ )*(?:particles|oxides|cars|vans|lorries|buses|motorcycles|bicycles|pedestrians)\b/;
const was = (metric: string) => (SEVERAL.test(metric) ? "were" : "was");
const has = (metric: string) => (SEVERAL.test(metric) ? "have" : "has");
/** A difference of percentages is no percentage. */
const points = (amount: string) =>
  amount.replace(/ %$/, /^-?1 %/.test(amount) ? " percentage point" : " percentage points");
/** " + 3", " - 3". */
const plus = (offset: string | undefined) =>
  offset === undefined ? "" : offset.startsWith("-") ? ` - ${offset.slice(1)}` : ` + ${offset}`;
const windowWord = ({ is, text }: WindowWords) => (is === "span" ? text : is);
const windowUnit = ({ is, text }: WindowWords) => (is === "span" ? `${text} period` : is);

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"];

function ordinal(count: number): string {
  if (count <= ORDINALS.length) return ORDINALS[count - 1]!;
  const last = count % 100 >= 11 && count % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${last}`;
}

function allowance(window: WindowWords, nth: string | undefined, allowed: string | undefined): string {
  return nth === undefined ? "" : `: ${windowUnit(window)} ${nth} of this year, of ${allowed} allowed`;
}

const AVERAGED = { mean: "averaged", min: "was at least", max: "reached" } as const;

const neighbours = (count: number, { many }: Forms) => many(count, "neighbour", "neighbours");
/** "3 of 5 neighbours", "5 neighbours". */
const among = (count: number, of: number, f: Forms) => `${f.number(count)} of ${neighbours(of, f)}`;
const beside = neighbours;

const BASIS = {
  own: "(by the sun at its place and how it was switched before)",
  city: "(by the sun over the city, as its place is not known, and how it was switched before)",
  unknown: "(as in its last nights: its place is not known)",
} as const;

export const sentences: Pack["sentences"] = {
  text: ({ text }) => text,
  "rule.title": ({ rule }) => rules[rule]?.title,
  "rule.advice": ({ rule }) => rules[rule]?.advice,

  threshold({ metric, where, value, at, side, limit, because, since, counts, window, aggregate }) {
    const measured = window
      ? `${AVERAGED[aggregate ?? "mean"]} ${value} over the ${windowWord(window)} ${at.until}`
      : `${was(metric)} ${value}${because ? `, from ${because},` : ""} ${at.at}`;
    const held = since ? ` ${since.since}` : "";
    const condition = counts === undefined ? "" : `; it counts once that has lasted ${counts}`;
    return `${capital(metric)} at ${where} ${measured}, ${side} ${limit}${held}${condition}.`;
  },
  "index.because": ({ metric, value }) => `${metric} at ${value}`,
  "level.lowered": ({ metric, where, value, at, side, limit }) =>
    `${capital(metric)} at ${where} came back to ${value} ${at.at}, to the level ${side} ${limit}.`,
  "threshold.notHeld": ({ at, value, held }) => `It ended ${at.at} with ${value}, before it had held for ${held}.`,
  consecutive({ metric, where, value, at, window, limit, count, nth, allowed }) {
    const run = count === 1 ? `above ${limit}` : `the ${ordinal(count)} ${windowUnit(window)} in a row above ${limit}`;
    return `${capital(metric)} at ${where} averaged ${value} over the ${windowWord(window)} ${at.until}, ${run}${allowance(window, nth, allowed)}.`;
  },
  change({ metric, where, direction, by, from, fromAt, to, at, limit, within }) {
    const moved = `${direction === "rise" ? "rose" : "fell"} by ${points(by)}, from ${from} ${fromAt.at} to ${to} ${at.at}`;
    return `${capital(metric)} at ${where} ${moved}; ${points(limit)} or more within ${within} counts.`;
  },
  silence: ({ where, since, after }) => `No reading from ${where} ${since.since}; it counts as silent after ${after}.`,
  "silence.value": ({ metric, where, since, after }) =>
    `No value of ${metric} from ${where} ${since.since}, while it sends others; it counts as missing after ${after}.`,
  "silence.heard": ({ at }) => `A reading came again ${at.at}.`,
  "silence.valueBack": ({ at }) => `A value came again ${at.at}.`,
  rejections: ({ where, reason, count, within, at, example }, { number }) =>
    `Messages of ${where} arrive and are refused (${lower(reason)}), ${number(count)} in the ${within} ${at.until}. The newest: ${example}`,
  "rejections.values": ({ metric, where, count, within, at, example }, { number }) =>
    `${where} sends impossible values of ${metric}: ${number(count)} in the ${within} ${at.until}. The newest: ${example}`,
  "rejections.ended": ({ at, count }, { number }) =>
    `It ended ${at.at}: no message was refused any more, of ${number(count)} in all.`,
  "rejections.valuesEnded": ({ at, count }, { number }) =>
    `It ended ${at.at}: no value was refused any more, of ${number(count)} in all.`,
  flatline({ metric, where, value, meaning, since, count, tolerance, low, high }, { number }) {
    const near = tolerance === undefined ? "at " : `within ${tolerance} of `;
    const values = low === undefined || high === undefined ? "equal values" : `values between ${low} and ${high}`;
    const run = `${number(count)} ${values} in a row`;
    const why =
      meaning === "stuck"
        ? "the sensor is probably stuck."
        : "that is near the lowest it shows, so it counts only if its neighbours are not near theirs.";
    return `${capital(metric)} at ${where} ${has(metric)} stayed ${near}${value} ${since.since} (${run}); ${why}`;
  },
  "flatline.ended": ({ at, value }) => `Another value came ${at.at}: ${value}.`,
  spike({ metric, where, value, at, before, after, limit, count, within }) {
    const one = `${capital(metric)} at ${where}: a single value of ${value} ${at.at}, between ${before} and ${after}`;
    const run = count === 1 ? "" : `, the ${ordinal(count)} such spike within ${within}`;
    return `${one}: more than ${points(limit)} off the values beside it${run}.`;
  },
  "spike.ended": ({ at, within }) => `It ended ${at.at}, after ${within} without another.`,
  anomaly({ metric, where, value, at, window, count, side, usual, low, high }) {
    const mean = `${capital(metric)} at ${where} averaged ${value} over the ${windowWord(window)} ${at.until}`;
    const bound = `${side} ${side === "above" ? high : low}`;
    const run =
      count === 1
        ? bound
        : `the ${ordinal(count)} ${windowUnit(window)} in a row outside its usual range, now ${bound}`;
    return `${mean}, ${run} (usual at this time: ${usual}, from ${low} to ${high}).`;
  },
  "anomaly.newNormal": ({ at, value, since }) =>
    since
      ? `It ended ${at.at} with ${value}: new level ${since.since}.`
      : `It ended ${at.at} with ${value}: what has lasted four weeks is taken for the new normal.`,
  forecast({ metric, where, value, at, side, limit, likely, from, to, trend, per, over }) {
    const passes = side === "below" ? `fall below ${limit}` : `rise above ${limit}`;
    const when = `around ${likely.text} (80 % likely between ${from.text} and ${to.text})`;
    return `${capital(metric)} at ${where} is expected to ${passes} ${when}: it stood at ${value} ${at.at}, with a trend of ${points(trend)} per ${per} over the last ${over}.`;
  },
  "forecast.ended": ({ at, value }) =>
    `It ended ${at.at}: at this trend the limit is no longer reached in that time; the value is ${value}.`,
  "forecast.reached": ({ at, value, limit }) => `It ended ${at.at}: the limit of ${limit} is reached, with ${value}.`,
  "forecast.overdue": ({ at, value }) =>
    `It ended ${at.at}: the limit was expected to be reached by then, and was not; the value is ${value}.`,
  "register.fell": ({ metric, where, from, fromAt, to, at }) =>
    `The register of ${metric} at ${where} fell from ${from} to ${to} between ${fromAt.text} and ${at.text}; a register never falls, unless the meter was exchanged or reset.`,
  "register.rose": ({ metric, where, from, fromAt, to, at, limit }) =>
    `The register of ${metric} at ${where} rose from ${from} to ${to} between ${fromAt.text} and ${at.text}; with the power of its connection it could stand at ${limit} at most.`,
  "register.ended": ({ at }) => `It ended ${at.at}, after a run of plausible readings.`,
  drift({ metric, where, value, off, side, neighbours, days, day, around }, { many }) {
    const beside = `${off} ${side} the median of its ${many(neighbours, "neighbour", "neighbours")}`;
    return `${capital(metric)} at ${where} ${has(metric)} been ${beside} for ${many(days, "day", "days")} (${day}: ${value} against ${around}).`;
  },
  "drift.back": ({ day }) => `It ended on ${day}, when it was near its neighbours again.`,
  "drift.noData": ({ day }) => `It ended on ${day}, when it could not be compared any more.`,
  running: ({ metric, where, value, at, span, limit, days, allowed }) =>
    `${capital(metric)} at ${where} averaged ${value} over the ${span} ${at.until}, above ${limit}: day ${days} of this year${allowed === undefined ? "" : `, of ${allowed} allowed`}.`,
  counted: ({ per, nth, allowed, limit }) =>
    `It was ${per} ${nth} of this year above ${limit}${allowed === undefined ? "" : `, of ${allowed} allowed`}.`,
  "note.hoursAbove": ({ hours }) => `hour ${hours} of this year above the limit`,
  "note.daysAbove": ({ days }) => `day ${days} of this year above the limit`,
  "lighting.dark": ({ where, since, at, value, why }) =>
    `Street lights at ${where} have been dark ${since.since}${value === undefined ? "" : ` (${value} ${at.at})`}: ${why}.`,
  "lighting.byDay": ({ where, since, at, value, why }) =>
    `Street lights at ${where} have burnt by day ${since.since}${value === undefined ? "" : ` (${value} ${at.at})`}: ${why}.`,
  "lighting.lampsOut": ({ where, since, at, value, why }) =>
    `Street lights at ${where} draw too little ${since.since}: ${value} ${at.at}, ${why}.`,
  "lighting.switching": ({ where, nights, why }) =>
    `Street lights at ${where} were not switched as expected in ${nights === 1 ? "one night" : `${nights} nights in a row`}: ${why}.`,
  "lighting.interruption": ({ where, since, why }) =>
    `The supply of street lights at ${where} was interrupted ${since.at}: ${why}.`,
  "lighting.onAgain": ({ at }) => `They were on again ${at.at}.`,
  "lighting.offAgain": ({ at }) => `They were off again ${at.at}.`,
  "lighting.fullAgain": ({ at }) => `The power was as usual again ${at.at}.`,
  "lighting.asExpected": ({ at }) => `They were switched as expected again ${at.at}.`,
  "lighting.over": ({ at, restart }) =>
    `It was over ${at.at}${restart === "cold" ? ", after the slow rise of a cold start" : ""}.`,
  "lighting.newUsual": ({ at }) => `It ended ${at.at}: what has stayed is usual from now on.`,
  quorum: ({ count, watched, place, deed, within }, { number, many }) =>
    `${number(count)} of ${many(watched, "sensor", "sensors")} ${place} ${deed} ${within === undefined ? "at the same time" : `within ${within}`}.`,
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

  "status.now": ({ value, span }) => `Now ${value}, for ${span} so far.`,
  "status.newest": ({ value, at, span }) => `Newest value ${value} ${at.at}; it has lasted ${span} so far.`,
  "status.open": ({ span }) => `It has lasted ${span} so far.`,
  "status.silent": ({ span }) => `Nothing for ${span} so far.`,
  "status.lasted": ({ span }) => `It lasted ${span}.`,

  "ended.value": ({ at, value }) => `It ended ${at.at} with ${value}.`,
  "ended.noData": ({ at }) => `It ended ${at.at} because no valid data followed.`,

  "quorum.retracted": () => "With the late readings there were not enough alerts at a time.",
  "quorum.corrected": () => "Late readings changed which alerts were counted.",
  "note.usual": ({ usual, low, high }) => `usual at this time: ${usual}, from ${low} to ${high}`,
  "note.newNormal": () => "has lasted for days: the new level",
  "note.equal": ({ count }, { number }) => `${number(count)} equal values in a row`,
  "note.within": ({ count, low, high }, { number }) => `${number(count)} values between ${low} and ${high} in a row`,
  "note.trend": ({ trend, per, low, high, count }, { number }) =>
    `trend of ${trend} per ${per} (${low} to ${high}) over ${number(count)} values`,
  "note.lampsOn": ({ from, basis }) => `expected on${from ? ` ${from.since}` : ""} ${BASIS[basis]}`,
  "note.lampsOff": ({ from, basis }) => `expected off${from ? ` ${from.since}` : ""} ${BASIS[basis]}`,
  "note.lampsMissing": ({ missing, usual, lamps, of }) =>
    `${missing} below the ${usual} of other nights at this time${lamps === undefined ? "" : `, about ${lamps} of ${of} lamps`}`,
  "note.lampsSwitched": ({ edge, by, side }) =>
    `${edge === "both" ? "on and off" : edge} ${by} ${side} than expected in the last of them`,
  "note.lampsUsual": () => "has stayed so: usual from now on",
  "note.lampsBack": ({ at, restart }) =>
    `back ${at.at}${restart === "cold" ? ", with the slow rise of a cold start" : ""}`,
  "note.lastRefused": () => "the last that was refused",
  "note.lastReading": () => "the last reading before the silence",
  "note.heardAgain": () => "heard again",
  "note.lastValue": () => "the last value before the gap",
  "note.valueAgain": () => "there again",
  "note.standsOut": () => "stands out from the values beside it",
  "note.sinceThen": ({ sensor }) => `${sensor} since then`,
  "note.dayMedian": ({ around }) => `median of the day; neighbours ${around}`,

  "verdict.driftAlone": ({ neighbours }, { many }) =>
    `Its ${many(neighbours, "neighbour agrees", "neighbours agree")} with each other and moved as it did, at another level.`,
  "verdict.driftAmong": ({ neighbours }, { number }) =>
    `Its ${number(neighbours)} neighbours differ as much from each other.`,
  "verdict.allStand": ({ count, of }, f) =>
    `${among(count, of, f)} repeat one value, too: a fault where the values are published, not of this sensor.`,
  "verdict.floor": ({ value }) =>
    `${value} is near the lowest it can tell: probably the detection limit, not a stuck sensor.`,
  "verdict.stoodStill": ({ alive, of }, f) => `It stood still while ${among(alive, of, f)} moved.`,
  "verdict.stoodLow": ({ value, span, neighbours, level }, f) =>
    `It stood at ${value} for ${span} while its ${beside(neighbours, f)} were at a median of ${level}, no less than usual.`,
  "verdict.stoodBeside": ({ value, span, metric, level }) =>
    `It stood at ${value} for ${span} while its own ${metric} moved, at a median of ${level}.`,
  "verdict.register": () => "A register only counts up, and no faster than its meter: this is the meter or its data.",
  "verdict.beyond": ({ count, of, side, limit }, f) =>
    `${among(count, of, f)} ${count === 1 ? "was" : "were"} ${side} ${limit}, too.`,
  "verdict.moved": ({ count, of, direction, level }, f) =>
    `${among(count, of, f)} ${direction === "rise" ? "rose" : "fell"} with it, to a median of ${level}.`,
  "verdict.stuck": ({ value, span, alive, of }, f) =>
    `It has repeated ${value} for ${span} while ${among(alive, of, f)} moved, none of them so far.`,
  "verdict.odd": ({ odd, neighbours, level }, f) => `${odd}, and its ${beside(neighbours, f)} stayed near ${level}.`,
  "verdict.contradicts": ({ what, neighbours }, f) =>
    `${capital(what)}${neighbours === undefined ? "" : `, and none of its ${beside(neighbours, f)} shows it`}.`,
  "verdict.spikeAlone": ({ neighbours, level }, f) =>
    `A single value stood out, and none of its ${beside(neighbours, f)} moved (median ${level}).`,
  "verdict.allSuspect": ({ neighbours, level }, f) =>
    `All its values are suspect, and its ${beside(neighbours, f)} stayed near ${level}.`,
  "verdict.agrees": ({ what }) => `${capital(what)}.`,
  "verdict.among": ({ neighbours, level }, f) => `Its ${beside(neighbours, f)} show about the same (median ${level}).`,
  "verdict.suspect": ({ what, wrong }) =>
    wrong
      ? `The values are suspect: ${what}; out of line with the neighbours is its value of ${wrong}.`
      : `The values are suspect: ${what}; one of the two is wrong, and it may be the other.`,
  "verdict.alone": ({ neighbours, level }, f) =>
    `Only this sensor shows it: its ${beside(neighbours, f)} stayed near ${level}. A local event or a fault.`,
  "verdict.fewNeighbours": ({ neighbours }) =>
    `${neighbours === 0 ? "No neighbour has" : "Only one neighbour has"} recent values to compare with.`,
  "verdict.unsettled"({ moved, of, direction, level, beyond }, f) {
    const near = `${among(moved, of, f)} ${direction === "rise" ? "rose" : "fell"} with it`;
    const over = beyond === undefined ? "" : `, ${f.number(beyond)} ${beyond === 1 ? "was" : "were"} beyond the limit`;
    return `Its neighbours do not settle it: ${near}${over} (median ${level}).`;
  },
  "verdict.unsettledStill": ({ standing, alive, of, level }, f) =>
    `Its neighbours do not settle it: ${among(standing, of, f)} stood still, too, and ${f.number(alive)} moved (median ${level}).`,
  "verdict.nothingKnown": () => "Nothing is known of its values.",
  "odd.range": ({ value }) => `${value} is the end of its range`,
  "odd.sentinel": ({ value }) => `${value} is a value that devices send for "none"`,
  "sibling.particles": ({ coarse, fine }) =>
    `its own coarser particles are at ${coarse}, of which ${fine} cannot be a part`,
  "sibling.vehicles": ({ length }) => `flow, occupancy and speed together would mean vehicles of ${length}`,
  "sibling.jam": ({ speedFrom, speedTo, occupancyFrom, occupancyTo }) =>
    `its speed fell from ${speedFrom} to ${speedTo} while its occupancy rose from ${occupancyFrom} to ${occupancyTo}`,
  "sibling.power": ({ voltage, current, power }) => `${voltage} and ${current} do not make ${power}`,
  "sibling.load": ({ metric, from, to }) => `its ${metric} rose with it, from ${from} to ${to}`,

  "late.retracted": () => "It was taken back: a reading that came late shows that it was not so.",
  "late.corrected": () => "A reading that came late shows that it was otherwise.",
  "late.confirmed": () => "A reading that came late shows it.",
  "late.goesOn": () => "It had begun before, and goes on.",
  "why.notHeld": () => "It had not held for long enough.",
  "why.noData": () => "No valid data followed.",
  "end.unwatched": () => "The rule no longer watches this sensor.",
  "end.ruleChanged": () => "The rule was changed.",
  "end.ruleDeleted": () => "The rule was deleted.",
  "end.nowLevel": ({ title }) => `The rule has become a level of "${title}", which goes on from here.`,
  "end.ruleFailed": ({ error }) => `The rule failed: ${error}.`,
  "end.sensorRemoved": () => "The sensor was removed.",
  "end.sensorChanged": () => "The sensor was calibrated or moved.",
  "end.anew": () => "Its end was worked out anew after a restart.",
  flaps: () => "It flaps: it comes and goes, and is told again once it is calm.",
  corrected: ({ id, change, from, to, reason }) => `Correction ${id}: ${change}, ${from.text} to ${to.text}: ${reason}`,
  "corrected.revoked": ({ id, reason }) => `Correction ${id} was revoked: ${reason}`,
  "corrected.andOthers": ({ newest, others }, { many }) => `${newest} And ${many(others, "other", "others")}.`,
  "change.invalid": ({ metrics = "all values" }) => `${metrics} invalid`,
  "change.value": ({ metrics = "all values", value }) => `${metrics} = ${value}`,
  "change.factor": ({ metrics = "all values", factor, offset }) => `${metrics} × ${factor}${plus(offset)}`,
  "change.shift": ({ by, side }) => `time ${by} ${side}`,
  "suppressed.silence": ({ kind, id, reason, by }) => `${reason} (${kind} ${id} by ${by})`,
  "suppressed.rule": ({ alert, place }) => `Explained by alert ${alert} (${place}).`,
  "suppressed.flapping": ({ changes, within }, { number }) =>
    `${number(changes)} changes or more within ${within}: told again once it is calm.`,
  escalated: ({ to, after }) => `to ${to}: nobody acknowledged within ${after}`,
  "test.title": () => "This is a test",
  "test.works": ({ target }) => `Lamppost can reach the target "${target}". Nothing is wrong.`,
  "service.trouble": ({ part }) => `Trouble in the service: ${part}`,
  "service.well": () => "The part is well again.",
  "books.title": () => "The books do not balance",
  "books.advice": () => 'Run "lamppost ledger --verify" and keep the data folder as it is.',
  "books.balance": () => "Everything was counted again, and the books balance.",

  ended: ({ at }) => `It ended ${at.at}.`,
};
