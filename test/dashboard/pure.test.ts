import { describe, expect, it } from "vitest";
import type { AlertView } from "../../contract/alert.ts";
import { isCharted } from "../../dashboard/alert/alert-state.ts";
import { valueRange } from "../../dashboard/chart/chart-data.ts";
import { cluster, type Dot, hull, project } from "../../dashboard/desk/geometry.ts";
import {
  byUrgency,
  fits,
  holderOf,
  markBy,
  NO_FILTERS,
  readFilters,
  windowOf,
  writeFilters,
} from "../../dashboard/desk/list.ts";

function anAlert(fields: Partial<AlertView> = {}): AlertView {
  return {
    id: "a1",
    kind: "air",
    severity: "warning",
    audience: "operators",
    state: "firing",
    handling: "open",
    rule: { id: "no2", version: "1", title: "Nitrogen dioxide", source: "EU" },
    subject: { sensorId: "air-1", district: "north" },
    startedAt: "2026-11-21T10:00:00.000Z",
    explanation: "It is above 200.",
    evidence: [],
    timeline: [],
    ...fields,
  } as AlertView;
}

describe("filters", () => {
  const about = { me: "anna", sensorName: () => "Station Square" };
  const keeps = (address: string, fields: Partial<AlertView>) =>
    fits(anAlert(fields), readFilters(new URLSearchParams(address)), about);

  it("say the same after a trip through the address", () => {
    const address = "severity=warning%2Ccritical&kind=air&for=crews&who=me&district=north&q=no2&suppressed=yes";
    const parts = writeFilters(readFilters(new URLSearchParams(address)));
    expect(new URLSearchParams(parts as Record<string, string>).toString()).toBe(address);
    expect(Object.values(writeFilters(NO_FILTERS)).filter(Boolean)).toEqual([]);
  });

  it("leave out what the address should not say", () => {
    expect(readFilters(new URLSearchParams("severity=dreadful,critical&kind=x&who=y"))).toEqual({
      severities: new Set(["critical"]),
      text: "",
      suppressed: false,
    });
  });

  it.each<[string, Partial<AlertView>, boolean]>([
    ["", {}, true],
    ["", { state: "resolved" }, false],
    ["", { handling: "closed" }, false],
    ["", { mode: "shadow" }, false],
    ["", { suppressedBy: "flapping" }, false],
    ["suppressed=yes", { suppressedBy: "flapping" }, true],
    ["severity=critical,warning", {}, true],
    ["severity=critical", {}, false],
    ["district=south", {}, false],
    ["for=crews", {}, false],
    ["who=nobody", {}, true],
    ["who=nobody", { handling: "acknowledged" }, false],
    ["who=me", { assignee: "anna" }, true],
    ["who=me", { assignee: "bob" }, false],
    ["q=SQUARE 200", {}, true],
    ["q=square 300", {}, false],
  ])("%s with %o: %s", (address, fields, expected) => {
    expect(keeps(address, fields)).toBe(expected);
  });

  it("know who has it: the assignee, or whoever acknowledged it last", () => {
    const entry = (what: string, by: string) => ({ at: "", knownAt: "", what, by });
    const timeline = [entry("acknowledged", "bob"), entry("commented", "carl")];
    expect(holderOf(anAlert({ timeline, handling: "acknowledged" }))).toBe("bob");
    expect(holderOf(anAlert({ timeline, handling: "acknowledged", assignee: "anna" }))).toBe("anna");
    expect(holderOf(anAlert({ timeline }))).toBeUndefined();
  });

  it("put the worst first, then the newest", () => {
    const at = (id: string, severity: AlertView["severity"], hour: number) =>
      anAlert({ id, severity, startedAt: `2026-11-21T${hour}:00:00.000Z` });
    const list = [
      at("old", "warning", 10),
      at("info", "info", 13),
      at("bad", "critical", 11),
      at("new", "warning", 12),
    ];
    expect(list.sort(byUrgency).map(({ id }) => id)).toEqual(["bad", "new", "old", "info"]);
    const quieted = { ...at("quiet", "critical", 14), suppressedBy: "silence:1" };
    expect([quieted, ...list].sort(byUrgency).map(({ id }) => id)).toEqual(["bad", "new", "old", "info", "quiet"]);
  });

  it("mark sensors and districts by the worst of what people are told, and count beside it what they keep quiet", () => {
    const list = [
      anAlert(),
      anAlert({ severity: "info" }),
      anAlert({ severity: "critical", suppressedBy: "flapping" }),
      anAlert({ severity: "critical", suppressedBy: "silence:3" }),
      anAlert({ subject: { sensorId: "air-2", district: "north" }, suppressedBy: "maintenance:4" }),
      anAlert({ subject: { sensorId: "air-3" }, suppressedBy: "rule:gateway-outage" }),
      anAlert({ subject: { district: "north" } }),
    ];
    expect(markBy(list, ({ subject }) => subject.sensorId)).toEqual(
      new Map([
        ["air-1", { severity: "warning", count: 2, quieted: 1 }],
        ["air-2", { severity: undefined, count: 0, quieted: 1 }],
      ]),
    );
  });

  it("show what people keep quiet; what another alert explains only if asked for", () => {
    const about = { me: undefined, sensorName: () => undefined };
    const shown = (suppressedBy: string | undefined, suppressed: boolean) =>
      fits(anAlert({ suppressedBy }), { ...NO_FILTERS, suppressed }, about);
    for (const by of [undefined, "silence:1", "maintenance:2"]) expect(shown(by, false)).toBe(true);
    for (const by of ["rule:gateway-outage", "flapping"])
      expect([shown(by, false), shown(by, true)]).toEqual([false, true]);
  });
});

describe("the rows in sight", () => {
  it("are a few more than fit, and never beyond the ends", () => {
    expect(windowOf({ top: 0, height: 840 }, 84, 5_000)).toEqual({ first: 0, last: 16 });
    expect(windowOf({ top: 84_000, height: 840 }, 84, 5_000)).toEqual({ first: 994, last: 1_016 });
    expect(windowOf({ top: 84_000, height: 840 }, 84, 3)).toEqual({ first: 0, last: 3 });
    expect(windowOf({ top: 0, height: 840 }, 84, 0)).toEqual({ first: 0, last: 0 });
  });
});

describe("the map's geometry", () => {
  const dot = (id: string, x: number, y: number, severity?: Dot["severity"]): Dot => ({
    id,
    x,
    y,
    district: "n",
    kind: "air",
    severity,
  });

  it("knows Web Mercator", () => {
    expect(project(0, 0)).toEqual({ x: 0.5, y: 0.5 });
    expect(project(0, 180).x).toBe(1);
    expect(project(85.05112877980659, 0).y).toBeCloseTo(0, 10);
    // The tile of Berlin at zoom 12 is 2200/1343.
    const berlin = project(52.52, 13.405);
    expect([Math.floor(berlin.x * 4096), Math.floor(berlin.y * 4096)]).toEqual([2200, 1343]);
  });

  it("gathers what is near, with the worst of them, and loses none", () => {
    const dots = [
      dot("a", 0.1, 0.1),
      dot("b", 0.101, 0.1, "warning"),
      dot("c", 0.101, 0.101, "info"),
      dot("d", 0.9, 0.9),
    ];
    const found = cluster(dots, 1_000, 50);
    expect(found.map(({ count, alerting, worst }) => [count, alerting, worst])).toEqual([
      [3, 2, "warning"],
      [1, 0, undefined],
    ]);
    expect(cluster(dots, 1_000_000, 50)).toHaveLength(4);
  });

  it("draws the hull around the outermost places only", () => {
    const square = [dot("a", 0, 0), dot("b", 1, 0), dot("c", 1, 1), dot("d", 0, 1)];
    expect(hull([...square, dot("e", 0.5, 0.5), dot("f", 0.5, 0)])).toHaveLength(4);
    expect(hull(square.slice(0, 2))).toHaveLength(2);
  });
});

it("draws no chart of what is computed from other values, which has no readings, nor where there is no sensor", () => {
  const subject = { sensorId: "air-1", district: "centre" };
  expect(isCharted({ metric: "no2", subject })).toBe(true);
  expect(isCharted({ metric: "europeanAqi", subject })).toBe(false);
  expect(isCharted({ metric: "no2", subject: { district: "centre" } })).toBe(false);
  expect(isCharted({ subject })).toBe(false);
});

describe("what a chart shows of values marked invalid", () => {
  const around = (value: number, shape: "cross" | "ring") => {
    const points = [10, 12, 11].map((one, i) => [i, one] as const);
    const series = [{ label: "air-1", tone: "accent" as const, points }];
    return valueRange({ from: 0, to: 3, unit: "", series, marks: [{ at: 1, value, tone: "critical", shape }] });
  };

  it("does not squeeze the good ones for one that is far away, and shows what is near", () => {
    expect(around(4095, "cross")[1]).toBeLessThan(13);
    expect(around(14, "cross")[1]).toBeGreaterThan(14);
    expect(around(4095, "ring")[1]).toBeGreaterThan(4095);
  });
});
