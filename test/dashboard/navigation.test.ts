import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { closeVisits, expectAccessible, HAS_BROWSER, shoot, type Theme, type VisitOptions, visit } from "./browser.ts";

describe.runIf(HAS_BROWSER)("the pages one may open", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity();
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  const open = async (options: VisitOptions) => {
    const visited = await visit(city, { token: city.token, language: "de-DE", ...options });
    await visited.goTo("/crew");
    await visited.page.locator(".crew-fresh.here").waitFor();
    return visited;
  };

  it.each(["light", "contrast"] satisfies Theme[])(
    "are in a menu on a phone, which fits and closes by itself (%s)",
    async (theme) => {
      const { page, close } = await open({ theme, size: "phone", touch: true });
      const menu = page.getByRole("button", { name: "Menü: Trupps" });
      await menu.click();
      await page.getByRole("link", { name: "Leitstand" }).waitFor();
      await expectAccessible(page);
      await shoot(page, `menu-${theme}`);
      await page.keyboard.press("Escape");
      await expect.poll(() => page.getByRole("link", { name: "Leitstand" }).count()).toBe(0);
      expect(await menu.evaluate((one) => one === document.activeElement)).toBe(true);
      await menu.click();
      await page.getByRole("link", { name: "Bericht" }).click();
      await page.getByRole("button", { name: "Menü: Bericht" }).waitFor();
      expect(await page.getByRole("link", { name: "Leitstand" }).count()).toBe(0);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await close();
    },
  );

  it("are in a row where there is room", async () => {
    const { page, close } = await open({});
    const [inner, outer] = await page.locator("header nav").evaluate((nav) => [nav.scrollWidth, nav.clientWidth]);
    expect(inner).toBeLessThanOrEqual(outer!);
    expect(await page.getByRole("button", { name: /Menü/ }).count()).toBe(0);
    await close();
  });
});
