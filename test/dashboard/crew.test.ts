import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import {
  closeVisits,
  expectAccessible,
  expectEachTheme,
  HAS_BROWSER,
  shoot,
  type VisitOptions,
  visit,
} from "./browser.ts";
import { addUser, aHardDay, card, fillCity } from "./crews.ts";

describe.runIf(HAS_BROWSER)("the crews' list", () => {
  let city: City;
  let anna: string;
  beforeAll(async () => {
    city = await startCity();
    anna = await addUser(city, "anna", "crew");
    await fillCity(city);
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  const open = async (options: VisitOptions = {}) => {
    const visited = await visit(city, { token: anna, size: "phone", touch: true, ...options });
    await visited.goTo("/crew");
    await visited.page.locator(".crew-fresh.here").waitFor();
    return visited;
  };
  const names = (page: Page) => page.locator(".crew-card h3").allTextContents();

  it("orders places by urgency, brings what is at one place together, says what to do and where", async () => {
    const { page, complaints, close } = await open();
    expect(await names(page)).toEqual(["Harbour <b>quay</b>", "Market Square", "Old mill", "Zoo gate"]);
    const market = card(page, "Market Square");
    expect(await market.locator(".crew-warning").count()).toBe(2);
    expect(await market.getByText("Put the battery on the next route.").count()).toBe(1);
    expect(await market.getByRole("link", { name: "Open on the map" }).getAttribute("href")).toBe(
      "geo:52.6,11.01?q=52.6,11.01(Market%20Square)",
    );
    await page.getByLabel("District").selectOption("south");
    await expect.poll(() => names(page)).toEqual(["Zoo gate"]);
    expect(complaints).toEqual([]);
    await close();
  });

  it("orders by distance when asked to, and tells nobody where one is", async () => {
    const { page, context, close } = await open();
    await context.grantPermissions(["geolocation"]);
    await context.setGeolocation({ latitude: 52.591, longitude: 11.051 });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(`${request.url()} ${request.postData()}`));
    await page.getByLabel("Nearest").check();
    await expect.poll(async () => (await names(page))[0]).toBe("Zoo gate");
    await card(page, "Zoo gate").getByText("130 m").waitFor();
    await card(page, "Zoo gate").getByRole("button", { name: "Take it" }).click();
    await card(page, "Zoo gate").getByText("Handled by you").waitFor();
    await page.getByRole("region", { name: "Yours" }).getByText("Zoo gate").first().waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Done");
    await expect.poll(() => asked.filter((one) => one.includes("/start")).length).toBe(1);
    expect(asked.filter((one) => /52\.59|11\.05/.test(one))).toEqual([]);
    await close();
  });

  it("says how many days are left, who has it, what an outage speaks for, and when a sensor is to blame", async () => {
    const { page, goTo, close } = await open({ theme: "light" });
    await page.route("**/api/v1/crew", (route) => route.fulfill({ json: aHardDay(Date.now()) }));
    await goTo("/crew");
    await page.getByText("8 days left (between 5 and 12)").waitFor();
    await page.getByText("less than a day left", { exact: true }).waitFor();
    await page.getByText("covers 14 sensors").waitFor();
    await page.getByText("Sensor fault? Its neighbours say 12 µg/m³.").waitFor();
    await page.getByText("Handled by ben").waitFor();
    await page.getByText("7 less urgent warnings are not in this list.").waitFor();
    expect(await names(page)).toEqual(["gw-east", "Bridge", "Tower", "Lane"]);
    expect(await card(page, "Lane").getByRole("button").count()).toBe(0);
    await expectAccessible(page);
    await page.locator("main").evaluate((main) => main.scrollTo(0, 300));
    await shoot(page, "crew-hard-day");
    await close();
  });

  it("counts by the service's clock where that of the phone is wrong", async () => {
    const { page, goTo, close } = await open();
    await page.clock.setSystemTime(Date.now() + 5 * 86_400_000);
    await page.route("**/api/v1/crew", async (route) => {
      const { headers } = await fetch(`${city.http}/livez`);
      await route.fulfill({ json: aHardDay(Date.now()), headers: { date: headers.get("date")! } });
    });
    await goTo("/crew");
    await page.getByText("8 days left (between 5 and 12)").waitFor();
    await close();
  });

  it("says why there is no distance", async () => {
    const { page, close } = await open();
    await page.getByLabel("Nearest").check();
    await page.getByText(/The list is ordered by district/).waitFor();
    await close();
  });

  it("lets someone say what is done of several things, with a note", async () => {
    const { page, close } = await open();
    await card(page, "Market Square").getByRole("button", { name: "Done" }).click();
    await page.getByLabel("Battery low, Market Square", { exact: true }).uncheck();
    await page.getByLabel("Battery low, Market Square roof").uncheck();
    await card(page, "Market Square").locator("form").getByRole("button", { name: "Done" }).click();
    await page.getByText("Choose at least one.").waitFor();
    await page.getByLabel("Battery low, Market Square roof").check();
    await page.getByLabel("Note").fill("<i>New</i> battery");
    await card(page, "Market Square").locator("form").getByRole("button", { name: "Done" }).click();
    await expect.poll(() => card(page, "Market Square").locator(".crew-warning").count()).toBe(1);
    const [closed] = (await city.api("/alerts?handling=closed")).items;
    expect(closed).toMatchObject({ subject: { sensorId: "air-2" }, timeline: expect.any(Array) });
    expect(closed.timeline.at(-1)).toMatchObject({ what: "closed", by: "anna", note: "<i>New</i> battery" });
    await city.api(`/alerts/${closed.id}/reopen`, {});
    await close();
  });

  it("shows viewers the list, and nothing to press", async () => {
    const { page, close } = await open({ token: await addUser(city, "vera", "viewer") });
    expect((await names(page)).length).toBe(4);
    expect(await page.locator(".crew-card button").count()).toBe(0);
    await close();
  });

  it("looks well in each theme and can be used by everyone", { tags: ["long"] }, async () => {
    const { page, close } = await open({ theme: "light" });
    await expectEachTheme(page, "crew");
    await card(page, "Market Square").getByRole("button", { name: "Done" }).click();
    await expectEachTheme(page, "crew-done");
    await close();
  });

  it.each([
    ["de-DE", "Einsatzliste", "Erledigt"],
    ["es-ES", "Lista de brigadas", "Hecho"],
  ])("speaks %s on a phone, in targets large enough for a thumb", async (language, title, done) => {
    const { page, close } = await open({ language });
    await page.getByRole("heading", { name: title }).waitFor();
    await card(page, "Market Square").getByRole("button", { name: done }).waitFor();
    await shoot(page, `crew-${language}`);
    const small = await page.locator("main").evaluate((main) =>
      [...main.querySelectorAll("a, button, select, .tabs label")]
        .map((one) => ({ text: one.textContent, box: one.getBoundingClientRect() }))
        .filter(({ box }) => box.height < 44 || box.width < 44)
        .map(({ text }) => text),
    );
    expect(small).toEqual([]);
    const cut = await page
      .locator(".button")
      .evaluateAll((buttons) =>
        buttons.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent),
      );
    expect(cut).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await close();
  });
});
