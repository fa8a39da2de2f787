import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { alarm } from "./alarms.ts";
import { expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { textOfPages } from "./pdf.ts";
import { useSite } from "./site.ts";

describe.runIf(HAS_BROWSER)("the shift report", () => {
  const site = useSite(raiseAlert);

  it("says what happened, per district and rule, and which sensors said nothing", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/report");
    await page.getByRole("heading", { name: "Shift report" }).waitFor();
    const row = page.getByRole("region", { name: "By rule" }).getByRole("row", { name: /Battery nearly empty/ });
    await row.waitFor();
    expect(await row.getByRole("cell").allTextContents()).toEqual(["1", "1", "0", "0", "0", "0", "–", "–"]);
    await page
      .getByRole("region", { name: /Sensors without data/ })
      .getByText("air-quiet")
      .waitFor();
    await page.getByRole("link", { name: "Battery nearly empty" }).first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("keeps the time in the address, refuses an impossible one beside its fields, and gives the alerts as a table", async () => {
    const { page, goTo, close } = await site.visit();
    await goTo("/report");
    await page.getByRole("link", { name: "Last 7 days" }).click();
    expect(new URL(page.url()).search).toBe("?hours=168");
    await page.getByLabel("From").fill("2026-01-02T00:00");
    await page.getByLabel("To", { exact: true }).fill("2026-01-01T00:00");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("alert").filter({ hasText: "from must be before to" }).waitFor();
    expect(await page.getByLabel("From").getAttribute("aria-invalid")).toBe("true");
    await goTo("/report?hours=8");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download as CSV" }).click();
    const csv = await readFile(await (await download).path(), "utf8");
    expect(csv).toContain("battery-level");
    await close();
  });

  it("looks well in each theme and can be used by everyone", { tags: ["long"] }, async () => {
    const { page, goTo, close } = await site.visit();
    await goTo("/report");
    await page.getByRole("region", { name: "By rule" }).waitFor();
    await expectEachTheme(page, "report");
    await close();
  });

  it("fits a phone, in German and Spanish, too", { tags: ["long"] }, async () => {
    for (const [language, title] of [
      ["de-DE", "Schichtbericht"],
      ["es-ES", "Informe de turno"],
    ] as const) {
      const { page, goTo, close } = await site.visit({ size: "phone", touch: true, language });
      await goTo("/report");
      await page.getByRole("heading", { name: title }).waitFor();
      await page.getByRole("row").nth(1).waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await shoot(page, `report-phone-${language}`);
      await close();
    }
  });
});

describe.runIf(HAS_BROWSER)("the printed shift report", () => {
  const ALERTS = 60;
  const site = useSite(async (city) => {
    for (let i = 0; i < ALERTS; i += 1) await alarm(city, `air-${i}`, 5, `Station ${i} at the corner of Long Street`);
    const raised = async () => (await city.api("/alerts?rule=battery-level&limit=1000")).items.length;
    await vi.waitFor(async () => expect(await raised()).toBe(ALERTS), { timeout: 60_000, interval: 200 });
  });

  it.each([
    { format: "A4", theme: "dark" },
    { format: "Letter", theme: "contrast" },
  ] as const)("has text on each page of $format, all of it, and its head on each page of the table", async (one) => {
    const { page, goTo, close } = await site.visit({ theme: one.theme });
    await goTo("/report?hours=8");
    await page.getByRole("region", { name: "What happened" }).waitFor();
    const bytes = await page.pdf({
      format: one.format,
      margin: { top: "12mm", bottom: "12mm", left: "12mm", right: "12mm" },
    });
    if (process.env.TESTS_MODE !== "quick") await writeFile(join(tmpdir(), `report-${one.format}.pdf`), bytes);
    const pages = textOfPages(bytes).map((text) => text.replaceAll(/\s/g, ""));
    expect(pages.length).toBeGreaterThan(2);
    for (const text of pages) expect(text.length).toBeGreaterThan(100);
    const whole = pages.join("");
    // The navigation, the form and the buttons stay on the screen.
    for (const gone of ["Lamppost", "DownloadasCSV", "Last7days", "Signout"]) expect(whole).not.toContain(gone);
    for (let i = 0; i < ALERTS; i += 1) expect(whole).toContain(`Station${i}atthecorner`);
    const head = "AlertDistrictBeganEnded";
    const first = pages.findIndex((text) => text.includes(head));
    expect(first).toBeGreaterThanOrEqual(0);
    for (const text of pages.slice(first)) expect(text).toContain(head);
    await close();
  });

  it.each([
    { format: "A4", widthMm: 210 },
    { format: "Letter", widthMm: 215.9 },
  ])("fits the width of $format, dark text on white", async ({ widthMm }) => {
    const { page, goTo, close } = await site.visit({ theme: "dark" });
    await page.setViewportSize({ width: Math.floor(((widthMm - 24) / 25.4) * 96), height: 1_000 });
    await page.emulateMedia({ media: "print" });
    await goTo("/report?hours=8");
    await page.getByRole("region", { name: "What happened" }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    const wide = await page
      .locator("table")
      .evaluateAll((all) => all.filter((one) => one.scrollWidth > innerWidth).length);
    expect(wide).toBe(0);
    const colours = await page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.body);
      return [backgroundColor, color];
    });
    expect(colours).toEqual(["rgb(255, 255, 255)", "rgb(22, 34, 43)"]);
    await shoot(page, `report-print-${widthMm}`);
    await close();
  });

  it("counts as open what the desk shows, and is two presses away", async () => {
    const [{ id }] = (await site.city.api("/alerts?rule=battery-level&limit=1")).items;
    await site.city.api(`/alerts/${id}/close`, { note: "a new one" });
    const { page, goTo, close } = await site.visit();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    await page.route(/\/alerts\?.*cursor/, async (route) => {
      await held;
      await route.continue();
    });
    await goTo("/");
    // A part of the list is no count.
    await page.locator(".row").first().waitFor();
    expect(await page.locator(".list-head [role=status]").first().textContent()).toBe("Loading …");
    expect(await page.locator(".severities button").first().textContent()).toContain("…");
    release();
    const said = await page
      .getByRole("status")
      .filter({ hasText: /^\d+ open$/ })
      .textContent();
    const open = /^\d+/.exec(said!)![0];
    expect(Number(open)).toBeGreaterThan(0);
    await page.evaluate(() => Object.assign(window, { print: () => document.body.setAttribute("data-printed", "") }));
    await page.getByRole("link", { name: "Report" }).click();
    await page.getByRole("button", { name: "Print" }).click();
    await page.locator("body[data-printed]").waitFor();
    const figure = page.locator(".figures > div", { hasText: "Open at the end" }).locator("dd");
    await expect.poll(() => figure.textContent()).toBe(open);
    await close();
  });
});

async function raiseAlert({ api }: City): Promise<void> {
  await api("/devices", { sensorId: "air-quiet", kind: "air", district: "north" });
  await api("/devices", { sensorId: "air-1", kind: "air", district: "north" });
  // One sample alone says nothing critical.
  for (const ageMs of [60_000, 0]) {
    const measuredAt = new Date(Date.now() - ageMs).toISOString();
    await api("/readings", { sensorId: "air-1", kind: "air", district: "north", measuredAt, pm25: 12, battery: 5 });
  }
  const raised = async () => (await api("/alerts?rule=battery-level")).items[0]?.level === 2;
  await vi.waitFor(async () => expect(await raised()).toBe(true), { timeout: 30_000, interval: 50 });
}
