import type { Page } from "playwright-core";
import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { useSite } from "./site.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A wave with readings at these times, each so many milliseconds before now. */
type Shape = {
  readonly name: string;
  readonly agesMs: readonly number[];
  readonly spanMs: number;
  readonly gaps: number;
};

const times = (count: number, everyMs: number, newest: number) =>
  Array.from({ length: count }, (_, i) => newest + (count - 1 - i) * everyMs);

const SHAPES: readonly Shape[] = [
  {
    name: "rate-change",
    agesMs: [...times(90, MINUTE_MS, 62 * MINUTE_MS), ...times(366, 10_000, 60_000)],
    spanMs: 2.55 * HOUR_MS,
    gaps: 0,
  },
  {
    name: "batch",
    agesMs: times(8, 30 * MINUTE_MS, 5 * MINUTE_MS).flatMap((age) => times(20, 1_000, age)),
    spanMs: 4 * HOUR_MS,
    gaps: 0,
  },
  { name: "sparse", agesMs: times(5, 6 * HOUR_MS, HOUR_MS), spanMs: 30 * HOUR_MS, gaps: 0 },
  { name: "dense", agesMs: times(2_000, 5_000, 5_000), spanMs: 2.77 * HOUR_MS, gaps: 0 },
  {
    name: "gap",
    agesMs: [...times(100, MINUTE_MS, 80 * MINUTE_MS), ...times(20, MINUTE_MS, 30 * MINUTE_MS)],
    spanMs: 3.1 * HOUR_MS,
    gaps: 3,
  },
];

describe.runIf(HAS_BROWSER)("what charts draw", () => {
  const now = Date.now();
  const site = useSite((city) => sendShapes(city, now));

  it.each(SHAPES)("is what was served, no less and no more: $name", async ({ name, spanMs, gaps }) => {
    const { page, goTo, complaints, close } = await site.visit();
    const served = page.waitForResponse(async (answer) => {
      return answer.url().includes(`/sensors/${name}/readings`) && (await answer.json()).next === undefined;
    });
    await goTo(`/sensors/${name}?metric=pm25&from=${now - spanMs}&to=${now}`);
    await page.locator(".chart-box[data-ready]").waitFor();
    const { items, gaps: told = [] } = (await (await served).json()) as Served;
    const stepMs = new URL((await served).url()).searchParams.has("every") ? MINUTE_MS : 0;
    const points = items.map((one) => pointOf(one, stepMs));
    expect(points.length).toBeGreaterThan(4);
    expect(told).toHaveLength(gaps);
    await page.getByText("fine particles (PM2.5), µg/m³").first().waitFor();
    await expect.poll(() => page.locator(".chart-key", { hasText: "No data" }).count()).toBe(gaps > 0 ? 1 : 0);
    const inGap = (from: number, to: number) =>
      told.some((gap) => Date.parse(gap.from) < to && Date.parse(gap.to) > from);
    const middles = points.slice(1).flatMap(([at, value], i): Point[] => {
      const [before, last] = points[i]!;
      return inGap(before, at) ? [] : [[(before + at) / 2, (last + value) / 2]];
    });
    const between = told.map(({ from, to }): Point => [Date.parse(from), Date.parse(to)]);
    const found = await look(page, { points, middles, between, from: now - spanMs, to: now });
    expect(found).toEqual({ unseen: 0, broken: 0, madeUp: 0 });
    expect(complaints).toEqual([]);
    await shoot(page, `chart-${name}`);
    await close();
  });

  it("opens on what the worst open alert is about, with its limit, its time and the neighbours by their names", async () => {
    const { page, goTo, close } = await site.visit();
    await goTo("/sensors/hot-1");
    await page.locator(".chart-box[data-ready]").waitFor();
    expect(await page.getByRole("combobox", { name: "Value" }).inputValue()).toBe("enclosureTemperature");
    await page.locator(".chart-key", { hasText: "Alerts were firing" }).waitFor();
    await page.getByText("enclosure temperature, °C").waitFor();
    await page.getByLabel("Show neighbours").check();
    for (const name of ["Quay (hot-2)", "Quay (hot-3)"]) await page.locator(".chart-key", { hasText: name }).waitFor();
    const colours = await page.locator(".chart-key .chart-swatch").evaluateAll((all) => {
      return all.map((one) => getComputedStyle(one).backgroundColor);
    });
    expect(new Set(colours).size).toBe(colours.length);
    await expectEachTheme(page, "chart-alert");
    await close();
  });

  it("gives small values no more height than they deserve, and each label of an axis once", async () => {
    const { page, goTo, close } = await site.visit();
    await goTo("/sensors/hot-2?metric=pm10");
    const box = page.locator(".chart-box[data-ready]");
    await box.waitFor();
    const [low, high] = await box.evaluate((one) => [Number(one.dataset.low), Number(one.dataset.high)] as const);
    expect([low <= 0.1, high >= 4]).toEqual([true, true]);
    await close();
  });
});

type Point = readonly [number, number];
type Served = {
  readonly items: readonly {
    measuredAt?: string;
    start?: string;
    values: { readonly pm25: number | { readonly mean: number } };
  }[];
  readonly gaps?: readonly { readonly from: string; readonly to: string }[];
};

function pointOf({ measuredAt, start, values: { pm25 } }: Served["items"][number], stepMs: number): Point {
  const at = Date.parse((measuredAt ?? start)!) + stepMs / 2;
  return [at, typeof pm25 === "number" ? pm25 : pm25.mean];
}

type Expected = {
  readonly points: readonly Point[];
  /** Halfway between those that a line joins. */
  readonly middles: readonly Point[];
  /** Times with no line. */
  readonly between: readonly Point[];
  readonly from: number;
  readonly to: number;
};

/** Looks for the colour of the line where it is to be, and where it is not. */
function look(page: Page, expected: Expected) {
  return page.evaluate(({ points, middles, between, from, to }) => {
    const box = document.querySelector<HTMLElement>(".chart-box")!;
    const canvas = box.querySelector("canvas")!;
    const [frame, over] = [canvas, box.querySelector(".u-over")!].map((one) => one.getBoundingClientRect());
    const scale = canvas.width / frame!.width;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    const colour = getComputedStyle(box.parentElement!.querySelector(".chart-swatch.accent")!).backgroundColor;
    const [red, green, blue] = colour.match(/\d+/g)!.map(Number) as [number, number, number];
    const isLine = (x: number, y: number) => {
      const i = 4 * (Math.round(y) * canvas.width + Math.round(x));
      return Math.hypot(data[i]! - red, data[i + 1]! - green, data[i + 2]! - blue) < 35 && data[i + 3]! > 100;
    };
    const [low, high] = [Number(box.dataset.low), Number(box.dataset.high)];
    const left = (over!.left - frame!.left) * scale;
    const top = (over!.top - frame!.top) * scale;
    const xOf = (at: number) => left + ((at - from) / (to - from)) * over!.width * scale;
    const yOf = (value: number) => top + (1 - (value - low) / (high - low)) * over!.height * scale;
    const isNear = ([at, value]: readonly [number, number]) => {
      for (let dx = -3; dx <= 3; dx++)
        for (let dy = -3; dy <= 3; dy++) if (isLine(xOf(at) + dx, yOf(value) + dy)) return true;
      return false;
    };
    const column = (x: number) => {
      for (let y = top; y < top + over!.height * scale; y++) if (isLine(x, y)) return true;
      return false;
    };
    const madeUp = between.filter(([start, end]) => {
      for (let x = xOf(start) + 5; x < xOf(end) - 5; x++) if (column(x)) return true;
      return false;
    });
    return {
      unseen: points.filter((one) => !isNear(one)).length,
      broken: middles.filter((one) => !isNear(one)).length,
      madeUp: madeUp.length,
    };
  }, expected);
}

async function sendShapes({ api }: City, now: number): Promise<void> {
  const place = { kind: "air", district: "north" };
  const readings: object[] = [];
  for (const { name, agesMs } of SHAPES) {
    await api("/devices", { sensorId: name, ...place, district: "south" });
    for (const age of agesMs) {
      const pm25 = Math.round(300 + 200 * Math.sin(age / (20 * MINUTE_MS))) / 10;
      readings.push({ sensorId: name, ...place, district: "south", measuredAt: now - age, pm25 });
    }
  }
  for (const [i, name] of ["Mill", "Quay", "Quay"].entries()) {
    const sensorId = `hot-${i + 1}`;
    await api("/devices", { sensorId, ...place, name, lat: 40.4 + i / 1_000, lon: -3.7 });
    for (const age of times(30, 2 * MINUTE_MS, 60_000)) {
      const enclosureTemperature = i === 0 && age < 5 * MINUTE_MS ? 74 : 40 + i + (age % 7);
      const pm10 = 0.1 + (age % 4) / 10;
      readings.push({ sensorId, ...place, measuredAt: now - age, pm10, enclosureTemperature });
    }
  }
  for (let i = 0; i < readings.length; i += 500) await api("/readings", readings.slice(i, i + 500));
  const latest = async () => (await api("/sensors/hot-3/readings?limit=1000")).items.length;
  await vi.waitFor(async () => expect(await latest()).toBe(30), { timeout: 30_000 });
  const alerts = async () => (await api("/alerts?rule=enclosure-overheated")).items.length;
  await vi.waitFor(async () => expect(await alerts()).toBe(1), { timeout: 30_000 });
}
