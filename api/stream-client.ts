import type { ServerResponse } from "node:http";
import { isWorldFault } from "../model/background.ts";
import type { AlertEvent, Records } from "../store/records.ts";
import { formatEvent, formatMissed } from "./event-format.ts";
import type { Limits } from "./limits.ts";

const PAGE = 100;
/** A client with more unread than this at two beats, and nothing read between them, is gone. */
const STALLED_BYTES = 32 * 1024;

/** An event of so many readings, as it is sent. */
type ReadingsFrame = { readonly text: string; readonly readings: number };

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
  events: Pick<Records["events"], "after" | "newestId">,
  limits: Limits,
) {
  // An id from the future (a restored backup) would wait for ever.
  let sentId = Math.min(options.lastEventId ?? Number.POSITIVE_INFINITY, events.newestId());
  let live = false;
  /** The texts are shared by all clients, and every queue holds the newest of them: many cost no more than one. */
  let waiting: ReadingsFrame[] = [];
  let next = 0;
  let waitingChars = 0;
  let missed = 0;
  let missedReadings = 0;
  let bytesAtBeat = -1;

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

  function pushReadings(frame: ReadingsFrame): void {
    if (!options.readings) return;
    waiting.push(frame);
    waitingChars += frame.text.length;
    sendReadings();
    while (waitingChars > limits.streamReadingsCharsMax) miss(takeOldest().readings);
  }

  /** As many as the client takes; the rest when it has read them. */
  function sendReadings(): void {
    while (next < waiting.length && !raw.writableNeedDrain) {
      if (missed > 0) raw.write(formatMissed(missed));
      missed = 0;
      raw.write(takeOldest().text);
    }
  }

  function takeOldest(): ReadingsFrame {
    const frame = waiting[next++]!;
    waitingChars -= frame.text.length;
    // Now and then, so that it costs each a constant.
    if (next * 2 >= waiting.length) {
      waiting = waiting.slice(next);
      next = 0;
    }
    return frame;
  }

  /** It is told before the next readings. */
  function miss(readings: number): void {
    if (!options.readings) return;
    missed += readings;
    missedReadings += readings;
  }

  /** False when the client has read nothing since the last beat although there was something to read. */
  function beat(): boolean {
    const written = (raw.socket?.bytesWritten ?? 0) - raw.writableLength;
    const hasMuch = waiting.length > next || raw.writableLength > STALLED_BYTES;
    const stalled = hasMuch && written === bytesAtBeat;
    bytesAtBeat = written;
    raw.write(": still here\n\n");
    return !stalled;
  }

  if (options.readings) raw.on("drain", sendReadings);

  return {
    options,
    raw,
    start: catchUp,
    pushEvent,
    pushReadings,
    miss,
    beat,
    tooFarBehind: () => raw.writableLength > limits.streamBufferBytesMax,
    missedReadings: () => missedReadings,
  };
}
