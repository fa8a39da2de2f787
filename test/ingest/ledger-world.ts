import { decodeMessage, mergeBatches, openMessages } from "../../ingest/decode.ts";
import { createLedgerService } from "../../ingest/ledger.ts";
import { createStoreWriter } from "../../ingest/store-writer.ts";
import { type Log, SILENT } from "../../model/log.ts";
import type { Message } from "../../model/message.ts";
import type { CountFilter } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { aMessage, CITY, memoryStore, T0 } from "./helpers.ts";

export class Crash extends Error {}

/** A store in RAM that counts as the real ones do. */
export function countingStore() {
  const store = memoryStore();
  return {
    ...store,
    async countBySensor({ seqBefore = Number.POSITIVE_INFINITY }: CountFilter = {}) {
      const counts = new Map<string, number>();
      for (const { sensorId, journalSeq } of store.rows) {
        if (journalSeq < seqBefore) counts.set(sensorId, (counts.get(sensorId) ?? 0) + 1);
      }
      return counts;
    },
  };
}

/** Journal and store in RAM, real records and a real store writer that can be killed; and the books over all of it. */
export function ledgerWorld() {
  const state = { now: T0, first: 1, crashAt: undefined as string | undefined, unreadable: new Set<number>() };
  const records = openRecords({ path: ":memory:", now: () => state.now, log: SILENT });
  const store = countingStore();
  const journal: Message[] = [];
  const reads: [number, number][] = [];
  const offset = () => records.offsets.get("store") ?? 1;
  const end = () => journal.length + 1;
  const at = (point: string) => {
    if (state.crashAt === point) throw new Crash(point);
  };
  const startWriter = () => createStoreWriter({ store, records, now: () => state.now, log: SILENT, at });
  let writer = startWriter();

  const readable = (from: number, to: number) =>
    journal.filter(({ seq }) => seq >= Math.max(from, state.first) && seq < to && !state.unreadable.has(seq));
  const reader = {
    async read(from: number, before: number) {
      reads.push([from, before]);
      const to = Math.min(before, from + 3);
      return { to, messages: readable(from, to) };
    },
    async close() {},
  };
  const service = ({ log = SILENT, isWhole }: { log?: Log; isWhole?: () => boolean } = {}) =>
    createLedgerService({
      records,
      store,
      offset,
      pendingMessages: () => end() - offset(),
      openReader: () => reader,
      rawDays: 90,
      now: () => state.now,
      log,
      ...(isWhole && { isWhole }),
    });

  return {
    records,
    store,
    state,
    reads,
    journal,
    offset,
    end,
    service,
    append(payload: unknown, fields: Partial<Message> = {}) {
      journal.push(aMessage(payload, { receivedAt: state.now, ...fields, seq: end() }));
    },
    /** Books up to so many messages; if it is to crash there, what is on disk stays and a new life begins. */
    async take(messages = Number.POSITIVE_INFINITY, crashAt?: string) {
      const to = Math.min(end(), offset() + messages);
      if (to <= offset()) return;
      state.crashAt = crashAt;
      const batch = openMessages(offset(), to, readable(offset(), to), (one) => decodeMessage(one, CITY));
      try {
        await writer.take(mergeBatches([batch]), new AbortController().signal);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        writer = startWriter();
      } finally {
        state.crashAt = undefined;
      }
    },
  };
}
