import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { SILENT } from "../../model/log.ts";
import { openRecords } from "../../store/records.ts";
import type { City } from "../helpers/city.ts";

/** Makes an alert through the real door: a new sensor whose battery is low (15: a crew's warning, 5, said twice: critical). */
export async function alarm(city: City, sensorId: string, battery: number, name = sensorId): Promise<void> {
  await city.api("/devices", { sensorId, kind: "air", district: "centre", name, lat: 52.61, lon: 11.02 });
  for (const ageMs of [60_000, 0]) {
    const measuredAt = new Date(Date.now() - ageMs).toISOString();
    await city.api("/readings", { sensorId, kind: "air", district: "centre", measuredAt, battery });
  }
}

/** A port that is free now: for a service that comes back where it was. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

/** Registers many sensors, on a grid, with a service that is not running: one by one over HTTP would take a minute. */
export function fillRegistry(dataDir: string, sensors: number, now: number): void {
  const records = openRecords({ path: join(dataDir, "records.db"), now: () => now, log: SILENT });
  records.transaction(() => {
    for (let i = 0; i < sensors; i += 1) {
      const [lat, lon] = [52.5 + Math.floor(i / 100) * 0.002, 11 + (i % 100) * 0.003];
      records.sensors.add({ id: `air-${i}`, kind: "air", district: districtOf(i), lat, lon, tags: {}, createdAt: now });
    }
  });
  records.close();
}

/** One alert for each of the first so many sensors of the registry: their batteries are low. */
export async function alarmMany(city: City, alerts: number): Promise<void> {
  for (let from = 0; from < alerts; from += READINGS_MAX) {
    const readings = Array.from({ length: Math.min(READINGS_MAX, alerts - from) }, (_, i) => ({
      sensorId: `air-${from + i}`,
      kind: "air",
      district: districtOf(from + i),
      battery: 15,
    }));
    await city.api("/readings", readings);
  }
}

const READINGS_MAX = 500;
const districtOf = (i: number): string => `district-${Math.floor(i / 500)}`;
