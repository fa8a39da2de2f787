import type { Alert, Handling, Severity } from "../model/alert.ts";
import type { Language } from "../model/sentence.ts";

/** What the command line says about alerts to a person; a program reads `--json`. */
type CliWords = {
  readonly none: string;
  readonly columns: Readonly<
    Record<"started" | "state" | "severity" | "handling" | "rule" | "subject" | "what", string>
  >;
  readonly states: Readonly<Record<Alert["state"], string>>;
  readonly severities: Readonly<Record<Severity, string>>;
  readonly handlings: Readonly<Record<Handling, string>>;
  readonly timeline: string;
};

export const CLI_WORDS: Readonly<Record<Language, CliWords>> = {
  en: {
    none: "no alerts",
    columns: {
      started: "started",
      state: "state",
      severity: "severity",
      handling: "handling",
      rule: "rule",
      subject: "subject",
      what: "what",
    },
    states: { pending: "pending", firing: "firing", resolved: "resolved", retracted: "retracted" },
    severities: { info: "info", warning: "warning", critical: "critical" },
    handlings: { open: "open", acknowledged: "acknowledged", "in-progress": "in progress", closed: "closed" },
    timeline: "What happened",
  },
  de: {
    none: "keine Meldungen",
    columns: {
      started: "Beginn",
      state: "Zustand",
      severity: "Stufe",
      handling: "Bearbeitung",
      rule: "Regel",
      subject: "Ort",
      what: "was",
    },
    states: { pending: "anstehend", firing: "aktiv", resolved: "beendet", retracted: "zurückgenommen" },
    severities: { info: "Hinweis", warning: "Warnung", critical: "kritisch" },
    handlings: { open: "offen", acknowledged: "bestätigt", "in-progress": "in Arbeit", closed: "geschlossen" },
    timeline: "Was geschah",
  },
  es: {
    none: "no hay alertas",
    columns: {
      started: "inicio",
      state: "estado",
      severity: "gravedad",
      handling: "gestión",
      rule: "regla",
      subject: "lugar",
      what: "qué",
    },
    states: { pending: "pendiente", firing: "activa", resolved: "resuelta", retracted: "retirada" },
    severities: { info: "información", warning: "aviso", critical: "crítica" },
    handlings: { open: "abierta", acknowledged: "confirmada", "in-progress": "en curso", closed: "cerrada" },
    timeline: "Qué ocurrió",
  },
};
