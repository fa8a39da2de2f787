import { describe, expect, it } from "vitest";
import { createDetector } from "../../../alerts/detector.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Rule } from "../../../model/rule.ts";
import { BEIJING, beijing, hasBeijing } from "../../helpers/beijing.ts";
import { aRule, HOUR } from "../builders.ts";

const it_ = it.runIf(hasBeijing);
if (!hasBeijing) process.stderr.write(`skipped: publication faults on real recordings (no ${BEIJING})\n`);

const STUCK = aRule({ id: "o3-stuck", metric: "o3", audience: "crews", condition: { type: "flatline", after: "20h" } });
const FAULT = aRule({
  id: "o3-publication-fault",
  kind: "air",
  audience: "crews",
  condition: { type: "quorum", rule: "o3-stuck", by: "district", count: 3, share: 0.6, within: "12h" },
  inhibits: [{ rule: "o3-stuck", where: "district" }],
});

/** The first months. */
const feed = hasBeijing ? beijing(["o3", "no2"], 0, 1_499) : [];
const run = (rules: readonly Rule[]): Transition[] => createDetector({ rules, sensor: () => undefined }).observe(feed);

describe("one value of ozone repeated for a day at all stations at once (Beijing, March 2013)", () => {
  const said = hasBeijing ? run([STUCK, FAULT]) : [];
  const faults = said.filter(({ alert, entry }) => alert.rule.id === FAULT.id && entry.what === "firing");

  it_("is one ticket each time, with the stations as its children", () => {
    // The runs of the table: local 10 March 15:00, 13 March 14:00 and 16 March 13:00 on; a value stands for its hour.
    const days = new Set(faults.map(({ alert }) => new Date(alert.startedAt + 8 * HOUR).toISOString().slice(0, 10)));
    expect([...days]).toEqual(expect.arrayContaining(["2013-03-11", "2013-03-14", "2013-03-17"]));
    const onTheDay = faults.filter(({ alert }) =>
      new Date(alert.startedAt + 8 * HOUR).toISOString().startsWith("2013-03-14"),
    );
    expect(onTheDay).toHaveLength(1);
    const ends = said.filter(({ alert, entry }) => alert.id === onTheDay[0]!.alert.id && entry.what === "resolved");
    expect(ends).toHaveLength(1);
    expect(ends[0]!.alert.children).toHaveLength(6);
    expect(ends[0]!.alert.explanation).toMatch(
      /^6 of 6 sensors in district beijing began to repeat one value of ozone within \d+ h/,
    );
    expect(ends[0]!.alert.subject).toEqual({ district: "beijing" });
  });

  it_("none of its children is called a stuck sensor", () => {
    const children = new Set(faults.flatMap(({ alert }) => alert.children ?? []));
    const latest = new Map(said.map(({ alert }) => [alert.id, alert]));
    const verdicts = [...children].map((id) => latest.get(id)!.verdict!);
    expect(verdicts.length).toBeGreaterThan(10);
    expect(verdicts.filter(({ is }) => is === "sensor-fault")).toEqual([]);
    expect(verdicts.filter(({ why }) => why.includes("where the values are published")).length).toBeGreaterThan(10);
  });

  it_("a single station at its detection limit is no publication fault and no stuck sensor", () => {
    const no2 = aRule({
      id: "no2-still",
      metric: "no2",
      audience: "crews",
      condition: { type: "flatline", after: "6h", floor: -10 },
    });
    const still = run([no2]).filter(({ entry }) => entry.what === "firing");
    expect(still.filter(({ alert }) => alert.value === 2).length).toBeGreaterThan(1);
    expect(still.filter(({ alert }) => alert.value === 2 && alert.verdict!.is === "sensor-fault")).toEqual([]);
  });
});
