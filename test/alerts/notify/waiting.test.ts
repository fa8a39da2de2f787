import { describe, expect, it } from "vitest";
import { MINUTE } from "../builders.ts";
import { startWithAlerts } from "./alerts-world.ts";
import { aTarget } from "./world.ts";

const HOUR = 60 * MINUTE;
const A = "https://hooks.example/a";
const B = "https://hooks.example/b";
const NIGHT = { quietHours: { timeZone: "UTC", from: "00:00", to: "06:00" } };

describe("a notice that waits is looked at again before it goes", () => {
  it("an alert that was closed in the quiet hours is told to nobody, nor is its end", async () => {
    const world = startWithAlerts(NIGHT);
    world.up();
    world.up("al-2");
    await world.run(HOUR);
    world.people("closed", "closed");
    await world.run(6 * HOUR);
    expect(world.told()).toEqual(["alert.firing al-2 @21600s"]);
    world.down();
    world.down("al-2");
    await world.run();
    expect(world.told().slice(1)).toEqual([`alert.resolved al-2 @${7 * 3_600}s`]);
  });

  it("an alert that was silenced while its group waited is not told; when the silence ends it is", async () => {
    const world = startWithAlerts({ groupBy: "district", groupWait: "30s" });
    world.up();
    world.up("al-2");
    await world.run(10_000);
    world.suppress("silence:1");
    await world.run(MINUTE);
    expect(world.told()).toEqual(["alert.firing al-2 @30s"]);
    world.suppress(undefined);
    await world.run(MINUTE);
    expect(world.told().slice(1)).toEqual(["alert.firing al-1 @100s"]);
    world.down();
    await world.run(MINUTE);
    expect(world.told().slice(2)).toEqual(["alert.resolved al-1 @160s"]);
  });

  it("an alert that another explains by the time the target can be reached is not told, nor is its end", async () => {
    const world = startWithAlerts({});
    world.play(A, () => 503);
    world.up("other");
    await world.run(500);
    world.up();
    world.suppress("rule:gateway-outage");
    world.play(A, () => 200);
    await world.run(HOUR);
    expect(world.told().at(-1)).toMatch(/firing other/);
    world.down();
    await world.run(HOUR);
    expect(world.told().filter((line) => line.includes("al-1"))).toEqual([]);
  });

  it("an alert that ended in the night is told as ended, once; one that was taken back not at all", async () => {
    const world = startWithAlerts(NIGHT);
    for (const id of ["al-1", "al-2", "al-3"]) world.up(id);
    await world.run(HOUR);
    world.down("al-1");
    world.down("al-2", "retracted");
    await world.run(6 * HOUR);
    expect(world.told()).toEqual(["alert.group firing al-3, resolved al-1 @21600s"]);
  });

  it("what may have arrived is followed by its end, whatever was done with it meanwhile", async () => {
    const world = startWithAlerts({});
    world.play(A, (_, nth) => (nth === 1 ? new Error("the answer was lost") : 200));
    world.up();
    await world.run(100);
    world.people("closed", "closed");
    await world.run(MINUTE);
    world.down();
    await world.run(MINUTE);
    expect(world.told()).toEqual(["alert.firing al-1 @0s", "alert.resolved al-1 @60.1s"]);
  });

  it("nobody is reminded of what somebody acknowledged, nor told that nobody had", async () => {
    const chief = { id: "chief", url: B, rules: ["none"] };
    const world = startWithAlerts(chief, { escalateAfter: "15m", escalateTo: "chief" });
    world.up();
    await world.run();
    world.play(B, () => 503);
    world.play(A, () => 503);
    world.up("al-2");
    await world.run(15 * MINUTE);
    expect(world.told(B).length).toBeGreaterThan(0);
    world.remind();
    world.people("acknowledged", "acknowledged");
    for (const url of [A, B]) world.play(url, () => 200);
    const before = world.requests.length;
    await world.run(HOUR);
    const after = world.requests.slice(before).map(({ body }) => JSON.parse(body).data.id);
    expect(after).not.toContain("al-1");
    expect(after).toContain("al-2");
  });

  it("is told when people open again what was closed before it was told, after a restart too", async () => {
    const world = startWithAlerts(NIGHT);
    world.up();
    world.people("closed", "closed");
    await world.run(7 * HOUR);
    expect(world.told()).toEqual([]);
    await world.restart();
    world.people("open", "reopened");
    await world.run(MINUTE);
    expect(world.told()).toEqual([`alert.firing al-1 @${7 * 3_600}s`]);
  });
});

describe("whoever comes later hears of what is open", () => {
  it("a new target, in one message, and of the ends", async () => {
    const world = startWithAlerts();
    world.up();
    world.up("al-2", { severity: "critical" });
    world.up("al-3");
    world.up("al-4", { subject: { district: "south" } });
    world.people("closed", "closed", "al-3");
    await world.run(MINUTE);
    world.records.targets.put(aTarget({ districts: ["north"] }));
    await world.run(MINUTE);
    expect(world.told()).toEqual(["alert.group firing al-1, firing al-2 @60s"]);
    world.down();
    await world.run();
    expect(world.told().slice(1)).toEqual(["alert.resolved al-1 @120s"]);
  });

  it("a target that was changed hears what it has not heard, and nothing twice, across restarts", async () => {
    const world = startWithAlerts({ severityMin: "critical" });
    world.up();
    world.up("al-2", { severity: "critical" });
    await world.run(MINUTE);
    expect(world.told()).toEqual(["alert.firing al-2 @0s"]);
    world.records.targets.put(aTarget());
    await world.run(MINUTE);
    world.records.targets.put(aTarget({ name: "Another name" }));
    await world.run(MINUTE);
    await world.restart();
    expect(world.told().slice(1)).toEqual(["alert.firing al-1 @60s"]);
  });

  it("not of what is kept quiet or not told to anybody yet, and in the morning where the hours are quiet", async () => {
    const world = startWithAlerts();
    world.up();
    world.up("al-2");
    world.suppress("maintenance:1");
    const held = world.records.noise.get("al-2")!;
    world.records.noise.save({ ...held, told: 0 });
    world.up("al-3");
    world.records.targets.put(aTarget(NIGHT));
    await world.run(HOUR);
    expect(world.told()).toEqual([]);
    await world.run(6 * HOUR);
    expect(world.told()).toEqual(["alert.firing al-3 @21600s"]);
  });

  it("one that is switched on again, or can be reached again after days", async () => {
    const world = startWithAlerts(NIGHT);
    world.up();
    world.records.targets.put(aTarget({ enabled: false }));
    world.records.outbox.giveUpBefore("hook", Number.MAX_SAFE_INTEGER, "switched off", world.now());
    await world.run(HOUR);
    world.play(A, () => new Error("no network"));
    world.records.targets.put(aTarget());
    await world.run(1);
    world.up("al-2");
    await world.run(80 * HOUR);
    world.play(A, () => 200);
    await world.run(2 * HOUR);
    const told = world.requests.slice(-5).map(({ body }) => body);
    for (const id of ["al-1", "al-2"]) expect(told.some((body) => body.includes(`"${id}"`))).toBe(true);
    await world.restart();
    expect(world.requests.slice(-5).map(({ body }) => body)).toEqual(told);
  });

  it("nobody is reminded of what they have not been told", async () => {
    const world = startWithAlerts(NIGHT);
    world.up();
    await world.run(HOUR);
    world.remind();
    await world.run(6 * HOUR);
    expect(world.told()).toEqual(["alert.firing al-1 @21600s"]);
    world.remind();
    await world.run();
    expect(world.told().at(-1)).toMatch(/reminder al-1/);
  });

  it("hundreds of them in pieces, each once", async () => {
    const world = startWithAlerts();
    for (let n = 0; n < 350; n += 1) world.up(`al-${n}`);
    world.records.targets.put(aTarget());
    await world.run(MINUTE);
    const ids = world.requests.flatMap(({ body }) =>
      JSON.parse(body).data.map(({ data }: { data: { id: string } }) => data.id),
    );
    expect(world.requests.length).toBeLessThan(8);
    expect([...ids].sort()).toEqual(Array.from({ length: 350 }, (_, n) => `al-${n}`).sort());
  });
});
