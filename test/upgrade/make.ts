import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connectAsync } from "mqtt";
import type { City } from "../helpers/city.ts";
import { look } from "./look.ts";

/**
 * Makes an archive of `test/upgrade`: what the code of a checkout leaves on disk, and what it said of it.
 *
 *   npx node test/upgrade/make.ts <checkout, after npm ci there> test/upgrade/<commit>.tar.gz
 *
 * Only what every version has had is used: its own helper that starts a service, and HTTP.
 */
const MINUTE_MS = 60_000;
const [checkout, out] = process.argv.slice(2).map((path) => resolve(path)) as [string, string];
const { startCity, until } = (await import(
  join(checkout, "test/helpers/city.ts")
)) as typeof import("../helpers/city.ts");

const RULES = `rules:
  - id: hot
    title: Hot
    kind: air
    metric: temperature
    condition: { type: threshold, above: 30 }
    severity: warning
    audience: operators
    source: { text: "made for a test" }
`;

const work = mkdtempSync(join(tmpdir(), "lamppost-upgrade-"));
const dataDir = join(work, "data");
const rulesDir = join(work, "rules");
mkdirSync(dataDir);
mkdirSync(rulesDir);
writeFileSync(join(rulesDir, "hot.yaml"), RULES);

const city = await startCity({ env: { LAMPPOST_RULES_DIR: rulesDir, LAMPPOST_NOTIFY_ALLOW: "127.0.0.1" } }, dataDir);
try {
  await live(city);
  const saved = await city.cli("backup", join(work, "backup.tar"), "--json");
  if (saved.code !== 0) throw new Error(saved.stderr);
  await city.api("/readings", reading("air-1", 1, { temperature: 21 }));
  await settled(city);
  writeFileSync(join(work, "expected.json"), JSON.stringify(await look(city)));
  if ((await city.stop()) !== 0) throw new Error(city.said().stderr);
  rmSync(join(dataDir, "service.json"), { force: true });
  execFileSync("tar", ["-czf", out, "-C", work, "data", "rules", "backup.tar", "expected.json"]);
} finally {
  await city.remove();
  rmSync(work, { recursive: true, force: true });
}

function reading(sensorId: string, minutesAgo: number, values: Record<string, number>) {
  const kind = { air: "air", flow: "traffic", feeder: "energy" }[sensorId.split("-")[0]!]!;
  const measuredAt = Math.floor(Date.now() / MINUTE_MS - minutesAgo) * MINUTE_MS;
  return { sensorId, kind, district: "north", measuredAt, ...values };
}

/** Two days of a small city with everything in it that people and sensors leave behind. */
async function live(city: City): Promise<void> {
  const gateway = await city.api("/gateways", { name: "gw-north", districts: ["north"] });
  for (const [sensorId, kind] of [
    ["air-1", "air"],
    ["air-2", "air"],
    ["flow-1", "traffic"],
    ["feeder-1", "energy"],
  ]) {
    await city.api("/devices", { sensorId, kind, district: "north", lat: 52.5, lon: 13.4, name: `Lamp ${sensorId}` });
  }
  await city.api("/users", { name: "olga", role: "operator" });
  await city.api("/users", { name: "carla", role: "crew" });
  await city.api("/targets", { id: "hook", name: "Hook", type: "webhook", url: "http://127.0.0.1:9/" });
  for (const minutesAgo of [2 * 1440 + 90, 1440 + 60]) {
    await city.api("/readings", days(minutesAgo));
  }
  await city.api("/readings", reading("air-1", 50, { temperature: 35 }));
  await city.api("/readings", reading("air-1", 45, { temperature: 20 }));
  await alertsAre(city, ["resolved"]);
  const [first] = (await city.api("/alerts")).items;
  await city.api(`/alerts/${first.id}/acknowledge`, {});
  await city.api(`/alerts/${first.id}/comment`, { note: "The sun stood on it." });
  await city.api(`/alerts/${first.id}/review`, { verdict: "wrong", note: "The sun stood on it." });
  await city.api("/silences", { matchers: { district: ["south"] }, endsAt: iso(-7 * 1440), reason: "works" });
  await city.api("/rules/hot", { rule: changed("hot", 33), reason: "31 is a usual day in August" }, "PUT");
  await city.api("/rules/warm", { rule: { ...changed("warm", 25), mode: "shadow" }, reason: "trying 25" }, "PUT");
  await city.api("/readings", reading("air-2", 40, { temperature: 36 }));
  await alertsAre(city, ["firing", "resolved"]);
  await overMqtt(city, gateway);
  await settled(city);
}

/** A duplicate, a conflict, what can never be a reading, and a sensor that nobody knew. */
async function overMqtt(city: City, gateway: { username: string; password: string }): Promise<void> {
  const client = await connectAsync(city.mqtt, { ...gateway, clientId: "gw-north" });
  const publish = (sensor: string, payload: unknown) =>
    client.publishAsync(`city/north/air/${sensor}`, JSON.stringify(payload), { qos: 1 });
  const { measuredAt } = reading("air-2", 40, {});
  await publish("air-2", { measuredAt, temperature: 36 });
  await publish("air-2", { measuredAt, temperature: 37 });
  await publish("air-2", { measuredAt: measuredAt + 1_000, temperature: "warm" });
  await publish("air-3", [{ temperature: 12 }, { temperature: 900 }]);
  await client.endAsync();
}

function iso(minutesAgo: number): string {
  return new Date(Date.now() - minutesAgo * MINUTE_MS).toISOString();
}

function days(minutesAgo: number) {
  return Array.from({ length: 60 }, (_, minute) => [
    reading("air-1", minutesAgo - minute, { temperature: 15 + minute / 10, pm25: 8 + (minute % 7), battery: 80 }),
    reading("air-2", minutesAgo - minute, { temperature: 14, no2: 20, pm10: minute === 30 ? 900 : 12 }),
    reading("flow-1", minutesAgo - minute, { flow: 300 + minute, speed: 42 }),
    reading("feeder-1", minutesAgo - minute, { activePower: 120, energyImport: 5_000 + minute }),
  ]).flat();
}

function changed(id: string, above: number) {
  return {
    id,
    title: id,
    kind: "air",
    metric: "temperature",
    severity: "warning",
    audience: "operators",
    source: { text: "made for a test" },
    condition: { type: "threshold", above },
  };
}

async function alertsAre(city: City, states: readonly string[]): Promise<void> {
  await until(
    async () => ((await city.api("/alerts")).items as { state: string }[]).map(({ state }) => state).join(),
    (found) => found === states.join(),
  );
}

async function settled(city: City): Promise<void> {
  await until(
    () => city.api("/ledger"),
    ({ inJournal }) => inJournal === 0,
  );
}
