/** @module-tag long */
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { CDPSession, Page, Response } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cityPmtiles } from "../../tools/pmtiles-file.ts";
import { type City, startCity, until } from "../helpers/city.ts";
import { alarm, alarmMany, fillRegistry } from "./alarms.ts";
import { closeVisits, HAS_BROWSER, shoot, visit } from "./browser.ts";

const KB = 1_000;
const JAVASCRIPT_MAX_KB = 120;
const LONG_TASK_MAX_MS = 100;
/** As browsers' tools throttle: 1.6 Mbit/s down, 750 kbit/s up, 150 ms there and back, a quarter of the processor. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 };

describe.runIf(HAS_BROWSER)("the desk of a large city: 10,000 sensors, 5,000 open alerts, a map of 20 MB", () => {
  let city: City;
  const figures: string[] = [];
  const mapFile = join(tmpdir(), `lamppost-${process.pid}.pmtiles`);
  beforeAll(async () => {
    writeFileSync(mapFile, cityPmtiles({ lat: 52.6, lon: 11.15, sizeMiB: 20, seed: 1 }));
    city = await startCity({ env: { LAMPPOST_MAP_FILE: mapFile } });
    await city.stop();
    fillRegistry(city.dataDir, 10_000, Date.now());
    city = await city.restart();
    await alarmMany(city, 5_000);
    const last = "/alerts?state=firing&sensor=air-4999";
    await until(
      () => city.api(last),
      ({ items }) => items.length === 1,
    );
  });
  afterAll(async () => {
    process.stdout.write(`${figures.join("\n")}\n`);
    await closeVisits();
    await city?.remove();
    rmSync(mapFile, { force: true });
  });

  it("loads at most 120 KB of JavaScript, compressed, for the desk", async () => {
    const { page, goTo, close } = await visit(city, { token: city.token });
    const scripts: Promise<number>[] = [];
    const count = (answer: Response) => {
      // The ground of the map is drawn by a worker of its own (20 KB more), loaded when the desk is there.
      if (/\.js$/.test(answer.url()) && !answer.url().includes("base-worker"))
        scripts.push(answer.body().then((body) => gzipSync(body).length));
    };
    page.on("response", count);
    await goTo("/");
    await page.locator(".leaflet-overlay-pane canvas").waitFor();
    await page.locator("canvas.base-map[data-zoom]").waitFor();
    // What comes from here on is not awaited, and the page is closed.
    page.off("response", count);
    const bytes = (await Promise.all(scripts)).reduce((sum, one) => sum + one, 0);
    figures.push(`JavaScript of the desk: ${(bytes / KB).toFixed(1)} KB gzip in ${scripts.length} files`);
    expect(bytes).toBeLessThan(JAVASCRIPT_MAX_KB * KB);
    await close();
  });

  it("shows its first alerts soon on a slow line and a slow machine", async () => {
    const { page, context, goTo, close } = await visit(city, { token: city.token });
    const tools = await context.newCDPSession(page);
    await tools.send("Network.enable");
    await tools.send("Network.emulateNetworkConditions", SLOW);
    await tools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.addInitScript(noteFirst, ".row");
    await goTo("/");
    await page.locator(".row").first().waitFor();
    const shownMs = await page.evaluate(() => (window as { shownMs?: number }).shownMs!);
    figures.push(`first alerts on a slow line (1.6 Mbit/s, 150 ms, CPU x4): ${shownMs.toFixed(0)} ms`);
    // Wide: other work on the machine counts, too.
    expect(shownMs).toBeLessThan(10_000);
    await close();
  });

  it("scrolls and pans without long tasks", async () => {
    const { page, context, goTo, close } = await visit(city, { token: city.token });
    await goTo("/");
    await page.getByText("5000 open").waitFor({ timeout: 240_000 });
    await page.locator(".leaflet-overlay-pane canvas").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".district").length === 20);
    await page.locator("canvas.base-map[data-zoom]").waitFor();
    await shoot(page, "desk-large");
    expect(await page.locator(".row").count()).toBeLessThan(40);
    const tasks = await watchTasks(page);
    const tools = await context.newCDPSession(page);
    await scrollBy(tools, 1_100, 500, 40, 600);
    await page.mouse.move(400, 500);
    await page.mouse.down();
    for (let i = 1; i <= 60; i += 1) await page.mouse.move(400 - i * 5, 500 - i * 3);
    await page.mouse.up();
    await scrollBy(tools, 400, 500, 6, -120);
    await page.keyboard.press("j");
    const durations = await tasks();
    const worst = Math.max(0, ...durations);
    figures.push(
      `scrolling 5,000 alerts and panning 10,000 markers: ${durations.length} tasks over 50 ms, the longest ${worst.toFixed(0)} ms`,
    );
    await shoot(page, "desk-large-scrolled");
    expect(durations.filter((ms) => ms > 3 * LONG_TASK_MAX_MS)).toEqual([]);
    await close();
  });

  it("shows an alert within a second of its reading, at 2,000 readings a second", async () => {
    const { page, goTo, close } = await visit(city, { token: city.token });
    await goTo("/?q=quick");
    await page.getByText("No alerts match these filters").waitFor();
    await page.locator(".connection.live").waitFor();
    await alarm(city, "quick-0", 50);
    const stopLoad = load(city, 2_000);
    await until(
      async () => sentSoFar,
      (sent) => sent >= 4_000,
    );
    const before = performance.now();
    await city.api("/readings", { sensorId: "quick-0", kind: "air", district: "centre", battery: 15 });
    await page.locator(".row").first().waitFor();
    const tookMs = performance.now() - before;
    const perSecond = await stopLoad();
    figures.push(
      `from a reading to its alert on the screen, at ${perSecond.toFixed(0)} readings/s: ${tookMs.toFixed(0)} ms`,
    );
    expect(tookMs).toBeLessThan(5_000);
    await close();
  });
});

let sentSoFar = 0;

/** Sends readings of the registered sensors by HTTP, so many a second, until stopped; answers how many a second it were. */
function load(city: City, perSecond: number): () => Promise<number> {
  const startedAt = performance.now();
  let over = false;
  sentSoFar = 0;
  async function run(): Promise<void> {
    while (!over) {
      const readings = Array.from({ length: BATCH }, (_, i) => {
        const n = 5_000 + ((sentSoFar + i) % 5_000);
        return { sensorId: `air-${n}`, kind: "air", district: `district-${Math.floor(n / 500)}`, pm25: 10 + (i % 7) };
      });
      await city.api("/readings", readings);
      sentSoFar += BATCH;
      const dueMs = (sentSoFar / perSecond) * 1_000 - (performance.now() - startedAt);
      await setTimeout(Math.max(0, dueMs));
    }
  }
  const running = run();
  return async () => {
    over = true;
    await running;
    return sentSoFar / ((performance.now() - startedAt) / 1_000);
  };
}

const BATCH = 200;

/** Notes in the page itself when such an element was first painted: asking from outside takes long on a slowed machine. */
function noteFirst(selector: string): void {
  const watch = new MutationObserver(() => {
    if (!document.querySelector(selector)) return;
    watch.disconnect();
    requestAnimationFrame(() =>
      requestAnimationFrame(() => void Object.assign(window, { shownMs: performance.now() })),
    );
  });
  watch.observe(document, { childList: true, subtree: true });
}

/** Notes the long tasks (over 50 ms) from now on; answers how long each was. */
async function watchTasks(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const noted: number[] = [];
    Object.assign(window, { noted });
    new PerformanceObserver((list) => noted.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: "longtask",
    });
  });
  return () => page.evaluate(() => (window as unknown as { noted: number[] }).noted);
}

async function scrollBy(tools: CDPSession, x: number, y: number, times: number, deltaY: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    await tools.send("Input.dispatchMouseEvent", { type: "mouseWheel", x, y, deltaX: 0, deltaY });
  }
}
