import type { Page } from "playwright-core";
import { expect, vi } from "vitest";
import type { City } from "../helpers/city.ts";

export const card = (page: Page, name: string) => page.locator(".crew-card", { hasText: name });

/** The token of a new user. */
export async function addUser(city: City, name: string, role: string): Promise<string> {
  return (await city.api("/users", { name, role })).password;
}

/** A critical place, a place with two troubles, one in a district of its own, and an old mill. */
export async function fillCity(city: City): Promise<void> {
  await addSensor(city, "air-1", "Market Square", { lat: 52.6, lon: 11.01 });
  await addSensor(city, "air-2", "Market Square roof", { lat: 52.6, lon: 11.01 });
  await addSensor(city, "air-3", "Harbour <b>quay</b>", { lat: 52.62, lon: 11.03 });
  await addSensor(city, "air-4", "Zoo gate", { lat: 52.59, lon: 11.05 }, "south");
  await addSensor(city, "air-5", "Old mill", { lat: 52.64, lon: 11 });
  const centre = { kind: "air", district: "centre" };
  await city.api("/readings", [
    { sensorId: "air-1", ...centre, battery: 15 },
    { sensorId: "air-2", ...centre, battery: 14 },
    { sensorId: "air-3", ...centre, battery: 5 },
    { sensorId: "air-4", kind: "air", district: "south", battery: 12 },
    { sensorId: "air-5", ...centre, battery: 13 },
  ]);
  await vi.waitFor(async () => expect((await city.api("/crew")).alerts).toHaveLength(5), { timeout: 10_000 });
}

function addSensor(city: City, sensorId: string, name: string, at: { lat: number; lon: number }, district = "centre") {
  return city.api("/devices", { sensorId, kind: "air", district, name, ...at });
}

/** The alert of a sensor, as it is now. */
export async function alertOf(city: City, sensorId: string) {
  return (await city.api(`/alerts?sensor=${sensorId}`)).items[0];
}

/** How often someone did something to the alert of a sensor. */
export async function deedsOn(city: City, sensorId: string, what: string): Promise<(string | undefined)[]> {
  const { timeline } = await alertOf(city, sensorId);
  return timeline
    .filter((entry: { what: string }) => entry.what === what)
    .map(({ by, note }: { by: string; note?: string }) => (note === undefined ? by : `${by}: ${note}`));
}
