import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";
import { expectAccessible, HAS_BROWSER, openBrowser, shoot, type Theme, visit } from "./browser.ts";
import { raiseNo2 } from "./rule-history.ts";

describe.runIf(HAS_BROWSER)("the rules", () => {
  let city: City;
  let browser: Browser;
  beforeAll(async () => {
    city = await startCity();
    await raiseNo2(city);
    await until(
      () => city.api("/alerts?rule=eu-no2-information&state=firing,resolved"),
      ({ items }) => items.length >= 2,
    );
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await city?.remove();
  });

  const open = async (path: string, options: Parameters<typeof visit>[2] = {}) => {
    const visited = await visit(browser, city, { token: city.token, ...options });
    await visited.goTo(path);
    return visited;
  };

  it("lists every rule with how it does, and keeps filters and order in the address", async () => {
    const { page, complaints, close } = await open("/rules");
    await page.getByRole("link", { name: "Rules" }).waitFor();
    const rows = page.locator(".rules-table tbody tr");
    await rows.first().waitFor();
    const all = await rows.count();
    expect(all).toBeGreaterThan(80);
    await shoot(page, "rules-light");
    await page.getByLabel("Search").fill("nitrogen dioxide");
    await page.getByLabel("For", { exact: true }).selectOption("operators");
    await page.getByText(`3 of ${all} rules`).waitFor();
    await page.getByRole("button", { name: "Sort by: Alerts a day" }).click();
    expect(new URL(page.url()).search).toBe("?q=nitrogen+dioxide&for=operators&sort=perDay&dir=down");
    await page.reload();
    await rows.first().getByRole("link", { name: "Nitrogen dioxide information threshold" }).waitFor();
    expect(await page.getByRole("columnheader", { name: /Alerts a day/ }).getAttribute("aria-sort")).toBe("descending");
    await page.getByLabel("Search").fill("no such thing");
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByText(`${all} rules`, { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
