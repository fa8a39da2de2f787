import type { ServerResponse } from "node:http";
import type { Reading } from "../model/reading.ts";
import type { Auth } from "./auth.ts";
import type { ApiDeps } from "./deps.ts";
import { formatEvent, formatReadings, RETRY_LINE } from "./event-format.ts";
import type { Limits } from "./limits.ts";
import { mayCall, permissionOf } from "./permissions.ts";
import { createStreamClient, type StreamClient, type StreamOptions } from "./stream-client.ts";

const READINGS_PER_EVENT_MAX = 500;

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
    if (missed > 0) each((client) => client.miss(missed));
    if (readings.length === 0 || ![...clients.keys()].some((client) => client.options.readings)) return;
    for (let from = 0; from < readings.length; from += READINGS_PER_EVENT_MAX) {
      const some = readings.slice(from, from + READINGS_PER_EVENT_MAX);
      const frame = { text: formatReadings(some), readings: some.length };
      each((client) => client.pushReadings(frame));
    }
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
