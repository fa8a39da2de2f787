import { describe, expect, it } from "vitest";
import { NEWEST_KEPT } from "../../ingest/resends.ts";
import type { LedgerOutcome } from "../../model/ledger.ts";
import { ledgerWorld } from "./ledger-world.ts";

const MINUTE_MS = 60_000;

function aCounter() {
  const world = ledgerWorld();
  /** Messages without a time, a second apart. */
  const send = async (...payloads: readonly unknown[]) => {
    for (const payload of payloads) {
      world.state.now += 1_000;
      world.append(payload);
    }
    await world.take();
  };
  const sum = (outcome: LedgerOutcome) => world.records.ledger.totals().get(outcome) ?? 0;
  return { ...world, send, booked: () => [sum("stored"), sum("duplicate")] };
}

describe("a message without a time that is sent again", () => {
  it("is a duplicate by its counter and values, a new counter is a new reading", async () => {
    const { send, booked, store } = aCounter();
    await send({ seq: 1, pm25: 40 }, { seq: 1, pm25: 40 }, { seq: 2, pm25: 40 });
    await send({ seq: 1, pm25: 40 }, { seq: 2, pm25: 40 }, { seq: 3, pm25: 40 });
    expect(booked()).toEqual([3, 3]);
    expect(store.rows).toHaveLength(3);
  });

  it("is known after a restart, and after a crash between the write and the books", async () => {
    const world = aCounter();
    await world.send({ seq: 1, pm25: 40 });
    world.state.now += MINUTE_MS;
    world.append({ seq: 1, pm25: 40 });
    world.append({ seq: 2, pm25: 41 });
    await world.take(Number.POSITIVE_INFINITY, "after-write");
    await world.take();
    expect(world.booked()).toEqual([2, 1]);
    expect(world.store.rows.map(({ values }) => values.pm25)).toEqual([40, 41]);
    expect([...world.records.resends.places(1, 10)]).toEqual(["2 0"]);
  });

  it("is new where the counter is none: other values under one number, or a number that never moves", async () => {
    const { send, booked } = aCounter();
    await send({ seq: 0, pm25: 40 }, { seq: 0, pm25: 41 }, { seq: 0, pm25: 40 }, { seq: 0, pm25: 41 });
    expect(booked()).toEqual([4, 0]);
    const stuck = aCounter();
    await stuck.send(...Array.from({ length: 20 }, () => ({ seq: 7, pm25: 1 })));
    expect(stuck.booked()).toEqual([12, 8]);
  });

  it("is new when the number comes again a day later, or no longer among the last few", async () => {
    const { send, booked, state } = aCounter();
    await send({ seq: 1, pm25: 40 });
    state.now += 25 * 60 * MINUTE_MS;
    await send({ seq: 1, pm25: 40 });
    expect(booked()).toEqual([2, 0]);
    await send(...Array.from({ length: NEWEST_KEPT + 1 }, (_, n) => ({ seq: 10 + n, pm25: 1 })));
    await send({ seq: 10, pm25: 1 });
    expect(booked()).toEqual([NEWEST_KEPT + 4, 0]);
  });

  it("is known of a long buffer, all of it, or its end where it is longer than what is kept, also after a restart", async () => {
    const buffer = (length: number) => Array.from({ length }, (_, n) => ({ seq: n + 1, pm25: n }));
    const long = aCounter();
    await long.send(...buffer(100));
    await long.send(...buffer(101));
    expect(long.booked()).toEqual([101, 100]);
    const longer = aCounter();
    await longer.send(...buffer(NEWEST_KEPT + 50));
    await longer.send(...buffer(NEWEST_KEPT + 50));
    const [stored = 0, again = 0] = longer.booked();
    expect(stored + again).toBe(2 * (NEWEST_KEPT + 50));
    expect(again).toBeGreaterThanOrEqual(NEWEST_KEPT - 33);
    expect(longer.records.resends.newest("air-1").length).toBe(NEWEST_KEPT);
  });

  it("says nothing of messages with a time, or without a counter", async () => {
    const { send, booked } = aCounter();
    const measuredAt = Date.UTC(2026, 10, 21, 9);
    await send(
      { seq: 1, pm25: 4, measuredAt },
      { seq: 1, pm25: 4, measuredAt: measuredAt + 1 },
      { pm25: 4 },
      { pm25: 4 },
    );
    expect(booked()).toEqual([4, 0]);
  });
});

describe("the books of values", () => {
  it("tell what became of each, by day and sensor, beside the items", async () => {
    const world = ledgerWorld();
    const measuredAt = world.state.now - MINUTE_MS;
    world.append({ measuredAt, pm25: 1, pm10: null, no2: -999 });
    world.append({ measuredAt, pm25: 1, o3: 60, so2: 98_765 });
    world.append({ measuredAt, pm25: 2, co: 0.2 });
    world.append({ measuredAt, pm25: 1 });
    world.append({ measuredAt, pm25: 3 });
    await world.take(2, "after-write");
    await world.take();
    const ledger = await world.service().read({ bySensor: true });
    const values = { taken: 3, suspect: 0, missing: 2, refused: 3, repeated: 2 };
    expect(ledger).toMatchObject({ received: 5, stored: 3, duplicate: 1, quarantined: 1, balanced: true, values });
    expect(ledger.days[0]).toMatchObject({ values });
    expect(ledger.sensors).toMatchObject([{ sensorId: "air-1", values }]);
    expect(await world.service().verify()).toMatchObject({ ok: true, readings: { found: 3 }, differences: [] });
  });
});
