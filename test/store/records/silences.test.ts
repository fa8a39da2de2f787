import { describe, expect, it } from "vitest";
import type { Silence } from "../../../model/silence.ts";
import { aTransition, NOW, useRecords } from "./setup.ts";

const city = useRecords();
const aSilence = (fields: Partial<Silence> = {}): Omit<Silence, "id"> => ({
  kind: "silence",
  matchers: { sensor: "no2-1" },
  startsAt: NOW,
  endsAt: NOW + 1_000,
  reason: "a test",
  createdAt: NOW,
  createdBy: "anna",
  ...fields,
});

describe("silences", () => {
  it("are there after a restart, unless they are over; nothing of them is lost", () => {
    const { silences } = city.records;
    const weekly = { days: ["mon"], from: "08:00", to: "09:00", zone: "Europe/Madrid" } as const;
    const first = silences.add(aSilence());
    const second = silences.add(aSilence({ kind: "maintenance", endsAt: undefined, weekly }));
    const third = silences.add(aSilence({ endsAt: NOW + 9_000 }));
    expect(silences.end(third.id, NOW + 5, "bert")).toEqual({ ...third, endedAt: NOW + 5, endedBy: "bert" });
    expect(silences.end(third.id, NOW + 6, "carla")).toBeUndefined();
    expect(silences.end(99, NOW, "bert")).toBeUndefined();
    expect(silences.current()).toEqual([first, second]);
    city.setNow(NOW + 1_000);
    city.reopen();
    expect(city.records.silences.current()).toEqual([second]);
    const all = city.records.silences.list({ at: NOW + 1_000 }, 10).items;
    expect(all).toEqual([{ ...third, endedAt: NOW + 5, endedBy: "bert" }, second, first]);
  });

  it("are not on where the transaction that added them failed, and still on where that which ended them did", () => {
    const { records } = city;
    const { id } = records.silences.add(aSilence());
    const failing = (work: () => unknown) => () =>
      records.transaction(() => {
        work();
        throw new Error("no");
      });
    expect(failing(() => records.silences.add(aSilence()))).toThrow("no");
    expect(failing(() => records.silences.end(id, NOW, "bert"))).toThrow("no");
    expect(records.silences.current().map((silence) => silence.id)).toEqual([id]);
  });
});

describe("what suppresses an alert", () => {
  it("is in its first event, stays through transitions, and is people's business no more once it is released", () => {
    const { alerts, events } = city.records;
    alerts.apply(aTransition({}, { at: 1 }), "rule:outage");
    expect(events.after(0, 10)[0]).toMatchObject({ alert: { suppressedBy: "rule:outage" } });
    alerts.apply(aTransition({ value: 3 }, { at: 2, what: "corrected" }));
    expect(alerts.get("a-1")).toMatchObject({ suppressedBy: "rule:outage", value: 3 });
    alerts.suppress("a-1", undefined, { at: 3, knownAt: 3, what: "released" });
    // The same can happen twice at one moment of the clock: it is no repeat of the engine's.
    alerts.suppress("a-1", "silence:1", { at: 3, knownAt: 3, what: "suppressed", note: "silence:1" });
    alerts.suppress("a-1", undefined, { at: 3, knownAt: 3, what: "released" });
    expect(alerts.get("a-1")?.suppressedBy).toBeUndefined();
    expect(
      alerts
        .get("a-1")
        ?.timeline.map(({ what }) => what)
        .slice(-3),
    ).toEqual(["released", "suppressed", "released"]);
  });
});
