import type { ServerResponse } from "node:http";
import { viewAlert } from "../contract/alert.ts";
import { viewCorrection } from "../contract/correction.ts";
import type { EventData, EventName } from "../contract/events.ts";
import type { HandoverView } from "../contract/handover.ts";
import { viewNews } from "../contract/incident.ts";
import { viewReading } from "../contract/reading.ts";
import { isWorldFault } from "../model/background.ts";
import type { Correction } from "../model/correction.ts";
import type { Reading } from "../model/reading.ts";
import type { Event } from "../store/records/alerts.ts";
import type { Records } from "../store/records.ts";
import type { Auth } from "./auth.ts";
import type { ApiDeps } from "./deps.ts";
import type { Limits } from "./limits.ts";
import { mayCall, permissionOf } from "./permissions.ts";

const READINGS_PER_EVENT_MAX = 500;
const PAGE = 100;
/** A client with more unread than this at two beats, and nothing read between them, is gone. */
const STALLED_BYTES = 32 * 1024;
/** How long a browser waits before it comes back. */
export const RETRY_LINE = "retry: 3000\n\n";

/** All open connections of `GET /events`: who may open one, and what each is told. */
export function createStreams(
  deps: Pick<ApiDeps, "records" | "live" | "background" | "now">,
  limits: Limits,
  accountOf: Auth["accountOf"],
) {
  const { events, credentials } = deps.records;
  const clients = new Map<StreamClient, { checkedAt: number }>();
  const counts = { refused: 0, dropped: 0, missedReadings: 0 };
  let unsubscribe: (() => void) | undefined;

  events.onEvent((event) => {
    if (clients.size === 0) return;
    const text = formatEvent(event);
    each((client) => client.pushEvent(event, text));
  });
  credentials.onChange(({ name, credential }) => {
    if (!credential) for (const client of [...clients.keys()]) if (client.options.account === name) end(client);
  });

  const endBeat = deps.background.every("heartbeat of the event streams", limits.heartbeatMs, beat);

  /** Why this client cannot have a stream now; undefined if it can. */
  function refusal(account: string, address: string): string | undefined {
    const open = [...clients.keys()].map((client) => client.options);
    const ofAccount = open.filter((one) => one.account === account).length;
    const ofAddress = open.filter((one) => one.address === address).length;
    const reason =
      ofAccount >= limits.streamsPerAccountMax
        ? `This account has ${ofAccount} open streams.`
        : ofAddress >= limits.streamsPerAddressMax
          ? `This address has ${ofAddress} open streams.`
          : open.length >= limits.streamsMax
            ? "The service has as many open streams as it can take."
            : undefined;
    if (reason) counts.refused += 1;
    return reason;
  }

  function open(raw: ServerResponse, options: StreamOptions): void {
    const client = createStreamClient(raw, options, events, limits);
    clients.set(client, { checkedAt: deps.now() });
    raw.on("close", () => remove(client));
    raw.on("error", () => remove(client));
    raw.write(RETRY_LINE);
    client.start();
    unsubscribe ??= deps.live.subscribe(pushReadings);
  }

  function pushReadings(readings: readonly Reading[], missed = 0): void {
    if (missed > 0) each((client) => client.countMissed(missed));
    if (readings.length === 0 || ![...clients.keys()].some((client) => client.options.readings)) return;
    for (let from = 0; from < readings.length; from += READINGS_PER_EVENT_MAX) {
      const some = readings.slice(from, from + READINGS_PER_EVENT_MAX);
      const frame = { text: formatReadings(some), readings: some.length };
      each((client) => client.pushReadings(frame));
    }
  }

  /** Whoever comes back reads anew what they show: it is told to those who are there. */
  function pushCorrection(what: EventData["correction"]["what"], correction: Correction): void {
    if (clients.size === 0) return;
    const text = format("correction", { what, correction: viewCorrection(correction) });
    each(({ raw }) => void raw.write(text));
  }

  /** A note of a shift came, or somebody has read one. */
  function pushHandover(note: HandoverView): void {
    if (clients.size === 0) return;
    const text = format("handover", { note });
    each(({ raw }) => void raw.write(text));
  }

  function each(tell: (client: StreamClient) => void): void {
    for (const client of [...clients.keys()]) {
      tell(client);
      if (client.tooFarBehind()) drop(client);
    }
  }

  function beat(): void {
    for (const [client, state] of [...clients]) {
      if (!client.beat() || client.tooFarBehind()) drop(client);
      else if (Math.abs(deps.now() - state.checkedAt) >= limits.streamRecheckMs) {
        const account = accountOf(client.options.secretHash);
        state.checkedAt = deps.now();
        if (!account || !mayCall(permissionOf("GET", "/api/v1/events")!, account)) end(client);
      }
    }
  }

  /** Unread bytes are thrown away: the client can come back with Last-Event-ID. */
  function drop(client: StreamClient): void {
    counts.dropped += 1;
    remove(client);
    client.raw.destroy();
  }

  function end(client: StreamClient): void {
    remove(client);
    client.raw.end();
  }

  function remove(client: StreamClient): void {
    if (!clients.delete(client)) return;
    counts.missedReadings += client.missedReadings();
    if (clients.size > 0) return;
    unsubscribe?.();
    unsubscribe = undefined;
  }

  /** Someone signed out. */
  function endOf(secretHash: string): void {
    for (const client of [...clients.keys()]) if (client.options.secretHash === secretHash) end(client);
  }

  return {
    refusal,
    open,
    pushCorrection,
    pushHandover,
    endOf,
    counts: () => {
      let { missedReadings } = counts;
      for (const client of clients.keys()) missedReadings += client.missedReadings();
      return { ...counts, missedReadings, open: clients.size };
    },
    close(): void {
      endBeat();
      [...clients.keys()].forEach(end);
    },
  };
}

export type Streams = ReturnType<typeof createStreams>;

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
  const newestId = events.newestId();
  // An id from the future (a restored backup) would wait for ever.
  let sentId = Math.min(options.lastEventId ?? Number.POSITIVE_INFINITY, newestId);
  let live = false;
  /** The texts are shared by all clients, and every queue holds the newest of them: many cost no more than one. */
  let waiting: ReadingsFrame[] = [];
  let next = 0;
  let waitingChars = 0;
  let missed = 0;
  let missedReadings = 0;
  let bytesAtBeat = -1;

  function start(): void {
    if ((options.lastEventId ?? 0) > newestId) raw.write(formatReset("restored", newestId));
    catchUp();
  }

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
  function sendPage(page: readonly Event[]): boolean {
    for (const event of page) {
      if (raw.writableNeedDrain) return false;
      sayIfRemoved(event.id - 1);
      send(event);
    }
    if (page.length === PAGE) return false;
    sayIfRemoved(events.newestId());
    return true;
  }

  /** Ids have no gaps of their own: what is missing up to here was removed for its age. */
  function sayIfRemoved(upTo: number): void {
    if (sentId >= upTo) return;
    sentId = upTo;
    raw.write(formatReset("removed", upTo));
  }

  function send(event: Event, text?: string): void {
    sentId = event.id;
    const frame = text ?? formatEvent(event);
    if (frame !== "") raw.write(frame);
  }

  /** A live event; one that is still catching up finds it in the records. */
  function pushEvent(event: Event, text: string): void {
    if (live) send(event, text);
  }

  function pushReadings(frame: ReadingsFrame): void {
    if (!options.readings) return;
    waiting.push(frame);
    waitingChars += frame.text.length;
    sendReadings();
    while (waitingChars > limits.streamReadingsCharsMax) countMissed(takeOldest().readings);
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
  function countMissed(readings: number): void {
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
    start,
    pushEvent,
    pushReadings,
    countMissed,
    beat,
    tooFarBehind: () => raw.writableLength > limits.streamBufferBytesMax,
    missedReadings: () => missedReadings,
  };
}

/** One event of the stream; with an id where a client can come back to it. */
function format<Name extends EventName>(name: Name, data: EventData[Name], id?: number): string {
  return `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Empty for pending alerts: they are not said to anyone yet. */
export function formatEvent(event: Event): string {
  const { id, at, what } = event;
  if (!("alert" in event)) return format("incident", viewNews(at, what, event.incident), id);
  const { alert } = event;
  if (alert.state === "pending") return "";
  return format("alert", { at: new Date(at).toISOString(), what, alert: viewAlert(alert) }, id);
}

/** With the id of what is missing: whoever comes back after it is not told again. */
const formatReset = (reason: EventData["reset"]["reason"], id: number): string => format("reset", { reason }, id);

/** Without an id: a reconnecting client does not get them again. */
export const formatReadings = (readings: readonly Reading[]): string => format("readings", readings.map(viewReading));

/** About so many live readings were left out here. */
export const formatMissed = (readings: number): string => format("missed", { readings });
