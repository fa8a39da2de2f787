import type { City } from "../helpers/city.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const STEP_MS = 10 * MINUTE_MS;

/**
 * Twelve hours of two stations, one value in ten minutes, that end two hours ago: nitrogen dioxide above 150 twice at the
 * first one (for an hour, then for two), and once above 100 at the second.
 */
export async function raiseNo2({ api }: City, now = Date.now()): Promise<void> {
  for (const sensorId of ["air-1", "air-2"]) {
    await api("/devices", { sensorId, kind: "air", district: "centre", name: `Station <b>${sensorId}</b>` });
  }
  const end = Math.floor(now / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;
  const readings = Array.from({ length: 12 * 6 }, (_, i) => {
    const measuredAt = new Date(end - 12 * HOUR_MS + i * STEP_MS).toISOString();
    const hour = Math.floor(i / 6);
    const no2 = hour === 2 || hour === 6 || hour === 7 ? 170 + (i % 5) : 40 + (i % 7);
    return [
      { sensorId: "air-1", kind: "air", district: "centre", measuredAt, no2, battery: 80 },
      { sensorId: "air-2", kind: "air", district: "centre", measuredAt, no2: hour === 4 ? 120 : 30 + (i % 3) },
    ];
  });
  await api("/readings", readings.flat());
}
