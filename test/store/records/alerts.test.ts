import { describe, expect, it } from "vitest";
import { anEntry, aTransition, useRecords } from "./setup.ts";

describe("an alert", () => {
  const city = useRecords();

  it("begins open, with its timeline, and reads the same after a restart", () => {
    const { alert, entry } = aTransition();
    const created = city.records.alerts.apply({ alert, entry });
    expect(created).toEqual({ ...alert, handling: "open", assignee: undefined, timeline: [entry] });
    city.reopen();
    expect(city.records.alerts.get("a-1")).toEqual(created);
    expect(city.records.alerts.get("a-2")).toBeUndefined();
  });

  it("changes nothing when a transition is replayed", () => {
    const fired = aTransition();
    const resolved = aTransition({ state: "resolved", resolvedAt: 5_000 }, { what: "resolved", at: 5_000 });
    city.records.alerts.apply(fired);
    const after = city.records.alerts.apply(resolved);
    const newest = city.records.events.newestId();
    expect(city.records.alerts.apply({ ...fired, entry: { ...fired.entry, knownAt: 9_000 } })).toBeUndefined();
    expect(city.records.alerts.apply(resolved)).toBeUndefined();
    expect(city.records.alerts.get("a-1")).toEqual(after);
    expect(city.records.events.newestId()).toBe(newest);
  });

  it("begins once: taken for history after a crash and then for one of today, it goes on as it was", () => {
    const fired = aTransition();
    const again = { ...fired, entry: { ...fired.entry, at: 4_000 } };
    const resolved = aTransition({ state: "resolved", resolvedAt: 5_000 }, { what: "resolved", at: 5_000 });
    city.records.alerts.apply(fired);
    const { alert } = fired;
    expect(city.records.alerts.apply({ alert: { ...alert, mode: "history" }, entry: fired.entry })).toBeUndefined();
    city.records.alerts.apply(again);
    const ended = city.records.alerts.apply(resolved)!;
    expect(ended.timeline.map(({ what }) => what)).toEqual(["firing", "corrected", "resolved"]);
    // Replayed after its end.
    expect(city.records.alerts.apply(again)).toBeUndefined();
    expect(city.records.alerts.get("a-1")).toEqual(ended);
  });

  it("is over once: another end, worked out anew after a crash, corrects the first", () => {
    const { alerts } = city.records;
    const end = (at: number) => aTransition({ state: "resolved", resolvedAt: at }, { what: "resolved", at });
    alerts.apply(aTransition());
    alerts.apply(end(5_000));
    const corrected = alerts.apply(end(4_000));
    expect(corrected).toMatchObject({ state: "resolved", resolvedAt: 4_000 });
    expect(corrected?.timeline.map(({ what, at }) => `${what} ${at}`)).toEqual([
      "firing 1000",
      "resolved 5000",
      "corrected 4000",
    ]);
    expect([alerts.apply(end(5_000)), alerts.apply(end(4_000))]).toEqual([undefined, undefined]);
    expect(alerts.apply(aTransition({}, { at: 6_000 }))?.state).toBe("firing");
    expect(alerts.apply(end(7_000))?.timeline.at(-1)?.what).toBe("resolved");
  });

  it("takes the same word at another moment as news", () => {
    city.records.alerts.apply(aTransition());
    expect(city.records.alerts.apply(aTransition({}, { at: 1_001 }))?.timeline).toHaveLength(2);
  });

  it("keeps what people did when the engine goes on", () => {
    const { alerts } = city.records;
    alerts.apply(aTransition());
    const taken = anEntry({ at: 3_000, knownAt: 3_000, what: "acknowledged", by: "mary", note: "on my way" });
    alerts.handle("a-1", { handling: "acknowledged", assignee: "mary" }, taken);
    const resolved = aTransition(
      { state: "resolved", resolvedAt: 5_000 },
      { what: "resolved", at: 5_000, knownAt: 5_000 },
    );
    const after = alerts.apply(resolved);
    expect(after).toMatchObject({ state: "resolved", handling: "acknowledged", assignee: "mary", resolvedAt: 5_000 });
    expect(after?.timeline).toEqual([anEntry(), taken, resolved.entry]);
  });

  it("is handled: what is left out stays, null takes the assignee away, comments may repeat", () => {
    const { alerts } = city.records;
    alerts.apply(aTransition());
    const comment = anEntry({ what: "comment", by: "mary" });
    alerts.handle("a-1", { assignee: "mary" }, comment);
    expect(alerts.handle("a-1", { handling: "in-progress" }, comment)?.assignee).toBe("mary");
    const last = alerts.handle("a-1", { assignee: null }, comment);
    expect(last?.assignee).toBeUndefined();
    expect(last?.handling).toBe("in-progress");
    expect(last?.timeline).toHaveLength(4);
    expect(alerts.handle("none", { handling: "closed" }, comment)).toBeUndefined();
  });

  it("tells its timeline in the order in which it was written down, also when the clock is set back", () => {
    const { alerts } = city.records;
    alerts.apply(aTransition({}, { at: 9_000, knownAt: 30, what: "first" }));
    alerts.apply(aTransition({}, { at: 8_000, knownAt: 10, what: "second" }));
    alerts.apply(aTransition({}, { at: 7_000, knownAt: 10, what: "third" }));
    expect(alerts.get("a-1")?.timeline.map((entry) => entry.what)).toEqual(["first", "second", "third"]);
  });

  it("is one with its entry and its event: a failing transaction leaves none of them", () => {
    const { alerts, events, transaction } = city.records;
    const work = () => {
      alerts.apply(aTransition());
      throw new Error("no");
    };
    expect(() => transaction(work)).toThrow("no");
    expect([alerts.get("a-1"), events.newestId(), events.after(0, 10)]).toEqual([undefined, 0, []]);
    expect(alerts.apply(aTransition())).toBeDefined();
  });

  it("takes moments with fractions, as devices may send them", () => {
    const fired = aTransition({ startedAt: 1_000.5 }, { at: 1_000.5 });
    expect(city.records.alerts.apply(fired)?.startedAt).toBe(1_000.5);
    expect(city.records.alerts.apply(fired)).toBeUndefined();
  });
});
