import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { type City, type CityOptions, startCity } from "../helpers/city.ts";
import { openBrowser, type Visit, type VisitOptions, visit } from "./browser.ts";

export type Site = {
  readonly city: City;
  /** A fresh browser profile, signed in as admin unless told otherwise. */
  visit(options?: VisitOptions): Promise<Visit>;
};

/** The service and a browser for all tests of a `describe`; `prepare` gives the city something to show. */
export function useSite(prepare: (city: City) => Promise<unknown> = async () => {}, options: CityOptions = {}): Site {
  let city: City;
  let browser: Browser;
  beforeAll(async () => {
    city = await startCity(options);
    await prepare(city);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await city?.remove();
  });
  return {
    get city() {
      return city;
    },
    visit: (asked = {}) => visit(browser, city, { token: city.token, ...asked }),
  };
}
