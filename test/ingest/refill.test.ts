import { describe, expect, it } from "vitest";
import { afterRefill, refillStore } from "../../ingest/rewrite.ts";
import { SILENT } from "../../model/log.ts";
import type { Message } from "../../model/message.ts";
import { lossRows, reckonLoss } from "../../store/recovery/loss.ts";
import type { DamageReport } from "../../store/recovery/recover.ts";
import { aBatch, aMessage, at, aWriter, booksOf, CITY, memoryRecords, memoryStore, T0 } from "./helpers.ts";

const signal = new AbortController().signal;

/** Four at a time, as a reader would: `missing` are gone from the journal. */
function readerOf(messages: readonly Message[], missing: readonly number[] = []) {
  return {
    async read(offset: number, end: number) {
      const there = messages.filter(({ seq }) => seq >= offset && seq < end && !missing.includes(seq)).slice(0, 4);
      return { to: (there.at(-1)?.seq ?? end - 1) + 1, messages: there };
    },
  };
}

function fill(
  store: ReturnType<typeof memoryStore>,
  messages: readonly Message[],
  more: { missing?: number[]; to?: number; records?: ReturnType<typeof memoryRecords> } = {},
) {
  const touched: unknown[] = [];
  const parts = {
    store,
    records: {
      quarantine: more.records?.quarantine ?? memoryRecords().quarantine,
      rollups: { touch: (parts: Iterable<unknown>) => void touched.push(...parts) },
    },
    reader: readerOf(messages, more.missing),
    from: 1,
    to: more.to ?? messages.length + 1,
    context: CITY,
    log: SILENT,
  };
  return refillStore(parts, signal).then((refilled) => ({ ...refilled, touched }));
}

/** What a city sends: good ones, a duplicate, a conflict, garbage, an unknown sensor. */
const PAYLOADS = [at(1, 1), at(2, 2), at(2, 2), at(3, 3), at(3, 9), "{", [at(4, 4), at(5, 5)], at(6, 6)];
const MESSAGES = [
  ...PAYLOADS.map((payload, i) => aMessage(payload, { seq: i + 1, receivedAt: T0 + i })),
  aMessage(at(1, 1), { seq: 9, topic: "city/north/air/stranger" }),
];

describe("filling a lost store from the journal", () => {
  it("writes what was stored the first time, and nothing else", async () => {
    const [records, original] = [memoryRecords(), memoryStore()];
    await aWriter(original, records).take(aBatch(PAYLOADS));
    const lost = memoryStore();
    const { written, first, touched } = await fill(lost, MESSAGES);
    expect([written, first]).toEqual([6, T0]);
    expect(touched.length).toBeGreaterThan(0);
    const plain = ({ rows }: typeof lost) =>
      rows.map(({ journalSeq, measuredAt, values }) => ({ journalSeq, measuredAt, values }));
    expect(plain(lost)).toEqual(plain(original));
    expect(booksOf(lost, records)).toMatchObject({ stored: 6, rows: 6 });
  });

  it("writes nothing twice when it is done again, or when a part is there", async () => {
    const store = memoryStore();
    await fill(store, MESSAGES, { to: 5 });
    expect(store.rows).toHaveLength(3);
    expect((await fill(store, MESSAGES)).written).toBe(3);
    expect((await fill(store, MESSAGES)).written).toBe(0);
    expect(store.rows).toHaveLength(6);
  });

  it("goes on behind what is missing", async () => {
    const store = memoryStore();
    expect(await fill(store, MESSAGES, { missing: [1, 2, 3] })).toMatchObject({ written: 4, first: T0 + 3 });
  });

  it("comes before the store writer's first batch; a stop does not wait for it", async () => {
    const [store, records] = [memoryStore(), memoryRecords()];
    const writer = aWriter(store, records);
    const refilled = Promise.withResolvers<void>();
    const waiting = afterRefill({ ...writer, take: writer.takeUntil }, refilled.promise);
    const leaving = new AbortController();
    const stopped = waiting.take(aBatch([at(1, 1)]), leaving.signal);
    leaving.abort(new Error("stopping"));
    await expect(stopped).rejects.toThrow("stopping");
    const taken = waiting.take(aBatch([at(1, 1)]), signal);
    expect(store.rows).toHaveLength(0);
    refilled.resolve();
    await taken;
    expect(store.rows).toHaveLength(1);
  });
});

describe("what is lost", () => {
  const report = (salvaged: Partial<NonNullable<DamageReport["salvaged"]>> = {}): DamageReport => ({
    foundAt: 9,
    why: "",
    hadFile: true,
    state: "salvaged",
    expected: { air: 90, traffic: 10, energy: 0 },
    span: { from: 1_000, to: 9_000 },
    salvaged: { rows: { air: 0, traffic: 0, energy: 0 }, ahead: 0, holes: [], ...salvaged },
  });

  it.each([
    ["nothing", report(), 100, 2_000, { readings: 0, span: {} }],
    ["all up to the journal", report(), 30, 7_000, { readings: 70, span: { from: 1_000, to: 7_000 } }],
    ["what the log had", report({ newest: 5_000 }), 80, 7_000, { readings: 20, span: { from: 5_000, to: 7_000 } }],
    [
      "a block",
      report({ newest: 9_000, holes: [{ from: 2_000, to: 3_000 }] }),
      99,
      7_000,
      { readings: 1, span: { from: 2_000, to: 3_000 } },
    ],
    [
      "a block at the start",
      report({ newest: 9_000, holes: [{ to: 3_000 }] }),
      99,
      7_000,
      { readings: 1, span: { from: 1_000, to: 3_000 } },
    ],
    [
      "readings that are not booked yet do not fill in",
      report({ ahead: 5, newest: 5_000 }),
      80,
      undefined,
      { readings: 25, span: { from: 5_000, to: 9_000 } },
    ],
  ])("%s", (_, damage, rows, first, loss) => {
    expect(reckonLoss(damage, rows, first)).toEqual(loss);
  });

  const DAY = Date.UTC(2026, 10, 21);
  const outcomes = (stored: number) =>
    new Map([
      ["received", stored],
      ["stored", stored],
    ] as const);
  const ledger = {
    bySensor: () => [
      { sensorId: "a", outcomes: outcomes(50) },
      { sensorId: "b", outcomes: outcomes(7) },
    ],
    byDay: () => [
      { day: "2026-11-22", outcomes: outcomes(20) },
      { day: "2026-11-21", outcomes: outcomes(20) },
      { day: "2026-11-20", outcomes: outcomes(10) },
    ],
  };
  const removals = {
    counts: () => new Map([["a", 4]]),
    plans: () => [{ kind: "air" as const, before: 0, counts: new Map([["a", 1]]) }],
  };
  const found = new Map([
    ["a", 20],
    ["b", 7],
  ]);

  it("moves from stored to lost, by sensor, the newest days of the span first", () => {
    const loss = { readings: 25, span: { from: DAY, to: DAY + 1_000 } };
    expect(lossRows(loss, ledger, removals, found)).toEqual([
      { day: "2026-11-21", sensorId: "a", outcome: "received", count: -20 },
      { day: "2026-11-21", sensorId: "a", outcome: "stored", count: -20 },
      { day: "2026-11-21", sensorId: "a", outcome: "lost", count: 20 },
      { day: "2026-11-20", sensorId: "a", outcome: "received", count: -5 },
      { day: "2026-11-20", sensorId: "a", outcome: "stored", count: -5 },
      { day: "2026-11-20", sensorId: "a", outcome: "lost", count: 5 },
    ]);
  });

  it("is not booked where the books tell another story", () => {
    expect(lossRows({ readings: 24, span: {} }, ledger, removals, found)).toBeUndefined();
  });
});
