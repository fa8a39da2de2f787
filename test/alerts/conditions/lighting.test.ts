import { describe, expect, it } from "vitest";
import type { WatchedSensor } from "../../../alerts/conditions/condition.ts";
import { createDetector } from "../../../alerts/detector.ts";
import { loadRules } from "../../../alerts/rules/check.ts";
import { cityRules } from "../../../alerts/rules/zoned.ts";
import type { Values } from "../../../model/reading.ts";
import { aReading, aSensor, DAY, HOUR, MINUTE } from "../builders.ts";
import { type Cabinet, healthy, type Power } from "./street-lights.ts";

const defaults = loadRules().filter(({ condition, id }) => condition.type === "lighting" || id === "power-unusual");

/** One line for each firing and end: "firing street-light-dark 2026-06-20T20:15". */
function watch(
  readings: readonly (readonly [at: number, values: Values])[],
  { zone = "UTC", place, sensor = {}, rules = defaults }: Watching = {},
) {
  const one = aSensor({ kind: "energy", tags: { use: "street-lighting" }, ...sensor });
  const detector = createDetector({ rules: cityRules(rules, { zone, place }), sensor: () => one });
  return readings.flatMap(([at, values]) =>
    detector.observe([aReading(at, values, { kind: "energy", receivedAt: at })]).map(({ alert, entry }) => ({
      line: `${entry.what} ${alert.rule.id} ${new Date(entry.at).toISOString().slice(0, 16)}`,
      fault: alert.rule.id,
      ...alert,
      what: entry.what,
      at: entry.at,
    })),
  );
}

type Watching = {
  readonly zone?: string;
  readonly place?: { readonly lat: number; readonly lon: number };
  readonly sensor?: Partial<WatchedSensor>;
  readonly rules?: typeof defaults;
};

const powers = (list: readonly Power[]) => list.map(([at, activePower]) => [at, { activePower }] as const);

const berlin = { lat: 52.52, lon: 13.4 };
const sydney = { lat: -33.87, lon: 151.21 };
const oulu = { lat: 65.01, lon: 25.47 };
const tromso = { lat: 69.65, lon: 18.96 };
const quito = { lat: -0.18, lon: -78.47 };

function localMinute(zone: string) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    weekday: "short",
  });
  return (at: number) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return { minute: (Number(parts.hour) % 24) * 60 + Number(parts.minute), day: parts.weekday! };
  };
}

/** `share` from ten in the evening to five. */
function dimmed(zone: string, share: number, from = 22 * 60, except: readonly string[] = []) {
  const local = localMinute(zone);
  return (at: number) => {
    const { minute } = local(at);
    const evening = local(at - 12 * HOUR).day;
    const isLate = from > 12 * 60 ? minute >= from || minute < 300 : minute >= from && minute < 300;
    return isLate && !except.includes(evening) ? share : 1;
  };
}

describe("a healthy cabinet, for a year and more of changing switching times", () => {
  const cases: readonly (readonly [name: string, cabinet: Cabinet, zone: string])[] = [
    ["minutes from sunset", { ...berlin, minutes: 12 }, "Europe/Berlin"],
    ["a photocell in all weathers", { ...berlin, degrees: -3, weather: 12, noise: 0.03 }, "Europe/Berlin"],
    ["dimmed by the city's clock", { ...berlin, minutes: 10, dimming: dimmed("Europe/Berlin", 0.5) }, "Europe/Berlin"],
    ["dimmed by UTC", { ...berlin, minutes: 10, dimming: dimmed("UTC", 0.5) }, "Europe/Berlin"],
    [
      "not dimmed at the weekend",
      { ...berlin, minutes: 10, dimming: dimmed("Europe/Berlin", 0.4, 22 * 60, ["Fri", "Sat"]) },
      "Europe/Berlin",
    ],
    ["off from midnight to five", { ...berlin, minutes: 10, dimming: dimmed("Europe/Berlin", 0, 0) }, "Europe/Berlin"],
    ["a zone that nobody has set", { ...berlin, minutes: 10, dimming: dimmed("Europe/Berlin", 0.5) }, "UTC"],
    ["in the south", { ...sydney, minutes: 5, dimming: dimmed("Australia/Sydney", 0.6) }, "Australia/Sydney"],
    ["at the equator", { ...quito }, "America/Guayaquil"],
    ["white nights", { ...oulu, degrees: -3 }, "Europe/Helsinki"],
    ["short nights by minutes", { ...oulu, minutes: 20 }, "Europe/Helsinki"],
    ["midnight sun and polar night", { ...tromso, degrees: -3 }, "Europe/Oslo"],
    ["hour by hour", { ...berlin, minutes: 10, everyMin: 60 }, "Europe/Berlin"],
  ];

  it.each(cases)("%s: no alert, with its place and without", (_, cabinet, zone) => {
    const list = powers(healthy({ everyMin: 15, ...cabinet }, Date.UTC(2026, 0, 1), 400));
    const { lat, lon } = cabinet;
    expect(watch(list, { zone, sensor: { lat, lon } }).map(({ line }) => line)).toEqual([]);
    expect(watch(list, { zone }).map(({ line }) => line)).toEqual([]);
  });
});

/** Three weeks about a night; `bend` gets the hours since its midnight. */
function about(
  month: number,
  cabinet: Cabinet,
  bend: (hours: number, kw: number, at: number) => number | undefined,
): { readonly list: (readonly [number, Values])[]; readonly midnight: number } {
  const midnight = Date.UTC(2026, month, 21) - (cabinet.lon / 15) * HOUR;
  const list = healthy({ minutes: 10, ...cabinet }, Date.UTC(2026, month, 5), 20);
  const bent = list.map(([at, kw]) => [at, bend((at - midnight) / HOUR, kw, at)] as const);
  return {
    list: bent.flatMap(([at, kw]) => (kw === undefined ? [] : [[at, { activePower: kw }] as const])),
    midnight,
  };
}

const nights = [
  ["in Berlin in June", berlin, 5],
  ["in Berlin in December", berlin, 11],
  ["in Sydney in June", sydney, 5],
  ["in Sydney in December", sydney, 11],
] as const;

describe.each(nights)("a night %s", (_, where, month) => {
  const lines = (said: ReturnType<typeof watch>) => said.map(({ what, fault }) => `${what} ${fault}`);

  it.each(["own", "city", "unknown"] as const)(
    "a dark cabinet is found in the first hour, its place being %s",
    (place) => {
      const { list, midnight } = about(month, where, (hours, kw) => (hours > -12 && hours < 12 ? 0.02 : kw));
      const options = place === "own" ? { sensor: where } : place === "city" ? { place: where } : {};
      const said = watch(list, options);
      expect(lines(said)).toEqual(["firing street-light-dark", "resolved street-light-dark"]);
      const [fired, ended] = said as [(typeof said)[0], (typeof said)[0]];
      expect(fired.at - fired.startedAt).toBeGreaterThanOrEqual(15 * MINUTE);
      expect(fired.at - fired.startedAt).toBeLessThanOrEqual(HOUR);
      expect(fired.at).toBeLessThan(midnight);
      expect(ended.at - fired.at).toBeGreaterThan(20 * HOUR);
      const basis = { own: "by the sun at its place", city: "by the sun over the city", unknown: "place is not known" };
      expect(fired.explanation).toContain(basis[place]);
    },
  );

  it("a third of the lamps out is found in the first night, with how many, and stays until they burn again", () => {
    const { list, midnight } = about(month, where, (hours, kw) =>
      hours > -12 && hours < 60 && kw > 1 ? kw * 0.67 : kw,
    );
    const said = watch(list, { sensor: { ...where, tags: { use: "street-lighting", lamps: "30" } } });
    expect(lines(said)).toEqual(["firing street-light-lamps-out", "resolved street-light-lamps-out"]);
    expect(said[0]!.at).toBeLessThan(midnight);
    expect(said[0]!.explanation).toMatch(/3[234] % below .* about 10 of 30 lamps/);
    expect(said[1]!.at).toBeGreaterThan(midnight + 60 * HOUR);
  });

  it("lamps that go out in the middle of the night are found in that night", () => {
    const { list, midnight } = about(month, where, (hours, kw) => (hours > 0.5 && kw > 1 ? kw * 0.8 : kw));
    const said = watch(list, { sensor: where });
    expect(said[0]).toMatchObject({ what: "firing", fault: "street-light-lamps-out" });
    expect(said[0]!.at - midnight).toBeLessThan(2 * HOUR);
  });

  it("lamps that burn by day are found after an hour, all of them or one circuit", () => {
    for (const kw of [4, 1.2]) {
      const { list } = about(month, where, (hours, was) => (hours > 9 && hours < 15 ? kw : was));
      const said = watch(list, { sensor: where });
      expect(lines(said)).toEqual(["firing street-light-by-day", "resolved street-light-by-day"]);
      expect(said[0]!.at - said[0]!.startedAt).toBeLessThanOrEqual(75 * MINUTE);
    }
  });

  it("a clock that is an hour late is said after three nights, and not as darkness every night", () => {
    const straight = healthy({ ...where, minutes: 10 }, Date.UTC(2026, month, 5), 24);
    const midnight = Date.UTC(2026, month, 21) - (where.lon / 15) * HOUR;
    const late = straight.map(
      ([at, kw], i) => [at, { activePower: at > midnight - 12 * HOUR ? straight[i - 12]![1] : kw }] as const,
    );
    const said = watch(late, { sensor: where });
    const drift = said.find(({ fault }) => fault === "street-light-switching")!;
    expect(drift.explanation).toMatch(/in 3 nights in a row: on and off (5\d min|1 h) later/);
    expect(drift.at - midnight).toBeLessThan(3 * DAY);
    expect(
      said.filter(({ what, fault }) => what === "firing" && fault === "street-light-dark").length,
    ).toBeLessThanOrEqual(1);
  });

  it("a supply that was away for a quarter of an hour is said when it is back, by the cold start alone, too", () => {
    const warm = (hours: number, kw: number) => (hours >= 1 && hours < 1.2 ? kw * (0.5 + 2.5 * (hours - 1)) : kw);
    const dark = about(month, where, (hours, kw) => (hours > 0.7 && hours < 1 ? 0.02 : warm(hours, kw)));
    const silent = about(month, where, (hours, kw) => (hours > 0.7 && hours < 1 ? undefined : warm(hours, kw)));
    for (const { list, midnight } of [dark, silent]) {
      const said = watch(list, { sensor: where }).filter(({ fault }) => fault === "street-light-interruption");
      expect(lines(said)).toEqual(["firing street-light-interruption", "resolved street-light-interruption"]);
      expect((said[0]!.startedAt - midnight) / HOUR).toBeGreaterThan(0.5);
      expect((said[1]!.at - midnight) / HOUR).toBeLessThan(1.5);
      expect(`${said[0]!.explanation} ${said[1]!.explanation}`).toContain("a cold start");
    }
  });
});

describe("street lights", () => {
  it("a slow clock, two minutes a day, is found within two weeks", () => {
    const start = Date.UTC(2026, 8, 1);
    const list = healthy({ ...berlin, minutes: 10, everyMin: 5 }, start, 50);
    const from = start + 22 * DAY;
    const slow = list.map(([at], i) => {
      const minutes = Math.max(0, Math.floor(((at - from) / DAY) * 2));
      return [at, { activePower: list[Math.max(0, i - Math.floor(minutes / 5))]![1] }] as const;
    });
    const said = watch(slow, { sensor: berlin });
    expect(said[0]).toMatchObject({ what: "firing", fault: "street-light-switching" });
    expect(said[0]!.at).toBeLessThan(from + 14 * DAY);
  });

  it("speak from the first night on where the tags say what they draw and how they are dimmed", () => {
    const cabinet = { ...berlin, minutes: 10, dimming: dimmed("Europe/Berlin", 0.6) };
    const list = healthy(cabinet, Date.UTC(2026, 9, 1), 3);
    const tags = { use: "street-lighting", ratedPower: "4", dimming: "22:00=60 05:00=100" };
    const options = { zone: "Europe/Berlin", sensor: { ...berlin, tags } };
    expect(watch(powers(list), options)).toEqual([]);
    const half = list.map(([at, kw]) => [at, { activePower: kw > 1 ? kw / 2 : kw }] as const);
    expect(watch(half, options)[0]?.line).toMatch(/^firing street-light-lamps-out 2026-10-01T17/);
    const dark = list.map(([at]) => [at, { activePower: 0.02 }] as const);
    expect(watch(dark, options)[0]).toMatchObject({ fault: "street-light-dark" });
    expect(watch(dark, options)[0]!.at).toBeLessThan(Date.UTC(2026, 9, 1, 18, 45));
  });

  it("take new dimming for usual after two nights", () => {
    const start = Date.UTC(2026, 9, 5);
    const from = start + 15 * DAY + 12 * HOUR;
    const local = dimmed("UTC", 0.5, 21 * 60);
    const list = healthy({ ...berlin, minutes: 10, dimming: (at) => (at > from ? local(at) : 1) }, start, 26);
    const said = watch(powers(list), { sensor: berlin }).filter(({ what }) => what === "firing");
    expect(said.map(({ fault }) => fault)).toEqual(["street-light-lamps-out", "street-light-lamps-out"]);
    expect(said.at(-1)!.at).toBeLessThan(from + 3 * DAY);
  });

  it("are not missed where a level is sent that changes with the traffic", () => {
    const list = healthy({ ...berlin, minutes: 10, rampMin: 0 }, Date.UTC(2026, 10, 1), 20);
    const level = (at: number) => 30 + 10 * (Math.floor(at / (20 * MINUTE)) % 8);
    const adaptive = (share: (at: number) => number) =>
      list.map(([at, kw]) => [at, { activePower: (kw * level(at) * share(at)) / 100, dimLevel: level(at) }] as const);
    const from = Date.UTC(2026, 10, 18, 12);
    expect(
      watch(
        adaptive(() => 1),
        { sensor: berlin },
      ),
    ).toEqual([]);
    const said = watch(
      adaptive((at) => (at > from ? 0.75 : 1)),
      { sensor: berlin },
    );
    expect(said[0]).toMatchObject({ what: "firing", fault: "street-light-lamps-out" });
    expect(said[0]!.at - from).toBeLessThan(6 * HOUR);
  });

  it("are told apart from lamps that were switched off: the state speaks for those", () => {
    const list = healthy({ ...berlin, minutes: 10, rampMin: 0, noise: 0 }, Date.UTC(2026, 10, 1), 20);
    const from = Date.UTC(2026, 10, 18, 12);
    const told = (state: 0 | 1) =>
      list.map(([at, kw]) => {
        const isOut = at > from && kw > 1;
        return [at, { activePower: isOut ? 0.02 : kw, lampState: isOut ? state : kw > 1 ? 1 : 0 }] as const;
      });
    const first = (state: 0 | 1) => watch(told(state), { sensor: berlin })[0]?.fault;
    expect(first(1)).toBe("street-light-dark");
    expect(first(0)).toBe("lamp-state-dark");
  });

  it("whose cabinet falls silent are no more said to be dark after two days", () => {
    const { list, midnight } = about(11, berlin, (hours, kw) => (hours > -12 ? (hours < -4 ? 0.02 : undefined) : kw));
    const said = watch([...list, [midnight + 5 * DAY, { activePower: 4 }]], { sensor: berlin });
    expect(said.map(({ what }) => what)).toEqual(["firing", "resolved"]);
    expect(said[1]!.explanation).toContain("no valid data");
    expect(said[1]!.at - said[0]!.at).toBeLessThan(3 * DAY);
  });
});
