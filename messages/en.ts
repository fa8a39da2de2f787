import { metrics } from "./en/metrics.ts";
import { reasons } from "./en/reasons.ts";
import { sentences } from "./en/sentences.ts";
import type { Pack } from "./pack.ts";

const RATINGS: Readonly<Record<string, string>> = { ratedCurrent: "rated current", freeFlowSpeed: "free-flow speed" };

export const en: Pack = {
  language: "en",
  locale: "en-GB",
  sentences,
  metrics,
  reasons,
  airQuality: ["good", "fair", "moderate", "poor", "very poor", "extremely poor"],
  airQualityClass: (number, name) => `class ${number}${name && ` (${name})`}`,
  units: {},
  shareOf: (percent, tag) => `${percent} of its ${RATINGS[tag] ?? tag}`,
  days: ["day", "days"],
  moment(time, date, zone) {
    const clock = zone ? `${time} (${zone})` : time;
    if (!date) return { text: clock, at: `at ${clock}`, since: `since ${clock}`, until: `to ${clock}` };
    const text = `${date}, ${clock}`;
    return { text, at: `on ${date} at ${clock}`, since: `since ${text}`, until: `to ${clock} on ${date}` };
  },
};
