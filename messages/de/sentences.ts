import type { WindowWords } from "../../model/sentence.ts";
import type { Pack } from "../pack.ts";
import { rules } from "./rules.ts";

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const OF_WINDOW = { hour: "Stunden", day: "Tages" } as const;
const OF_AGGREGATE = { mean: "mittel", min: "minimum", max: "maximum" } as const;

/** "Stundenmittel", "Tagesmaximum", "Mittel über 10 min". */
function aggregate({ is, text }: WindowWords, name: "mean" | "min" | "max"): string {
  const word = OF_AGGREGATE[name];
  return is === "span" ? `${capital(word)} über ${text}` : `${OF_WINDOW[is]}${word}`;
}

/** "3. Stunde in Folge". */
const inARow = (count: number, { is, text }: WindowWords) =>
  `${count}. ${is === "hour" ? "Stunde" : is === "day" ? "Tag" : `Abschnitt von ${text}`} in Folge`;

const SIDES = { above: "über", below: "unter" } as const;

export const sentences: Pack["sentences"] = {
  text: ({ text }) => text,
  "rule.title": ({ rule }) => rules[rule]?.title,
  "rule.advice": ({ rule }) => rules[rule]?.advice,

  threshold({ metric, where, value, at, side, limit, since, counts, window, aggregate: name }) {
    const measured = window ? `${aggregate(window, name ?? "mean")} ${value} (${at.until})` : `${value} ${at.at}`;
    const held = since ? `${since.since} ` : "";
    const condition = counts === undefined ? "" : `; gemeldet wird, wenn es ${counts} anhält`;
    return `${capital(metric)}, ${where}: ${measured}, ${held}${SIDES[side]} der Grenze von ${limit}${condition}.`;
  },
  "threshold.notHeld": ({ at, value, held }) => `Beendet ${at.at} mit ${value}, bevor es ${held} angehalten hatte.`,
  consecutive({ metric, where, value, at, window, limit, count }) {
    const run = count === 1 ? "" : `, ${inARow(count, window)}`;
    return `${capital(metric)}, ${where}: ${aggregate(window, "mean")} ${value} (${at.until})${run} über ${limit}.`;
  },
  change({ metric, where, direction, by, from, fromAt, to, at, limit, within }) {
    const moved = `um ${by} ${direction === "rise" ? "gestiegen" : "gefallen"}`;
    const span = `von ${from} (${fromAt.text}) auf ${to} (${at.text})`;
    return `${capital(metric)}, ${where}: ${moved}, ${span}; gemeldet wird ab ${limit} innerhalb von ${within}.`;
  },
  silence: ({ where, since, after }) =>
    `Kein Messwert von ${where} ${since.since}; als ausgefallen gilt der Sensor nach ${after}.`,
  "silence.value": ({ metric, where, since, after }) =>
    `Kein Wert für ${metric} von ${where} ${since.since}, andere Werte kommen weiter; als fehlend gilt er nach ${after}.`,
  "silence.heard": ({ at }) => `Ein Messwert kam wieder ${at.at}.`,
  "silence.valueBack": ({ at }) => `Ein Wert kam wieder ${at.at}.`,
  rejections: ({ where, reason, count, within, at, example }, { number }) =>
    `Nachrichten von ${where} kommen an und werden abgewiesen: ${reason}, ${number(count)} in ${within} (${at.until}). Die neueste: ${example}`,
  "rejections.values": ({ metric, where, count, within, at, example }, { number }) =>
    `${where} sendet unmögliche Werte für ${metric}: ${number(count)} in ${within} (${at.until}). Der neueste: ${example}`,
  "rejections.ended": ({ at, count }, { number }) =>
    `Beendet ${at.at}: Es wurde keine Nachricht mehr abgewiesen, insgesamt waren es ${number(count)}.`,
  "rejections.valuesEnded": ({ at, count }, { number }) =>
    `Beendet ${at.at}: Es wurde kein Wert mehr abgewiesen, insgesamt waren es ${number(count)}.`,
  flatline({ metric, where, value, since, count, tolerance, low, high }, { number }) {
    const near = tolerance === undefined ? "" : ` ± ${tolerance}`;
    const values = low === undefined || high === undefined ? "gleiche Werte" : `Werte zwischen ${low} und ${high}`;
    return `${capital(metric)}, ${where}: ${since.since} unverändert ${value}${near} (${number(count)} ${values} in Folge); der Sensor hängt vermutlich.`;
  },
  "flatline.ended": ({ at, value }) => `Ein anderer Wert kam ${at.at}: ${value}.`,
  spike({ metric, where, value, at, before, after, limit, count, within }) {
    const run = count === 1 ? "" : `, die ${count}. solche Spitze innerhalb von ${within}`;
    return `${capital(metric)}, ${where}: einzelner Wert ${value} ${at.at} zwischen ${before} und ${after}, mehr als ${limit} neben den Werten davor und danach${run}.`;
  },
  "spike.ended": ({ at, within }) => `Beendet ${at.at}, nach ${within} ohne weitere.`,
  anomaly({ metric, where, value, at, window, count, side, usual, low, high }) {
    const bound = `${SIDES[side]} ${side === "above" ? high : low}`;
    const run = count === 1 ? bound : `${inARow(count, window)} außerhalb des Üblichen, jetzt ${bound}`;
    return `${capital(metric)}, ${where}: ${aggregate(window, "mean")} ${value} (${at.until}), ${run} (üblich um diese Zeit: ${usual}, von ${low} bis ${high}).`;
  },
  "anomaly.newNormal": ({ at, value }) =>
    `Beendet ${at.at} mit ${value}: Was vier Wochen angehalten hat, gilt als neuer Normalzustand.`,
  forecast({ metric, where, value, at, side, limit, likely, from, to, trend, per, over }) {
    const passes =
      side === "below"
        ? `sinkt voraussichtlich ${likely.at} unter ${limit}`
        : `steigt voraussichtlich ${likely.at} über ${limit}`;
    const unit = per === "hour" ? "Stunde" : "Tag";
    return `${capital(metric)}, ${where}: ${passes} (zwischen ${from.text} und ${to.text}); Stand ${at.at}: ${value}, Trend ${trend} je ${unit} in den letzten ${over}.`;
  },
  "forecast.ended": ({ at, value }) =>
    `Beendet ${at.at}: Der Trend erreicht die Grenze nicht mehr in dieser Zeit; Stand ${value}.`,
  "register.fell": ({ metric, where, from, fromAt, to, at }) =>
    `Zählerstand (${metric}), ${where}: von ${from} auf ${to} gefallen, zwischen ${fromAt.text} und ${at.text}; ein Zählerstand fällt nie, außer nach Zählertausch oder Rücksetzen.`,
  "register.rose": ({ metric, where, from, fromAt, to, at, limit }) =>
    `Zählerstand (${metric}), ${where}: von ${from} auf ${to} gestiegen, zwischen ${fromAt.text} und ${at.text}; mit seiner Anschlussleistung könnte er höchstens bei ${limit} stehen.`,
  "register.ended": ({ at }) => `Beendet ${at.at}, nach mehreren plausiblen Messwerten.`,
  drift({ metric, where, value, off, side, neighbours, days, day, around }, { number, many }) {
    const beside = `${off} ${SIDES[side]} dem Median ${neighbours === 1 ? "seines Nachbarn" : `seiner ${many(neighbours, "", "Nachbarn")}`}`;
    return `${capital(metric)}, ${where}: seit ${number(days)} Tagen ${beside} (${day}: ${value} gegenüber ${around}).`;
  },
  "drift.back": ({ at }) => `Beendet ${at.at}: Er liegt wieder bei seinen Nachbarn.`,
  "drift.noData": ({ at }) => `Beendet ${at.at}: Er lässt sich nicht mehr vergleichen.`,
  quorum: ({ count, watched, place, deed, within }, { number }) =>
    `${number(count)} von ${number(watched)} Sensoren ${place} ${deed}, ${within === "0 s" ? "zur selben Zeit" : `innerhalb von ${within}`}.`,
  "quorum.ended": ({ at, left }, { number }) =>
    `Beendet ${at.at}${left > 0 ? `, ${number(left)} sind noch betroffen` : ""}.`,
  "place.gateway": ({ gateway }) => `hinter Gateway ${gateway}`,
  "place.district": ({ district }) => `im Bezirk ${district}`,
  "place.tag": ({ tag, value, district }) => `mit ${tag} ${value} im Bezirk ${district}`,
  "deed.silent": () => "sind ausgefallen",
  "deed.missing": ({ metric }) => `senden keine Werte mehr für ${metric}`,
  "deed.stuck": ({ metric }) => `wiederholen denselben Wert für ${metric}`,
  "deed.refused": () => "sandten Nachrichten, die abgewiesen wurden",
  "deed.refusedValues": ({ metric }) => `sandten unmögliche Werte für ${metric}`,
  "deed.rule": ({ title }) => `meldeten „${title}“`,

  "ended.value": ({ at, value }) => `Beendet ${at.at} mit ${value}.`,
  "ended.noData": ({ at }) => `Beendet ${at.at}, weil keine gültigen Daten folgten.`,
};
