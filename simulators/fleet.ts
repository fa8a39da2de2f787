import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { type ServiceClient, ServiceError } from "../client/client.ts";
import type { CredentialView, NewDevice } from "../contract/account.ts";
import type { City } from "./city.ts";
import type { CitySensor } from "./places.ts";

const LOGIN = z.object({ username: z.string(), password: z.string() });
const CONTENT = z.object({
  logins: z.record(z.string(), LOGIN),
  /** The newest acknowledged reading of each sensor, epoch milliseconds. */
  sentUntil: z.record(z.string(), z.number()),
});

export type Login = z.output<typeof LOGIN>;
export type Remembered = { readonly logins: Map<string, Login>; readonly sentUntil: Map<string, number> };

/** What the simulated sensors remember between runs, as real ones do in flash. Anything unreadable counts as forgotten. */
export function loadRemembered(path: string): Remembered {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    value = undefined;
  }
  const { logins, sentUntil } = CONTENT.safeParse(value).data ?? { logins: {}, sentUntil: {} };
  return { logins: new Map(Object.entries(logins)), sentUntil: new Map(Object.entries(sentUntil)) };
}

/** Replaces the file as a whole, readable by its owner only: it holds passwords. */
export function saveRemembered(path: string, remembered: Remembered): void {
  mkdirSync(dirname(path), { recursive: true });
  const content = {
    logins: Object.fromEntries(remembered.logins),
    sentUntil: Object.fromEntries(remembered.sentUntil),
  };
  const beside = `${path}.new`;
  writeFileSync(beside, JSON.stringify(content), { mode: 0o600 });
  renameSync(beside, path);
}

/**
 * Registers every sensor and gateway of the city that has no login yet, or whose login the service has forgotten, and
 * adds the logins to `logins`. A name that is taken but whose secret is unknown is removed and added again: secrets are
 * shown once, and these sensors are ours. Throws `ServiceError`.
 */
export async function enrolFleet(service: ServiceClient, city: City, logins: Map<string, Login>): Promise<void> {
  const [devices, gateways] = [names(await service.all("/devices", ALL)), names(await service.all("/gateways", ALL))];
  for (const { name, district } of city.gateways) {
    if (gateways.has(name) && logins.has(name)) continue;
    const body = { name, districts: [district], mayImport: false };
    logins.set(name, await add(service, `/gateways/${name}`, () => service.post("/gateways", body)));
  }
  for (const sensor of city.sensors) {
    if (devices.has(sensor.id) && logins.has(sensor.id)) continue;
    const body = describe(sensor);
    logins.set(sensor.id, await add(service, `/devices/${sensor.id}`, () => service.post("/devices", body)));
  }
}

const ALL = { limit: 1000 };
const names = (rows: readonly { readonly username: string }[]): ReadonlySet<string> =>
  new Set(rows.map((row) => row.username));

async function add(service: ServiceClient, former: string, post: () => Promise<CredentialView>): Promise<Login> {
  try {
    return pick(await post());
  } catch (error) {
    if (!(error instanceof ServiceError) || error.status !== 409) throw error;
    await service.delete(former);
    return pick(await post());
  }
}

const pick = ({ username, password }: CredentialView): Login => ({ username, password });

function describe(sensor: CitySensor): NewDevice {
  const { id, kind, district, name, lat, lon, intervalS, tags } = sensor;
  return { sensorId: id, kind, district, name, lat, lon, intervalS, tags };
}

/** When the service last heard of each sensor, epoch milliseconds. */
export async function newestReadings(service: ServiceClient): Promise<ReadonlyMap<string, number>> {
  const rows = await service.all("/readings/latest", ALL);
  return new Map(rows.map((row) => [row.sensorId, Date.parse(row.measuredAt)]));
}
