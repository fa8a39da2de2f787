import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { useSite } from "./site.ts";

const DAY_MS = 86_400_000;

describe.runIf(HAS_BROWSER)("comparing", () => {
  const site = useSite(sendDays);

  it("draws sensors side by side and with the day before, and keeps notes beside them", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/sensors/air-1?metric=pm25");
    await page.getByRole("link", { name: "Compare" }).click();
    await page.locator(".chart-box[data-ready]").waitFor();
    await page.getByLabel("Find a sensor").fill("air-2");
    await page.getByRole("button", { name: "Remove air-2" }).waitFor();
    await page.getByLabel("With earlier").selectOption("1");
    await page.locator(".chart-key", { hasText: "air-2, 1 day earlier" }).waitFor();
    expect(await page.locator(".chart-key").count()).toBe(4);
    expect(new URL(page.url()).search).toBe("?sensors=air-1%2Cair-2&metric=pm25&before=1");
    await page.getByText("as a table").or(page.locator("figure summary")).first().click();
    // The value of a day ago stands beside that of now.
    await page.locator(".chart-table td", { hasText: /^20 / }).first().waitFor();
    await page.getByLabel("From").fill(await localNow(page));
    await page.getByLabel("Note", { exact: true }).fill("Road works <b>here</b>");
    await page.getByRole("button", { name: "Note on the chart" }).click();
    await page.getByText("Road works <b>here</b>").waitFor();
    await page.locator(".chart-key", { hasText: "Notes on charts" }).waitFor();
    await expectEachTheme(page, "compare");
    await page.getByRole("button", { name: "Remove: Road works" }).click();
    await page.getByText("No notes in this time.").waitFor();
    expect(complaints).toEqual([]);
    await close();
    const phone = await site.visit({ size: "phone", touch: true, language: "de" });
    await phone.goTo("/compare?sensors=air-1,air-2&metric=pm25");
    await phone.page.locator(".chart-box[data-ready]").waitFor();
    expect(await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await shoot(phone.page, "compare-phone-de");
    await phone.close();
  });
});

/** Half an hour ago on the city's clocks, which are UTC here. */
const localNow = async (page: { evaluate<T>(work: () => T): Promise<T> }) =>
  page.evaluate(() => new Date(Date.now() - 1_800_000).toISOString().slice(0, 16));

/** Ten now, twenty a day ago. */
async function sendDays({ api }: City): Promise<void> {
  const now = Date.now();
  for (const sensorId of ["air-1", "air-2"]) {
    const place = { sensorId, kind: "air", district: "north" };
    await api("/devices", place);
    const ages = Array.from({ length: 40 }, (_, i) => (40 - i) * 60_000);
    const at = (age: number) => new Date(now - age).toISOString();
    await api(
      "/readings",
      ages.map((age) => ({ ...place, measuredAt: at(age + DAY_MS), pm25: 20 })),
    );
    await api(
      "/readings",
      ages.map((age) => ({ ...place, measuredAt: at(age), pm25: 10 })),
    );
  }
  const latest = async () => (await api("/readings/latest")).items.length;
  await vi.waitFor(async () => expect(await latest()).toBe(2), { timeout: 30_000, interval: 100 });
}
