import { metrics } from "./de/metrics.ts";
import { reasons } from "./de/reasons.ts";
import { sentences } from "./de/sentences.ts";
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
  shareOf: (percent, tag) => `${percent} ${RATINGS[tag] ?? `von „${tag}“`}`,
  days: ["Tag", "Tage"],
  moment(time, date, zone) {
    const clock = zone ? `${time} Uhr (${zone})` : `${time} Uhr`;
    if (!date) return { text: clock, at: `um ${clock}`, since: `seit ${clock}`, until: `bis ${clock}` };
    const text = `${date}, ${clock}`;
    return { text, at: `am ${date} um ${clock}`, since: `seit ${text}`, until: `bis ${text}` };
  },
};
