import type * as en from "../en/personal.ts";

export const personal: typeof en.personal = {
  title: "Über Meldungen benachrichtigen",
  hint: "Nur Sie sehen und ändern das. Wer vom Beginn einer Meldung erfuhr, erfährt auch von ihrem Ende.",
  browsers: "Meine Browser",
  addBrowser: "Diesen Browser einrichten",
  forget: "Entfernen",
  cannotPush:
    "Dieser Browser kann hier keine Mitteilungen empfangen. Dazu ist https nötig; auf einem iPhone legen Sie die Seite zuerst auf den Home-Bildschirm.",
  denied:
    "Dieser Browser erlaubt der Seite keine Mitteilungen. Erlauben Sie sie in den Einstellungen und versuchen Sie es erneut.",
  failed: "Dieser Browser hat seinen Mitteilungsdienst nicht erreicht. Versuchen Sie es später noch einmal.",
  wishes: "Was, wann und wie",
  onCall: "Ich habe Bereitschaft: benachrichtigen",
  push: "Mitteilungen an meine Browser",
  mail: "E-Mail",
  mailHint: "Leer lassen für keine Mails.",
  noMail: "Dieser Dienst verschickt keine Mails.",
  where: "Wo",
  whereOf: { all: "Die ganze Stadt", mine: "Wo meine Trupps arbeiten", some: "Diese Bezirke" },
  quiet: "Ruhezeit",
  quietHint: "Was in dieser Zeit kommt, wird danach gemeldet; Kritisches sofort.",
  from: "Von",
  to: "Bis",
  saved: "Gespeichert.",
  test: "Test an mich senden",
  sent: "Gesendet. Die Mitteilung sollte gleich erscheinen.",
  nothing: "Noch ist nichts eingerichtet.",
};
