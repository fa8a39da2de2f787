import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InjectOptions } from "fastify";
import type { ApiDeps, ApiOptions } from "../../api/deps.ts";
import { createLive } from "../../api/live.ts";
import { createApi } from "../../api/server.ts";
import { startMappings } from "../../app/mappings-start.ts";
import { startRules } from "../../app/rules-start.ts";
import { checkReading } from "../../ingest/check-reading.ts";
import { createLedgerService } from "../../ingest/ledger.ts";
import type { Alert, Transition } from "../../model/alert.ts";
import { SILENT } from "../../model/log.ts";
import type { NewMessage } from "../../model/message.ts";
import type { Account } from "../../model/people.ts";
import { PHOTO_BYTES_MAX } from "../../model/photo.ts";
import type { Reading } from "../../model/reading.ts";
import { createOriginNumbers, packReadings } from "../../model/reading-block.ts";
import type { Rule } from "../../model/rule.ts";
import { hashSecret } from "../../model/secret.ts";
import { SimulationRefused } from "../../model/simulation.ts";
import { createCorrections } from "../../store/corrections.ts";
import { createPhotos } from "../../store/photos.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aBackground } from "../helpers/background.ts";
import { T0 } from "../helpers/readings.ts";

/** One account of each role; the token is the name and "-token". */
const ACCOUNTS: readonly Account[] = [
  { role: "viewer", name: "viewer" },
  { role: "crew", name: "crew" },
  { role: "operator", name: "operator" },
  { role: "admin", name: "admin" },
  { role: "device", name: "air-1", sensorId: "air-1", district: "north", kind: "air" },
  { role: "gateway", name: "gw-north", districts: ["north"], mayImport: false },
  { role: "gateway", name: "gw-import", districts: ["north"], mayImport: true },
  { role: "crew", name: "crew-2" },
];

const NO_MAP: ApiDeps["map"] = {
  list: () => [],
  put: async () => undefined,
  remove: async () => false,
  range: async () => undefined,
  whole: () => undefined,
};

const NO_SIMULATIONS: ApiDeps["simulations"] = {
  refusal: () => undefined,
  districts: () => [],
  current: () => undefined,
  last: () => undefined,
  stop: () => false,
  start: () => {
    throw new SimulationRefused("Nothing runs in a test.");
  },
  recordings: {
    list: () => [],
    current: () => undefined,
    stop: () => false,
    remove: () => false,
    read: () => undefined,
    start: () => {
      throw new SimulationRefused("Nothing is recorded in a test.");
    },
  },
};

/** A page in place of the built one. */
const PAGE_DIR = join(import.meta.dirname, "page");

/** The real API on real records in RAM; the store and the journal are arrays. */
export function startService(overrides: Omit<Partial<ApiDeps>, "options"> & { options?: Partial<ApiOptions> } = {}) {
  let now = T0;
  const records = openRecords({ path: ":memory:", now: () => now, log: SILENT });
  for (const account of ACCOUNTS) addAccount(account);
  records.sensors.add({ id: "air-1", kind: "air", district: "north", name: "Station", tags: {}, createdAt: T0 });
  const photosDir = mkdtempSync(join(tmpdir(), "lamppost-photos-"));
  const submitted: NewMessage[] = [];
  const disconnected: string[] = [];
  const stored: Reading[] = [];
  const live = createLive();

  function addAccount(account: Account): void {
    const secretHash = hashSecret(`${account.name}-token`);
    records.credentials.add({ account, secretHash, createdAt: T0, createdBy: "test" });
  }

  const deps: ApiDeps = {
    records,
    store: storeOf(stored),
    photos: createPhotos({
      dir: join(photosDir, "photos"),
      records,
      bytesMax: PHOTO_BYTES_MAX,
      diskFreeBytesMin: 0,
      now: () => now,
    }),
    submit: async (messages) => void submitted.push(...messages),
    check: checkReading,
    rules: () => [],
    ruleBook: rulesOf(records, overrides.rules?.() ?? [], stored, () => now),
    ledger: ledgerOf(records, () => now),
    examineStore: async () => ({ store: "duckdb", place: "duckdb readings.duckdb", findings: [] }),
    faults: { of: () => ({ refused: [], notTaken: [] }), list: () => [], forget: () => {} },
    redrive: async (ids) => ids.length,
    notifications: { check: () => undefined, test: async () => ({ sent: true }) },
    backup: async () => ({ refused: "There is nothing to back up in a test." }),
    simulations: NO_SIMULATIONS,
    map: NO_MAP,
    conflictOf: () => undefined,
    mappings: startMappings({ records, nextSeq: () => 1, now: () => now, log: SILENT }).deps,
    corrections: createCorrections({
      store: storeOf(stored),
      records,
      rules: { reachFrom: () => undefined, changed: () => {} },
      now: () => now,
    }),
    health: () => [{ part: "journal", state: "ok", ready: true }],
    figures: () => [],
    live,
    disconnect: (name) => void disconnected.push(name),
    background: aBackground(),
    now: () => now,
    log: SILENT,
    ...overrides,
    options: {
      version: "0.0.0",
      page: { dir: PAGE_DIR, isPublic: false },
      ...overrides.options,
      limits: { signInFailedAfterMs: 0, ...overrides.options?.limits },
    },
  };
  const app = createApi(deps);

  /** A request as someone; undefined: without a token. */
  function as(name: string | undefined, method: string, url: string, body?: unknown, headers = {}) {
    const authorization = name === undefined ? {} : { authorization: `Bearer ${name}-token` };
    const options: InjectOptions = { method: method as "GET", url, headers: { ...authorization, ...headers } };
    return app.inject(body === undefined ? options : { ...options, payload: body as object });
  }

  async function close(): Promise<void> {
    await app.close();
    records.close();
    await rm(photosDir, { recursive: true, force: true });
  }

  const tick = (ms: number) => {
    now += ms;
  };
  return { app, as, deps, records, live, submitted, stored, disconnected, tick, close, addAccount };
}

/** The real book of rules, and backtests over what is stored. */
function rulesOf(records: Records, rules: readonly Rule[], stored: readonly Reading[], now: () => number) {
  async function* scan() {
    if (stored.length > 0) yield packReadings(stored, createOriginNumbers());
  }
  const files = { rules, fileOf: new Map(rules.map(({ id }) => [id, "rules.yaml"])) };
  return startRules({ files, records, store: { scan }, now, log: SILENT }).deps(() => []);
}

/** The books of these records; the store and the journal are empty. */
function ledgerOf(records: Records, now: () => number): ApiDeps["ledger"] {
  return createLedgerService({
    records,
    store: { name: "none", find: async (_, keys) => keys.map(() => undefined), countBySensor: async () => new Map() },
    pendingMessages: () => 0,
    offset: () => 1,
    openReader: () => ({ read: async (_, to) => ({ to, messages: [] }), close: async () => {} }),
    rawDays: 90,
    now,
    log: SILENT,
  });
}

function storeOf(stored: readonly Reading[]): ApiDeps["store"] {
  return {
    latest: async () => stored.slice(-1),
    aggregate: async ({ from }) => [{ start: from, values: { pm25: { mean: 2, min: 1, max: 3, count: 2 } } }],
    stream: async function* ({ from, to, sensorId }) {
      const fits = (one: Reading) => one.sensorId === sensorId && one.measuredAt >= from && one.measuredAt < to;
      const found = stored.filter(fits);
      for (let i = 0; i < found.length; i += 3) yield found.slice(i, i + 3);
    },
  };
}

/** An alert that has just begun to fire. */
export function firing(id: string, fields: Partial<Alert> = {}): Transition {
  const alert: Transition["alert"] = {
    id,
    rule: { id: "pm25-high", version: "abc", title: "PM2.5 is high", source: "EU 2024/2881" },
    subject: { sensorId: "air-1", district: "north" },
    kind: "air",
    severity: "warning",
    audience: "operators",
    state: "firing",
    startedAt: T0,
    firedAt: T0,
    metric: "pm25",
    value: 60,
    limit: 50,
    unit: "µg/m³",
    explanation: "60 is above 50.",
    evidence: [{ measuredAt: T0, metric: "pm25", value: 60 }],
    ...fields,
  };
  return { alert, entry: { at: T0, knownAt: T0, what: fields.state ?? "firing" } };
}
