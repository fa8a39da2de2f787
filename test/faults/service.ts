import { createAlerts, TICK_EVERY_MS } from "../../alerts/alerts.ts";
import { CONDITIONS, type ConditionTable } from "../../alerts/conditions/registry.ts";
import { createLive } from "../../api/live.ts";
import type { Refill, RefillFrom } from "../../app/store-start.ts";
import { decodeMessage } from "../../ingest/decode.ts";
import { createEnrolment, ENROLMENT_DEFAULTS } from "../../ingest/enrolment.ts";
import type { JournalChunk, JournalError } from "../../ingest/journal/journal.ts";
import { createJournalReader } from "../../ingest/journal/reader.ts";
import { decodeChunk } from "../../ingest/journal/record.ts";
import { bookedOffsets, markJournal } from "../../ingest/journal/status.ts";
import { openJournalWriter } from "../../ingest/journal/writer.ts";
import { readLedger } from "../../ingest/ledger.ts";
import { createStoreWriter } from "../../ingest/store-writer.ts";
import { createWorker } from "../../ingest/worker.ts";
import type { Health } from "../../model/health.ts";
import { SILENT } from "../../model/log.ts";
import type { NewMessage } from "../../model/message.ts";
import type { Records } from "../../store/records.ts";
import { aRule } from "../alerts/builders.ts";
import { type Clock, never } from "./clock.ts";
import { type Disk, JOURNAL_DIR, type Life } from "./disk.ts";
import type { Random } from "./random.ts";
import type { StorePort } from "./store-server.ts";
import { HOT_SENSOR } from "./traffic.ts";

export type Gap = { readonly from: number; readonly to: number };

/** What a scenario may set for the lives to come, and some of it for the one that runs. */
export type Habits = {
  segmentBytes: number;
  freeBytesMin: number;
  /** How long the journal keeps what it could release, to fill up a lost store. */
  keepForMs: number;
  windowMessagesMax: number;
  readBytesMax: number;
  writeReadingsMax: number;
  /** Acknowledges before the journal has the message: the control run. */
  gateOff: boolean;
  /** The core is so far behind that it is told numbers instead of being handed bytes. */
  coreBehind: boolean;
  /** Live subscribers take nothing. */
  liveFrozen: boolean;
  /** The second rule throws. */
  ruleThrows: boolean;
};

/** An opened store, and what `app.ts` needs around it. */
export type ServiceStore = {
  readonly store: StorePort;
  readonly offsets: Records["offsets"];
  health(): readonly Health[];
  refill?(from: RefillFrom): Refill;
  close?(): Promise<void>;
};

export type ServiceParts = {
  readonly life: Life;
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly records: Records;
  readonly store: ServiceStore;
  readonly habits: Habits;
  /** The time of day as the service has it. */
  now(): number;
  /** A named point was passed. May end the life. */
  pass(point: string): void;
  onGap(gap: Gap): void;
  /** Before the journal may delete what is below. */
  beforeRelease(offset: number): Promise<void>;
  /** The journal has failed: the process ends. */
  onFatal(): void;
};

export const RULES = [
  aRule({ id: "limit", title: "Too much", metric: "pm25", condition: { type: "threshold", above: 100, clear: 50 } }),
  aRule({
    id: "hours",
    title: "Too much for hours",
    metric: "pm25",
    select: { sensor: [HOT_SENSOR, "air-0"] },
    condition: { type: "consecutive", above: 900, count: 3, window: "1h" },
  }),
];

const throwing = (pass: (point: string) => void): ConditionTable => ({
  ...CONDITIONS,
  consecutive: {
    ...CONDITIONS.consecutive,
    step() {
      pass("rule-throws");
      throw new Error("a condition with a mistake");
    },
  },
});

class Dead extends Error {}

export type Service = Awaited<ReturnType<typeof startService>>;

/** The real parts, wired as `app/app.ts` and `app/edge/thread.ts` wire them, on the ports of the faulty world. */
export async function startService(parts: ServiceParts) {
  const { life, clock, random, disk, records, store, habits, now } = parts;
  const fs = disk.fsFor(life);
  const sleep = (ms: number, signal: AbortSignal) => (life.alive ? clock.sleep(ms, signal).then(stillAlive) : never());
  const stillAlive = () => (life.alive ? undefined : never());

  function pass(point: string): void {
    if (life.alive) parts.pass(point);
    // Nobody is there any more to catch it: every port of a dead life is silent.
    if (!life.alive) throw new Dead(point);
  }
  /** A follower that dies does so without a word. */
  const at = (point: string): undefined | Promise<never> => {
    try {
      pass(point);
    } catch {
      return never();
    }
  };

  const booked = bookedOffsets(records.offsets);
  const { segmentBytes, freeBytesMin, keepForMs } = habits;
  const { writer, recovery, probe } = await openJournalWriter(
    { dir: JOURNAL_DIR, segmentBytes, freeBytesMin, keepForMs, booked, probeEveryMs: 2_000_000_000 },
    { fs, now, log: SILENT, at: pass },
  );
  for (const gap of recovery.gaps) parts.onGap(gap);

  const storeWriter = createStoreWriter({
    store: store.store,
    records: { ...records, offsets: store.offsets },
    now,
    log: SILENT,
    sleep,
    random: random.next,
    at,
    options: { writeReadingsMax: habits.writeReadingsMax },
  });
  const alerts = createAlerts({
    rules: RULES,
    records,
    first: recovery.first,
    now,
    uptime: clock.now,
    log: SILENT,
    listening: () => writer.state().state === "open",
    caughtUp: () => worker.pendingMessages("alerts") === 0,
    conditions: habits.ruleThrows ? throwing(parts.pass) : CONDITIONS,
  });
  const live = createLive();
  const { context } = createEnrolment(records, { ...ENROLMENT_DEFAULTS, autoEnrol: true }, now);
  const readers: { close(): Promise<void> }[] = [];
  const openReader = () => {
    const reader = createJournalReader({ dir: JOURNAL_DIR, fs, onGap: parts.onGap });
    readers.push(reader);
    return reader;
  };
  const refill = store.refill?.({ reader: openReader(), first: recovery.first, context });
  const worker = createWorker({
    openReader,
    decodeChunk,
    decode: (message) => decodeMessage(message, context),
    consumers: [
      refill ? refill.before(storeWriter) : storeWriter,
      alerts,
      {
        name: "live",
        offset: recovery.next,
        durable: false,
        take: (batch, signal) => (habits.liveFrozen ? thaw(signal) : live.push(batch)),
      },
    ],
    end: recovery.next,
    log: SILENT,
    sleep,
    random: random.next,
    at,
    windowMessagesMax: habits.windowMessagesMax,
    readBytesMax: habits.readBytesMax,
  });

  async function thaw(signal: AbortSignal): Promise<void> {
    while (habits.liveFrozen) await sleep(1_000, signal);
  }

  /** As between the threads: in order, a moment later. */
  writer.onCommit((chunk: JournalChunk) => {
    if (!life.alive) return;
    queueMicrotask(() => {
      if (life.alive) at("after-answer");
    });
    clock.after(1, () => {
      if (!life.alive) return;
      if (habits.coreBehind) worker.advanced(chunk.to);
      else worker.committed(chunk);
    });
  });

  let stopping = false;
  function every(ms: number, work: () => void): void {
    clock.after(ms, () => {
      if (!life.alive || stopping) return;
      work();
      every(ms, work);
    });
  }
  every(TICK_EVERY_MS, () => alerts.tick());
  every(1_000, () => void probe());
  every(500, () => {
    if (writer.state().state === "failed") parts.onFatal();
  });
  every(5_000, () => mark());
  every(5_000, () => void release());

  const mark = () => markJournal(records.offsets, writer.state().next);

  async function release(): Promise<void> {
    const offset = Math.min(worker.releasable(), refill?.holdsFrom() ?? Number.POSITIVE_INFINITY);
    await parts.beforeRelease(offset);
    if (life.alive) writer.release(offset);
  }

  function publish(message: NewMessage, answer: (error?: JournalError) => void): void {
    const done = (error?: JournalError) => {
      if (life.alive) answer(error);
    };
    if (!habits.gateOff) return writer.append(message, done);
    done();
    writer.append(message, () => {});
  }

  /** Listeners, journal, consumers, stores: the order of `app.ts`. */
  async function stop(): Promise<void> {
    stopping = true;
    await writer.close();
    mark();
    await refill?.stop();
    await worker.stop();
    for (const reader of readers) await reader.close();
    try {
      alerts.close();
    } catch {
      // As the stop stack does: the next start reads the journal again from the offset that was kept.
    }
    await store.close?.();
  }

  return {
    recovery,
    publish,
    stop,
    next: () => writer.state().next,
    journalState: () => writer.state().state,
    /** Also what the worker has not been told of yet. */
    isSettled: () =>
      ["store", "alerts"].every(
        (name) => worker.pendingMessages(name) === 0 && worker.offsets().get(name)! >= writer.state().next,
      ),
    storeOffset: () => records.offsets.get("store") ?? 1,
    ledger: () => readLedger({ ledger: records.ledger, pendingMessages: () => worker.pendingMessages("store") }),
    health: () => [...worker.health(), ...storeWriter.health(), alerts.health(), ...store.health()],
    records,
  };
}
