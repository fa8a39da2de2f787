import type * as en from "../en/capture.ts";

export const capture: typeof en.capture = {
  title: "Datenverfügbarkeit",
  hint: "Der Anteil der erwarteten Werte, der angekommen ist, je Sensor und Monat.",
  year: "Jahr",
  sensor: "Sensor",
  metric: "Messgröße",
  only: (sensor) => `Nur ${sensor} ×`,
  table: (year) => `Datenverfügbarkeit ${year}`,
  gaps: "Lücken",
  silent: "Stumm",
  corrections: "Korrekturen",
  notes: "Hinweise",
  more: "Weitere Sensoren",
  all: "Alle anzeigen",
  nothing: (year) => `Aus ${year} sind keine Werte vorhanden.`,
  without: (n) => (n === 1 ? "1 Sensor ohne Werte in diesem Jahr:" : `${n} Sensoren ohne Werte in diesem Jahr:`),
  noShare: "Wie oft er senden sollte, ist nicht bekannt: Es kamen zu wenige Werte.",
  detail: (values, expected, gaps, longest) =>
    `${values} von etwa ${expected} Werten. ${gaps === 1 ? "1 Lücke" : `${gaps} Lücken`}${gaps > 0 ? `, die längste ${longest}` : ""}.`,
  hours: (valid, all) => `${valid} von ${all} Stunden haben mindestens 75 % ihrer Werte.`,
  every: (interval) => `alle ${interval}`,
  legendTitle: "So ist es zu lesen",
  legend: (enough, little) =>
    `Unter ${enough} ist hinterlegt, unter ${little} unterstrichen. Ein Punkt ist ein Monat, bevor es den Sensor gab oder der noch kommt. Unplausible Werte gelten als fehlend. Lücken sind ganze Stunden ohne Wert.`,
  marks: {
    "interval-learnt": "gelernt",
    "no-interval": "kein Takt",
    "hours-only": "nur Stunden",
    "days-only": "nur Tage",
    "before-registered": "Vergangenes",
    "invalid-left-out": "ungültig",
    moved: "versetzt",
    "not-over": "läuft",
  },
  unknown: {
    "interval-learnt":
      "Es ist kein Sendeabstand eingetragen: Erwartet wird, was der Sensor rund um jede Stunde gesendet hat. Wer immer denselben Anteil verliert, wirkt vollständig.",
    "no-interval": "Zu wenige Werte, um zu sagen, wie oft er senden sollte: Es gibt keinen Anteil.",
    "hours-only":
      "Von einem Teil dieser Zeit gibt es nur noch Stundenwerte: Lücken unter einer Stunde sind nicht zu sehen, und ein ungültiger Wert nimmt seine ganze Stunde mit.",
    "days-only":
      "Von einem Teil dieser Zeit gibt es nur noch Tageswerte: Lücken unter einem Tag sind nicht zu sehen, und die Tage sind die von UTC.",
    "before-registered": "Es gibt Werte von vor der Eintragung des Sensors. Gezählt wird ab dem ersten Wert.",
    "invalid-left-out": "Werte wurden für ungültig erklärt. Sie gelten als fehlend.",
    moved: "Der Sensor stand einen Teil dieser Zeit anderswo.",
    "not-over": "Das Jahr ist noch nicht zu Ende: Gezählt wird bis jetzt.",
  },
};
