import { readFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
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
    expect(csv).toContain("battery-critical");
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

async function raiseAlert({ api }: City): Promise<void> {
  await api("/devices", { sensorId: "air-quiet", kind: "air", district: "north" });
  await api("/devices", { sensorId: "air-1", kind: "air", district: "north" });
  // One sample alone says nothing critical.
  for (const ageMs of [60_000, 0]) {
    const measuredAt = new Date(Date.now() - ageMs).toISOString();
    await api("/readings", { sensorId: "air-1", kind: "air", district: "north", measuredAt, pm25: 12, battery: 5 });
  }
  const raised = async () => (await api("/alerts?rule=battery-critical")).items.length === 1;
  await vi.waitFor(async () => expect(await raised()).toBe(true), { timeout: 30_000, interval: 50 });
}
