/** @module-tag long */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AlertView } from "../../contract/alert.ts";
import { type City, HOME, startCity, until } from "../helpers/city.ts";
import { closeVisits, HAS_BROWSER, type VisitOptions, visit } from "./browser.ts";

/** `LAMPPOST_TOUR=write vitest run test/dashboard/tour.test.ts` makes the pictures of docs/tour.md anew. */
const WRITE = process.env.LAMPPOST_TOUR === "write";
const FOLDER = join(HOME, "docs/tour");
/** A street map under the desk takes more than a page of words. */
const BYTES_MAX = 90_000;
const SIZES = { wide: { width: 1200, height: 750 }, phone: { width: 390, height: 760 } };

describe.runIf(HAS_BROWSER)("the tour", () => {
  let city: City;
  let alert: AlertView;
  beforeAll(async () => {
    city = await startCity({ env: { LAMPPOST_SIMULATE: "city" } });
    const open = () => city.api("/alerts?state=firing&limit=100").then(({ items }) => items as AlertView[]);
    // The simulated city tells its past first: then its alerts are there.
    const alerts = await until(open, (all) => all.filter(isTold).length >= 8, 60_000);
    alert = alerts.filter(isTold).find(({ evidence }) => evidence.length > 0)!;
    await tellSomeone(city);
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  const shown = (): Record<string, [at: string, ready: string, options?: VisitOptions]> => ({
    desk: ["/", "canvas"],
    "desk-dark": ["/", "canvas", { theme: "dark" }],
    alert: [`/alerts/${alert.id}`, ".chart-box[data-ready]"],
    sensor: [`/sensors/${alert.subject.sensorId}`, ".chart-box[data-ready]"],
    crew: ["/crew", "main li", { size: "phone", touch: true }],
    rules: ["/rules", "main tbody tr"],
    rule: [`/rules/${alert.rule.id}`, "main h2"],
    feed: ["/feed", "main tbody tr:nth-child(12)"],
    report: ["/report?hours=24", ".figures"],
    admin: ["/admin?tab=targets", ".card"],
  });

  it("has a small picture of each page, made here, and names no other", async () => {
    const pictures = shown();
    for (const [name, [at, ready, options = {}]] of Object.entries(pictures)) {
      const { page, goTo, complaints, close } = await visit(city, { token: city.token, ...options });
      await page.setViewportSize(options.size === "phone" ? SIZES.phone : SIZES.wide);
      await goTo(at);
      await page.locator(ready).first().waitFor();
      const bytes = await photograph(page);
      expect(bytes.length, name).toBeLessThan(BYTES_MAX);
      expect(complaints).toEqual([]);
      if (WRITE) {
        mkdirSync(FOLDER, { recursive: true });
        writeFileSync(join(FOLDER, `${name}.webp`), bytes);
      }
      await close();
    }
    const files = Object.keys(pictures).map((name) => `${name}.webp`);
    const kept = readdirSync(FOLDER);
    expect(kept.sort()).toEqual(files.sort());
    expect(kept.filter((file) => statSync(join(FOLDER, file)).size > BYTES_MAX)).toEqual([]);
    const named = readFileSync(join(HOME, "docs/tour.md"), "utf8").matchAll(/\(tour\/([^)]+)\)/g);
    expect([...named].map((match) => match[1]).sort()).toEqual(files);
  });
});

const isTold = ({ suppressedBy, subject }: AlertView) => suppressedBy === undefined && subject.sensorId !== undefined;

/** WebP is half as large as JPEG at the same look; only the debugger makes it. */
async function photograph(page: Page): Promise<Buffer> {
  // A machine that does much else lets the rules fall behind for a moment, and the page says so.
  await page.locator(".banner").waitFor({ state: "detached" });
  await page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => {}); // the live stream stays open
  // What is still on its way (tables below a chart, the map's shapes) has two frames to come.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const tools = await page.context().newCDPSession(page);
  const { data } = await tools.send("Page.captureScreenshot", { format: "webp", quality: 60 });
  return Buffer.from(data, "base64");
}

/** Two targets, so that there is something to see. */
async function tellSomeone({ api }: City): Promise<void> {
  await api("/targets", {
    id: "head",
    name: "Head of shift",
    type: "mqtt",
    to: "alerts/to/head",
    severityMin: "critical",
  });
  const quietHours = { timeZone: "Europe/Madrid", from: "22:00", to: "06:00" };
  const escalation = { escalateAfter: "15m", escalateTo: "head" };
  const desk = { name: "Control room", type: "mqtt", to: "alerts/to/control-room", severityMin: "warning" };
  await api("/targets", { ...desk, audience: "operators", quietHours, ...escalation });
}
