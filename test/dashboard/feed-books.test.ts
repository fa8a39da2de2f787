import { describe, expect, it, vi } from "vitest";
import { expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { PLACE, send, useFeed } from "./feed-site.ts";

describe.runIf(HAS_BROWSER)("the books and the throughput", () => {
  const { site, open } = useFeed(async (city) => {
    await city.api("/devices", { sensorId: "air-1", ...PLACE });
    const at = Date.now();
    await send(city, { pm25: 5 }, { pm25: 6, measuredAt: at - 60_000 }, { pm25: 4095, measuredAt: at - 1 });
    await vi.waitFor(async () => expect((await city.api("/ledger")).received).toBe(3), { timeout: 30_000 });
  });

  it("shows that the books balance, counts again, and finds a reading", async () => {
    const { page, complaints, close } = await open("?tab=ledger");
    await page.getByText("The books balance").first().waitFor();
    const terms = await page.locator(".feed-identity dd").allTextContents();
    const [received, ...ends] = terms.map((text) => Number(text.replaceAll(",", "")));
    expect(received).toBe(3);
    expect(ends.reduce((sum, end) => sum + end, 0)).toBe(received);
    await page.getByRole("region", { name: "By day of receipt (UTC)" }).getByRole("row").nth(1).waitFor();
    await page.getByRole("button", { name: "Count everything again" }).click();
    await page.getByText(/Everything is there: [\d,]+ readings in the store/).waitFor();
    await page.getByLabel("Sensor").fill("air-1");
    await page.getByLabel("Measured at").fill("noon");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText("Not a valid time.").waitFor();
    const [stored] = (await site.city.api("/sensors/air-1/readings?limit=1")).items;
    await page.getByLabel("Measured at").fill(stored.measuredAt);
    await page.getByRole("button", { name: "Search" }).click();
    await page.locator(".note strong", { hasText: "Stored" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("draws what comes in and what waits, and says how each part is", async () => {
    const { page, complaints, close } = await open("?tab=throughput");
    await page.locator(".chart-box[data-ready]").nth(1).waitFor();
    await page.getByText("The service is ready.").waitFor();
    expect(await page.getByRole("row", { name: /journal OK/ }).count()).toBe(1);
    const inARow = Array.from({ length: 300 }, (_, i) => ({ pm25: 5, measuredAt: Date.now() - 900_000 + i }));
    await send(site.city, ...inARow);
    const rate = page.locator(".figures div", { hasText: "Readings stored" }).locator("dd");
    await vi.waitFor(async () => expect(Number.parseFloat((await rate.textContent()) ?? "")).toBeGreaterThan(20), {
      timeout: 30_000,
    });
    expect(complaints).toEqual([]);
    await close();
  });

  it("is narrower for a viewer: no quarantine, no counting again", async () => {
    const { stdout } = await site.city.cli("user", "add", "vera", "--role", "viewer", "--json");
    const { page, goTo, close } = await open("?tab=quarantine", { token: JSON.parse(stdout).password });
    await page.getByText("The quarantine is for operators and admins.").waitFor();
    await goTo("/feed?tab=ledger");
    await page.getByText("The books balance").first().waitFor();
    expect(await page.getByRole("button", { name: "Count everything again" }).count()).toBe(0);
    await close();
  });

  it("can be used by everyone in each theme", { tags: ["long"] }, async () => {
    const { page, goTo, close } = await open("?tab=ledger");
    await page.getByText("The books balance").first().waitFor();
    await expectEachTheme(page, "feed-ledger");
    await goTo("/feed?tab=throughput");
    await page.locator(".chart-box[data-ready]").nth(1).waitFor();
    await expectEachTheme(page, "feed-throughput");
    await close();
  });

  it("fits a phone, with the part that is open in sight", async () => {
    const { page, goTo, close } = await open("", { size: "phone", touch: true, language: "de-DE" });
    for (const [part, name] of [
      ["ledger", "Buchführung"],
      ["throughput", "Durchsatz"],
    ] as const) {
      await goTo(`/feed?tab=${part}`);
      await page.locator("tbody tr").first().waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      const box = (await page.getByRole("link", { name }).boundingBox())!;
      expect(box.x + box.width).toBeLessThanOrEqual(390);
      await shoot(page, `feed-${part}-phone`);
    }
    await close();
  });
});
