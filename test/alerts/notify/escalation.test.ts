import { describe, expect, it } from "vitest";
import { MINUTE, T0 } from "../builders.ts";
import { aNotice, anAlert, aTarget, createWorld } from "./world.ts";

const CHIEF = "https://hooks.example/chief";

/** A first target that escalates to the chief after 15 minutes, and an alert that fires. */
function start(fields: Parameters<typeof aTarget>[0] = {}) {
  const world = createWorld();
  world.records.targets.put(aTarget({ id: "chief", name: "The chief", url: CHIEF, rules: ["none"] }));
  world.records.targets.put(aTarget({ escalateAfter: "15m", escalateTo: "chief", ...fields }));
  world.notifier.start();
  const { handling: _, timeline: __, ...alert } = anAlert();
  const apply = (change: object, what: string) =>
    world.records.transaction(() => {
      const at = world.now();
      const applied = world.records.alerts.apply({ alert: { ...alert, ...change }, entry: { at, knownAt: at, what } });
      world.notifier.enqueue({ id: `al-1:${what}`, at, what: what as "firing", alert: applied! });
    });
  const people = (handling: "acknowledged") =>
    world.records.alerts.handle("al-1", { handling }, { at: T0, knownAt: T0, what: handling, by: "olga" });
  apply({}, "firing");
  return { ...world, apply, people };
}

describe("escalation", () => {
  it("tells the next one when nobody has acknowledged, once, and the timeline says so", async () => {
    const world = start();
    await world.run(15 * MINUTE - 1);
    expect(world.told(CHIEF)).toEqual([]);
    await world.run(60 * MINUTE);
    expect(world.told(CHIEF)).toEqual(["alert.escalated al-1 @900s"]);
    const { timeline } = world.records.alerts.get("al-1")!;
    expect(timeline.at(-1)).toMatchObject({
      what: "escalated",
      note: "to The chief: nobody acknowledged within 15 min",
    });
  });

  it("whoever it was escalated to hears of the end", async () => {
    const world = start();
    await world.run(20 * MINUTE);
    world.apply({ state: "resolved", resolvedAt: world.now() }, "resolved");
    await world.run();
    expect(world.told(CHIEF)).toEqual(["alert.escalated al-1 @900s", "alert.resolved al-1 @1200s"]);
  });

  it.each<[string, (world: ReturnType<typeof start>) => unknown]>([
    ["was acknowledged", (world) => world.people("acknowledged")],
    ["is over", (world) => world.apply({ state: "resolved", resolvedAt: T0 }, "resolved")],
    [
      "has its target switched off",
      ({ records }) => records.targets.put({ ...records.targets.get("hook")!, enabled: false }),
    ],
    ["has nobody to go to", ({ records }) => records.targets.remove("chief")],
  ])("does not escalate what %s", async (_, end) => {
    const world = start();
    await world.run(5 * MINUTE);
    end(world);
    await world.run(60 * MINUTE);
    expect(world.told(CHIEF)).toEqual([]);
    expect(world.records.alerts.get("al-1")!.timeline.map(({ what }) => what)).not.toContain("escalated");
  });

  it("waits while the alert is kept quiet, and asks again afterwards; flapping keeps nobody from it", async () => {
    const world = start();
    await world.run();
    const at = world.now();
    const entry = (what: string) => ({ at, knownAt: at, what });
    world.records.alerts.suppress("al-1", "silence:3", entry("suppressed"));
    await world.run(40 * MINUTE);
    expect(world.told(CHIEF)).toEqual([]);
    world.records.alerts.suppress("al-1", "flapping", entry("suppressed"));
    await world.run(10 * MINUTE);
    expect(world.told(CHIEF)).toEqual(["alert.escalated al-1 @2700s"]);
  });

  it("goes on along the chain, and counts from when people could hear of it", async () => {
    const quietHours = { timeZone: "UTC", from: "00:00", to: "06:00" };
    const world = start({ quietHours });
    world.records.targets.put(aTarget({ id: "boss", url: `${CHIEF}/boss`, rules: ["none"] }));
    const chief = world.records.targets.get("chief")!;
    world.records.targets.put({ ...chief, escalateAfter: "1h", escalateTo: "boss" });
    await world.run(10 * 60 * MINUTE);
    expect(world.told(CHIEF)).toEqual([`alert.escalated al-1 @${6 * 3600 + 900}s`]);
    expect(world.told(`${CHIEF}/boss`)).toEqual([`alert.escalated al-1 @${7 * 3600 + 900}s`]);
  });

  it("is not forgotten by a restart", async () => {
    const world = start();
    await world.run(MINUTE);
    await world.notifier.stop();
    const next = world.life();
    await world.run(60 * MINUTE);
    expect(world.told(CHIEF)).toEqual([]);
    next.start();
    await world.run();
    expect(world.told(CHIEF)).toHaveLength(1);
    await next.stop();
  });

  it("tells and writes down each of many that are due together once, while the clock goes on", async () => {
    const world = createWorld({ ticks: 1 });
    world.records.targets.put(aTarget({ id: "chief", url: CHIEF, rules: ["none"] }));
    world.records.targets.put(aTarget({ escalateAfter: "15m", escalateTo: "chief" }));
    world.notifier.start();
    const ids = Array.from({ length: 100 }, (_, n) => `al-${n}`);
    world.records.transaction(() => {
      for (const id of ids) {
        const { handling: _, timeline: __, ...alert } = anAlert({ id });
        world.records.alerts.apply({ alert, entry: { at: T0, knownAt: T0, what: "firing" } });
        world.notifier.enqueue(aNotice({ id }));
      }
    });
    await world.run(20 * MINUTE);
    expect(
      world
        .told(CHIEF)
        .map((line) => line.split(" ")[1])
        .sort(),
    ).toEqual([...ids].sort());
    const escalated = (id: string) => world.records.alerts.get(id)!.timeline.filter(({ what }) => what === "escalated");
    expect(ids.filter((id) => escalated(id).length !== 1)).toEqual([]);
  });

  it("a notice that is repeated does not begin it anew", async () => {
    const world = start();
    world.people("acknowledged");
    await world.run(20 * MINUTE);
    world.enqueue(aNotice());
    expect(world.records.recipients.nextEscalationAt()).toBeUndefined();
  });
});
