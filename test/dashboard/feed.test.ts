import type { Page } from "playwright-core";
import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { expectAccessible, expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { PLACE, send, useFeed } from "./feed-site.ts";

describe.runIf(HAS_BROWSER)("the feed", () => {
  const { site, open } = useFeed(spoil);
  const rows = (page: Page) => page.getByRole("region", { name: "Newest readings" }).locator("tbody tr");

  it("shows readings as they come, narrowed as the address says, and the whole of one", async () => {
    const { page, complaints, close } = await open("?sensor=air-1");
    await streamIsOpen(site.city);
    await send(site.city, { pm25: 11 }, { sensorId: "air-2", no2: 20 });
    await rows(page).filter({ hasText: "pm25 11 µg/m³" }).waitFor();
    expect(await rows(page).filter({ hasText: "air-2" }).count()).toBe(0);
    await page.getByRole("searchbox", { name: "Sensor" }).fill("");
    await page.getByLabel("Only implausible values").check();
    await page.waitForURL(/feed\?suspect=yes$/);
    await send(site.city, { pm25: 12 }, { sensorId: "air-2", pm25: 510 });
    const odd = rows(page).filter({ hasText: "implausible" });
    await odd.waitFor();
    expect(await rows(page).count()).toBe(1);
    await odd.click();
    const shown = JSON.parse((await page.locator(".feed-one pre").textContent())!);
    expect(shown).toMatchObject({ sensorId: "air-2", values: { pm25: 510 }, quality: { pm25: "suspect" } });
    expect(complaints).toEqual([]);
    await close();
  });

  it("stands still while it is paused or someone is in the list, and says what waits", async () => {
    const { page, close } = await open("");
    await streamIsOpen(site.city);
    await send(site.city, { pm25: 21 });
    await rows(page).filter({ hasText: "pm25 21" }).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await send(site.city, { pm25: 22 });
    await page.getByText("Paused. 1 new reading is waiting.").waitFor();
    expect(await rows(page).filter({ hasText: "pm25 22" }).count()).toBe(0);
    await page.getByRole("button", { name: "Resume" }).click();
    await rows(page).filter({ hasText: "pm25 22" }).waitFor();
    await rows(page).first().hover();
    await send(site.city, { pm25: 23 });
    await page.getByText("Held while you look. 1 new reading is waiting.").waitFor();
    await page.mouse.move(5, 5);
    await rows(page).filter({ hasText: "pm25 23" }).waitFor();
    await close();
  });

  it("asks for the newest readings where the stream left some out, and says so only if it does not get them", async () => {
    const { page, context, close } = await site.visit();
    let leftOut = 1;
    await page.route("**/api/v1/events?readings=true", (route) => {
      leftOut -= 1;
      const headers = { "content-type": "text/event-stream" };
      const body = 'event: missed\ndata: {"readings":7}\n\n';
      return leftOut >= 0 ? route.fulfill({ headers, body }) : route.continue();
    });
    // Sent before anything is followed: the stream alone would never show it.
    await send(site.city, { pm25: 14 });
    await page.goto("/feed");
    await rows(page).filter({ hasText: "pm25 14 µg/m³" }).waitFor();
    const text = "too slow for about 7 readings";
    expect(await page.getByText(text).count()).toBe(0);
    const held = await rows(page).count();
    await page.route("**/api/v1/readings/latest*", (route) => route.abort());
    leftOut = 1;
    await context.setOffline(true);
    await context.setOffline(false);
    await page.getByText(text).waitFor();
    await shoot(page, "feed-missed");
    await page.getByText(text).waitFor({ state: "detached" });
    expect(await rows(page).count()).toBe(held);
    await close();
  });

  it("stays usable with thousands of readings a second: a sample, and it says so", async () => {
    const { page, close } = await open("");
    await streamIsOpen(site.city);
    const first = Date.now() - 600_000;
    let [flooding, value] = [true, 0];
    const flood = (async () => {
      while (flooding) {
        value += 400;
        await send(
          site.city,
          ...Array.from({ length: 400 }, (_, i) => ({ pm25: i % 90, measuredAt: first + value + i })),
        );
      }
    })();
    await page.evaluate(() => {
      const tasks: number[] = [];
      Object.assign(window, { longTasks: tasks });
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
        entryTypes: ["longtask"],
      });
    });
    await page.getByText(/this is a random sample of \d+ out of [\d,]+ per second/).waitFor();
    await vi.waitFor(async () => expect(await perSecond(page)).toBeGreaterThan(500), { timeout: 30_000 });
    expect(await rows(page).count()).toBeLessThanOrEqual(300);
    const rate = await perSecond(page);
    await page.getByRole("button", { name: "Pause" }).click();
    flooding = false;
    const tasks = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);
    console.log(`feed: ${rate} readings/s, long tasks: ${tasks.map(Math.round).join(", ") || "none"} ms`);
    await flood;
    await close();
  });

  it("lists the quarantine by reason and sensor, shows a payload as text and bytes, and hides personal data", async () => {
    const { page, complaints, close } = await open("?tab=quarantine");
    const list = page.getByRole("region", { name: "Messages in quarantine" });
    await list.getByRole("row").nth(3).waitFor();
    await page.getByRole("combobox", { name: "Reason" }).selectOption("out_of_range");
    await page.waitForURL(/reason=out_of_range/);
    await list.getByRole("button", { name: "Impossible value" }).click();
    await page.locator(".feed-one pre", { hasText: '"pm25":4095' }).waitFor();
    await page.getByRole("button", { name: "Bytes" }).click();
    await page.locator(".feed-one pre", { hasText: "0000  7b 22" }).waitFor();
    await page.getByRole("combobox", { name: "Reason" }).selectOption("personal_data");
    await list.getByRole("button", { name: "Personal data" }).click();
    await page.getByText("cannot be shown or resent").waitFor();
    expect(await list.getByRole("checkbox", { name: /Select message/ }).isDisabled()).toBe(true);
    await page.getByRole("combobox", { name: "Reason" }).selectOption("");
    await page.getByRole("searchbox", { name: "Sensor" }).fill("Air 1");
    await page.getByText("Lowercase letters, digits and hyphens.").waitFor();
    await page.getByRole("searchbox", { name: "Sensor" }).fill("nobody");
    await page.getByText("No message in quarantine matches the filter.").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("names each cause once, with how often and since when, and leads to its messages", async () => {
    const { page, complaints, close } = await open("?tab=quarantine");
    const causes = page.getByRole("region", { name: "What to mend" });
    await causes
      .getByRole("row", { name: /air-1 Impossible value.*1/ })
      .first()
      .waitFor();
    await shoot(page, "feed-causes");
    await expectAccessible(page);
    await causes.getByRole("button", { name: "Show messages: air-1, Impossible value" }).first().click();
    await page.waitForURL(/sensor=air-1&reason=out_of_range/);
    const list = page.getByRole("region", { name: "Messages in quarantine" });
    await list
      .getByRole("button", { name: /Impossible value/ })
      .first()
      .waitFor();
    expect(await list.getByRole("button", { name: "Personal data" }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  it("sends what is selected again after a fix, and says what became of it", async () => {
    const { page, close } = await open("?tab=quarantine&sensor=air-late");
    const list = page.getByRole("region", { name: "Messages in quarantine" });
    await list.getByRole("button", { name: "Unknown sensor" }).waitFor();
    await site.city.api("/devices", { sensorId: "air-late", ...PLACE });
    await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
    await page.getByRole("button", { name: "Resend 1" }).click();
    await page.getByText("1 message was resent. 1 accepted, 0 back in quarantine.").waitFor();
    await list.getByText("Resent", { exact: true }).waitFor();
    expect((await site.city.api("/sensors/air-late/readings")).items).toHaveLength(1);
    await page.goto("/feed?tab=quarantine&reason=out_of_range");
    await page.getByRole("checkbox", { name: /Select message/ }).check();
    await page.getByRole("button", { name: "Resend 1" }).click();
    await page.getByText("0 accepted, 1 back in quarantine.").waitFor();
    await list.getByRole("row").nth(2).getByRole("button").click();
    await page.getByText(/It came back as message \d+/).waitFor();
    await close();
  });

  it("lets an operator decide between two values of a moment", async () => {
    const sensorId = "air-twice";
    await site.city.api("/devices", { sensorId, ...PLACE });
    const measuredAt = Date.now() - 60_000;
    const stored = async () => (await site.city.api(`/sensors/${sensorId}/readings`)).items[0]?.values;
    await send(site.city, { sensorId, measuredAt, no2: 20 });
    await vi.waitFor(async () => expect(await stored()).toEqual({ no2: 20 }), { timeout: 30_000 });
    // One value of a reading that is taken otherwise, and a reading that brings nothing else.
    await send(site.city, { sensorId, measuredAt, no2: 31, o3: 40 });
    await vi.waitFor(async () => expect(await stored()).toEqual({ no2: 20, o3: 40 }), { timeout: 30_000 });
    await send(site.city, { sensorId, measuredAt, o3: 44 });
    const { page, complaints, close } = await open(`?tab=quarantine&sensor=${sensorId}`);
    const list = page.getByRole("region", { name: "Messages in quarantine" });
    await vi.waitFor(async () => expect((await site.city.api(`/quarantine?sensor=${sensorId}`)).items).toHaveLength(2));
    await page.reload();
    await list.getByRole("button", { name: "Conflicts with a stored reading: nitrogen dioxide" }).click();
    const one = page.locator(".feed-one");
    await one.getByText("20 µg/m³").waitFor();
    await one.getByText("31 µg/m³").waitFor();
    await one.getByRole("button", { name: "Take the new" }).click();
    await one.getByLabel("Reason").fill("the first was a test");
    await expectAccessible(page);
    await shoot(page, "feed-conflict");
    await one.getByRole("form").getByRole("button", { name: "Take the new" }).click();
    await one.getByText("New value taken").waitFor();
    await list.getByText("New value taken").waitFor();
    expect(await stored()).toEqual({ no2: 31, o3: 40 });
    await list.getByRole("button", { name: "Conflicts with a stored reading", exact: true }).click();
    await one.getByText("a reading with o3 40 was kept; this one has 44").waitFor();
    await one.getByRole("button", { name: "Keep the old" }).click();
    await one.getByLabel("Reason").fill("44 is wrong");
    await one.getByRole("form").getByRole("button", { name: "Keep the old" }).click();
    await list.getByText("Old value kept").waitFor();
    expect(await stored()).toEqual({ no2: 31, o3: 40 });
    expect(complaints).toEqual([]);
    await close();
  });

  it("can be used by everyone in each theme", { tags: ["long"] }, async () => {
    const { page, goTo, close } = await open("");
    await streamIsOpen(site.city);
    await send(site.city, { pm25: 31 }, { sensorId: "air-2", pm25: 520, no2: 30, temperature: 11.5 }, { no2: 17 });
    await rows(page).filter({ hasText: "pm25 520" }).click();
    await expectEachTheme(page, "feed-live");
    await goTo("/feed?tab=quarantine");
    const list = page.getByRole("region", { name: "Messages in quarantine" });
    await list.getByRole("button", { name: "Impossible value" }).first().click();
    await page.locator(".feed-one pre").waitFor();
    await expectEachTheme(page, "feed-quarantine");
    await close();
  });

  it("fits a phone", async () => {
    const options = { size: "phone", touch: true, language: "de-DE" } as const;
    const { page, goTo, close } = await open("", options);
    await streamIsOpen(site.city);
    await send(site.city, { pm25: 41 }, { sensorId: "air-2", pm25: 530 });
    await page.locator(".feed-rows tbody tr", { hasText: "pm25 530" }).tap();
    for (const part of ["live", "quarantine"]) {
      if (part !== "live") await goTo(`/feed?tab=${part}`);
      await page.locator("tbody tr").first().waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await shoot(page, `feed-${part}-phone`);
    }
    await close();
  });
});

/** Live readings are news: only what comes after the stream is open is shown. */
async function streamIsOpen(city: City): Promise<void> {
  const open = async () => /lamppost_http_streams (\d+)/.exec(await (await city.call("/metrics")).text())?.[1];
  await vi.waitFor(async () => expect(Number(await open())).toBeGreaterThanOrEqual(2), { timeout: 30_000 });
}

async function perSecond(page: Page): Promise<number> {
  const said = await page.locator(".feed-rates dd").first().textContent();
  return Number(/^[\d,]+/.exec(said ?? "")?.[0]?.replaceAll(",", ""));
}

/** Two good sensors, and one message for each kind of trouble that the tests look at. */
async function spoil(city: City): Promise<void> {
  for (const sensorId of ["air-1", "air-2"]) await city.api("/devices", { sensorId, ...PLACE });
  const post = (reading: object) =>
    city.call("/api/v1/readings", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([
        { sensorId: "air-1", ...PLACE, pm25: 9 },
        { sensorId: "air-1", ...PLACE, ...reading },
      ]),
    });
  await post({ pm25: 4095 });
  await post({ pm25: "12,4" });
  await post({ plate: "B-XY 123" });
  await post({ sensorId: "air-late", pm25: 8 });
  await vi.waitFor(async () => expect((await city.api("/quarantine")).items).toHaveLength(4), { timeout: 30_000 });
}
