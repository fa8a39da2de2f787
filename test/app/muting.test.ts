import { describe, expect, it } from "vitest";
import { createAlertPublisher } from "../../alerts/publisher.ts";
import { createMuting } from "../../app/muting.ts";
import { SILENT } from "../../model/log.ts";
import { openRecords } from "../../store/records.ts";
import { MINUTE, T0 } from "../alerts/builders.ts";
import { aNotice, anAlert, aTarget, createWorld } from "../alerts/notify/world.ts";

const RESTORED = { why: "restored", backupAt: T0 - MINUTE };

/** Records of a data folder, on which services live one after the other. */
function aFolder(mark?: object) {
  let now = T0;
  let outranked = false;
  const records = openRecords({ path: ":memory:", now: () => now, log: SILENT });
  if (mark) records.storeState.set("muted", mark);
  return {
    records,
    setOutranked: (is: boolean) => (outranked = is),
    pass: (ms: number) => (now += ms),
    start: (takeOver = false) =>
      createMuting({ records, takeOver, isOutranked: () => outranked, now: () => now, log: SILENT }),
  };
}

describe("who tells of alerts", () => {
  it("is everybody whose folder is their own", () => {
    const muting = aFolder().start();
    muting.tick();
    expect([muting.isMuted(), muting.health()]).toEqual([false, []]);
    expect(muting.figures()).toMatchObject([{ name: "lamppost_muted", value: 0 }]);
  });

  it("is not what was restored, start after start, until somebody says that it is the real one", () => {
    const folder = aFolder(RESTORED);
    for (let life = 0; life < 2; life += 1) {
      const muting = folder.start();
      folder.pass(60 * MINUTE);
      muting.tick();
      expect(muting.isMuted()).toBe(true);
      expect(muting.health()).toMatchObject([
        {
          part: "muted",
          ready: true,
          reason: expect.stringMatching(/backup of 2026-11-20T23:59:00.000Z.*--take-over/),
        },
      ]);
    }
    expect(folder.start(true).isMuted()).toBe(false);
    expect(folder.records.audit.list(1).items).toMatchObject([{ what: "service.take-over" }]);
    expect(folder.start().isMuted()).toBe(false);
  });

  it("is not the second of two on copies of a folder, also after a restart, until the other one is gone", () => {
    const folder = aFolder();
    let muting = folder.start();
    folder.setOutranked(true);
    muting.tick();
    expect(muting.isMuted()).toBe(true);
    folder.setOutranked(false);
    muting = folder.start();
    folder.pass(9 * MINUTE);
    muting.tick();
    expect(muting.isMuted()).toBe(true);
    folder.pass(2 * MINUTE);
    muting.tick();
    expect([muting.isMuted(), folder.start().isMuted()]).toEqual([false, false]);
  });

  it("while it is muted nothing goes out, by no way, and nothing is lost", async () => {
    let isMuted = true;
    const chief = { id: "chief", url: "https://hooks.example/chief", rules: ["none"] };
    const world = createWorld({ isMuted: () => isMuted });
    world.records.targets.put(aTarget(chief));
    world.records.targets.put(aTarget({ escalateAfter: "15m", escalateTo: "chief" }));
    world.notifier.start();
    const { handling: _, timeline: __, ...alert } = anAlert();
    world.records.alerts.apply({ alert, entry: { at: T0, knownAt: T0, what: "firing" } });
    world.enqueue(aNotice());
    await world.run(60 * MINUTE);
    expect(world.requests).toEqual([]);
    expect(world.records.alerts.get("al-1")!.timeline.map(({ what }) => what)).toEqual(["firing"]);
    isMuted = false;
    await world.run(6_000);
    expect(world.told().length).toBe(1);
  });

  it("alerts on MQTT wait, too", async () => {
    let isMuted = true;
    const { records } = aFolder();
    const published: string[] = [];
    const publisher = createAlertPublisher({
      records,
      publish: async ({ topic }) => void published.push(topic),
      isMuted: () => isMuted,
      mutedLookMs: 5,
      log: SILENT,
    });
    const { handling: _, timeline: __, ...alert } = anAlert();
    records.alerts.apply({ alert, entry: { at: T0, knownAt: T0, what: "firing" } });
    publisher.start();
    expect(published).toEqual([]);
    isMuted = false;
    await expect.poll(() => published).toEqual(["alerts/north/warning/al-1"]);
    await publisher.stop();
  });
});
