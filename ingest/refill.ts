import type { Log } from "../model/log.ts";
import type { Reading } from "../model/reading.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import { openMessages } from "./batch.ts";
import { type DecodeContext, decodeMessage, unknownSensor } from "./decode.ts";
import { dedupe } from "./dedupe.ts";
import type { Consumer } from "./follower.ts";
import type { JournalReader } from "./journal/journal.ts";
import { createPatience } from "./patience.ts";
import { createPutter } from "./put.ts";
import { realSleep, type Sleep } from "./timing.ts";
import { createTouchedHours } from "./touched-hours.ts";

export type RefillParts = {
  readonly store: Pick<ReadingStore, "name" | "write" | "find" | "newest">;
  readonly rollups: Pick<Records["rollups"], "touch">;
  readonly reader: Pick<JournalReader, "read">;
  /** First number to read, and the one after the last: the store writer's offset. */
  readonly from: number;
  readonly to: number;
  readonly context: DecodeContext;
  readonly log: Log;
  readonly sleep?: Sleep;
  readonly random?: () => number;
};

/** `first`: when the first message that is still in the journal was received. */
export type Refilled = { readonly written: number; readonly first: number | undefined };

const READ_BYTES = 2 * 1024 * 1024;
const WRITE_READINGS_MAX = 20_000;

/**
 * Puts into the store what is in the journal and was booked before: for a store that was lost. The books are not
 * touched, quarantine neither: what these messages became is settled, only the readings are gone. The first reading of
 * a moment is kept, as it was the first time. Nobody is enrolled. Doing it again writes nothing twice.
 */
export async function refillStore(parts: RefillParts, signal: AbortSignal): Promise<Refilled> {
  const { store, reader, to, log, sleep = realSleep, random = Math.random } = parts;
  const context: DecodeContext = { ...parts.context, enrol: ({ sensorId }) => unknownSensor(sensorId) };
  const patience = createPatience({ storeName: store.name, sleep, random, log });
  const { put } = createPutter(store, patience, WRITE_READINGS_MAX);
  const newest = new Map(await patience.until(() => store.newest(), signal));
  let written = 0;
  let first: number | undefined;
  for (let at = parts.from; at < to; ) {
    signal.throwIfAborted();
    const read = await reader.read(at, to, READ_BYTES);
    first ??= read.messages[0]?.receivedAt;
    const batch = openMessages(at, read.to, read.messages, (message) => decodeMessage(message, context));
    const verdicts = await patience.until(() => dedupe(batch.readings, newest, store.find), signal);
    const fresh = batch.readings.filter((_, place) => verdicts[place]!.what === "fresh");
    const refused = await put(fresh, signal);
    raise(newest, fresh);
    const hours = createTouchedHours();
    for (const reading of fresh) hours.note(reading);
    parts.rollups.touch(hours.parts());
    written += fresh.length - refused.size;
    at = read.to;
  }
  return { written, first };
}

function raise(newest: Map<string, number>, fresh: readonly Reading[]): void {
  for (const { sensorId, measuredAt } of fresh) {
    if (measuredAt > (newest.get(sensorId) ?? -Infinity)) newest.set(sensorId, measuredAt);
  }
}

/** The same consumer, which takes its first batch when the store is as full as it can be made: what comes meanwhile waits in the journal. */
export function afterRefill<C extends Consumer>(consumer: C, refilled: Promise<void>): C {
  return {
    ...consumer,
    async take(batch, signal) {
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      try {
        signal.throwIfAborted();
        await Promise.race([refilled, aborted.promise]);
      } finally {
        signal.removeEventListener("abort", abort);
      }
      return consumer.take(batch, signal);
    },
  };
}
