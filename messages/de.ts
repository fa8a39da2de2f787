import { metrics } from "./de/metrics.ts";
import { reasons } from "./de/reasons.ts";
import { sentences } from "./de/sentences.ts";
import { sources } from "./de/sources.ts";
import type { Pack } from "./pack.ts";

const RATINGS: Readonly<Record<string, string>> = {
  ratedCurrent: "des Bemessungsstroms",
  freeFlowSpeed: "der Geschwindigkeit bei freiem Verkehr",
};

export const de: Pack = {
  language: "de",
  locale: "de-DE",
  sentences,
  metrics,
  reasons,
  airQuality: ["gut", "zufriedenstellend", "mäßig", "schlecht", "sehr schlecht", "extrem schlecht"],
  airQualityClass: (number, name) => `Klasse ${number}${name && ` (${name})`}`,
  units: { veh: "Fz", "veh/h": "Fz/h", persons: "Personen", sensors: "Sensoren" },
  sources,
  shareOf: (percent, tag) => `${percent} ${RATINGS[tag] ?? `von „${tag}“`}`,
  days: ["Tag", "Tage"],
  notices: {
    happened: {
      firing: "",
      resolved: "beendet",
      retracted: "zurückgenommen",
      escalated: "weitergegeben",
      reminder: "weiterhin",
    },
    severity: { info: "Hinweis", warning: "Warnung", critical: "kritisch" },
    verdict: { event: "Ereignis", "sensor-fault": "Sensorfehler", unclear: "unklar" },
    kind: { air: "Luft", traffic: "Verkehr", energy: "Energie", service: "Dienst" },
    facts: {
      where: "Ort",
      since: "Seit",
      until: "Bis",
      verdict: "Beurteilung",
      corrected: "Berichtigt durch",
      incident: "Vorfall",
      advice: "Was zu tun ist",
      source: "Quelle der Grenze",
      zone: "Zeiten von",
      alert: "Meldung",
    },
    ofIncident: (alerts, firing) => `${alerts} Meldungen mit einer Ursache, davon ${firing} aktiv`,
    lateReading: (sensor, measured) => `einen späten Messwert von ${sensor}, gemessen ${measured.at}`,
    digest: (count, parts) => `${count} Meldungen: ${parts}`,
    fresh: "neu",
    more: (count) => `und ${count} weitere`,
    open: "Meldung öffnen",
  },
  moment(time, date, zone) {
    const clock = zone ? `${time} Uhr (${zone})` : `${time} Uhr`;
    if (!date) return { text: clock, at: `um ${clock}`, since: `seit ${clock}`, until: `bis ${clock}` };
    const text = `${date}, ${clock}`;
    return { text, at: `am ${date} um ${clock}`, since: `seit ${text}`, until: `bis ${text}` };
  },
};
