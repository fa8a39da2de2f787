import type * as en from "../en/views.ts";

export const views: typeof en.views = {
  title: "Gespeicherte Filter",
  none: "Noch nichts gespeichert. Nur Sie sehen, was Sie speichern.",
  saveThese: (page) => `Einstellungen dieser Seite speichern (${page})`,
  noFilters: "Es ist kein Filter gesetzt: Der Name führt zur ganzen Seite.",
  linkHint: "Ein Link darauf zeigt allen dasselbe, die sich anmelden dürfen.",
  name: "Name",
  save: "Speichern",
  remove: "Entfernen",
  copy: "Link kopieren",
  copied: "Link kopiert.",
};

export const handover: typeof en.handover = {
  title: "Übergabe",
  none: "Noch keine Notizen.",
  add: "Notiz für die nächste Schicht",
  hint: "Sie gehört zu keiner Meldung und bleibt, wie sie ist. Sie steht auch im Schichtbericht.",
  submit: "Notiz hinterlassen",
  seen: "Gelesen",
  seenBy: (names) => `Gelesen von ${names}`,
};

export const annotations: typeof en.annotations = {
  title: "Notizen an Diagrammen",
  text: "Notiz",
  by: "Von wem",
  add: "Notiz am Diagramm",
  from: "Von",
  to: "Bis (leer: ein Zeitpunkt)",
  onlyThis: (metric) => `Nur an Diagrammen von ${metric}`,
  remove: "Entfernen",
  none: "Keine Notizen in dieser Zeit.",
};

export const sensorsPage: typeof en.sensorsPage = {
  title: "Sensoren",
  hint: "Alle Sensoren, in Gruppen, mit ihrer schwersten offenen Meldung.",
  search: "Suche",
  searchHint: "Name oder Kennung",
  followed: "Nur gemerkte",
  onlyOpen: "Nur mit offenen Meldungen",
  group: "Gruppieren nach",
  groups: { none: "nichts", district: "Bezirk", kind: "Art" },
  tag: (name) => `Merkmal: ${name}`,
  noValue: "ohne Angabe",
  count: (n, open) => `${n === 1 ? "1 Sensor" : `${n} Sensoren`}${open > 0 ? `, ${open} mit offenen Meldungen` : ""}`,
  follow: (name) => `${name} merken`,
  star: "Gemerkt",
  sensor: "Sensor",
  kind: "Art",
  district: "Bezirk",
  state: "Schwerste offene Meldung",
  last: "Letzter Messwert",
  calm: "keine",
  more: (n) => `${n} weitere zeigen`,
  nothing: "Kein Sensor passt.",
  compare: "Vergleichen",
};
