import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openRecords } from "../../store/records.ts";
import { type City, startCity, until } from "../helpers/city.ts";
import { alarm } from "./alarms.ts";
import { closeVisits, expectEachTheme, HAS_BROWSER, shoot, visit } from "./browser.ts";

/** What people keep from being told stays in sight; and a service that tells nobody says so. */
describe.runIf(HAS_BROWSER)("what nobody is told of", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity();
    await city.api("/devices", { sensorId: "calm-1", kind: "air", district: "harbour", lat: 52.6, lon: 11.05 });
    await alarm(city, "quiet-1", 5, "Quiet station");
    const endsAt = new Date(Date.now() + 3_600_000).toISOString();
    const silence = { kind: "maintenance", matchers: { sensor: "quiet-1" }, endsAt, reason: "New battery today" };
    await city.api("/silences", silence);
    await until(
      () => city.api("/alerts?state=firing"),
      ({ items }) => items.some(({ suppressedBy }: { suppressedBy?: string }) => suppressedBy === "maintenance:1"),
    );
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  it.each([
    ["en-GB", "Maintenance", /^Centre \d+ \d alerts? silenced or under maintenance$/],
    ["de-DE", "Wartung", /^Centre \d+ \d Meldung(en)? stumm oder in Wartung$/],
    ["es-ES", "Mantenimiento", /^Centre \d+ \d alertas? silenciadas? o en mantenimiento$/],
  ])("is in the list and on the map with its mark, %s", async (language, chip, name) => {
    const { page, goTo, close } = await visit(city, { token: city.token, language });
    await goTo("/");
    const row = page.locator(".row.quieted").first();
    await row.waitFor();
    // Under a heading of its own, below what people are told of.
    expect(await page.locator(".rows-heading").textContent()).toMatch(
      /^(In maintenance or silenced|In Wartung oder stumm|En mantenimiento o silenciadas) \(\d\)$/,
    );
    expect(await row.locator(".quieted-chip").textContent()).toBe(chip);
    const district = page.getByRole("button", { name });
    await district.waitFor();
    expect(await district.getAttribute("class")).toBe("district quieted");
    expect(await page.locator(".district.calm").textContent()).toMatch(/Harbour/);
    await page.locator(".leaflet-overlay-pane canvas").waitFor();
    if (language === "en-GB") await expectEachTheme(page, "desk-quieted");
    else await shoot(page, `desk-quieted-${language.slice(0, 2)}`);
    await close();
  });

  it("stands in a calendar, with what comes back every week; on a phone day by day", async () => {
    const weekly = { days: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], from: "22:00", to: "04:00", zone: "UTC" };
    const matchers = { sensor: "calm-1" };
    await city.api("/silences", { kind: "maintenance", matchers, weekly, reason: "Nightly updates" });
    for (const size of ["desk", "phone"] as const) {
      const { page, goTo, complaints, close } = await visit(city, { token: city.token, size });
      await goTo("/admin?tab=silences");
      const calendar = page.getByRole("region", { name: /^Calendar: / });
      await calendar.getByRole("button", { name: "Next month" }).click();
      const entry = calendar.getByRole("button", { name: "22:00 Nightly updates" });
      await entry.first().waitFor();
      // Each day of the month has one that begins on it, and the end of the one before.
      const days = await calendar.locator(".calendar-days > li").count();
      expect(await entry.count()).toBe(days);
      expect(await calendar.getByRole("button", { name: "until 04:00 Nightly updates" }).count()).toBe(days);
      if (size === "desk") await expectEachTheme(page, "calendar");
      else await shoot(page, "calendar-phone");
      await entry.first().click();
      const focused = () => page.evaluate(() => document.activeElement?.querySelector("h3")?.textContent);
      await expect.poll(focused).toBe("Nightly updates");
      expect(complaints).toEqual([]);
      await close();
    }
    const { items } = await city.api("/silences");
    const { id } = items.find(({ reason }: { reason: string }) => reason === "Nightly updates");
    await city.api(`/silences/${id}`, undefined, "DELETE");
  });

  it("is said on the page of a sensor that it covers, and of no other", async () => {
    const { page, goTo, complaints, close } = await visit(city, { token: city.token });
    await goTo("/sensors/quiet-1");
    await page.getByRole("link", { name: "In maintenance" }).waitFor();
    await shoot(page, "sensor-maintenance");
    const asked = page.waitForResponse((answer) => answer.url().includes("/silences?"));
    await goTo("/sensors/calm-1");
    await page.getByRole("heading", { name: "calm-1" }).waitFor();
    await asked;
    expect(await page.getByText("In maintenance").count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  it("a restored service says so on the page, in the health and in the log, until it is the real one", async () => {
    await city.stop();
    const records = openRecords({ path: join(city.dataDir, "records.db"), now: Date.now, log: SILENT });
    records.storeState.set("muted", { why: "restored", backupAt: Date.UTC(2026, 10, 21) });
    records.close();
    city = await city.restart();
    expect(city.said().stdout + city.said().stderr).toMatch(/Nobody is told of alerts: this data folder was restored/);
    const parts = async () =>
      (await (await city.call("/readyz")).json()).parts.map(({ part }: { part: string }) => part);
    expect(await parts()).toContain("muted");
    for (const [language, words] of [
      ["en-GB", "Nobody is told of alerts"],
      ["de-DE", "Niemand wird von Meldungen benachrichtigt"],
      ["es-ES", "No se avisa a nadie de las alertas"],
    ] as const) {
      const { page, goTo, close } = await visit(city, { token: city.token, language });
      await goTo("/");
      await page.locator(".banner").getByText(words).waitFor();
      if (language === "en-GB") await expectEachTheme(page, "desk-muted");
      else await shoot(page, `desk-muted-${language.slice(0, 2)}`);
      await close();
    }
    await city.stop();
    city = await city.restart({ args: ["--take-over"] });
    expect(await parts()).not.toContain("muted");
    await city.stop();
    city = await city.restart({});
    expect(await parts()).not.toContain("muted");
  });
});
