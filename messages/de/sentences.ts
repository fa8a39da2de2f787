import type { WindowWords } from "../../model/sentence.ts";
import type { Forms, Pack } from "../pack.ts";
import { rules } from "./rules.ts";

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
/** After "in den", "nach", "seit", "von": days have another ending. */
const dative = (span: string) => span.replace(/\bTage\b/, "Tagen");
/** A difference of percentages is no percentage. */
const points = (amount: string) => amount.replace(/ %$/, /^-?1 %/.test(amount) ? " Prozentpunkt" : " Prozentpunkte");
/** " + 3", " - 3". */
const plus = (offset: string | undefined) =>
  offset === undefined ? "" : offset.startsWith("-") ? ` - ${offset.slice(1)}` : ` + ${offset}`;
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

const PER = { hour: "Stunde", day: "Tag" } as const;
const moved = (count: number, direction: "rise" | "fall") =>
  direction === "rise" ? (count === 1 ? "stieg" : "stiegen") : count === 1 ? "sank" : "sanken";
/** "3 von 5 Nachbarn". */
const among = (count: number, of: number, { number }: Forms) => `${number(count)} von ${number(of)} Nachbarn`;
const beside = (count: number, { number }: Forms) => `seine ${number(count)} Nachbarn`;

const BASIS = {
  own: "(nach dem Sonnenstand an ihrem Ort und ihren bisherigen Schaltzeiten)",
  city: "(nach dem Sonnenstand über der Stadt, denn ihr Ort ist nicht bekannt, und ihren bisherigen Schaltzeiten)",
  unknown: "(wie in den letzten Nächten: ihr Ort ist nicht bekannt)",
} as const;
const LATE = { later: "spät", earlier: "früh" } as const;

function allowance({ is }: WindowWords, nth: string | undefined, allowed: string | undefined): string {
  return nth === undefined ? "" : `: ${is === "day" ? "Tag" : "Stunde"} ${nth} dieses Jahres von ${allowed} erlaubten`;
}

export const sentences: Pack["sentences"] = {
  text: ({ text }) => text,
  "rule.title": ({ rule }) => rules[rule]?.title,
  "rule.advice": ({ rule }) => rules[rule]?.advice,

  threshold({ metric, where, value, at, side, limit, because, since, counts, window, aggregate: name }) {
    const measured = window
      ? `${aggregate(window, name ?? "mean")} ${value} (${at.until})`
      : `${value}${because ? ` (wegen ${because})` : ""} ${at.at}`;
    const held = since ? `${since.since} ` : "";
    const condition = counts === undefined ? "" : `; gemeldet wird, wenn es ${counts} anhält`;
    return `${capital(metric)}, ${where}: ${measured}, ${held}${SIDES[side]} der Grenze von ${limit}${condition}.`;
  },
  "index.because": ({ metric, value }) => `${metric} mit ${value}`,
  "level.lowered": ({ metric, where, value, at, side, limit }) =>
    `${capital(metric)}, ${where}: ${at.at} zurück auf ${value}, auf die Stufe ${SIDES[side]} der Grenze von ${limit}.`,
  "threshold.notHeld": ({ at, value, held }) => `Beendet ${at.at} mit ${value}, bevor es ${held} angehalten hatte.`,
  consecutive({ metric, where, value, at, window, limit, count, nth, allowed }) {
    const run = count === 1 ? "" : `, ${inARow(count, window)}`;
    return `${capital(metric)}, ${where}: ${aggregate(window, "mean")} ${value} (${at.until})${run} über ${limit}${allowance(window, nth, allowed)}.`;
  },
  change({ metric, where, direction, by, from, fromAt, to, at, limit, within }) {
    const moved = `um ${points(by)} ${direction === "rise" ? "gestiegen" : "gefallen"}`;
    const span = `von ${from} (${fromAt.text}) auf ${to} (${at.text})`;
    return `${capital(metric)}, ${where}: ${moved}, ${span}; gemeldet wird ab ${points(limit)} innerhalb von ${dative(within)}.`;
  },
  silence: ({ where, since, after }) =>
    `Kein Messwert von ${where} ${since.since}; als ausgefallen gilt der Sensor nach ${dative(after)}.`,
  "silence.value": ({ metric, where, since, after }) =>
    `Kein Wert für ${metric} von ${where} ${since.since}, andere Werte kommen weiter; als fehlend gilt er nach ${dative(after)}.`,
  "silence.heard": ({ at }) => `${capital(at.at)} kam wieder ein Messwert.`,
  "silence.valueBack": ({ at }) => `${capital(at.at)} kam wieder ein Wert.`,
  rejections: ({ where, reason, count, within, at, example }, { number }) =>
    `Nachrichten von ${where} kommen an und werden abgewiesen (${reason}): ${number(count)} in ${dative(within)} (${at.until}). Die neueste: ${example}`,
  "rejections.values": ({ metric, where, count, within, at, example }, { number }) =>
    `${where} sendet unmögliche Werte für ${metric}: ${number(count)} in ${dative(within)} (${at.until}). Der neueste: ${example}`,
  "rejections.ended": ({ at, count }, { number }) =>
    `Beendet ${at.at}: Es wurde keine Nachricht mehr abgewiesen; insgesamt: ${number(count)}.`,
  "rejections.valuesEnded": ({ at, count }, { number }) =>
    `Beendet ${at.at}: Es wurde kein Wert mehr abgewiesen; insgesamt: ${number(count)}.`,
  flatline({ metric, where, value, meaning, since, count, tolerance, low, high }, { number }) {
    const near = tolerance === undefined ? "" : ` ± ${tolerance}`;
    const why =
      meaning === "stuck"
        ? "der Sensor hängt vermutlich."
        : "das liegt nahe an seinen kleinsten Werten und zählt nur, wenn seine Nachbarn nicht ebenfalls niedrig liegen.";
    const values = low === undefined || high === undefined ? "gleiche Werte" : `Werte zwischen ${low} und ${high}`;
    return `${capital(metric)}, ${where}: ${since.since} unverändert ${value}${near} (${number(count)} ${values} in Folge); ${why}`;
  },
  "flatline.ended": ({ at, value }) => `${capital(at.at)} kam ein anderer Wert: ${value}.`,
  spike({ metric, where, value, at, before, after, limit, count, within }) {
    const run = count === 1 ? "" : `, die ${count}. solche Spitze innerhalb von ${dative(within)}`;
    return `${capital(metric)}, ${where}: einzelner Wert ${value} ${at.at} zwischen ${before} und ${after}, mehr als ${points(limit)} entfernt von den Werten davor und danach${run}.`;
  },
  "spike.ended": ({ at, within }) => `Beendet ${at.at}, nach ${dative(within)} ohne weitere.`,
  anomaly({ metric, where, value, at, window, count, side, usual, low, high }) {
    const bound = `${SIDES[side]} ${side === "above" ? high : low}`;
    const run = count === 1 ? bound : `${inARow(count, window)} außerhalb des Üblichen, jetzt ${bound}`;
    return `${capital(metric)}, ${where}: ${aggregate(window, "mean")} ${value} (${at.until}), ${run} (üblich um diese Zeit: ${usual}, von ${low} bis ${high}).`;
  },
  "anomaly.newNormal": ({ at, value, since }) =>
    since
      ? `Beendet ${at.at} mit ${value}: neues Niveau ${since.since}.`
      : `Beendet ${at.at} mit ${value}: Was vier Wochen angehalten hat, gilt als neuer Normalzustand.`,
  forecast({ metric, where, value, at, side, limit, likely, from, to, trend, per, over }) {
    const passes =
      side === "below"
        ? `sinkt voraussichtlich ${likely.at} unter ${limit}`
        : `steigt voraussichtlich ${likely.at} über ${limit}`;
    const unit = per === "hour" ? "Stunde" : "Tag";
    return `${capital(metric)}, ${where}: ${passes}, mit 80 % Wahrscheinlichkeit zwischen ${from.text} und ${to.text}; Stand ${at.at}: ${value}, Trend ${points(trend)} je ${unit} in den letzten ${dative(over)}.`;
  },
  "forecast.ended": ({ at, value }) =>
    `Beendet ${at.at}: Bei diesem Trend wird die Grenze in dieser Zeit nicht mehr erreicht; Stand ${value}.`,
  "forecast.reached": ({ at, value, limit }) =>
    `Beendet ${at.at}: Die Grenze von ${limit} ist erreicht; Stand ${value}.`,
  "forecast.overdue": ({ at, value }) =>
    `Beendet ${at.at}: Die Grenze war bis dahin zu erwarten und wurde nicht erreicht; Stand ${value}.`,
  "register.fell": ({ metric, where, from, fromAt, to, at }) =>
    `Zählerstand (${metric}), ${where}: von ${from} auf ${to} gefallen, zwischen ${fromAt.text} und ${at.text}; ein Zählerstand fällt nie, außer nach Zählertausch oder Rücksetzen.`,
  "register.rose": ({ metric, where, from, fromAt, to, at, limit }) =>
    `Zählerstand (${metric}), ${where}: von ${from} auf ${to} gestiegen, zwischen ${fromAt.text} und ${at.text}; mit seiner Anschlussleistung könnte er höchstens bei ${limit} stehen.`,
  "register.ended": ({ at }) => `Beendet ${at.at}, nach mehreren plausiblen Messwerten.`,
  drift({ metric, where, value, off, side, neighbours, days, day, around }, { many }) {
    const beside = `${off} ${SIDES[side]} dem Median ${neighbours === 1 ? "seines Nachbarn" : `seiner ${many(neighbours, "", "Nachbarn")}`}`;
    return `${capital(metric)}, ${where}: seit ${many(days, "Tag", "Tagen")} ${beside} (${day}: ${value} gegenüber ${around}).`;
  },
  "drift.back": ({ day }) => `Beendet am ${day}: Er liegt wieder bei seinen Nachbarn.`,
  "drift.noData": ({ day }) => `Beendet am ${day}: Er lässt sich nicht mehr vergleichen.`,
  running: ({ metric, where, value, at, span, limit, days, allowed }) =>
    `${capital(metric)}, ${where}: Mittel über ${span} ${value} (${at.until}), über ${limit}: Tag ${days} dieses Jahres${allowed === undefined ? "" : ` von ${allowed} erlaubten`}.`,
  counted: ({ per, nth, allowed, limit }) =>
    `${per === "day" ? "Es war Tag" : "Es war Stunde"} ${nth} dieses Jahres über ${limit}${allowed === undefined ? "" : `, von ${allowed} erlaubten`}.`,
  "note.hoursAbove": ({ hours }) => `Stunde ${hours} dieses Jahres über dem Grenzwert`,
  "note.daysAbove": ({ days }) => `Tag ${days} dieses Jahres über dem Grenzwert`,
  "lighting.dark": ({ where, since, at, value, why }) =>
    `Die Straßenbeleuchtung an ${where} ist ${since.since} dunkel${value === undefined ? "" : ` (${value} ${at.at})`}: Sie ${why}.`,
  "lighting.byDay": ({ where, since, at, value, why }) =>
    `Die Straßenbeleuchtung an ${where} brennt ${since.since} am Tag${value === undefined ? "" : ` (${value} ${at.at})`}: Sie ${why}.`,
  "lighting.lampsOut": ({ where, since, at, value, why }) =>
    `Die Straßenbeleuchtung an ${where} nimmt ${since.since} zu wenig Leistung auf: ${value} ${at.at}, ${why}.`,
  "lighting.switching": ({ where, nights, why }) =>
    `Die Straßenbeleuchtung an ${where} schaltete ${nights === 1 ? "in einer Nacht" : `in ${nights} Nächten in Folge`} nicht wie erwartet: ${why}.`,
  "lighting.interruption": ({ where, since, why }) =>
    `Die Versorgung der Straßenbeleuchtung an ${where} wurde ${since.at} unterbrochen: ${why}.`,
  "lighting.onAgain": ({ at }) => `${capital(at.at)} war sie wieder an.`,
  "lighting.offAgain": ({ at }) => `${capital(at.at)} war sie wieder aus.`,
  "lighting.fullAgain": ({ at }) => `${capital(at.at)} war die Leistung wieder wie üblich.`,
  "lighting.asExpected": ({ at }) => `${capital(at.at)} schaltete sie wieder wie erwartet.`,
  "lighting.over": ({ at, restart }) =>
    `Beendet ${at.at}${restart === "cold" ? ", nach dem langsamen Anstieg eines Kaltstarts" : ""}.`,
  "lighting.newUsual": ({ at }) => `Beendet ${at.at}: Was so geblieben ist, gilt von nun an als üblich.`,
  quorum: ({ count, watched, place, deed, within }, { number }) =>
    `${number(count)} von ${number(watched)} Sensoren ${place} ${deed}, ${within === undefined ? "zur selben Zeit" : `innerhalb von ${dative(within)}`}.`,
  "quorum.ended": ({ at, left }, { number }) =>
    `Beendet ${at.at}${left > 0 ? `, ${number(left)} ${left === 1 ? "ist" : "sind"} noch betroffen` : ""}.`,
  "place.gateway": ({ gateway }) => `hinter Gateway ${gateway}`,
  "place.district": ({ district }) => `im Bezirk ${district}`,
  "place.tag": ({ tag, value, district }) => `mit ${tag} ${value} im Bezirk ${district}`,
  "deed.silent": () => "sind ausgefallen",
  "deed.missing": ({ metric }) => `senden keine Werte mehr für ${metric}`,
  "deed.stuck": ({ metric }) => `wiederholen denselben Wert für ${metric}`,
  "deed.refused": () => "sandten Nachrichten, die abgewiesen wurden",
  "deed.refusedValues": ({ metric }) => `sandten unmögliche Werte für ${metric}`,
  "deed.rule": ({ title }) => `meldeten „${title}“`,

  "status.now": ({ value, span }) => `Jetzt ${value}, Dauer bisher ${span}.`,
  "status.newest": ({ value, at, span }) => `Neuester Wert ${value} ${at.at}; Dauer bisher ${span}.`,
  "status.open": ({ span }) => `Dauer bisher ${span}.`,
  "status.silent": ({ span }) => `Seit ${dative(span)} kam nichts.`,
  "status.lasted": ({ span }) => `Dauer: ${span}.`,

  "ended.value": ({ at, value }) => `Beendet ${at.at} mit ${value}.`,
  "ended.noData": ({ at }) => `Beendet ${at.at}, weil keine gültigen Daten folgten.`,

  "quorum.retracted": () => "Mit den verspäteten Messwerten waren es nie genug Meldungen zugleich.",
  "quorum.corrected": () => "Verspätete Messwerte haben geändert, welche Meldungen zählen.",
  "note.usual": ({ usual, low, high }) => `üblich um diese Zeit: ${usual}, von ${low} bis ${high}`,
  "note.newNormal": () => "hat tagelang angehalten: das neue Niveau",
  "note.equal": ({ count }, { number }) => `${number(count)} gleiche Werte in Folge`,
  "note.within": ({ count, low, high }, { number }) => `${number(count)} Werte zwischen ${low} und ${high} in Folge`,
  "note.trend": ({ trend, per, low, high, count }, { number }) =>
    `Trend ${trend} je ${PER[per]} (${low} bis ${high}) aus ${number(count)} Werten`,
  "note.lampsOn": ({ from, basis }) => `sollte${from ? ` ${from.since}` : ""} an sein ${BASIS[basis]}`,
  "note.lampsOff": ({ from, basis }) => `sollte${from ? ` ${from.since}` : ""} aus sein ${BASIS[basis]}`,
  "note.lampsMissing": ({ missing, usual, lamps, of }) =>
    `${missing} unter den ${usual} anderer Nächte um diese Zeit${lamps === undefined ? "" : `, etwa ${lamps} von ${of} Lampen`}`,
  "note.lampsSwitched": ({ edge, by, side }) =>
    `in der letzten ${by} zu ${LATE[side]} ${{ on: "an", off: "aus", both: "an und aus" }[edge]}`,
  "note.lampsUsual": () => "ist so geblieben: von nun an üblich",
  "note.lampsBack": ({ at, restart }) =>
    `wieder da ${at.at}${restart === "cold" ? ", mit dem langsamen Anstieg eines Kaltstarts" : ""}`,
  "note.lastRefused": () => "die letzte Abweisung",
  "note.lastReading": () => "der letzte Messwert vor dem Ausfall",
  "note.heardAgain": () => "sendet wieder",
  "note.lastValue": () => "der letzte Wert vor der Lücke",
  "note.valueAgain": () => "wieder da",
  "note.standsOut": () => "weicht von den Werten davor und danach ab",
  "note.sinceThen": ({ sensor }) => `${sensor} seit diesem Zeitpunkt`,
  "note.dayMedian": ({ around }) => `Tagesmedian; Nachbarn ${around}`,

  "verdict.driftAlone": ({ neighbours }, { number }) =>
    `Seine ${number(neighbours)} Nachbarn stimmen überein und verliefen wie er, aber auf anderem Niveau.`,
  "verdict.driftAmong": ({ neighbours }, { number }) =>
    `Seine ${number(neighbours)} Nachbarn weichen untereinander ebenso stark ab.`,
  "verdict.allStand": ({ count, of }, f) =>
    `Auch ${among(count, of, f)} wiederholen denselben Wert: Der Fehler liegt bei der Veröffentlichung der Werte, nicht bei diesem Sensor.`,
  "verdict.floor": ({ value }) =>
    `${value} liegt nahe am kleinsten messbaren Wert: vermutlich die Nachweisgrenze, kein hängender Sensor.`,
  "verdict.stoodStill": ({ alive, of }, f) => `Er stand still, während sich ${among(alive, of, f)} bewegten.`,
  "verdict.stoodLow": ({ value, span, neighbours, level }, f) =>
    `Er stand ${span} lang bei ${value}, während ${beside(neighbours, f)} im Median bei ${level} lagen, nicht niedriger als üblich.`,
  "verdict.stoodBeside": ({ value, span, metric, level }) =>
    `Er stand ${span} lang bei ${value}, während sich sein Wert für ${metric} bewegte (Median ${level}).`,
  "verdict.register": () =>
    "Ein Zähler zählt nur aufwärts und nicht schneller, als sein Anschluss erlaubt: Ursache ist der Zähler oder seine Datenübertragung.",
  "verdict.beyond": ({ count, of, side, limit }, f) =>
    `${among(count, of, f)} ${count === 1 ? "lag" : "lagen"} ebenfalls ${SIDES[side]} ${limit}.`,
  "verdict.moved": ({ count, of, direction, level }, f) =>
    `${among(count, of, f)} ${moved(count, direction)} mit, auf einen Median von ${level}.`,
  "verdict.stuck": ({ value, span, alive, of }, f) =>
    `Er wiederholt seit ${dative(span)} den Wert ${value}, während sich ${among(alive, of, f)} bewegten, keiner davon so weit.`,
  "verdict.odd": ({ odd, neighbours, level }, f) => `${odd}, und ${beside(neighbours, f)} blieben bei ${level}.`,
  "verdict.contradicts": ({ what, neighbours }, f) =>
    `${capital(what)}${neighbours === undefined ? "" : `, und von ${f.number(neighbours)} Nachbarn zeigt es keiner`}.`,
  "verdict.spikeAlone": ({ neighbours, level }, f) =>
    `Ein einzelner Wert ragt heraus, von ${f.number(neighbours)} Nachbarn bewegte sich keiner (Median ${level}).`,
  "verdict.allSuspect": ({ neighbours, level }, f) =>
    `Alle seine Werte sind unplausibel, und ${beside(neighbours, f)} blieben bei ${level}.`,
  "verdict.agrees": ({ what }) => `${capital(what)}.`,
  "verdict.among": ({ neighbours, level }, f) =>
    `${capital(beside(neighbours, f))} zeigen etwa dasselbe (Median ${level}).`,
  "verdict.suspect": ({ what, wrong }) =>
    wrong
      ? `Die Werte sind zweifelhaft: ${what}; von den Nachbarn weicht sein Wert für ${wrong} ab.`
      : `Die Werte sind zweifelhaft: ${what}; einer der beiden ist falsch, und es kann der andere sein.`,
  "verdict.alone": ({ neighbours, level }, f) =>
    `Nur dieser Sensor zeigt es, ${beside(neighbours, f)} blieben bei ${level}: ein örtliches Ereignis oder ein Fehler.`,
  "verdict.fewNeighbours": ({ neighbours }) =>
    neighbours === 0
      ? "Kein Nachbar hat aktuelle Werte zum Vergleich."
      : "Nur ein Nachbar hat aktuelle Werte zum Vergleich.",
  "verdict.unsettled"({ moved: count, of, direction, level, beyond }, f) {
    const over = beyond === undefined ? "" : `, ${f.number(beyond)} jenseits der Grenze`;
    return `Die Nachbarn entscheiden es nicht: ${among(count, of, f)} ${moved(count, direction)} mit${over} (Median ${level}).`;
  },
  "verdict.unsettledStill": ({ standing, alive, of, level }, f) =>
    `Die Nachbarn entscheiden es nicht: ${among(standing, of, f)} ${standing === 1 ? "stand" : "standen"} ebenfalls still, ${f.number(alive)} ${alive === 1 ? "bewegte" : "bewegten"} sich (Median ${level}).`,
  "verdict.nothingKnown": () => "Über seine Werte ist nichts bekannt.",
  "odd.range": ({ value }) => `${value} ist das Ende seines Messbereichs`,
  "odd.sentinel": ({ value }) => `${value} ist ein Wert, den Geräte für „kein Wert“ senden`,
  "sibling.particles": ({ coarse, fine }) =>
    `sein gröberer Feinstaub liegt bei ${coarse}, davon können ${fine} kein Teil sein`,
  "sibling.vehicles": ({ length }) =>
    `Verkehrsstärke, Belegung und Geschwindigkeit zusammen ergäben Fahrzeuge von ${length} Länge`,
  "sibling.jam": ({ speedFrom, speedTo, occupancyFrom, occupancyTo }) =>
    `die Geschwindigkeit fiel von ${speedFrom} auf ${speedTo}, während die Belegung von ${occupancyFrom} auf ${occupancyTo} stieg`,
  "sibling.power": ({ voltage, current, power }) => `${voltage} und ${current} ergeben keine ${power}`,
  "sibling.load": ({ metric, from, to }) => `${metric} stieg mit, von ${from} auf ${to}`,

  "late.retracted": () => "Zurückgenommen: Ein verspäteter Messwert zeigt, dass es nicht so war.",
  "late.corrected": () => "Ein verspäteter Messwert zeigt, dass es anders war.",
  "late.confirmed": () => "Ein verspäteter Messwert bestätigt es.",
  "late.goesOn": () => "Es hatte schon vorher begonnen und hält an.",
  "why.notHeld": () => "Es hat nicht lange genug angehalten.",
  "why.noData": () => "Es folgten keine gültigen Daten.",
  "end.unwatched": () => "Die Regel beobachtet diesen Sensor nicht mehr.",
  "end.ruleChanged": () => "Die Regel wurde geändert.",
  "end.ruleDeleted": () => "Die Regel wurde gelöscht.",
  "end.nowLevel": ({ title }) => `Die Regel ist jetzt eine Stufe von „${title}“; dort geht es weiter.`,
  "end.ruleFailed": ({ error }) => `Die Regel ist fehlgeschlagen: ${error}.`,
  "end.sensorRemoved": () => "Der Sensor wurde entfernt.",
  "end.sensorChanged": () => "Der Sensor wurde kalibriert oder versetzt.",
  "end.anew": () => "Das Ende wurde nach einem Neustart neu bestimmt.",
  flaps: () => "Kommt und geht in kurzer Folge: Gemeldet wird erst wieder, wenn es ruhig ist.",
  corrected: ({ id, change, from, to, reason }) => `Korrektur ${id}: ${change}, ${from.text} bis ${to.text}: ${reason}`,
  "corrected.revoked": ({ id, reason }) => `Korrektur ${id} wurde widerrufen: ${reason}`,
  "corrected.andOthers": ({ newest, others }, { many }) => `${newest} Dazu ${many(others, "weitere", "weitere")}.`,
  "change.invalid": ({ metrics = "alle Werte" }) => `${metrics} ungültig`,
  "change.value": ({ metrics = "alle Werte", value }) => `${metrics} = ${value}`,
  "change.factor": ({ metrics = "alle Werte", factor, offset }) => `${metrics} × ${factor}${plus(offset)}`,
  "change.shift": ({ by, side }) => `Zeit ${by} ${side === "later" ? "später" : "früher"}`,
  "suppressed.silence": ({ kind, id, reason, by }) =>
    `${reason} (${kind === "maintenance" ? "Wartung" : "Stummschaltung"} ${id} von ${by})`,
  "suppressed.rule": ({ alert }) => `Erklärt durch die Meldung ${alert}.`,
  "suppressed.flapping": ({ changes, within }, { number }) =>
    `${number(changes)} Wechsel oder mehr innerhalb von ${dative(within)}: Gemeldet wird erst wieder, wenn es ruhig ist.`,
  escalated: ({ to, after }) => `An ${to}: Innerhalb von ${dative(after)} hat niemand bestätigt.`,
  "test.title": () => "Dies ist ein Test",
  "test.works": ({ target }) => `Lamppost erreicht das Ziel „${target}“. Es ist alles in Ordnung.`,
  "service.trouble": ({ part }) => `Störung im Dienst: ${part}`,
  "service.well": () => "Der Teil arbeitet wieder normal.",
  "books.title": () => "Die Bücher stimmen nicht",
  "books.advice": () => "„lamppost ledger --verify“ ausführen und den Datenordner unverändert lassen.",
  "books.balance": () => "Alles wurde neu gezählt, die Bücher stimmen.",

  ended: ({ at }) => `Beendet ${at.at}.`,
};
