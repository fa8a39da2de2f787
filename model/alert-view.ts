import type { Alert, Cause, Evidence, Expected, TimelineEntry } from "./alert.ts";

const iso = (time: number) => new Date(time).toISOString();

export type AlertView = ReturnType<typeof viewAlert>;

/** An alert as the API, the live stream and MQTT show it: the same, with times in ISO 8601 UTC. */
export function viewAlert(alert: Alert) {
  const { startedAt, firedAt, resolvedAt, evidence, timeline, expected, correctedBy, review, ...rest } = alert;
  return {
    ...rest,
    startedAt: iso(startedAt),
    ...(firedAt === undefined ? {} : { firedAt: iso(firedAt) }),
    ...(resolvedAt === undefined ? {} : { resolvedAt: iso(resolvedAt) }),
    ...(expected === undefined ? {} : { expected: viewExpected(expected) }),
    ...(correctedBy === undefined ? {} : { correctedBy: viewCause(correctedBy) }),
    ...(review === undefined ? {} : { review: { ...review, at: iso(review.at) } }),
    evidence: evidence.map(viewEvidence),
    timeline: timeline.map(viewEntry),
  };
}

const viewExpected = ({ at, from, to }: Expected) => ({ at: iso(at), from: iso(from), to: iso(to) });

function viewCause({ sensorId, measuredAt, receivedAt }: Cause) {
  return { sensorId, measuredAt: iso(measuredAt), receivedAt: iso(receivedAt) };
}

function viewEvidence({ measuredAt, window, ...rest }: Evidence) {
  const view = { measuredAt: iso(measuredAt), ...rest };
  return window ? { ...view, window: { ...window, from: iso(window.from) } } : view;
}

function viewEntry(entry: TimelineEntry) {
  return { ...entry, at: iso(entry.at), knownAt: iso(entry.knownAt) };
}
