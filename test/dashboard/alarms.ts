import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import type { Alert } from "../../model/alert.ts";
import { SILENT } from "../../model/log.ts";
import { openRecords } from "../../store/records/open.ts";
import type { City } from "../helpers/city.ts";

/** Makes an alert through the real door: a new sensor whose battery is low (15: a crew's warning, 5: critical). */
export async function alarm(city: City, sensorId: string, battery: number, name = sensorId): Promise<void> {
  await city.api("/devices", { sensorId, kind: "air", district: "centre", name, lat: 52.61, lon: 11.02 });
  await city.api("/readings", { sensorId, kind: "air", district: "centre", battery });
}

/** A port that is free now: for a service that comes back where it was. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

/** Writes a large city into the records of a service that is not running: sensors on a grid, and open alerts on them. */
export function fillRecords(dataDir: string, counts: { sensors: number; alerts: number }, now: number): void {
  const records = openRecords({ path: join(dataDir, "records.db"), now: () => now, log: SILENT });
  const sensorId = (i: number) => `air-${i}`;
  records.transaction(() => {
    for (let i = 0; i < counts.sensors; i += 1) {
      const [lat, lon] = [52.5 + Math.floor(i / 100) * 0.002, 11 + (i % 100) * 0.003];
      const district = `district-${Math.floor(i / 500)}`;
      records.sensors.add({ id: sensorId(i), kind: "air", district, lat, lon, tags: {}, createdAt: now });
    }
    for (let i = 0; i < counts.alerts; i += 1)
      records.alerts.apply({ alert: anAlert(i, sensorId(i), now), entry: entryAt(now) });
  });
  records.close();
}

const entryAt = (at: number) => ({ at, knownAt: at, what: "firing" });

function anAlert(i: number, sensorId: string, now: number): Omit<Alert, "handling" | "timeline"> {
  const startedAt = now - i * 10_000;
  return {
    id: `seeded-${i}`,
    rule: { id: "seeded", version: "1", title: `Seeded ${i}`, source: "The test" },
    subject: { sensorId, district: `district-${Math.floor(i / 500)}` },
    kind: "air",
    severity: (["info", "warning", "critical"] as const)[i % 3]!,
    audience: "operators",
    state: "firing",
    startedAt,
    firedAt: startedAt,
    explanation: `Fine particles at ${sensorId} averaged 61 µg/m³ over the hour, above 50 µg/m³.`,
    evidence: [{ measuredAt: startedAt, metric: "pm25", value: 61 }],
  };
}
