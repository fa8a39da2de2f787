import { viewAlert } from "../model/alert-view.ts";
import { type Reading, viewReading } from "../model/reading.ts";
import type { AlertEvent } from "../store/records.ts";

/** How long a browser waits before it comes back. */
export const RETRY_LINE = "retry: 3000\n\n";

/** `event: alert` with its durable id. Empty for pending alerts: they are not said to anyone yet. */
export function formatEvent(event: AlertEvent): string {
  if (event.alert.state === "pending") return "";
  const data = { at: new Date(event.at).toISOString(), what: event.what, alert: viewAlert(event.alert) };
  return `event: alert\nid: ${event.id}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** `event: readings`, without an id: a reconnecting client does not get them again. */
export function formatReadings(readings: readonly Reading[]): string {
  return `event: readings\ndata: ${JSON.stringify(readings.map(viewReading))}\n\n`;
}

/** `event: missed`: about so many live readings were left out here. */
export const formatMissed = (readings: number): string => `event: missed\ndata: ${JSON.stringify({ readings })}\n\n`;
