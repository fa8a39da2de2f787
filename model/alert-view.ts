import type { Alert, Evidence, TimelineEntry } from "./alert.ts";

const iso = (time: number) => new Date(time).toISOString();

export type AlertView = ReturnType<typeof viewAlert>;

/** An alert as the API, the live stream and MQTT show it: the same, with times in ISO 8601 UTC. */
export function viewAlert(alert: Alert) {
  const { startedAt, firedAt, resolvedAt, evidence, timeline, ...rest } = alert;
  return {
    ...rest,
    startedAt: iso(startedAt),
    ...(firedAt === undefined ? {} : { firedAt: iso(firedAt) }),
    ...(resolvedAt === undefined ? {} : { resolvedAt: iso(resolvedAt) }),
    evidence: evidence.map(viewEvidence),
    timeline: timeline.map(viewEntry),
  };
}

function viewEvidence({ measuredAt, window, ...rest }: Evidence) {
  const view = { measuredAt: iso(measuredAt), ...rest };
  return window ? { ...view, window: { ...window, from: iso(window.from) } } : view;
}

function viewEntry(entry: TimelineEntry) {
  return { ...entry, at: iso(entry.at), knownAt: iso(entry.knownAt) };
}
