import type { ruleWords as en } from "../en/rule-words.ts";

const NUMBERS = ["", "", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"];
const EACH: Readonly<Record<string, string>> = { m: "Minuten", h: "Stunden", d: "Tages" };
const PARTS: Readonly<Record<string, string>> = { s: "Sekunden", m: "Minuten", h: "Stunden", d: "Tage" };
const AGGREGATES: Readonly<Record<string, string>> = { mean: "mittel", min: "minimum", max: "maximum" };
const number = (count: number) => NUMBERS[count] ?? String(count);
/** "7 Tage", aber "in 7 Tagen". */
const dative = (span: string) =>
  String(span)
    .replace(/Tage$/, "Tagen")
    .replace(/Monate$/, "Monaten");

function aggregate(name: string, count: number, unit: string): string {
  const noun = AGGREGATES[name] ?? "";
  return count === 1
    ? `${EACH[unit]}${noun}`
    : `${count}-${PARTS[unit]}-${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
}

export const ruleWords: typeof en = {
  fires: (clause) => `Meldet, wenn ${clause}.`,
  ends: (clause) => `Endet, wenn ${clause}.`,
  plain: (metric) => `der Wert für ${metric}`,
  windowed: (name, count, unit, metric) => `das ${aggregate(name, count, unit)} für ${metric}`,
  above: (subject, limit, held = "", row = "") => `${subject}${row}${held} über ${limit} liegt`,
  below: (subject, limit, held = "", row = "") => `${subject}${row}${held} unter ${limit} liegt`,
  held: (span) => ` ${span} lang`,
  row: (count, size, unit) =>
    size === 1
      ? ` in ${number(count)} ${dative(PARTS[unit] ?? "")} nacheinander`
      : ` in ${number(count)} Abschnitten von ${size} ${dative(PARTS[unit] ?? "")} nacheinander`,
  atMost: (limit, held = "") => `der Wert${held} höchstens ${limit} beträgt`,
  atLeast: (limit, held = "") => `der Wert${held} mindestens ${limit} beträgt`,
  windowBack: (limit) => `ein Abschnitt höchstens bei ${limit} liegt oder drei zu wenige Daten haben`,
  share: (percent, tag) => `${percent} von „${tag}“ des Sensors`,
  tag: (tag) => `„${tag}“ des Sensors`,
  aqiClass: (value) => `Klasse ${value}`,
  silent: (after) => `ein Sensor ${after} und drei seiner üblichen Abstände lang nichts sendet`,
  missing: (metric, after) =>
    `${after} und drei übliche Abstände lang kein Wert für ${metric} kommt, während der Sensor andere sendet`,
  heardAgain: "wieder ein Messwert kommt",
  rises: (metric, by, within) => `der Wert für ${metric} innerhalb von ${dative(within)} um ${by} oder mehr steigt`,
  falls: (metric, by, within) => `der Wert für ${metric} innerhalb von ${dative(within)} um ${by} oder mehr fällt`,
  calm: (span) => `es ${span} lang keine solche Änderung gab`,
  noChange: "es keine solche Änderung mehr gibt",
  stuck: (metric, after, samples, tolerance) =>
    `der Wert für ${metric} ${after} lang${tolerance === "" ? "" : ` bis auf ${tolerance}`} gleich bleibt, bei mindestens ${samples} Messwerten`,
  moves: "ein anderer Wert kommt",
  ignores: (floor, ceiling) =>
    `Werte ${[floor && `bis ${floor}`, ceiling && `ab ${ceiling}`].filter(Boolean).join(" und ")} zählen nicht.`,
  spike: (count, metric, above, within) =>
    count === 1
      ? `ein einzelner Wert für ${metric} um mehr als ${above} aus seinen Nachbarn herausragt`
      : `innerhalb von ${dative(within)} ${number(count)} einzelne Werte für ${metric} um mehr als ${above} aus ihren Nachbarn herausragen`,
  spikesOver: (within) => `${within} lang kein weiterer kommt`,
  unusual: (subject, sigmas, side, season, atLeast, row) =>
    `${subject}${row} um mehr als ${sigmas} robuste Standardabweichungen${atLeast === "" ? "" : ` und mindestens ${atLeast}`} ${
      { above: "über dem", below: "unter dem" }[side] ?? "neben dem"
    } liegt, was ${{ week: "zu dieser Stunde der Woche", day: "zu dieser Tageszeit" }[season] ?? "beim Sensor"} üblich ist`,
  usualAgain: "ein Abschnitt innerhalb des halben Abstands liegt oder drei zu wenige Daten haben",
  willBeAbove: (metric, limit, within, over) =>
    `der Wert für ${metric} innerhalb von ${dative(within)} über ${limit} liegen wird, falls es weitergeht wie in den letzten ${dative(over)}`,
  willBeBelow: (metric, limit, within, over) =>
    `der Wert für ${metric} innerhalb von ${dative(within)} unter ${limit} liegen wird, falls es weitergeht wie in den letzten ${dative(over)}`,
  trendGone: "der Trend vorbei ist oder deutlich länger braucht",
  register: (metric, maxPower) => `der Zähler für ${metric} fällt oder schneller steigt, als ${maxPower} erlauben`,
  registerBack: "drei plausible Schritte über eine Stunde gekommen sind",
  drift: (metric, share, span, neighbours, radiusKm) =>
    `der Tagesmedian für ${metric} ${span} lang um mehr als ${share} nach einer Seite von dem seiner Nachbarn abweicht (mindestens ${neighbours} Nachbarn im Umkreis von ${radiusKm} km, die sich ähnlich bewegten)`,
  driftBack: "er drei Tage nacheinander innerhalb davon liegt",
  quorum: (count, share, rule, where, within) =>
    `mindestens ${count} der Sensoren, die die Regel „${rule}“ ${
      { gateway: "hinter einem Gateway", district: "in einem Bezirk" }[where] ?? `mit gleichem „${where}“`
    } beobachtet, und mindestens ${share} davon zugleich eine Meldung von ihr haben${
      within === "" ? "" : `, begonnen innerhalb von ${dative(within)}`
    }`,
  quorumOver: "zu wenige davon übrig sind",
  watches: (who) => `Beobachtet ${who}.`,
  who: {
    any: "alle Sensoren",
    air: "alle Luftsensoren",
    traffic: "alle Verkehrssensoren",
    energy: "alle Energiesensoren",
  },
  inDistrict: (districts) => `aus ${districts}`,
  only: (sensors) => `aber nur ${sensors}`,
  tagged: (tags) => `mit ${tags}`,
  tells: {
    operators: "Benachrichtigt den Leitstand.",
    crews: "Benachrichtigt die Trupps.",
    shadow: "Sie läuft als Schatten: Ihre Meldungen werden aufgezeichnet, niemand wird benachrichtigt.",
  },
  where: (where) =>
    ({ sensor: "am selben Sensor", district: "im selben Bezirk", gateway: "hinter demselben Gateway" })[where] ??
    `mit gleichem „${where}“`,
};
