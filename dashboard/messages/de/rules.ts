import type * as en from "../en/rules.ts";

export const rules: typeof en.rules = {
  title: "Regeln",
  filters: "Filter",
  search: "Suche",
  searchHint: "Suche nach Name, Kennung oder Messgröße",
  kind: "Art",
  kinds: { air: "Luft", traffic: "Verkehr", energy: "Energie", any: "Jedes Gerät" },
  audience: "Für",
  mode: "Betrieb",
  modes: { live: "Aktiv", shadow: "Schatten" },
  modeHint: { live: "Sie benachrichtigt.", shadow: "Sie läuft und benachrichtigt niemanden." },
  state: "Zustand",
  states: { ok: "In Betrieb", error: "Außer Betrieb" },
  any: "Alle",
  clear: "Filter entfernen",
  count: (shown, all) => (shown === all ? `${all} Regeln` : `${shown} von ${all} Regeln`),
  broken: (n) =>
    n === 1 ? "1 Regel ist nach einem Fehler außer Betrieb" : `${n} Regeln sind nach Fehlern außer Betrieb`,
  showBroken: "Anzeigen",
  newRule: "Neue Regel",
  rule: "Regel",
  precision: "Trefferquote",
  precisionHint: "Wie viele der beurteilten Meldungen richtig waren",
  judged: (right, wrong) => `${right} richtig, ${wrong} falsch`,
  notJudged: "nicht beurteilt",
  perDay: "Meldungen je Tag",
  noise: "Nicht gemeldet",
  noiseHint: "Unterdrückte Meldungen der letzten 30 Tage; darunter solche, die kamen und gingen",
  flapped: (n) => `${n} flatterten`,
  toAcknowledge: "Zeit bis gesehen",
  toResolve: "Zeit bis beendet",
  median: "Median",
  changedBy: "Geändert von",
  sortBy: (name) => `Ordnen nach: ${name}`,
  emptyTitle: "Keine Regel passt zu diesen Filtern",
  none: "–",
  failed: "Die Regeln konnten nicht geladen werden",
  notFound: "Regel nicht gefunden",
  outOfUse: "Außer Betrieb",
  outOfUseHint: "Sie ist fehlgeschlagen und prüft nichts, bis sie geändert oder der Dienst neu gestartet wird.",
  limit: "Grenze",
  facts: "Angaben",
  source: "Quelle der Grenze",
  advice: "Was zu tun ist",
  tells: "Benachrichtigt",
  tellsNobody: "Niemanden (Schatten)",
  inhibits: "Unterdrückt",
  version: "Fassung",
  file: "Datei",
  noFile: "hier angelegt, in keiner Datei",
  last30: "Die letzten 30 Tage",
  alertsRaised: "Meldungen",
  suppressed: "Unterdrückt",
  retracted: "Zurückgenommen",
  took: (median, p90) => `${median} (9 von 10 binnen ${p90})`,
  alerts: "Ihre Meldungen",
  shadowAlerts: "Was der Schatten gemeldet hätte",
  noAlerts: "Sie hat nichts gemeldet.",
  newest: (n) => `Die neuesten ${n}.`,
  alert: "Meldung",
  began: "Beginn",
  ended: "Ende",
  versions: "Fassungen",
  noVersions: "Hier hat sie niemand geändert.",
  asInFile: (file) => `Davor: wie in ${file}`,
  what: { changed: "hat sie geändert", promoted: "hat sie aktiv gemacht", removed: "hat die Änderungen verworfen" },
  figures: (alerts, perDay) => `Rückrechnung: ${alerts} Meldungen, ${perDay} je Tag`,
  olderVersion: (at) => `Wie sie ab ${at} war`,
  older: "Ältere anzeigen",
  yaml: "YAML",
  edit: "Kopie bearbeiten",
  actions: "Aktionen",
  promote: "Aktiv machen",
  promoteHint: (n) =>
    `Als Schatten hätte sie bisher ${n} ${n === 1 ? "Meldung" : "Meldungen"} ausgelöst. Von jetzt an benachrichtigt sie.`,
  promoteLive: "Von jetzt an benachrichtigt sie.",
  replace: (id) => `${id} ersetzen`,
  replaceHint: (id) => `Dieser Versuch wird zur aktiven Fassung von ${id}; der Versuch selbst wird entfernt.`,
  trialOf: (id) => `Dies ist ein Versuch zu ${id}; jene Regel läuft weiter wie bisher.`,
  toFile: "Zurück zur Fassung der Datei",
  toFileHint: "Die hier gemachten Änderungen werden verworfen; die Fassungen bleiben in der Liste.",
  remove: "Regel entfernen",
  removeHint: "Sie steht in keiner Datei und ist danach weg. Ihre Meldungen werden beendet.",
  reason: "Grund",
  reasonHint: "Die anderen lesen es in der Liste der Fassungen.",
  done: "Erledigt.",
};

export const ruleEditor: typeof en.ruleEditor = {
  title: (rule) => `Kopie bearbeiten: ${rule}`,
  newRule: "Neue Regel",
  back: "Zurück zur Regel",
  template: "Ausgehen von",
  templates: {
    limit: "Grenze eine Zeit lang überschritten",
    mean: "Ein Mittel über mehrere Abschnitte",
    silence: "Ein Sensor verstummt",
    stuck: "Ein Wert steht still",
    change: "Eine schnelle Änderung",
    unusual: "Ungewöhnlich für diese Zeit",
    forecast: "Grenze wird bald erreicht",
    quorum: "Viele Sensoren zugleich",
  },
  newTitle: "Worum es geht, in wenigen Worten",
  newSource: "Praxis: woher die Grenze kommt",
  yaml: "Die Regel als YAML",
  keys: "Tab rückt ein; Esc und dann Tab verlässt den Editor. Strg+Leertaste vervollständigt. Kommentare werden nicht aufbewahrt.",
  goTo: "Zu diesem Fehler gehen",
  checking: "Wird geprüft …",
  right: "Keine Fehler.",
  mistakes: (n) => (n === 1 ? "1 Fehler" : `${n} Fehler gefunden`),
  notChecked: (why) => `Sie konnte nicht geprüft werden: ${why}`,
  oneRule: (n) => `Hier stehen ${n} Regeln: Schreiben Sie genau eine`,
  sameId: (id) => `die Kennung bleibt „${id}“; für eine andere legen Sie eine neue Regel an`,
  leave: "Es gibt ungespeicherte Änderungen. Trotzdem verlassen?",
  kept: "Ihre ungespeicherten Änderungen wurden wiederhergestellt.",
  discard: "Neu beginnen",
  history: "An der Vergangenheit erproben",
  figure: "Kennzahl",
  span: "Zeitraum",
  days: (n) => (n === 1 ? "1 Tag" : `${n} Tage`),
  run: "Erproben",
  stop: "Anhalten",
  historyHint: "Sehen Sie, was sie gemeldet hätte, bevor jemand benachrichtigt wird.",
  historyWaits: "Sobald die Regel keine Fehler hat, kann sie erprobt werden.",
  runningBefore: "Die jetzige Regel läuft über die Vergangenheit …",
  runningAfter: "Ihre Änderung läuft über die Vergangenheit …",
  stale: "Sie haben die Regel seitdem geändert: Erproben Sie sie noch einmal.",
  failed: (why) => `Die Regel ist fehlgeschlagen: ${why}`,
  noReadings: "In dieser Zeit gibt es keine Messwerte, die sie beobachtet.",
  diff: (added, removed, moved, same) =>
    `${added} hinzugekommen, ${removed} entfallen, ${moved} verschoben, ${same} gleich`,
  dropped: "Es gab mehr Meldungen, als aufbewahrt werden: Zahlen und Zeichnung zeigen einen Teil.",
  quiet: "In dieser Zeit wäre niemandem etwas gemeldet worden.",
  firing: "Zeit aktiv",
  before: "Jetzige Regel",
  after: "Mit Ihrer Änderung",
  asTable: "Die Meldungen als Tabelle",
  subject: "Wo",
  difference: "Unterschied",
  differences: { same: "gleich", moved: "verschoben", removed: "entfallen", added: "hinzugekommen" },
  chartLabel: (n) =>
    `Wann an ${n} ${n === 1 ? "Stelle" : "Stellen"} Meldungen aktiv gewesen wären, vor und nach der Änderung. Die Tabelle darunter sagt dasselbe.`,
  lanesHint: "Oben: jetzige Regel. Unten: mit Ihrer Änderung.",
  showAll: (n) => `Alle ${n} zeigen`,
  save: "Speichern",
  how: "Wie speichern",
  asTrial: "Neben der jetzigen Regel erproben (empfohlen)",
  asTrialHint: (id) =>
    `Läuft als Schatten ${id} und benachrichtigt niemanden; die jetzige Regel läuft weiter. Später können Sie diese ersetzen.`,
  inPlace: "Jetzige Regel ersetzen",
  inPlaceHint: "Gilt sofort.",
  trialRuns: (by) => `Ein Versuch läuft schon, von ${by}. Er wird ersetzt:`,
  goesQuiet: "Die Regel wird zum Schatten: Von jetzt an benachrichtigt sie niemanden.",
  staysShadow: "Sie läuft als Schatten und benachrichtigt niemanden, bis jemand sie aktiv macht.",
  goesLive: "Sie ist sofort aktiv und benachrichtigt. Um sie erst zu erproben, schreiben Sie mode: shadow.",
  atOnce: "Sie ist sofort aktiv. Meldungen der jetzigen Fassung werden mit einem Vermerk beendet.",
  reason: "Grund",
  reasonHint: "Die anderen lesen es in der Liste der Fassungen.",
  untried: "Speichern, ohne diese Fassung an der Vergangenheit zu erproben",
  saveTrial: "Als Schatten speichern",
  saveNow: "Regel speichern",
  cancel: "Abbrechen",
  takeTheirs: "Meine verwerfen, deren übernehmen",
  keepMine: "Meine über deren Fassung speichern",
  theirs: "Die jetzige Regel",
};

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

export const ruleWords: typeof en.ruleWords = {
  level: (severity, clause) => `${severity}, wenn ${clause}.`,
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
  refused: (count, within) => `innerhalb von ${within} ${count} Nachrichten eines Sensors abgewiesen werden`,
  refusedValues: (count, metric, within) =>
    `innerhalb von ${within} ${count} Werte für ${metric} als unmöglich abgewiesen werden`,
  taken: (span) => `${span} lang nichts mehr abgewiesen wurde`,
  heardAgain: "wieder Messwerte kommen",
  rises: (metric, by, within) => `der Wert für ${metric} innerhalb von ${dative(within)} um ${by} oder mehr steigt`,
  falls: (metric, by, within) => `der Wert für ${metric} innerhalb von ${dative(within)} um ${by} oder mehr fällt`,
  calm: (span) => `es ${span} lang keine solche Änderung gab`,
  noChange: "es keine solche Änderung mehr gibt",
  stuck: (metric, after, samples, tolerance) =>
    `der Wert für ${metric} ${after} lang${tolerance === "" ? "" : ` bis auf ${tolerance}`} gleich bleibt, bei mindestens ${samples} Messwerten`,
  moves: "sich der Wert ändert",
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
  running: (metric, limit, span) => `der gleitende Mittelwert für ${metric} über ${span} über ${limit} liegt`,
  lightsDark: (span) =>
    `eine Straßenbeleuchtung ${span} lang aus ist, obwohl sie nach dem Sonnenstand und ihren letzten Nächten an sein müsste`,
  lightsOut: (share, span) =>
    `eine Straßenbeleuchtung ${span} lang mindestens ${share} weniger aufnimmt als in anderen Nächten um diese Zeit`,
  lightsByDay: (span) => `eine Straßenbeleuchtung ${span} lang am Tag brennt`,
  lightsSwitched: (tolerance, nights) =>
    `eine Straßenbeleuchtung in ${nights} Nächten nacheinander um mehr als ${tolerance} zu früh oder zu spät schaltet, gemessen am Sonnenstand`,
  lightsInterrupted:
    "die Versorgung einer Straßenbeleuchtung nachts unterbrochen ist (weniger als zwei Stunden aus, oder zurück mit einem Kaltstart)",
  lightsAsExpected: "sie wieder so ist wie erwartet",
  lightsBack: "sie wieder voll brennt",
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
  untagged: (tags) => `ohne ${tags}`,
  tells: {
    operators: "Benachrichtigt den Leitstand.",
    crews: "Benachrichtigt die Trupps.",
    shadow: "Sie läuft als Schatten: Ihre Meldungen werden aufgezeichnet, niemand wird benachrichtigt.",
  },
  where: (where) =>
    ({ sensor: "am selben Sensor", district: "im selben Bezirk", gateway: "hinter demselben Gateway" })[where] ??
    `mit gleichem „${where}“`,
};
