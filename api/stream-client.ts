import type { ServerResponse } from "node:http";
import { isWorldFault } from "../model/world-fault.ts";
import type { AlertEvent, EventRecords } from "../store/records.ts";
import { formatEvent } from "./event-format.ts";
import type { Limits } from "./limits.ts";

const PAGE = 100;

export type StreamOptions = {
  readonly account: string;
  readonly secretHash: string;
  readonly address: string;
  readonly readings: boolean;
  /** The last event the client has seen; undefined: only what comes from now on. */
  readonly lastEventId?: number;
};

/** One open connection of `GET /events`. */
export type StreamClient = ReturnType<typeof createStreamClient>;

/**
 * Alert events are durable: a client that comes back gets all it missed, read from the records page by page and only as
 * fast as it reads; then it goes live. Live readings are news: a client that is behind misses some.
 */
export function createStreamClient(
  raw: ServerResponse,
  options: StreamOptions,
  events: Pick<EventRecords, "after" | "newestId">,
  limits: Limits,
) {
  // An id from the future (a restored backup) would wait for ever.
  let sentId = Math.min(options.lastEventId ?? Number.POSITIVE_INFINITY, events.newestId());
  let live = false;
  let missedReadings = 0;
  let bytesAtBeat = -1;
  const behind = (bytesMax: number) => raw.writableLength > bytesMax;

  function catchUp(): void {
    try {
      while (!live && !raw.writableNeedDrain) live = sendPage(events.after(sentId, PAGE));
    } catch (error) {
      // Nobody waits for this. The client comes back with the last id it has.
      if (!isWorldFault(error)) throw error;
      return void raw.destroy();
    }
    if (!live) raw.once("drain", catchUp);
  }

  /** True when that was all there is. */
  function sendPage(page: readonly AlertEvent[]): boolean {
    for (const event of page) {
      if (raw.writableNeedDrain) return false;
      send(event);
    }
    return page.length < PAGE;
  }

  function send(event: AlertEvent, text?: string): void {
    sentId = event.id;
    const frame = text ?? formatEvent(event);
    if (frame !== "") raw.write(frame);
  }

  /** A live event; one that is still catching up finds it in the records. */
  function pushEvent(event: AlertEvent, text: string): void {
    if (live) send(event, text);
  }

  function pushReadings(text: string): void {
    if (!options.readings) return;
    if (behind(limits.streamBufferBytesSkip)) missedReadings += 1;
    else raw.write(text);
  }

  /** False when the client has read nothing since the last beat although there was something to read. */
  function beat(): boolean {
    const written = (raw.socket?.bytesWritten ?? 0) - raw.writableLength;
    const stalled = raw.writableLength > limits.streamBufferBytesSkip / 2 && written === bytesAtBeat;
    bytesAtBeat = written;
    raw.write(": still here\n\n");
    return !stalled;
  }

  return {
    options,
    raw,
    start: catchUp,
    pushEvent,
    pushReadings,
    beat,
    tooFarBehind: () => behind(limits.streamBufferBytesMax),
    missedReadings: () => missedReadings,
  };
}
