import { type DecodeContext, decodeMessage, type OpenedBatch, openMessages } from "../../ingest/decode.ts";
import { unknownSensor } from "../../ingest/rejections.ts";
import { createStoreWriter, type StoreWriterParts } from "../../ingest/store-writer.ts";
import type { LedgerOutcome, LedgerRow } from "../../model/ledger.ts";
import { SILENT } from "../../model/log.ts";
import type { Message } from "../../model/message.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rejection } from "../../model/rejection.ts";
import { parseSensorTopic } from "../../model/topics.ts";
import { joinMoment } from "../../store/moments.ts";
import type { Sensor } from "../../store/records/sensors.ts";

export const T0 = Date.UTC(2026, 10, 21, 10);
export const DEVICE = { via: "mqtt", role: "device", name: "air-1" } as const;
export const GATEWAY = { via: "mqtt", role: "gateway", name: "gw-north" } as const;

const encoder = new TextEncoder();

/** A message as the journal would hand it over; `payload` may be text, bytes or something to print as JSON. */
export function aMessage(payload: unknown, fields: Partial<Message> = {}): Message {
  const raw = typeof payload === "string" ? payload : JSON.stringify(payload);
  const bytes = payload instanceof Uint8Array ? payload : encoder.encode(raw);
  return { seq: 1, receivedAt: T0, source: DEVICE, topic: "city/north/air/air-1", payload: bytes, ...fields };
}

export function aSensor(fields: Partial<Sensor> = {}): Sensor {
  return { id: "air-1", kind: "air", district: "north", tags: {}, createdAt: 0, ...fields };
}

/** Knows air-1…air-9, flow-1 and feeder-1, all in north; enrols nobody. */
export const CITY: DecodeContext = {
  topic: parseSensorTopic,
  sensor(id) {
    if (/^air-\d$/.test(id)) return aSensor({ id });
    if (id === "flow-1") return aSensor({ id, kind: "traffic" });
    return id === "feeder-1" ? aSensor({ id, kind: "energy" }) : undefined;
  },
  enrol: ({ sensorId }) => unknownSensor(sensorId),
};

/** Batches as the worker makes them; messages are numbered from `from` on. */
export function aBatch(payloads: readonly unknown[], from = 1, fields: Partial<Message> = {}): OpenedBatch {
  return openBatch(
    from,
    payloads.map((payload, i) => aMessage(payload, { seq: from + i, ...fields })),
  );
}

export function openBatch(from: number, messages: readonly Message[]): OpenedBatch {
  return openMessages(from, from + messages.length, messages, (message) => decodeMessage(message, CITY));
}

export const at = (seconds: number, pm25: number) => ({ measuredAt: T0 - 3_600_000 + seconds * 1000, pm25 });

/** Keeps rows as DuckDB does: appended, doubled if written twice. `refuse` and `fail` script what the world says. */
export function memoryStore() {
  const rows: Reading[] = [];
  const script: { fail: ((readings: readonly Reading[]) => Error | undefined)[] } = { fail: [] };
  const calls = { write: 0, find: 0, keys: 0 };
  return {
    name: "memory",
    repeatable: false,
    rows,
    script,
    calls,
    async write(readings: readonly Reading[]) {
      calls.write += 1;
      for (const fail of script.fail) {
        const error = fail(readings);
        if (error) throw error;
      }
      rows.push(...readings);
    },
    async find(kind: string, keys: readonly { sensorId: string; measuredAt: number }[]) {
      calls.find += 1;
      calls.keys += keys.length;
      return keys.map((key) => {
        const isOne = (row: Reading) => row.kind === kind && row.sensorId === key.sensorId;
        const ofMoment = rows.filter((row) => isOne(row) && row.measuredAt === key.measuredAt);
        return ofMoment.length > 0 ? joinMoment(ofMoment) : undefined;
      });
    },
    async newest() {
      const newest = new Map<string, number>();
      for (const row of rows) newest.set(row.sensorId, Math.max(row.measuredAt, newest.get(row.sensorId) ?? 0));
      return newest;
    },
  };
}

/** Quarantine, ledger and offsets in RAM with the one promise that matters: a transaction is all or nothing. */
export function memoryRecords() {
  const kept = { quarantine: [] as Rejection[], ledger: [] as LedgerRow[], offsets: new Map<string, number>() };
  const has = (rejection: Rejection) =>
    kept.quarantine.some(
      (one) =>
        one.journalSeq === rejection.journalSeq && one.index === rejection.index && one.metric === rejection.metric,
    );
  return {
    kept,
    quarantine: {
      add: (rejections: readonly Rejection[]) => kept.quarantine.push(...rejections.filter((one) => !has(one))),
      places: (from: number, to: number) =>
        new Set(
          kept.quarantine
            .filter(({ journalSeq, metric }) => journalSeq >= from && journalSeq < to && metric === undefined)
            .map(({ journalSeq, index, reason }) => `${journalSeq} ${reason === "unknown_sensor" ? "*" : index}`),
        ),
    },
    ledger: { add: (rows: Iterable<LedgerRow>) => void kept.ledger.push(...rows) },
    offsets: {
      get: (name: string) => kept.offsets.get(name),
      set: (name: string, offset: number) => void kept.offsets.set(name, offset),
    },
    transaction<T>(work: () => T): T {
      const before = { quarantine: [...kept.quarantine], ledger: [...kept.ledger], offsets: new Map(kept.offsets) };
      try {
        return work();
      } catch (error) {
        Object.assign(kept, before);
        throw error;
      }
    },
    totals(): Map<LedgerOutcome, number> {
      const totals = new Map<LedgerOutcome, number>();
      for (const { outcome, count } of kept.ledger) totals.set(outcome, (totals.get(outcome) ?? 0) + count);
      return totals;
    },
  };
}

export type MemoryStore = ReturnType<typeof memoryStore>;
export type MemoryRecords = ReturnType<typeof memoryRecords>;

/** A store writer on the fakes that never really waits; `waits` are the pauses it asked for. */
export function aWriter(store: MemoryStore, records: MemoryRecords, more: Partial<StoreWriterParts> = {}) {
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);
  const writer = createStoreWriter({ store, records, now: () => T0, log: SILENT, sleep, random: () => 1, ...more });
  const signal = new AbortController().signal;
  return { ...writer, waits, take: (batch: OpenedBatch) => writer.take(batch, signal), takeUntil: writer.take };
}

/** The identity of the ledger, and rows in the store = stored in the books. */
export function booksOf(store: MemoryStore, records: MemoryRecords) {
  const totals = records.totals();
  const [received, stored, duplicate] = ["received", "stored", "duplicate"].map((one) => totals.get(one as never) ?? 0);
  const quarantined = [...totals.values()].reduce((a, b) => a + b, 0) - received! - stored! - duplicate!;
  return { received, stored, duplicate, quarantined, rows: store.rows.length };
}
