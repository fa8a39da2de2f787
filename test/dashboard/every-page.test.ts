import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PAGE_PATHS } from "../../api/permissions.ts";
import { type City, HOME, startCity, until } from "../helpers/city.ts";
import { alarm } from "./alarms.ts";
import { closeVisits, expectAccessible, HAS_BROWSER, type Visit, visit } from "./browser.ts";

/** If any page took it for markup, it would run, or ask someone for a picture. */
const MARKUP = `<img src=x onerror="window.ran=1"><script>window.ran=1</script>`;

/** Every page: its path, where one sees it, what is there when it is loaded, and whether it shows what people wrote. */
type Row = { readonly path: string; readonly at?: string; readonly ready: string; readonly shows?: true };
const PAGES: readonly Row[] = [
  { path: "/", ready: ".row", shows: true },
  { path: "/alerts/:id", at: "/alerts/ALERT", ready: ".timeline li", shows: true },
  { path: "/sensors/:id", at: "/sensors/odd-1", ready: ".chart-box", shows: true },
  { path: "/crew", ready: "main h1", shows: true },
  { path: "/rules", ready: "main tbody tr", shows: true },
  { path: "/rules/:id", at: "/rules/odd", ready: "main h2", shows: true },
  { path: "/rules/:id/edit", at: "/rules/odd/edit", ready: "main .cm-content" },
  { path: "/new-rule", ready: "main .cm-content" },
  { path: "/report", ready: ".figures", shows: true },
  { path: "/capture", ready: "main table" },
  { path: "/sensors", ready: "main tbody tr", shows: true },
  { path: "/compare", at: "/compare?sensors=odd-1&metric=battery", ready: ".chart-box" },
  { path: "/wall", ready: ".wall-alerts li" },
  { path: "/feed", ready: ".feed-live" },
  { path: "/feed", at: "/feed?tab=quarantine", ready: "main tbody tr" },
  { path: "/feed", at: "/feed?tab=ledger", ready: "main table" },
  { path: "/feed", at: "/feed?tab=throughput", ready: "main table" },
  { path: "/feed", at: "/feed?tab=runs", ready: "main h2" },
  { path: "/admin", at: "/admin?tab=users", ready: "table" },
  { path: "/admin", at: "/admin?tab=sensors", ready: "table", shows: true },
  { path: "/admin", at: "/admin?tab=targets", ready: ".card", shows: true },
  { path: "/admin", at: "/admin?tab=silences", ready: ".card", shows: true },
  { path: "/admin", at: "/admin?tab=walls", ready: ".admin-section" },
  { path: "/admin", at: "/admin?tab=audit", ready: "table", shows: true },
  { path: "/admin", at: "/admin?tab=mappings", ready: "table", shows: true },
  { path: "/mappings/:id", at: "/mappings/odd", ready: "main .cm-content", shows: true },
  { path: "/new-mapping", ready: "main .cm-content" },
  { path: "/account", ready: "form" },
  { path: "/city", ready: "main h2" },
];

describe.runIf(HAS_BROWSER)("every page", () => {
  let city: City;
  let alertId: string;
  let policy: string | null;
  /** For the table below: one visitor goes from page to page. */
  let visitor: Visit;
  beforeAll(async () => {
    city = await startCity({ env: { LAMPPOST_PUBLIC_PAGE: "on" } });
    alertId = await writeOddThings(city);
    policy = (await fetch(city.http)).headers.get("content-security-policy");
    visitor = await visit(city, { token: city.token });
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  it("is in this table, and the service lets each be entered", () => {
    const source = readFileSync(join(HOME, "dashboard/shell/pages.ts"), "utf8");
    const paths = [...source.matchAll(/\bpath: "([^"]+)"/g)].map((match) => match[1]!).sort();
    expect([...new Set(PAGES.map(({ path }) => path))].sort()).toEqual(paths);
    expect([...PAGE_PATHS].sort()).toEqual(paths);
  });

  it("may load from nobody else and run nothing that stands in it", () => {
    expect(policy).toMatch(/^default-src 'self';/);
    expect(policy).not.toMatch(/script-src|unsafe|https?:|\*/);
  });

  it.each(PAGES.map(({ path, at = path, ...row }) => ({ at, ...row })))(
    "$at: usable by everyone in each theme, asks nobody else, and what people wrote stays text",
    async ({ at, ready, shows }) => {
      const { page, goTo, complaints } = visitor;
      const before = complaints.length;
      await goTo(at.replace("ALERT", alertId));
      await page.locator(ready).first().waitFor();
      if (shows) await page.getByText(MARKUP).first().waitFor({ state: "attached" });
      expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
      expect(await page.title()).toMatch(/^\S.* · Lamppost$/);
      await expectAccessible(page);
      // The first look was at the light one. Another theme is other colours and nothing else.
      for (const theme of ["dark", "contrast"]) {
        await page.evaluate((chosen) => document.documentElement.setAttribute("data-theme", chosen), theme);
        await expectAccessible(page, ["color-contrast"]);
      }
      expect(await page.evaluate(() => "ran" in window)).toBe(false);
      expect(complaints.slice(before)).toEqual([]);
    },
  );

  it("goes by keyboard alone from signing in over an alert, which is acknowledged and commented, to its sensor and back", async () => {
    const { username, password } = await city.api("/users", { name: "kim", role: "operator" });
    const { page, goTo, complaints, close } = await visit(city);
    await goTo("/");
    await tabTo(page, page.getByLabel("Name", { exact: true }));
    await page.keyboard.type(username);
    await tabTo(page, page.getByLabel("Password", { exact: true }));
    await page.keyboard.type(password);
    await page.keyboard.press("Enter");
    await page.locator(".row").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/alerts\//);
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    await tabTo(page, page.getByRole("button", { name: "Acknowledge", exact: true }));
    await page.keyboard.press("Enter");
    await page.locator(".alert-chips").getByText("Acknowledged").waitFor();
    await tabTo(page, page.locator(".actions summary"));
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByRole("button", { name: "Comment", exact: true }));
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("TEXTAREA");
    await page.keyboard.type("On my way");
    await tabTo(page, page.getByRole("button", { name: "Save" }));
    await page.keyboard.press("Enter");
    await page.locator(".timeline").getByText("On my way").waitFor();
    await tabTo(page, page.locator(`main a[href^="/sensors/"]`).first());
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/sensors\/odd-1/);
    await page.locator(".chart-box").waitFor();
    await page.goBack(); // Alt+Left is a key of the browser's window, which a headless one does not have.
    await page.waitForURL(/\/alerts\//);
    await page.locator(".timeline").getByText("On my way").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});

/** Tab until it has the focus; a person sees where they are on the way. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  for (let i = 0; i < 80; i += 1) {
    await page.keyboard.press("Tab");
    if (!(await wanted.evaluate((element) => element === document.activeElement))) continue;
    expect(await wanted.evaluate((element) => element.matches(":focus-visible"))).toBe(true);
    return;
  }
  throw new Error(`${wanted} is not within reach of the keyboard`);
}

/** An alert and everything people may name or write, all of it markup; the alert's id. */
async function writeOddThings(city: City): Promise<string> {
  await alarm(city, "odd-1", 5, MARKUP);
  const open = () => city.api("/alerts?state=firing");
  const [alert] = (await until(open, ({ items }) => items.length > 0)).items;
  await city.api(`/alerts/${alert.id}/comment`, { note: MARKUP });
  const quiet = { matchers: { rule: "ledger-imbalance" }, endsAt: new Date(Date.now() + 3_600_000).toISOString() };
  await city.api("/silences", { ...quiet, reason: MARKUP });
  const { version: _, state: _1, stats: _2, file: _3, ...rule } = await city.api(`/rules/${alert.rule.id}`);
  const odd = { ...rule, id: "odd", title: MARKUP, advice: MARKUP, mode: "shadow" };
  await city.api("/rules/odd", { rule: odd, reason: MARKUP }, "PUT");
  const place = { sensorId: "odd-1", kind: "air", district: "centre" };
  await city.api("/readings", [
    { ...place, battery: 5 },
    { ...place, battery: MARKUP },
  ]);
  const yaml = `title: ${JSON.stringify(MARKUP)}\nbase: json\ndistrict: centre\nkind: air\ndevice: "{who}"\n`;
  await city.api("/mappings/odd", { yaml, reason: MARKUP }, "PUT");
  await city.call("/in/odd", { method: "POST", body: JSON.stringify({ who: MARKUP, pm10: 3 }) });
  await city.api("/targets", { name: MARKUP, type: "mqtt", to: "alerts/to/odd" });
  return alert.id;
}
