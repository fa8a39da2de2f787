import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HOUR, MINUTE, T0 } from "../builders.ts";
import { aCity, aTransition } from "./city.ts";

let city: ReturnType<typeof aCity>;
beforeEach(() => {
  city = aCity();
});
afterEach(() => city.records.close());

const entries = (rule: string, sensor: string) =>
  city.alert(rule, sensor).timeline.map(({ what, note }) => (note ? `${what} ${note}` : what));

describe("what is told", () => {
  it("a firing at once and its end once, with ids that stay the same", () => {
    city.up("plain", "s-1");
    expect(city.notices[0]).toMatchObject({ id: `plain.s-1.${T0}-firing-1`, at: T0, alert: { state: "firing" } });
    city.pass(MINUTE);
    city.down("plain", "s-1", T0);
    expect(city.notices[1]).toMatchObject({ id: `plain.s-1.${T0}-resolved-1`, alert: { state: "resolved" } });
    city.pass(MINUTE);
    city.restart();
    expect(city.told()).toEqual(["firing plain s-1", "resolved plain s-1"]);
  });

  it("a repeat after a crash tells nothing again", () => {
    city.up("plain", "s-1");
    city.restart();
    city.up("plain", "s-1");
    expect(city.told()).toEqual(["firing plain s-1"]);
  });

  it("nothing that was rolled back, and then all of it", () => {
    const enqueued: string[] = [];
    const broken = aCity({ enqueue: ({ id }) => void enqueued.push(id) });
    const { records, noise } = broken;
    const firing = aTransition("firing", "plain", "s-1", T0);
    const attempt = () =>
      records.transaction(() => {
        noise().apply([firing]);
        throw new Error("the disk is full");
      });
    expect(attempt).toThrow("the disk is full");
    expect(records.noise.open()).toEqual([]);
    broken.apply(firing);
    // The first one was taken back with the transaction, because the outbox is written in it.
    expect(enqueued).toEqual([`plain.s-1.${T0}-firing-1`, `plain.s-1.${T0}-firing-1`]);
    records.close();
  });

  it("a firing that is taken back and comes again is told with other ids", () => {
    city.up("plain", "s-1");
    city.pass(MINUTE);
    city.apply(aTransition("retracted", "plain", "s-1", city.now(), { start: T0 }));
    city.pass(MINUTE);
    city.up("plain", "s-1", { start: T0 });
    expect(city.notices.map(({ id }) => id.replace(`plain.s-1.${T0}-`, ""))).toEqual([
      "firing-1",
      "retracted-1",
      "firing-2",
    ]);
  });

  it("the crews, too, where it becomes theirs after it was told; with the same id, so that nobody hears it twice", () => {
    city.up("plain", "s-1");
    city.pass(30 * MINUTE);
    const { alert } = aTransition("firing", "plain", "s-1", city.now(), { start: T0, audience: "crews" });
    const verdict = { alert, entry: { at: city.now(), knownAt: city.now(), what: "verdict" } };
    city.apply(verdict);
    city.restart();
    city.apply(verdict);
    expect(city.notices.map(({ id, alert }) => [id, alert.audience])).toEqual([
      [`plain.s-1.${T0}-firing-1`, "operators"],
      [`plain.s-1.${T0}-firing-1`, "crews"],
    ]);
    city.told();
    city.down("plain", "s-1", T0);
    expect(city.told()).toEqual(["resolved plain s-1"]);
  });

  it("troubles of different parts of the service each for itself: they do not flap together", () => {
    for (const part of ["store", "journal", "ledger", "mqtt", "disk"]) {
      const rule = { id: "service-health", version: "1", title: `Trouble: ${part}`, source: "itself" };
      const { alert, entry } = aTransition("firing", "service-health", part, city.now(), {
        kind: "service",
        subject: {},
      });
      city.apply({ alert: { ...alert, rule }, entry });
      city.pass(MINUTE);
    }
    expect(city.notices.map(({ alert }) => alert.suppressedBy)).toEqual(Array(5).fill(undefined));
  });

  it("both in one batch: how readings were cut must not matter", () => {
    city.apply(
      aTransition("firing", "plain", "s-1", T0),
      aTransition("resolved", "plain", "s-1", T0 + MINUTE, { start: T0 }),
    );
    expect(city.told()).toEqual(["firing plain s-1", "resolved plain s-1"]);
  });

  it("nothing of pending and shadow alerts, which inhibit nobody either", () => {
    city.up("plain", "s-1", { state: "pending" });
    city.up("outage", "gw-1", { mode: "shadow" });
    city.up("silent", "s-1");
    city.pass(2 * MINUTE);
    expect(city.told()).toEqual(["firing silent s-1"]);
    expect(city.alert("outage", "gw-1").mode).toBe("shadow");
  });

  it("the end of what was told, also where the rule is on trial since", () => {
    city.up("plain", "s-1");
    city.pass(MINUTE);
    city.down("plain", "s-1", T0, { mode: "shadow" });
    expect(city.told()).toEqual(["firing plain s-1", "resolved plain s-1"]);
  });

  it("alerts of the service about itself, which come from elsewhere", () => {
    const transition = aTransition("firing", "ledger-imbalance", "s-1", T0, { kind: "service", subject: {} });
    city.records.alerts.apply(transition);
    expect(city.told()).toEqual(["firing ledger-imbalance undefined"]);
    city.pass(MINUTE);
    city.records.alerts.apply({
      alert: { ...transition.alert, state: "resolved", resolvedAt: city.now() },
      entry: { at: city.now(), knownAt: city.now(), what: "resolved" },
    });
    expect(city.told()).toEqual(["resolved ledger-imbalance undefined"]);
  });

  it("what fires already when the service starts, once", () => {
    city.records.alerts.apply(aTransition("firing", "plain", "s-1", T0));
    city.restart();
    city.restart();
    expect(city.told()).toEqual(["firing plain s-1"]);
  });

  it("reminders every four hours while nobody has acknowledged it", () => {
    city.up("plain", "s-1");
    city.pass(4 * HOUR - 1);
    expect(city.told()).toEqual(["firing plain s-1"]);
    city.pass(1);
    city.pass(3 * HOUR);
    expect(city.told()).toEqual(["reminder plain s-1"]);
    city.restart();
    city.pass(HOUR);
    expect(city.told()).toEqual(["reminder plain s-1"]);
    const { id } = city.alert("plain", "s-1");
    city.records.alerts.handle(id, { handling: "acknowledged" }, { at: 1, knownAt: 1, what: "acknowledged" });
    for (let hour = 0; hour < 9; hour++) city.pass(HOUR);
    expect(city.told()).toEqual([]);
  });
});

describe("silences", () => {
  it("keep an alert quiet while they are on; it is recorded, and told when they end", () => {
    const id = city.silence({ sensor: ["s-1", "s-9"], severity: "warning" });
    city.up("plain", "s-1");
    city.up("plain", "s-2");
    expect(city.told()).toEqual(["firing plain s-2"]);
    expect(city.alert("plain", "s-1").suppressedBy).toBe(`silence:${id}`);
    expect(entries("plain", "s-1")).toEqual(["firing", `suppressed silence:${id}: a test (silence ${id} by anna)`]);
    city.pass(61 * MINUTE);
    expect(city.told()).toEqual(["firing plain s-1"]);
    expect(city.alert("plain", "s-1").suppressedBy).toBeUndefined();
    expect(entries("plain", "s-1").at(-1)).toBe("released");
  });

  it("tell nothing of an alert that ends within them, and show why nobody heard of it", () => {
    const id = city.silence({ rule: "plain" }, { kind: "maintenance" });
    city.up("plain", "s-1");
    city.pass(MINUTE);
    city.down("plain", "s-1", T0);
    city.pass(2 * HOUR);
    expect(city.told()).toEqual([]);
    expect(city.alert("plain", "s-1")).toMatchObject({ state: "resolved", suppressedBy: `maintenance:${id}` });
  });

  it("do not keep the end of what was told before them", () => {
    city.up("plain", "s-1");
    city.silence({ district: "north" });
    expect(city.alert("plain", "s-1").suppressedBy).toMatch(/^silence:/);
    city.down("plain", "s-1", T0);
    expect(city.told()).toEqual(["firing plain s-1", "resolved plain s-1"]);
  });

  it("do not tell a second time of what was told before them, nor remind while they are on", () => {
    city.up("plain", "s-1");
    city.silence({ tag: { feeder: "f-1" } }, { endsAt: T0 + 5 * HOUR });
    city.pass(4 * HOUR);
    expect(city.told()).toEqual(["firing plain s-1"]);
    city.pass(2 * HOUR);
    expect(city.told()).toEqual(["reminder plain s-1"]);
  });

  it("end when somebody ends them", () => {
    const id = city.silence({ gateway: "gw-2" });
    city.up("plain", "s-3");
    city.records.silences.end(id, city.now(), "bert");
    city.pass(5_000);
    expect(city.told()).toEqual(["firing plain s-3"]);
  });

  it("begin and end while the service is down", () => {
    city.silence({ sensor: "s-1" }, { startsAt: T0 + MINUTE, endsAt: T0 + 10 * MINUTE });
    city.up("plain", "s-1");
    city.pass(2 * MINUTE);
    expect(city.alert("plain", "s-1").suppressedBy).toMatch(/^silence:/);
    city.pass(0);
    city.restart();
    city.pass(10 * MINUTE);
    city.restart();
    expect(city.alert("plain", "s-1").suppressedBy).toBeUndefined();
    expect(city.told()).toEqual(["firing plain s-1"]);
  });
});

it("has figures of what it keeps quiet and what waits", () => {
  city.silence({ sensor: "s-4" });
  city.up("plain", "s-4");
  city.up("silent", "s-1");
  const figures = Object.fromEntries(
    city
      .noise()
      .figures()
      .map(({ name, labels, value }) => [`${name} ${Object.values(labels ?? {})}`, value]),
  );
  expect(figures).toMatchObject({
    "lamppost_alerts_suppressed silence": 1,
    "lamppost_alerts_suppressed rule": 0,
    "lamppost_alerts_held ": 1,
    "lamppost_notices_total firing": 0,
  });
});
