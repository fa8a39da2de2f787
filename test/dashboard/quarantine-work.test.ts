import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { expectAccessible, expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { expectPromised } from "./jobs.ts";
import { countPresses } from "./presses.ts";
import { useSite } from "./site.ts";

const MINUTE_MS = 60_000;
/** On the minute, some minutes ago: far enough from now to be neither late nor ahead. */
const START = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 30 * MINUTE_MS;

async function prepare(city: City): Promise<void> {
  for (const sensorId of ["air-1", "air-7"]) await city.api("/devices", { sensorId, kind: "air", district: "north" });
  const own = (sensorId: string) => ({ sensorId, kind: "air", district: "north" });
  // Pa where hPa is meant; a clock that is two hours ahead; a number with words.
  const readings = [1, 2, 3].map((i) => ({
    ...own("air-1"),
    measuredAt: START + i * MINUTE_MS,
    pm25: 10 + i,
    pressure: 101_325 + i * 100,
  }));
  const ahead = [1, 2].map((i) => ({ ...own("air-7"), measuredAt: START + (120 + 30 + i) * MINUTE_MS, pm25: i }));
  await city.api("/readings", [...readings, ...ahead, { ...own("air-7"), measuredAt: "yesterday", pm25: 5 }]);
  await vi.waitFor(async () => expect((await city.api("/quarantine")).items).toHaveLength(6), { timeout: 30_000 });
}

describe.runIf(HAS_BROWSER)("the quarantine as a work list", () => {
  const site = useSite(prepare);
  const ledger = () => site.city.api("/ledger");
  const complained = (complaints: readonly string[]) => complaints.filter((one) => !/40[09]/.test(one));

  it("mends a refused feed by one rule: values times a factor, tried before, and marked as edited", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/feed?tab=quarantine");
    const presses = await countPresses(page);
    await page.getByRole("button", { name: /^Correct: air-1/ }).click();
    const form = page.getByRole("form", { name: /^Correct: air-1/ });
    await form.getByLabel("Factor").pressSequentially("0.01");
    await form.getByLabel("Reason").pressSequentially("sends Pa");
    await form.getByText("3 would be sent:").waitFor();
    await form.getByText("101425", { exact: true }).waitFor();
    await form.getByText("1014.25", { exact: true }).waitFor();
    await expectEachTheme(page, "quarantine-correct");
    await form.getByRole("button", { name: "Send corrected" }).click();
    await page.getByText("3 were sent again, corrected.").waitFor();
    expectPromised("mend a refused feed", presses.count());
    const measuredAt = START + MINUTE_MS;
    await vi.waitFor(async () => {
      const { items } = await site.city.api(`/sensors/air-1/readings?from=${START}&to=${START + 10 * MINUTE_MS}`);
      expect(items.map((one: { values: object }) => one.values)).toEqual([
        { pm25: 11, pressure: 1014.25 },
        { pm25: 12, pressure: 1015.25 },
        { pm25: 13, pressure: 1016.25 },
      ]);
    });
    expect(await page.getByRole("button", { name: /^Correct: air-1/ }).count()).toBe(0);
    const trace = await site.city.api(`/ledger/trace?sensor=air-1&measuredAt=${measuredAt}`);
    expect(trace.stored.alsoFrom[0].edited).toMatchObject({ by: "admin" });
    expect(trace.sentence).toMatch(/edited by admin from item \d+ of the quarantine/);
    expect(await ledger()).toMatchObject({ edited: 3, balanced: true });
    const target = "air-1 out_of_range pressure";
    const detail = "3 items, times 0.01 plus 0: sends Pa";
    const audit = (await site.city.api("/audit?limit=20")).items;
    expect(audit).toContainEqual(expect.objectContaining({ what: "quarantine.correct", target, detail }));
    expect(complained(complaints)).toEqual([]);
    await close();
  });

  it("moves the time of a clock that was wrong", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/feed?tab=quarantine");
    await page.getByRole("button", { name: /^Correct: air-7/ }).click();
    await page.getByLabel("Minutes to add").fill("-120");
    await page.getByRole("form").getByLabel("Reason").fill("clock two hours ahead");
    await page.getByText("2 would be sent:").waitFor();
    await page.getByRole("button", { name: "Send corrected" }).click();
    await page.getByText("2 were sent again, corrected.").waitFor();
    await vi.waitFor(async () => {
      const { items } = await site.city.api(`/sensors/air-7/readings?from=${START}&to=${START + 60 * MINUTE_MS}`);
      expect(items.map((one: { values: object }) => one.values)).toEqual([{ pm25: 1 }, { pm25: 2 }]);
    });
    expect(complained(complaints)).toEqual([]);
    await close();
  });

  it("edits a copy and sends it, by a keyboard on a phone's width", async () => {
    const { page, goTo, complaints, close } = await site.visit({ size: "phone" });
    await goTo("/feed?tab=quarantine&sensor=air-7&state=waiting");
    await page.getByRole("button", { name: "Unreadable time" }).click();
    await page.getByRole("button", { name: "Edit a copy" }).focus();
    await page.keyboard.press("Enter");
    const payload = page.getByRole("form", { name: "Edit a copy" }).getByRole("textbox");
    const text = await payload.inputValue();
    expect(text).toContain('"yesterday"');
    await payload.fill(text.replace('"yesterday"', String(START + 20 * MINUTE_MS)));
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await expectAccessible(page);
    await shoot(page, "quarantine-edit-phone");
    await page.getByRole("button", { name: "Send the copy" }).focus();
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => {
      const { items } = await site.city.api(`/sensors/air-7/readings?from=${START}&to=${START + 60 * MINUTE_MS}`);
      expect(items).toHaveLength(3);
    });
    const trace = await site.city.api(`/ledger/trace?sensor=air-7&measuredAt=${START + 20 * MINUTE_MS}`);
    expect(trace.stored.edited).toMatchObject({ by: "admin" });
    expect(complained(complaints)).toEqual([]);
    await close();
  });

  it("dismisses a cause with a reason: counted, audited, listed under what was dismissed, and sent after all", async () => {
    const bad = { sensorId: "air-1", kind: "air", district: "north", pm25: "much", no2: 5 };
    await site.city.api(
      "/readings",
      [1, 2].map((i) => ({ ...bad, measuredAt: START + (i + 10) * MINUTE_MS })),
    );
    await vi.waitFor(async () => expect((await site.city.api("/quarantine?state=waiting")).items).toHaveLength(2));
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/feed?tab=quarantine");
    await page.getByRole("button", { name: /^Dismiss: air-1/ }).click();
    await page
      .getByRole("region", { name: /^Dismiss: air-1/ })
      .getByLabel("Reason")
      .fill("a test of the maker");
    await expectAccessible(page);
    await shoot(page, "quarantine-dismiss");
    await page.getByRole("button", { name: "Dismiss", exact: true }).click();
    await page.getByText("2 messages were dismissed.").waitFor();
    await goTo("/feed?tab=quarantine&state=dismissed");
    await page
      .getByRole("button", { name: /Not a number/ })
      .first()
      .click();
    await page.getByText("a test of the maker").waitFor();
    await shoot(page, "quarantine-dismissed");
    expect(await ledger()).toMatchObject({ dismissed: 2, balanced: true });
    const { items } = await site.city.api("/quarantine?state=dismissed");
    expect(items).toMatchObject([{ decision: "dismiss", because: "a test of the maker", redrivenBy: "admin" }, {}]);
    await site.city.api("/quarantine/redrive", { ids: [items[0].id] });
    expect((await site.city.api("/quarantine?state=dismissed")).items).toHaveLength(1);
    expect(complained(complaints)).toEqual([]);
    await close();
  });
});
