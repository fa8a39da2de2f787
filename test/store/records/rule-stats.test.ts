import { describe, expect, it } from "vitest";
import { spansOf } from "../../../store/records/rules.ts";
import { anEntry, aTransition, NOW, useRecords } from "./setup.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe("how a rule does", () => {
  const city = useRecords();

  /** An alert so many days ago; `acked`: minutes until somebody took it; `over`: minutes until its end. */
  function alert(
    id: string,
    daysAgo: number,
    { acked, over, rule = "no2-high", suppressed, state = "resolved" }: Fields = {},
  ) {
    const { alerts } = city.records;
    const at = NOW - daysAgo * DAY;
    const about = { id, rule: { id: rule, version: "1", title: "t", source: "s" }, startedAt: at, firedAt: at };
    alerts.apply(aTransition(about, { at, knownAt: at + 1_000 }), suppressed);
    const by = (what: string, minutes: number) =>
      anEntry({ at, knownAt: at + 1_000 + minutes * MINUTE, what, by: "mary" });
    if (acked !== undefined) {
      alerts.handle(id, { handling: "acknowledged" }, by("acknowledged", acked));
      alerts.handle(id, { handling: "in-progress" }, by("started", acked + 5));
    }
    if (over !== undefined) {
      const end = at + over * MINUTE;
      alerts.apply(
        aTransition({ ...about, state: state as "resolved", resolvedAt: end }, { at: end, knownAt: end, what: state }),
      );
    }
  }
  type Fields = { acked?: number; over?: number; rule?: string; suppressed?: string; state?: string };
  const review = (id: string, is: "right" | "wrong" | "unclear", note = "because") =>
    city.records.alerts.handle(
      id,
      { review: { is, by: "mary", at: NOW, note } },
      anEntry({ at: NOW, what: "reviewed", note }),
    );
  const stats = (days = 30) => city.records.ruleStats.of("no2-high", NOW, days);

  it("counts the alerts of the period, and what became of them", () => {
    for (let n = 0; n < 6; n += 1) alert(`a-${n}`, n + 1, { over: 10 });
    alert("quiet", 2, { suppressed: "silence:3" });
    alert("flap", 2, { suppressed: "flapping" });
    alert("back", 3, { over: 5, state: "retracted" });
    alert("old", 31);
    alert("other", 1, { rule: "other" });
    city.records.alerts.apply(
      aTransition({ id: "pending", state: "pending", startedAt: NOW - DAY }, { what: "pending" }),
    );
    expect(stats()).toMatchObject({ days: 30, alerts: 9, alertsPerDay: 0.3, suppressed: 2, flaps: 1, retracted: 1 });
    expect(stats(365).alerts).toBe(10);
  });

  it("precision is what people said last, over all time", () => {
    for (let n = 0; n < 5; n += 1) alert(`a-${n}`, 40 + n);
    expect(stats().precision).toBeUndefined();
    review("a-0", "wrong");
    review("a-0", "right");
    review("a-1", "right");
    review("a-2", "right");
    review("a-3", "wrong");
    review("a-4", "unclear");
    expect(stats()).toMatchObject({ reviews: { right: 3, wrong: 1, unclear: 1 }, precision: 0.75, alerts: 0 });
    city.reopen();
    expect(city.records.alerts.get("a-3")!.review).toEqual({ is: "wrong", by: "mary", at: NOW, note: "because" });
    expect(stats().reviews.right).toBe(3);
  });

  it("the engine does not take a review away", () => {
    alert("a-1", 1);
    review("a-1", "right");
    city.records.alerts.apply(aTransition({ id: "a-1", state: "resolved" }, { what: "resolved", at: NOW }));
    expect(city.records.alerts.get("a-1")).toMatchObject({ state: "resolved", review: { is: "right" } });
    expect(city.records.alerts.list({ rule: "no2-high" }, 10).items[0]!.review?.is).toBe("right");
  });

  it("measures from when the service knew until the first who took it, and from beginning to end", () => {
    for (let n = 1; n <= 10; n += 1) alert(`a-${n}`, n, { acked: n, over: 10 * n });
    alert("nobody", 1);
    expect(stats().acknowledge).toEqual({ count: 10, medianMs: 5 * MINUTE, p90Ms: 9 * MINUTE });
    expect(stats().resolve).toEqual({ count: 10, medianMs: 50 * MINUTE, p90Ms: 90 * MINUTE });
  });

  it("looks at the newest only, however loud a rule is", () => {
    city.records.transaction(() => {
      for (let n = 0; n < 1_200; n += 1) alert(`a-${n}`, 1 + n / 1_200, { over: n < 1_000 ? 1 : 60 });
    });
    expect(stats()).toMatchObject({ alerts: 1_200, resolve: { count: 1_000, medianMs: MINUTE, p90Ms: MINUTE } });
  });
});

describe("percentiles", () => {
  it("are values that occurred, by nearest rank", () => {
    expect(spansOf([])).toBeUndefined();
    expect(spansOf([7])).toEqual({ count: 1, medianMs: 7, p90Ms: 7 });
    expect(spansOf([4, 1, 3, 2])).toEqual({ count: 4, medianMs: 2, p90Ms: 4 });
  });
});
