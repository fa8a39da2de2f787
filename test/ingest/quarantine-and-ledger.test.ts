import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLedger } from "../../ingest/ledger.ts";
import { createNotices, redriveItems, redriveMessage } from "../../ingest/quarantine.ts";
import type { LedgerOutcome } from "../../model/ledger.ts";
import { SILENT } from "../../model/log.ts";
import { countElements, splitElements } from "../../model/message.ts";
import type { Rejection } from "../../model/rejection.ts";
import { openRecords } from "../../store/records.ts";
import { aBatch, aMessage, GATEWAY, T0 } from "./helpers.ts";

function redriven(payload: unknown, place = 0, fields = {}): string | undefined {
  const rejection = aBatch([payload], 7, fields).rejections[place]!;
  const message = redriveMessage({ rejection });
  return message && Buffer.from(message.payload).toString();
}

describe("driving a quarantined message again", () => {
  it("keeps its first receivedAt, source and topic", () => {
    const fields = { receivedAt: T0 - 5, source: GATEWAY, topic: "city/north/air/new-9" };
    const { rejections } = aBatch([{ pm25: 1 }], 7, fields);
    const { payload } = aMessage({ pm25: 1 });
    expect(redriveMessage({ rejection: rejections[0]! })).toEqual({ ...fields, payload });
  });

  it("takes only the rejected element of an array, byte for byte", () => {
    const array = '[ {"pm25":1} , {"pm25" : "a,]\\"}{[", "no2":1.50e9},{"no2":[1,[2]]}]';
    expect(redriven(array, 0)).toBe(' {"pm25" : "a,]\\"}{[", "no2":1.50e9}');
    expect(redriven(array, 1)).toBe('{"no2":[1,[2]]}');
    expect(redriven('\ufeff[{"pm25":"x"},[1,2]]', 0)).toBe('{"pm25":"x"}');
    expect(redriven('\ufeff[{"pm25":"x"},[1,2]]', 1)).toBe("[1,2]");
  });

  it("takes the whole message where the whole was rejected", () => {
    for (const whole of ["[1,", "[]", '[{"pm25":"x"}]', '{"pm25":"x"}', "5"]) expect(redriven(whole)).toBe(whole);
    expect(redriven('[{"pm25":1},{"pm25":2}]', 0, { topic: "nowhere" })).toBe('[{"pm25":1},{"pm25":2}]');
    const many = `[${Array(501).fill("{}").join(",")}]`;
    expect(redriven(many)).toBe(many);
  });

  it("takes of a reading that went on the value that was refused, at its moment", () => {
    const payload = { measuredAt: "2026-11-21T09:00:00+01:00", pm25: 5, o3: 1071, no2: "31,5" };
    expect(redriven(payload, 0)).toBe('{"measuredAt":"2026-11-21T08:00:00.000Z","o3":1071}');
    expect(redriven(payload, 1)).toBe('{"measuredAt":"2026-11-21T08:00:00.000Z","no2":"31,5"}');
    expect(redriven('{"pm25":5,"no2":1e400}')).toBe('{"measuredAt":"2026-11-21T10:00:00.000Z","no2":1e400}');
    expect(redriven({ pm25: 5, no2: "x".repeat(300) })).toBeUndefined();
  });

  it("cannot where nothing was kept", () => {
    expect(redriven({ plate: "x" })).toBeUndefined();
    expect(redriven("x".repeat(70_000))).toBeUndefined();
  });
});

describe("driving many again", () => {
  /** Messages of 60 KB that came one a minute, in quarantine in another order. */
  function aQuarantine(messages: number) {
    const records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
    const text = "x".repeat(60_000);
    const order = Array.from({ length: messages }, (_, n) => (n * 7) % messages);
    for (const [n, minute] of order.entries())
      records.quarantine.add(aBatch([text], n + 1, { receivedAt: T0 + minute * 60_000 }).rejections);
    return { records, ids: () => records.quarantine.undriven("malformed_json", 10_000) };
  }

  it("goes oldest first and in pieces, each marked once it is kept; what broke off goes on there", async () => {
    const { records, ids } = aQuarantine(100);
    const kept: number[] = [];
    const pieces: number[] = [];
    const append = (room: number) => async (all: readonly { receivedAt: number; payload: Uint8Array }[]) => {
      if (kept.length + all.length > room) throw new Error("no room");
      pieces.push(all.reduce((sum, { payload }) => sum + payload.byteLength, 0));
      kept.push(...all.map(({ receivedAt }) => (receivedAt - T0) / 60_000));
    };
    const drive = (room: number) =>
      redriveItems({ append: append(room), quarantine: records.quarantine, now: () => T0 }, ids(), "anna");
    await expect(drive(60)).rejects.toThrow("no room");
    expect(kept.length).toBeGreaterThan(30);
    expect(ids()).toHaveLength(100 - kept.length);
    await drive(1_000);
    expect(kept).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(Math.max(...pieces)).toBeLessThanOrEqual(1024 * 1024);
    expect(await drive(1_000)).toBe(0);
    records.close();
  });
});

it("cuts any array into elements that parse to what the array parses to", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.constantFrom(0, 1), (array, indent) => {
      const bytes = new TextEncoder().encode(JSON.stringify(array, undefined, indent));
      const elements = splitElements(bytes)!.map((one) => JSON.parse(new TextDecoder().decode(one)));
      expect(elements).toEqual(JSON.parse(JSON.stringify(array)));
      expect(countElements(bytes, 1_000)).toBe(array.length);
      expect(countElements(bytes, 2)).toBe(Math.min(2, array.length));
    }),
    { numRuns: 2_000 },
  );
});

it("counts one element where there is no array", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  for (const text of ["", "{}", '{"a":[{},{},{}]}', "7", " ", "[]"]) expect(countElements(bytes(text), 500)).toBe(1);
  expect(countElements(bytes("[{},{},{}"), 500)).toBe(2);
});

it("keeps no more bytes of a message with many faults than the message has", () => {
  const payload = Array(500).fill({ pm25: "x" });
  const kept = aBatch([payload]).rejections.reduce((sum, one) => sum + one.payload!.byteLength, 0);
  expect(kept).toBeLessThan(JSON.stringify(payload).length);
});

describe("the ledger", () => {
  const book = (entries: Partial<Record<LedgerOutcome, number>>) =>
    new Map(Object.entries(entries)) as Map<LedgerOutcome, number>;
  const view = (outcomes: ReturnType<typeof book>, pending: number) =>
    readLedger({
      ledger: { totals: () => outcomes, byDay: () => [{ day: "2026-11-21", outcomes }] },
      pendingMessages: () => pending,
    });

  it("adds up, with what waits in the journal", () => {
    const outcomes = book({ received: 10, stored: 6, duplicate: 1, conflict: 2, malformed_json: 1, shed: 2 });
    const sums = {
      stored: 6,
      duplicate: 1,
      quarantined: 3,
      shed: 2,
      lost: 0,
      reasons: { conflict: 2, malformed_json: 1 },
      balanced: true,
      values: { taken: 0, suspect: 0, missing: 0, refused: 0, repeated: 0 },
    };
    expect(view(outcomes, 5)).toEqual({
      ...sums,
      received: 17,
      inJournal: 5,
      scope: "settled",
      days: [{ ...sums, day: "2026-11-21", received: 12, inJournal: 0 }],
    });
  });

  it("says so when it does not", () => {
    expect(view(book({ received: 10, stored: 9 }), 0).balanced).toBe(false);
    expect(view(book({}), 0)).toMatchObject({ received: 0, balanced: true });
  });
});

it("tells a device of a rejection at most once per second", () => {
  let time = 0;
  const told: string[] = [];
  const { notice, withheld } = createNotices(
    (topic, payload) => told.push(`${topic} ${JSON.parse(payload).reason}`),
    () => time,
  );
  const [rejection] = aBatch(["noise"]).rejections;
  const of = (sensorId: string): Rejection => ({ ...rejection!, sensorId });
  for (const [at, sensor] of [
    [0, "a"],
    [1, "a"],
    [1, "b"],
    [999, "a"],
    [1000, "a"],
    [500, "a"],
  ] as const) {
    time = at;
    notice(of(sensor));
  }
  const { sensorId: _, ...nobody } = rejection!;
  notice(nobody);
  // The clock went back for the last one: better told than silent for an hour.
  expect(told).toEqual(["a", "b", "a", "a"].map((id) => `city/north/air/${id}/rejected malformed_json`));
  expect(withheld()).toBe(2);
});

it("tells a device of all that was refused of a message at once", () => {
  const told: unknown[] = [];
  const { notice } = createNotices((_, payload) => told.push(JSON.parse(payload)), Date.now);
  const [first, ...others] = aBatch([[{ pm25: 5, o3: 1071, no2: true }, { pm25: 1e9 }]]).rejections;
  notice(first!, others);
  expect(told).toMatchObject([
    {
      index: 0,
      metric: "o3",
      reason: "out_of_range",
      also: [
        { index: 0, metric: "no2", reason: "wrong_type" },
        { index: 1, reason: "out_of_range" },
      ],
    },
  ]);
});
