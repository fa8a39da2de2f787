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
    // One sample alone is not critical.
    { sensorId: "air-3", ...centre, battery: 5, measuredAt: new Date(Date.now() - 60_000).toISOString() },
    { sensorId: "air-3", ...centre, battery: 5 },
    { sensorId: "air-4", kind: "air", district: "south", battery: 12 },
    { sensorId: "air-5", ...centre, battery: 13 },
  ]);
  await vi.waitFor(async () => expect((await city.api("/crew")).alerts).toHaveLength(5), { timeout: 30_000 });
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

/** An answer of `GET /crew` with what a short test cannot make happen: forecasts, an outage, a fault of a sensor. */
export function aHardDay(now: number) {
  const at = (days: number) => new Date(now + days * 86_400_000 + 60_000).toISOString();
  const forecast = (best: number, from: number, to: number) => ({ at: at(best), from: at(from), to: at(to) });
  const alert = (id: string, title: string, explanation: string, fields: object) => ({
    id,
    rule: { id, title },
    subject: { sensorId: id, district: "east" },
    explanation,
    startedAt: at(-2),
    severity: "warning",
    handling: "open",
    people: [],
    ...fields,
  });
  return {
    alerts: [
      alert("outage", "Gateway outage", "14 of 15 sensors behind gw-east fell silent within 15 min.", {
        severity: "critical",
        subject: { gateway: "gw-east", district: "east" },
        counted: 14,
      }),
      alert("tower", "Battery flat within a month", "The battery falls 1.2 % a day.", { expected: forecast(8, 5, 12) }),
      alert("bridge", "Battery flat within a week", "The battery falls 9 % a day.", {
        expected: forecast(0.5, 0.2, 0.8),
      }),
      alert("bridge-2", "Fine particles", "Fine particles were 510 µg/m³.", {
        subject: { sensorId: "bridge", district: "east" },
        severity: "info",
        verdict: { is: "sensor-fault", why: "Its neighbours say 12 µg/m³." },
      }),
      alert("lane", "Enclosure hot", "The enclosure was at 64 °C.", { handling: "in-progress", assignee: "ben" }),
    ],
    left: 7,
    sensors: ["Tower", "Bridge", "Lane"].map((name, i) => ({
      id: name.toLowerCase(),
      name,
      ...(i === 2 ? {} : { lat: 52.6, lon: 11 + i }),
    })),
    advice: {
      outage: "Check the gateway's power and uplink before any of its sensors.",
      tower: "Put the battery on the next route.",
      bridge: "Replace the battery this week.",
      lane: "Check ventilation and shade.",
    },
  };
}
