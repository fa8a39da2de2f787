import { describe, expect, it } from "vitest";
import { createDetector } from "../../../alerts/detector.ts";
import type { StateRow } from "../../../alerts/engine/states.ts";
import type { Transition } from "../../../model/alert.ts";
import type { MetricName } from "../../../model/metrics.ts";
import type { Reading } from "../../../model/reading.ts";
import { BEIJING, beijing, hasBeijing } from "../../helpers/beijing.ts";
import { aReading, aRule, aSensor, DAY, HOUR, random, T0 } from "../builders.ts";

if (!hasBeijing) process.stderr.write(`skipped: stuck sensors near the floor on real recordings (no ${BEIJING})\n`);

const stuck = (metric: MetricName, after = "12h") =>
  aRule({ id: "stuck", metric, audience: "crews", condition: { type: "flatline", after } });
const play = (metric: MetricName, feed: readonly Reading[], after?: string): Transition[] =>
  createDetector({ rules: [stuck(metric, after)], sensor: () => undefined }).observe(feed);
/** In Beijing. */
const hoursTo = (year: number, month: number, day: number) =>
  (Date.UTC(year, month - 1, day) - Date.UTC(2013, 2, 1)) / HOUR;
const words = (said: readonly Transition[], sensorId: string, from: number) =>
  said
    .filter(({ alert }) => alert.subject.sensorId === sensorId && alert.startedAt >= from)
    .map(({ entry }) => entry.what);

/** A month and a half of one metric at six stations up to a day. */
function lately(metric: MetricName, year: number, month: number, day: number, after?: string) {
  const to = hoursTo(year, month, day);
  return play(metric, beijing([metric], to - 45 * 24, to), after);
}

describe.runIf(hasBeijing)("a value near the floor, in Beijing", () => {
  it("is a stuck sensor where the neighbours rose meanwhile: fine particles at 3 for 22 h, others up to 149", () => {
    const said = lately("pm25", 2013, 9, 28);
    const from = Date.UTC(2013, 8, 25, 12);
    expect(words(said, "wanshouxigong", from)).toEqual(["pending", "firing", "resolved"]);
    const { alert } = said.find(({ alert, entry }) => alert.startedAt >= from && entry.what === "firing")!;
    expect(alert).toMatchObject({ state: "firing", audience: "crews", value: 3, verdict: { is: "sensor-fault" } });
    expect(alert.verdict!.why).toMatch(
      /^It stood at 3 µg\/m³ for \d+ h while its 5 neighbours were at a median of \d+/,
    );
    expect(alert.explanation).toContain("the sensor is probably stuck");
  });

  it("is a stuck sensor at two analysers of one station that stopped together (Shunyi, April 2016)", () => {
    for (const [metric, after] of [
      ["o3", "12h"],
      ["co", "20h"],
    ] as const) {
      const said = lately(metric, 2016, 4, 12, after);
      expect(words(said, "shunyi", Date.UTC(2016, 3, 8, 12))).toEqual(["pending", "firing", "resolved"]);
    }
  });

  it("is the detection limit of a rural station: nitrogen dioxide at 2 for 61 h", () => {
    const feed = beijing(["no2"], 0, 35_064);
    const long = play("no2", feed).filter(({ alert, entry }) => {
      return alert.subject.sensorId === "dingling" && alert.value === 2 && entry.what === "resolved";
    });
    const spans = long.map(({ alert }) => (alert.resolvedAt! - alert.startedAt) / HOUR);
    expect(Math.max(...spans)).toBe(61);
    const longest = long[spans.indexOf(61)]!.alert;
    expect(longest.firedAt).toBeUndefined();
    // Of some forty such runs two may be either: 15 and 18 h while the city was at 32 and 36.
    expect(long.filter(({ alert }) => alert.firedAt !== undefined).length).toBeLessThanOrEqual(4);
    expect(long.length).toBeGreaterThan(40);
  });
});

const STATIONS = ["a", "b", "c", "d", "e", "rural"];

/**
 * Twenty days of six stations under one sky, and what comes then: the sky clean, or as ever. "rural" shows a third of
 * what the others do; none shows less than 2.
 */
function sky(seed: number, what: "clean" | "stuck" | "rural-clean", hours = 60): Reading[] {
  const next = random(seed);
  return Array.from({ length: 20 * 24 + hours }, (_, hour) => {
    const isLast = hour >= 20 * 24;
    // Clean air blows in for a day every five days, so that everybody's floor is known.
    const isClean = Math.floor(hour / 24) % 5 === 4 || (isLast && what !== "stuck");
    const level = isClean ? 1 + next() : 30 + 20 * Math.sin((hour * Math.PI) / 12) + 10 * next();
    return STATIONS.map((name, i) => {
      const own = (name === "rural" ? level / 3 : level * (0.9 + 0.05 * i)) + next();
      const isHeld = isLast && what === "stuck" && name === "b";
      const no2 = isHeld ? 2 : Math.round(Math.max(2, own) * 10) / 10;
      return aReading(T0 + hour * HOUR, { no2 }, { sensorId: name });
    });
  }).flat();
}

const seed = Math.floor(Math.random() * 1e9);
/** Of the last days: before, floors are not known yet. */
const fired = (said: readonly Transition[]) =>
  said.flatMap(({ alert, entry }) =>
    entry.what === "firing" && alert.startedAt > T0 + 19.5 * DAY ? [alert.subject.sensorId] : [],
  );

describe(`skies of seed ${seed}`, () => {
  it("who stands at the floor while the others are as ever is stuck", () => {
    // One sky in a hundred is such that it stays open: of 300 from seed 1000 on three.
    const found = Array.from({ length: 30 }, (_, i) => fired(play("no2", sky(seed + i, "stuck"))).join());
    expect(found.filter((who) => who !== "b" && who !== "")).toEqual([]);
    expect(found.filter((who) => who === "b").length).toBeGreaterThanOrEqual(27);
  });

  it("nobody is stuck while the air is clean", () => {
    for (let i = 0; i < 10; i++) expect(fired(play("no2", sky(seed + i, "clean")))).toEqual([]);
  });

  it("a restart in between says the same", () => {
    const feed = sky(seed, "stuck");
    const rules = [stuck("no2")];
    const sensors = new Map(STATIONS.map((id) => [id, aSensor({ id })]));
    const sensor = (id: string) => sensors.get(id);
    const one = createDetector({ rules, sensor });
    const rows = new Map<string, StateRow>();
    const at = feed.length - 6 * 45;
    const first = one.observe(feed.slice(0, at));
    for (const row of one.states.snapshot()) rows.set(`${row.rule} ${row.subject}`, row);
    const other = createDetector({ rules, sensor });
    other.states.load([...rows.values()]);
    const said = [...first, ...other.observe(feed.slice(at))];
    const plain = (all: readonly Transition[]) => all.map(({ alert, entry }) => [alert.id, alert.state, entry.what]);
    expect(plain(said)).toEqual(plain(play("no2", feed)));
  });

  it("a stuck one that fires ends with the rule, and with another value", () => {
    const feed = sky(1_000, "stuck");
    const detector = createDetector({ rules: [stuck("no2")], sensor: () => undefined });
    detector.observe(feed);
    const ended = detector.replaceRules([], T0 + 30 * DAY);
    expect(ended).toMatchObject([{ alert: { state: "resolved", subject: { sensorId: "b" } } }]);
    expect(ended[0]!.alert.firedAt).toBeDefined();
  });
});
