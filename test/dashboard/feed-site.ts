import type { City, CityOptions } from "../helpers/city.ts";
import type { VisitOptions } from "./browser.ts";
import { useSite } from "./site.ts";

export const PLACE = { kind: "air", district: "north" } as const;

/** Readings of `air-1`, unless they say otherwise. */
export const send = ({ api }: City, ...readings: object[]) =>
  api(
    "/readings",
    readings.map((own) => ({ sensorId: "air-1", ...PLACE, ...own })),
  );

/** The feed's page with what was prepared for it. */
export function useFeed(prepare: (city: City) => Promise<unknown>, options?: CityOptions) {
  const site = useSite(prepare, options);

  async function open(address: string, asked: VisitOptions = {}) {
    const visited = await site.visit(asked);
    await visited.goTo(`/feed${address}`);
    await visited.page.locator("h1").waitFor();
    return visited;
  }
  return { site, open };
}
