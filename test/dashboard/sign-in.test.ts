import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { expectAccessible, HAS_BROWSER, openBrowser, shoot, type Theme, visit } from "./browser.ts";

describe.runIf(HAS_BROWSER)("signing in", () => {
  let city: City;
  let browser: Browser;
  beforeAll(async () => {
    city = await startCity({ env: { LAMPPOST_PUBLIC_PAGE: "on" } });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await city?.remove();
  });

  it.each(["light", "dark", "contrast"] satisfies Theme[])(
    "looks well in %s and can be used by everyone",
    async (theme) => {
      const { page, goTo, complaints, close } = await visit(browser, city, { theme });
      await goTo("/");
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await expectAccessible(page);
      await shoot(page, `sign-in-${theme}`);
      expect(complaints).toEqual([]);
      await close();
    },
  );
});
