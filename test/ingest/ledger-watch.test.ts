import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LEDGER_RULE } from "../../ingest/ledger-check.ts";
import { SILENT } from "../../model/log.ts";
import { T0 } from "./helpers.ts";
import { ledgerWorld } from "./ledger-world.ts";

const MOMENT = T0 - 60_000;
const reading = (pm25: number, measuredAt = MOMENT) => ({ measuredAt, pm25 });

let world: ReturnType<typeof ledgerWorld>;
beforeEach(() => {
  world = ledgerWorld();
});
afterEach(() => world.records.close());

describe("the watch over the books", () => {
  const alerts = () => world.records.alerts.list({ rule: LEDGER_RULE }, 10).items;
  const audit = () => world.records.audit.list(10).items.map(({ what }) => what);
  const figure = ({ figures }: ReturnType<typeof world.service>) => figures()[0]!.value;

  it("raises one alert when the identity does not hold, and ends it after a count that finds all right", async () => {
    const ledger = world.service();
    ledger.tick();
    // A count from before the alert must not end it.
    expect((await ledger.verify()).ok).toBe(true);
    world.state.now += 1_000;
    expect([ledger.health().state, figure(ledger), alerts()]).toEqual(["ok", 0, []]);
    const row = { day: "2026-11-21", sensorId: "air-1", outcome: "received" as const };
    world.records.ledger.add([{ ...row, count: 2 }]);
    ledger.tick();
    ledger.tick();
    expect(alerts()).toMatchObject([{ state: "firing", kind: "service", subject: {}, severity: "critical" }]);
    expect(ledger.health()).toMatchObject({
      state: "degraded",
      ready: true,
      reason: expect.stringMatching(/^2 items/),
    });
    expect(figure(ledger)).toBe(2);

    world.records.ledger.add([{ ...row, count: -2 }]);
    ledger.tick();
    expect(alerts()[0]!.state).toBe("firing");
    world.state.now += 1_000;
    await ledger.verify();
    expect(alerts()).toMatchObject([{ state: "resolved", resolvedAt: T0 + 2_000 }]);
    expect([ledger.health().state, figure(ledger)]).toEqual(["ok", 0]);
    expect(audit()).toEqual(["ledger.balanced", "ledger.imbalance"]);
  });

  it("takes up its alert after a restart, counts at once, and ends it when the rows are back", async () => {
    world.append(reading(1));
    await world.take();
    const [row] = world.store.rows.splice(0, 1);
    const before = world.service();
    await before.verify();
    expect([figure(before), alerts()[0]!.explanation]).toEqual([
      1,
      expect.stringContaining("of air-1: 1 in the books, 0 found"),
    ]);

    const after = world.service();
    expect(after.health()).toMatchObject({
      state: "degraded",
      reason: expect.stringContaining("not been counted again"),
    });
    after.tick();
    await after.verify();
    expect([alerts().length, after.health().state]).toEqual([1, "degraded"]);
    world.store.rows.push(row!);
    world.state.now += 10 * 60_000;
    after.tick();
    await after.verify();
    expect(alerts()).toMatchObject([{ state: "resolved" }]);
    expect(alerts()[0]!.timeline.map(({ what }) => what)).toEqual(["firing", "resolved"]);
  });

  it("counts everything once a day by itself", async () => {
    const ledger = world.service();
    let counts = 0;
    const { countBySensor } = world.store;
    world.store.countBySensor = (filter) => {
      counts += 1;
      return countBySensor(filter);
    };
    const another = world.service();
    another.tick();
    expect(counts).toBe(0);
    world.state.now += 86_400_000;
    another.tick();
    another.tick();
    await another.verify();
    expect(counts).toBe(1);
    another.tick();
    world.state.now += 86_399_999;
    another.tick();
    expect(counts).toBe(1);
    await ledger.close();
  });

  it("counts no longer than somebody waits for it, and begins anew for who comes then", async () => {
    const begun: AbortSignal[] = [];
    const { countBySensor } = world.store;
    world.store.countBySensor = ({ signal } = {}) =>
      new Promise((_resolve, reject) => {
        begun.push(signal!);
        signal!.addEventListener("abort", () => reject(signal!.reason));
      });
    const ledger = world.service();
    const clients = [new AbortController(), new AbortController()];
    const asked = clients.map(({ signal }) => ledger.verify(signal));
    await expect.poll(() => begun.length).toBe(1);
    clients[0]!.abort(new Error("gone"));
    await expect(asked[0]).rejects.toThrow("gone");
    // The other one still waits for the same count.
    expect(begun[0]!.aborted).toBe(false);
    clients[1]!.abort(new Error("gone, too"));
    await expect(asked[1]).rejects.toThrow("gone, too");
    expect(begun[0]!.aborted).toBe(true);
    world.store.countBySensor = countBySensor;
    expect((await ledger.verify(new AbortController().signal)).ok).toBe(true);
    await expect(ledger.verify(AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
  });

  it("says later what the records do not take now", async () => {
    const { alerts: kept } = world.records;
    world.append(reading(1));
    await world.take();
    world.store.rows.length = 0;
    let full = true;
    const apply: typeof kept.apply = (transition) => {
      if (full) throw new Error("disk full");
      return kept.apply(transition);
    };
    Object.assign(world.records, { alerts: { ...kept, apply } });
    const ledger = world.service();
    expect((await ledger.verify()).ok).toBe(false);
    expect([alerts(), audit()]).toEqual([[], []]);
    full = false;
    ledger.tick();
    expect([alerts().length, audit()]).toEqual([1, ["ledger.imbalance"]]);
  });
});

it("keeps a log of changes only", async () => {
  const lines: string[] = [];
  const log = { ...SILENT, error: (_: object, text: string) => void lines.push(text) };
  const ledger = world.service({ log });
  world.records.ledger.add([{ day: "2026-11-21", sensorId: "a", outcome: "received", count: 1 }]);
  ledger.tick();
  ledger.tick();
  expect(lines).toEqual(["the books do not balance"]);
});
