import { afterAll, beforeAll } from "vitest";
import { type City, type CityOptions, startCity } from "../helpers/city.ts";
import { closeVisits, type Visit, type VisitOptions, visit } from "./browser.ts";

export type Site = {
  readonly city: City;
  /** A fresh browser profile, signed in as admin unless told otherwise. */
  visit(options?: VisitOptions): Promise<Visit>;
};

/** The service and a browser for all tests of a `describe`; `prepare` gives the city something to show. */
export function useSite(prepare: (city: City) => Promise<unknown> = async () => {}, options: CityOptions = {}): Site {
  let city: City;
  beforeAll(async () => {
    city = await startCity(options);
    await prepare(city);
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });
  return {
    get city() {
      return city;
    },
    visit: (asked = {}) => visit(city, { token: city.token, ...asked }),
  };
}
