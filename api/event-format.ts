import { viewAlert } from "../contract/alert.ts";
import type { EventData, EventName } from "../contract/events.ts";
import { viewReading } from "../contract/reading.ts";
import type { Reading } from "../model/reading.ts";
import type { AlertEvent } from "../store/records.ts";

/** How long a browser waits before it comes back. */
export const RETRY_LINE = "retry: 3000\n\n";

/** One event of the stream; with an id where a client can come back to it. */
function format<Name extends EventName>(name: Name, data: EventData[Name], id?: number): string {
  return `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Empty for pending alerts: they are not said to anyone yet. */
export function formatEvent({ id, at, what, alert }: AlertEvent): string {
  if (alert.state === "pending") return "";
  return format("alert", { at: new Date(at).toISOString(), what, alert: viewAlert(alert) }, id);
}

/** Without an id: a reconnecting client does not get them again. */
export const formatReadings = (readings: readonly Reading[]): string => format("readings", readings.map(viewReading));

/** About so many live readings were left out here. */
export const formatMissed = (readings: number): string => format("missed", { readings });
