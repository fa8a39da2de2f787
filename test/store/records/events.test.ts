import { describe, expect, it } from "vitest";
import type { Event } from "../../../store/records/alerts.ts";
import { anEntry, aTransition, NOW, useRecords } from "./setup.ts";

describe("the events", () => {
  const city = useRecords();
  const ids = (events: readonly Event[]) => events.map((event) => event.id);

  function three(): void {
    city.records.alerts.apply(aTransition());
    city.records.alerts.handle("a-1", { handling: "acknowledged" }, anEntry({ what: "acknowledged", by: "mary" }));
    city.setNow(NOW + 10);
    city.records.alerts.apply(aTransition({ state: "resolved" }, { what: "resolved" }));
  }

  it("carry every change with the alert as it then was", () => {
    three();
    city.reopen();
    const events = city.records.events.after(0, 10);
    const alerts = events.flatMap((event) => ("alert" in event ? event : []));
    expect(alerts.map(({ id, at, what, alert }) => [id, at, what, alert.state, alert.handling])).toEqual([
      [1, NOW, "firing", "firing", "open"],
      [2, NOW, "acknowledged", "firing", "acknowledged"],
      [3, NOW + 10, "resolved", "resolved", "acknowledged"],
    ]);
    expect(alerts.at(-1)?.alert).toEqual(city.records.alerts.get("a-1"));
  });

  it("resume after an id, so many at a time", () => {
    three();
    expect(ids(city.records.events.after(1, 1))).toEqual([2]);
    expect(ids(city.records.events.after(3, 10))).toEqual([]);
    expect(city.records.events.newestId()).toBe(3);
  });

  it("are told after the outermost commit, once and in order", () => {
    const told: Event[] = [];
    city.records.events.onEvent((event) => told.push(event));
    city.records.transaction(() => {
      city.records.transaction(three);
      expect(told).toEqual([]);
    });
    expect(told).toEqual(city.records.events.after(0, 10));
    three();
    expect(ids(told)).toEqual([1, 2, 3, 4]); // the engine's two are repeats, the acknowledgement is new
  });

  it("are not told when the transaction failed", () => {
    const told: Event[] = [];
    city.records.events.onEvent((event) => told.push(event));
    const work = () => {
      three();
      throw new Error("no");
    };
    expect(() => city.records.transaction(work)).toThrow("no");
    three();
    expect(ids(told)).toEqual([1, 2, 3]);
  });

  it("never use an id twice, also after old ones are deleted", () => {
    three();
    expect(city.records.events.deleteBefore(NOW + 10)).toBe(2);
    expect(city.records.events.deleteBefore(NOW + 11)).toBe(1);
    city.reopen();
    expect(city.records.events.newestId()).toBe(3);
    city.records.alerts.apply(aTransition({ id: "a-2" }));
    expect(ids(city.records.events.after(0, 10))).toEqual([4]);
  });
});
