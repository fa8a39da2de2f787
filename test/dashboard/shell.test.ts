import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { closeVisits, expectAccessible, HAS_BROWSER, shoot, visit } from "./browser.ts";

describe.runIf(HAS_BROWSER)("the frame around every page", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity();
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  const background = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

  it("keeps the look and the language that were chosen, in this browser", async () => {
    const { page, goTo, complaints, close } = await visit(city, { token: city.token });
    await goTo("/");
    await page.getByText("All quiet").waitFor();
    const light = await background(page);
    await page.locator("summary").click();
    await page.getByLabel("Appearance").selectOption("dark");
    expect(await background(page)).not.toBe(light);
    await page.getByLabel("Language").selectOption("de");
    await page.getByText("Alles ruhig").waitFor();
    await expectAccessible(page);
    await shoot(page, "settings-dark-german");
    await page.keyboard.press("Escape");
    expect(await page.getByLabel("Darstellung").isVisible()).toBe(false);
    await page.reload();
    await page.getByText("Alles ruhig").waitFor();
    expect(await background(page)).not.toBe(light);
    expect(complaints).toEqual([]);
    await close();
  });

  it("goes between pages without loading anew, back and forward, and says where one is", async () => {
    const { page, goTo, complaints, close } = await visit(city, { token: city.token });
    await goTo("/");
    await page.getByText("All quiet").waitFor();
    await page.evaluate(() => Object.assign(window, { mark: true }));
    await page.locator("summary").click();
    await page.getByRole("link", { name: "Account" }).click();
    await page.getByRole("heading", { name: "Account" }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Account");
    expect(await page.title()).toBe("Account · Lamppost");
    await page.goBack();
    await page.getByText("All quiet").waitFor();
    await page.goForward();
    await page.getByRole("heading", { name: "Account" }).waitFor();
    expect(await page.evaluate(() => "mark" in window)).toBe(true);
    expect(complaints).toEqual([]);
    await close();
  });

  it("shows a page that is not for this role as one that is not there", async () => {
    const { password } = await city.api("/users", { name: "vera", role: "viewer" });
    const { page, goTo, close } = await visit(city, { token: password });
    await goTo("/admin");
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: "Back to the desk" }).click();
    await page.getByText("All quiet").waitFor();
    await close();
  });

  it("says in the reader's language that an address is mistyped, and leads on", async () => {
    const { page, close } = await visit(city, { token: city.token, language: "de" });
    const answer = await page.goto("/alrets/17?x=1");
    expect(answer?.status()).toBe(404);
    await page.getByRole("heading", { name: "Seite nicht gefunden" }).waitFor();
    await expectAccessible(page);
    await shoot(page, "mistyped-address");
    await page.getByRole("link").last().click();
    await page.getByText("Alles ruhig").waitFor();
    await close();
  });

  it.each([
    { widget: "map", on: "/", chunk: "**/assets/leaflet-map-*.js", there: ".map" },
    { widget: "chart", on: "/feed?tab=throughput", chunk: "**/assets/plot-*.js", there: ".chart-box" },
  ])("opens no $widget on a page that was left while its chunk was on the way", async ({ on, chunk, there }) => {
    const { page, goTo, complaints, close } = await visit(city, { token: city.token });
    await page.clock.install();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    await page.route(chunk, async (route) => {
      await held;
      await route.continue();
    });
    const asked = page.waitForRequest(chunk);
    await goTo(on);
    await page.locator(there).first().waitFor({ state: "attached" });
    const url = (await asked).url();
    // No frame is painted from here on, so what is put off until after the next one has not run when the chunk comes.
    await page.clock.pauseAt(Date.now() + 60_000);
    await page.locator("summary").first().click();
    await page.getByRole("link", { name: "Account" }).click();
    await page.locator(there).first().waitFor({ state: "detached" });
    release();
    await page.evaluate(`import(${JSON.stringify(url)})`);
    await page.clock.resume();
    await page.getByRole("heading", { name: "Account" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("says so when a part of the page cannot be loaded, and tries again when asked", async () => {
    const { page, goTo, close } = await visit(city, { token: city.token });
    await page.route("**/assets/account-*.js", (route) => route.abort());
    await goTo("/account");
    await page.getByText("This page could not be loaded").waitFor();
    await page.unroute("**/assets/account-*.js");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Account" }).waitFor();
    await close();
  });
});
