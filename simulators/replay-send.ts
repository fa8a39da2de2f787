import { setTimeout as wait } from "node:timers/promises";
import { readingTopic } from "../model/topics.ts";
import { type Bundle, createBundler } from "./bundle.ts";
import type { Mapping } from "./mapping.ts";
import { isHistory, type Playback } from "./playback.ts";
import type { Publisher } from "./publisher.ts";
import { mergeRecordings, newCounts, readRecording } from "./recording.ts";
import type { Item } from "./row-reader.ts";

export type SendCounts = {
  rows: number;
  readings: number;
  messages: number;
  sent: number;
  acknowledged: number;
  /** Readings in messages that were sent again after a lost connection: the service books those twice. */
  resent: number;
};

export type SendOptions = {
  readonly mapping: Mapping;
  readonly files: readonly string[];
  readonly playback: Playback;
  /** Readings a message may carry: 1 when paced, so that each comes at its moment. */
  readonly perMessage: number;
  readonly publisher: Publisher;
  readonly now: () => number;
  readonly signal?: AbortSignal;
  onProgress(counts: Readonly<SendCounts>): void;
};

/** Second pass: every row goes out. Resolves when everything sent is acknowledged; throws `PublishError`. */
export async function sendRecordings(options: SendOptions): Promise<SendCounts> {
  const { publisher, signal } = options;
  const counts: SendCounts = { rows: 0, readings: 0, messages: 0, sent: 0, acknowledged: 0, resent: 0 };
  const flights = new Set<Promise<void>>();
  let failure: unknown;

  async function fly(bundle: Bundle): Promise<void> {
    const sends = await publisher.publish(bundle);
    counts.acknowledged += bundle.readings;
    counts.resent += bundle.readings * (sends - 1);
    options.onProgress(counts);
  }
  const bundler = createBundler(options.perMessage, (bundle) => {
    counts.messages += 1;
    counts.sent += bundle.readings;
    const flight = fly(bundle).catch((error: unknown) => {
      failure ??= error;
    });
    flights.add(flight);
    void flight.then(() => flights.delete(flight));
  });

  const counted = newCounts();
  const sources = options.files.map((path) => readRecording(options.mapping, path, counted));
  for await (const items of mergeRecordings(sources)) {
    if (signal?.aborted || failure) break;
    await waitUntilDue(items, options);
    counts.rows += 1;
    for (const item of items) {
      counts.readings += 1;
      addTo(bundler, item, options);
    }
    await publisher.room();
    options.onProgress(counts);
  }
  bundler.flushAll();
  await Promise.all(flights);
  if (failure) throw failure;
  return counts;
}

/** Longest sleep at a time, so that a stop is noticed soon. */
const SLEEP_MS_MAX = 500;

async function waitUntilDue(items: readonly Item[], options: SendOptions): Promise<void> {
  const at = items[0]?.at;
  if (at === undefined) return;
  const left = () => options.playback.waitMs(at);
  for (let ms = left(); ms > 0 && !options.signal?.aborted; ms = left()) await wait(Math.min(ms, SLEEP_MS_MAX));
}

function addTo(bundler: ReturnType<typeof createBundler>, item: Item, options: SendOptions) {
  const { sensorId, kind, district, at, rawTime, values } = item;
  const stamp = at === undefined ? undefined : options.playback.stamp(at);
  const imported = stamp !== undefined && isHistory(stamp, options.now());
  // A row without a usable time is sent with what it says: the service books it as bad_timestamp.
  const measuredAt = stamp === undefined ? rawTime : timeText(stamp, rawTime);
  bundler.add(readingTopic({ district, kind, sensorId, imported }), { measuredAt, ...values });
}

function timeText(stamp: number, otherwise: string): string {
  const date = new Date(stamp);
  return Number.isNaN(date.getTime()) ? otherwise : date.toISOString();
}
