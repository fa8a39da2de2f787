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
  sources: {},
  shareOf: (percent, tag) => `${percent} of its ${RATINGS[tag] ?? tag}`,
  days: ["day", "days"],
  notices: {
    happened: { firing: "", resolved: "resolved", retracted: "withdrawn", escalated: "escalated", reminder: "still" },
    severity: { info: "info", warning: "warning", critical: "critical" },
    verdict: { event: "event", "sensor-fault": "sensor fault", unclear: "unclear" },
    kind: { air: "air", traffic: "traffic", energy: "energy", service: "service" },
    facts: {
      where: "Where",
      since: "Since",
      until: "Until",
      verdict: "Verdict",
      corrected: "Corrected by",
      incident: "Incident",
      advice: "What to do",
      source: "Limit from",
      zone: "Times of",
      alert: "Alert",
    },
    ofIncident: (alerts, firing) => `${alerts} alerts of one cause, ${firing} of them firing`,
    lateReading: (sensor, measured) => `a late reading of ${sensor}, measured ${measured.at}`,
    digest: (count, parts) => `${count} notices: ${parts}`,
    fresh: "new",
    more: (count) => `and ${count} more`,
    open: "Open the alert",
  },
  moment(time, date, zone) {
    const clock = zone ? `${time} (${zone})` : time;
    if (!date) return { text: clock, at: `at ${clock}`, since: `since ${clock}`, until: `to ${clock}` };
    const text = `${date}, ${clock}`;
    return { text, at: `on ${date} at ${clock}`, since: `since ${text}`, until: `to ${clock} on ${date}` };
  },
};
