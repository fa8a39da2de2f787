import type { Page } from "playwright-core";
import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { expectEachTheme, HAS_BROWSER, shoot, type VisitOptions } from "./browser.ts";
import { useSite } from "./site.ts";

const MINUTE_MS = 60_000;

describe.runIf(HAS_BROWSER)("the page of one alert", () => {
  let id: string;
  const site = useSite(async (city) => {
    id = await raiseAlert(city);
  });

  const open = async (options: VisitOptions = {}) => {
    const visited = await site.visit(options);
    await visited.goTo(`/alerts/${id}`);
    await visited.page.locator(".chart-box[data-ready]").waitFor();
    return visited;
  };

  it("explains itself: the sentence, the chart with its neighbours, what it rests on, where the limit comes from", async () => {
    const { page, complaints, close } = await open();
    await page.getByRole("heading", { name: "Enclosure overheated" }).waitFor();
    await page
      .getByText(/was 74 °C at .* above 70 °C/)
      .first()
      .waitFor();
    expect(await page.getByRole("row", { name: /74 °C.*good/ }).count()).toBe(2);
    await page.getByText("industrial components, 70 °C").waitFor();
    await page.getByLabel("Show neighbours").check();
    await page.locator(".chart-key", { hasText: "air-2" }).waitFor();
    await page.getByText("The values as a table").click();
    await page.locator(".chart-table").getByRole("cell", { name: "31 °C" }).first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("says at the top what to do, how it is, the limit and since when, with three things to press", async () => {
    const { page, close } = await open({ size: "phone", touch: true });
    const head = page.locator(".page-head");
    const texts = await head.locator("h1, .advice, .glance").allTextContents();
    expect(texts[1]).toMatch(/^What to do: \S/);
    expect(texts[2]).toMatch(/^Now74 °CLimit70 °CBegan/);
    // On a phone the first screen has it.
    expect((await head.locator(".glance").boundingBox())!.y).toBeLessThan(600);
    const buttons = page.locator(".actions > .cluster > .button");
    expect(await buttons.allTextContents()).toEqual(["Acknowledge", "Assign", "Close"]);
    await shoot(page, "alert-head-phone");
    await close();
  });

  it("lets people act, one after the other; who was slower learns who was first", async () => {
    const { page, close } = await open();
    await page.locator(".actions summary").click();
    await page.getByRole("button", { name: "Comment" }).click();
    await page.getByLabel("Note").fill("<b>hot</b> as an oven");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("<b>hot</b> as an oven").waitFor();
    await stopTheStream(page);
    await site.city.api(`/alerts/${id}/close`, { note: "Fan replaced" });
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByRole("alert").filter({ hasText: "was closed by admin" }).waitFor();
    await site.city.api(`/alerts/${id}/reopen`, {});
    await page.reload();
    await page.locator(".actions summary").click();
    await page.getByRole("button", { name: "Start work" }).click();
    await page.locator(".alert-chips").getByText("In progress: admin").waitFor();
    await close();
  });

  it("asks for a reason before it silences, or calls an alert wrong", async () => {
    const { page, close } = await open();
    await page.locator(".actions summary").click();
    await page.getByRole("button", { name: "Silence" }).click();
    await page.getByText(/^Covers 1 sensor and 1 open alert now/).waitFor();
    await page.getByLabel("Duration").selectOption("8");
    await page.getByLabel("Reason").fill("no");
    await page.locator("form").getByRole("button", { name: "Silence" }).click();
    await page.locator("small.wrong, p.wrong").first().waitFor();
    await page.getByLabel("Reason").fill("The fan is being replaced");
    await page.locator("form").getByRole("button", { name: "Silence" }).click();
    await page.getByRole("status").filter({ hasText: "The silence is active" }).waitFor();
    const { items } = await site.city.api("/silences");
    expect(items).toMatchObject([{ matchers: { rule: "enclosure-heat", sensor: "air-1" }, createdBy: "admin" }]);
    await page.getByRole("button", { name: "Wrong" }).click();
    await page.getByLabel("Why?").fill("The sun shone on the box");
    await page.locator("form").getByRole("button", { name: "Wrong" }).click();
    await page.getByText("Judged wrong by admin: The sun shone on the box").waitFor();
    await close();
  });

  it("looks well in each theme and can be used by everyone", { tags: ["long"] }, async () => {
    const { page, close } = await open();
    await expectEachTheme(page, "alert");
    await close();
  });

  it("fits a phone, in German, too; what does not exist is said", async () => {
    const { page, goTo, close } = await open({ size: "phone", touch: true, language: "de-DE" });
    await page.getByText("Worauf sie beruht").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await shoot(page, "alert-phone");
    await goTo("/alerts/none");
    await page.getByText("Meldung nicht gefunden").waitFor();
    await close();
  });
});

/** So that the page does not hear what others do. */
async function stopTheStream(page: Page): Promise<void> {
  await page.route("**/api/v1/events*", (route) => route.abort());
  await page.context().setOffline(true);
  await page.getByText("Connection lost").first().waitFor();
  await page.context().setOffline(false);
}

async function raiseAlert({ api }: City): Promise<string> {
  const now = Date.now();
  for (const sensorId of ["air-1", "air-2"]) await api("/devices", { sensorId, kind: "air", district: "north" });
  const readings = Array.from({ length: 60 }, (_, i) => {
    const measuredAt = new Date(now - (60 - i) * 2 * MINUTE_MS).toISOString();
    const sun = Math.round(40 + 20 * Math.sin(i / 20) + (i > 50 ? (i - 50) * 1.6 : 0));
    return [
      {
        sensorId: "air-1",
        kind: "air",
        district: "north",
        measuredAt,
        enclosureTemperature: i >= 58 ? 74 : Math.min(69, sun),
      },
      { sensorId: "air-2", kind: "air", district: "north", measuredAt, enclosureTemperature: 31 + (i % 3) },
    ];
  });
  await api("/readings", readings.flat());
  const find = async () => (await api("/alerts?rule=enclosure-heat")).items[0]?.id as string | undefined;
  return vi.waitFor(async () => (await find()) ?? Promise.reject(new Error("no alert yet")), { timeout: 30_000 });
}
