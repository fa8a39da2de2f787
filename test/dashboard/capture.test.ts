import { readFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { textOfPages } from "./pdf.ts";
import { useSite } from "./site.ts";

const HOUR_MS = 3_600_000;
const SENSORS = 22;

describe.runIf(HAS_BROWSER)("data capture", () => {
  const site = useSite(sendDay);

  it("says what came, what was silent and what it does not know, from the report, and pages through the sensors", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/report");
    await page.getByRole("link", { name: "Data capture" }).click();
    const table = page.getByRole("region", { name: /Data capture in \d{4}/ });
    const row = table.getByRole("row", { name: /air-00/ }).first();
    await row.waitFor();
    const cells = await row.getByRole("cell").allTextContents();
    expect(cells[0]).toBe("fine particles (PM2.5)");
    const share = Number.parseInt(cells[1]!, 10);
    expect(share).toBeGreaterThan(60);
    expect(share).toBeLessThan(90);
    // One gap of five hours.
    expect(cells[14]).toBe("1");
    expect(cells[17]).toContain("learnt");
    await page.getByText("a-quiet").waitFor();
    expect(await table.getByRole("row").count()).toBe(1 + 19);
    await page.getByRole("button", { name: "Show all" }).click();
    await expect.poll(() => table.getByRole("row").count()).toBe(1 + SENSORS);
    await page.getByLabel("Kind").selectOption("traffic");
    await page.getByText(/No values are kept/).waitFor();
    expect(new URL(page.url()).search).toBe("?kind=traffic");
    expect(complaints).toEqual([]);
    await close();
  });

  it("is a file, and prints on a page that lies", async () => {
    const { page, goTo, close } = await site.visit({ theme: "dark" });
    await goTo("/capture?sensor=air-01");
    await page.getByRole("row", { name: /air-01/ }).waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download as CSV" }).click();
    const csv = await readFile(await (await download).path(), "utf8");
    expect(csv).toContain("air-01,,north,air,pm25,");
    expect(csv).not.toContain("air-02");
    const bytes = await page.pdf({ preferCSSPageSize: true });
    expect(bytes.toString("latin1")).toMatch(/\/MediaBox\s*\[0 0 (79\d|84\d)/);
    const whole = textOfPages(bytes).join("").replaceAll(/\s/g, "");
    expect(whole).toContain("air-01");
    expect(whole).toContain("Nointervalisdeclared");
    expect(whole).not.toContain("DownloadasCSV");
    await close();
  });

  it("looks well in each theme and on a phone, in three languages", { tags: ["long"] }, async () => {
    const { page, goTo, close } = await site.visit();
    await goTo("/capture");
    await page.getByRole("row", { name: /air-00/ }).waitFor();
    await expectEachTheme(page, "capture");
    await close();
    for (const [language, title] of [
      ["de", "Datenverfügbarkeit"],
      ["es", "Disponibilidad de datos"],
    ] as const) {
      const phone = await site.visit({ size: "phone", touch: true, language });
      await phone.goTo("/capture");
      await phone.page.getByRole("heading", { name: title, exact: true }).waitFor();
      await phone.page.getByRole("row").nth(1).waitFor();
      expect(await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await shoot(phone.page, `capture-phone-${language}`);
      await phone.close();
    }
  });
});

/** Many sensors that sent every ten minutes for a day of this year but for five hours, and one that never did. */
async function sendDay({ api }: City): Promise<void> {
  const place = { kind: "air", district: "north" };
  await api("/devices", { sensorId: "a-quiet", ...place });
  const now = Date.now();
  const yearFrom = Date.UTC(new Date(now).getUTCFullYear(), 0, 1);
  const ages = Array.from({ length: 6 * 24 }, (_, i) => (i + 1) * (HOUR_MS / 6));
  for (let i = 0; i < SENSORS; i += 1) {
    const sensorId = `air-${String(i).padStart(2, "0")}`;
    await api("/devices", { sensorId, ...place });
    const times = ages.filter((age) => age < 8 * HOUR_MS || age > 13 * HOUR_MS).map((age) => now - age);
    const some = times.filter((at) => at > yearFrom);
    await api(
      "/readings",
      some.map((at) => ({ sensorId, ...place, measuredAt: new Date(at).toISOString(), pm25: 10 + (at % 7) })),
    );
  }
  const rows = async () => (await api("/capture?limit=50")).items.length;
  await vi.waitFor(async () => expect(await rows()).toBe(SENSORS), { timeout: 30_000, interval: 200 });
}
