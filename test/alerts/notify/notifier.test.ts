import { describe, expect, it } from "vitest";
import type { Notice } from "../../../model/alert.ts";
import { MINUTE, T0 } from "../builders.ts";
import { aNotice, aTarget, createWorld } from "./world.ts";

const HOUR = 60 * MINUTE;
const A = "https://hooks.example/a";
const B = "https://hooks.example/b";

function start(...targets: Parameters<typeof aTarget>[0][]) {
  const world = createWorld();
  for (const target of targets) world.records.targets.put(aTarget(target));
  world.notifier.start();
  return world;
}

describe("the notifier", () => {
  it("tells a beginning and its end, each once", async () => {
    const world = start({});
    world.enqueue(aNotice());
    await world.run(1_000);
    world.enqueue(aNotice({}, "resolved"));
    await world.run(1_000);
    expect(world.told()).toEqual(["alert.firing al-1 @0s", "alert.resolved al-1 @1s"]);
  });

  it("tells nothing of what was rolled back, and repeats nothing", async () => {
    const world = start({});
    const fail = () =>
      world.records.transaction(() => {
        world.notifier.enqueue(aNotice());
        throw new Error("the disk is full");
      });
    expect(fail).toThrow("full");
    await world.run(1_000);
    expect(world.requests).toEqual([]);
    world.enqueue(aNotice(), aNotice());
    world.enqueue(aNotice());
    await world.run(1_000);
    expect(world.told()).toHaveLength(1);
  });

  it("tries again later and later with the same id and body, until it works", async () => {
    const world = start({});
    world.play(A, (_, nth) => (nth <= 4 ? 503 : 204));
    world.enqueue(aNotice());
    await world.run(MINUTE);
    expect(world.requests.map(({ at }) => at - world.requests[0]!.at)).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
    expect(new Set(world.requests.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(world.requests.map(({ body }) => body)).size).toBe(1);
    expect(world.records.targets.state("hook")).toMatchObject({ failures: 0 });
  });

  it("tells an end never before its beginning, whatever is retried", async () => {
    const world = start({});
    world.play(A, ({ body }, nth) => (body.includes("alert.firing") && nth < 4 ? 400 : 200));
    world.enqueue(aNotice());
    await world.run(1);
    world.enqueue(aNotice({}, "resolved"), aNotice({ id: "al-2" }));
    await world.run(HOUR);
    const lines = world.told().map((line) => line.replace(/ @.*/, ""));
    expect(lines.indexOf("alert.resolved al-1")).toBeGreaterThan(lines.lastIndexOf("alert.firing al-1"));
    // The refused one holds up its own end, not another alert.
    expect(lines.indexOf("alert.firing al-2")).toBeLessThan(lines.lastIndexOf("alert.firing al-1"));
  });

  it("a target that hangs or is dead delays no other", async () => {
    const world = start({ id: "hanging", url: B }, { id: "dead", url: `${B}/dead` }, {});
    world.play(B, () => new Promise(() => {}));
    world.play(`${B}/dead`, () => new Error("ECONNREFUSED"));
    for (let n = 0; n < 20; n += 1) world.enqueue(aNotice({ id: `al-${n}` }));
    await world.run();
    expect(world.told()).toHaveLength(20);
    expect(world.told(B)).toHaveLength(1);
  });

  it("one at a time for each target", async () => {
    const world = start({});
    const gate = Promise.withResolvers<number>();
    world.play(A, () => gate.promise);
    world.enqueue(aNotice(), aNotice({ id: "al-2" }));
    await world.run(1_000);
    expect(world.told()).toHaveLength(1);
    gate.resolve(200);
    await world.run();
    expect(world.told()).toHaveLength(2);
  });

  it("waits as long as Retry-After says", async () => {
    const world = start({});
    world.play(A, (_, nth) => (nth === 1 ? { status: 429, retryAfter: "600" } : 200));
    world.enqueue(aNotice());
    await world.run(HOUR);
    expect(world.told()).toEqual(["alert.firing al-1 @0s", "alert.firing al-1 @600s"]);
  });

  it("410 disables the target: nothing more is sent, it says why, the audit knows", async () => {
    const world = start({});
    world.play(A, () => 410);
    world.enqueue(aNotice(), aNotice({ id: "al-2" }));
    await world.run(HOUR);
    world.enqueue(aNotice({ id: "al-3" }));
    await world.run(HOUR);
    expect(world.requests).toHaveLength(1);
    expect(world.records.targets.get("hook")!.enabled).toBe(false);
    expect(world.records.targets.state("hook").disabledBecause).toMatch(/410/);
    expect(world.records.audit.list(1).items[0]).toMatchObject({ what: "target.disable", target: "hook" });
    expect(world.notifier.health()).toMatchObject({ state: "degraded", ready: true });
    expect(world.records.outbox.pending().size).toBe(0);
  });

  it("a refused message is given up after some tries, and kept as failed", async () => {
    const world = start({});
    world.play(A, ({ body }) => (body.includes("al-1") ? 422 : 200));
    world.enqueue(aNotice());
    await world.run(10 * HOUR);
    expect(world.requests).toHaveLength(7);
    world.enqueue(aNotice({ id: "al-2" }));
    await world.run();
    expect(world.told().at(-1)).toContain("al-2");
    const value = (name: string) =>
      world.notifier.figures().find((one) => one.name === name && one.labels?.type === "webhook")!.value;
    expect(value("lamppost_notifications_given_up_total")).toBe(1);
    expect(value("lamppost_notifications_failed_total")).toBe(7);
    expect(value("lamppost_notifications_sent_total")).toBe(1);
    expect(value("lamppost_notifications_pending")).toBe(0);
  });

  it("a dead target is asked ever less often and given up after three days", async () => {
    const world = start({});
    world.play(A, () => new Error("no"));
    world.enqueue(aNotice());
    await world.run(24 * HOUR);
    expect(world.requests.length).toBeLessThan(40);
    expect(world.notifier.health().reason).toContain("Target hook");
    await world.run(49 * HOUR);
    expect(world.records.outbox.pending().size).toBe(0);
    const after = world.requests.length;
    await world.run(24 * HOUR);
    expect(world.requests).toHaveLength(after);
  });

  it("what waits is told by the next life, with the same id", async () => {
    const world = start({});
    world.play(A, () => new Error("no network"));
    world.enqueue(aNotice());
    await world.run(1_500);
    await world.notifier.stop();
    world.play(A, () => 200);
    const next = world.life();
    next.start();
    await world.run();
    expect(world.requests.length).toBeGreaterThan(1);
    expect(new Set(world.requests.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(world.records.outbox.pending().size).toBe(0);
    await next.stop();
  });

  it("what is days old when the service starts is no news any more", async () => {
    const world = start({});
    world.play(A, () => new Error("no network"));
    world.enqueue(aNotice());
    await world.run();
    await world.notifier.stop();
    await world.run(71 * HOUR);
    world.enqueue(aNotice({ id: "al-2" }));
    await world.run(2 * HOUR);
    world.play(A, () => 200);
    const next = world.life();
    next.start();
    await world.run();
    expect(world.told().at(-1)).toMatch(/al-2/);
    expect(world.told()).toHaveLength(2);
    await next.stop();
  });

  it("an end goes to whoever heard of the beginning, also when the routes have changed since", async () => {
    const world = start({ audience: "operators" }, { id: "crews", url: B, audience: "crews" });
    world.enqueue(aNotice());
    await world.run();
    world.records.targets.put(aTarget({ audience: "operators", severityMin: "critical" }));
    world.enqueue(aNotice({ audience: "crews" }, "resolved"));
    await world.run();
    expect(world.told()).toEqual(["alert.firing al-1 @0s", "alert.resolved al-1 @0s"]);
    expect(world.told(B)).toEqual([]);
  });

  it("a 410 of the old address does not switch off a target that was changed meanwhile", async () => {
    const world = start({});
    const gate = Promise.withResolvers<number>();
    world.play(A, () => gate.promise);
    world.enqueue(aNotice());
    await world.run();
    world.records.targets.put(aTarget({ url: B }));
    gate.resolve(410);
    await world.run();
    expect(world.records.targets.get("hook")!.enabled).toBe(true);
    expect(world.told(B)).toHaveLength(1);
  });

  it("books what was told before something failed: it is not told again", async () => {
    const world = start({});
    world.play(A, ({ body }, nth) => (body.includes("al-2") && nth < 10 ? 503 : 200));
    world.enqueue(aNotice({ id: "al-1" }), aNotice({ id: "al-2" }), aNotice({ id: "al-3" }));
    await world.run(HOUR);
    const lines = world.told().map((line) => line.replace(/ @.*/, ""));
    expect(lines.filter((line) => line.endsWith("al-1"))).toHaveLength(1);
    expect(lines.at(-1)).toBe("alert.firing al-3");
  });

  it("says nothing more of an alert after its end", async () => {
    const world = start({});
    world.enqueue(aNotice(), aNotice({}, "resolved"), aNotice({}, "reminder"), aNotice({}, "retracted"));
    await world.run();
    expect(world.told()).toEqual(["alert.firing al-1 @0s", "alert.resolved al-1 @0s"]);
  });

  it("a changed target is asked at once, a removed one never again", async () => {
    const world = start({});
    world.play(A, () => new Error("wrong address"));
    world.enqueue(aNotice());
    await world.run(10 * MINUTE);
    world.records.targets.put(aTarget({ url: B }));
    await world.run();
    expect(world.told(B)).toHaveLength(1);
    world.play(B, () => 500);
    world.enqueue(aNotice({ id: "al-2" }));
    await world.run();
    world.records.targets.remove("hook");
    const asked = world.requests.length;
    await world.run(HOUR);
    expect(world.requests).toHaveLength(asked);
  });

  it("gathers a group, waits for it, and keeps it as it is on every retry", async () => {
    const world = start({ groupBy: "district", groupWait: "30s" });
    world.play(A, (_, nth) => (nth === 1 ? 503 : 200));
    world.enqueue(aNotice({ id: "al-1" }));
    await world.run(10_000);
    world.enqueue(aNotice({ id: "al-2" }), aNotice({ id: "al-3", subject: { district: "south" } }));
    await world.run(20_500);
    world.enqueue(aNotice({ id: "al-4" }));
    await world.run(5 * MINUTE);
    expect(world.told()).toEqual([
      "alert.group firing al-1, firing al-2 @30s",
      "alert.group firing al-1, firing al-2 @31s",
      "alert.firing al-3 @40s",
      "alert.firing al-4 @60.5s",
    ]);
    expect(world.requests[0]!.headers["webhook-id"]).toBe(world.requests[1]!.headers["webhook-id"]);
  });

  it("does not let critical alerts wait for a group or a morning", async () => {
    const quietHours = { timeZone: "UTC", from: "00:00", to: "06:00" };
    const world = start({ groupBy: "rule", quietHours });
    world.enqueue(aNotice({ severity: "critical" }), aNotice({ id: "al-2" }));
    await world.run();
    expect(world.told()).toEqual(["alert.firing al-1 @0s"]);
    world.enqueue(aNotice({ id: "al-3", rule: { id: "other", version: "1", title: "Other", source: "x" } }));
    world.enqueue(aNotice({ id: "al-2" }, "resolved"));
    await world.run(7 * HOUR);
    expect(world.told().slice(1)).toEqual(["alert.group firing al-2, firing al-3, resolved al-2 @21600s"]);
  });

  it("tries a mail that some addresses refuse again for those, shows who, and holds up nothing for the others", async () => {
    const mails: { to: readonly string[]; subject: string; at: number }[] = [];
    let full = true;
    const world = createWorld({
      mail: async ({ to, subject }) => {
        mails.push({ to, subject, at: world.now() - T0 });
        const refusing = full ? to.filter((address) => address.startsWith("otto")) : [];
        return refusing.map((address) => ({ address, why: "the mail server answered 452" }));
      },
    });
    const to = "olga@city.example, otto@city.example";
    world.records.targets.put(aTarget({ id: "desk", type: "email", url: undefined, to }));
    world.notifier.start();
    world.enqueue(aNotice());
    await world.run(1_000);
    world.enqueue(aNotice({ id: "al-2" }));
    await world.run(20_000);
    expect(mails.map(({ to, at }) => [to.length, at])).toEqual([
      [2, 0],
      [2, 1_000],
      [1, 5_000],
      [1, 6_000],
    ]);
    expect(world.records.targets.state("desk")).toMatchObject({
      failures: 0,
      refusing: [{ address: "otto@city.example", why: "the mail server answered 452" }],
    });
    expect(world.notifier.health()).toMatchObject({
      state: "degraded",
      reason: expect.stringContaining("1 of its addresses"),
    });
    expect(world.notifier.health().reason).not.toContain("otto");
    world.enqueue(aNotice({}, "resolved"));
    await world.run(100);
    expect(mails.at(-1)).toMatchObject({ to: ["olga@city.example", "otto@city.example"] });
    full = false;
    await world.run(HOUR);
    expect(world.records.targets.state("desk").refusing).toBeUndefined();
    expect(world.records.outbox.pending().size).toBe(0);
    expect(world.notifier.health()).toMatchObject({ state: "ok" });
  });

  it("gives up a mail for whoever goes on refusing it", async () => {
    let asked = 0;
    const world = createWorld({
      mail: async ({ to }) => {
        asked += 1;
        return to
          .filter((one) => one.startsWith("otto"))
          .map((address) => ({ address, why: "the mail server answered 550" }));
      },
    });
    const to = "olga@city.example, otto@city.example";
    world.records.targets.put(aTarget({ type: "email", url: undefined, to }));
    world.notifier.start();
    world.enqueue(aNotice());
    await world.run(10 * HOUR);
    expect([asked, world.records.outbox.pending().size]).toEqual([7, 0]);
    expect(world.records.targets.state("hook").refusing).toHaveLength(1);
  });

  it("a full queue gives up the oldest", async () => {
    const world = start({});
    world.play(A, () => new Error("no"));
    const notices: Notice[] = [];
    for (let n = 0; n < 10_200; n += 1) notices.push(aNotice({ id: `al-${n}` }));
    world.enqueue(...notices);
    await world.run();
    expect(world.records.outbox.pending().get("hook")).toBe(10_000);
    await world.notifier.stop();
  });
});
