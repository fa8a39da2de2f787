import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLive } from "../../api/live.ts";
import type { Rejection } from "../../model/rejection.ts";
import { StoreError } from "../../store/reading-store.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
let redriven: (readonly number[])[];
beforeEach(() => {
  redriven = [];
  service = startService({
    redrive: async (ids) => {
      redriven.push(ids);
      return ids.length;
    },
  });
});
afterEach(() => service.close());

const get = async (path: string, name = "operator") => (await service.as(name, "GET", `/api/v1${path}`)).json();
const rejection = (fields: Partial<Rejection> = {}): Rejection => ({
  journalSeq: 1,
  index: 0,
  reason: "malformed_json",
  detail: "The payload is not valid JSON.",
  receivedAt: T0,
  source: { via: "mqtt", role: "gateway", name: "gw-north" },
  topic: "city/north/air/air-1",
  sensorId: "air-1",
  payload: Buffer.from("{oops"),
  ...fields,
});

describe("quarantine", () => {
  beforeEach(() => {
    const personal = rejection({ journalSeq: 2, reason: "personal_data", payload: Buffer.from('{"plate":"B-XY"}') });
    const large = rejection({ journalSeq: 3, reason: "too_large", payload: Buffer.alloc(40_000, "x") });
    service.records.quarantine.add([rejection(), personal, large, rejection({ journalSeq: 4 })]);
  });

  it("lists newest first without payloads, by reason", async () => {
    const { items } = await get("/quarantine");
    expect(items.map((one: { journalSeq: number }) => one.journalSeq)).toEqual([4, 3, 2, 1]);
    expect(items[3]).toMatchObject({
      reason: "malformed_json",
      source: "mqtt:gateway:gw-north",
      receivedAt: "2026-11-21T10:00:00.000Z",
    });
    expect(items.some((one: object) => "payload" in one)).toBe(false);
    expect((await get("/quarantine?reason=too_large")).items).toHaveLength(1);
  });

  it("writes down who looked, once for as often as they did within a minute", async () => {
    for (let i = 0; i < 3; i += 1) await get("/quarantine");
    await get("/quarantine/1");
    await get("/quarantine", "admin");
    await get("/audit");
    expect(
      service.records.audit.list(9).items.map(({ by, what, target, detail }) => [by, what, target, detail]),
    ).toEqual([
      ["operator", "quarantine.read", "list", "2 more since the row before"],
      ["admin", "quarantine.read", "list", undefined],
      ["operator", "quarantine.read", "message 1", undefined],
      ["operator", "quarantine.read", "list", undefined],
    ]);
  });

  it("shows one with its payload, capped, and never personal data", async () => {
    const [d, c, b, a] = (await get("/quarantine")).items.map((one: { id: number }) => one.id);
    expect((await get(`/quarantine/${a}`)).payload).toEqual({ text: "{oops", bytes: 5, truncated: false });
    const large = (await get(`/quarantine/${c}`)).payload;
    expect([large.text.length, large.bytes, large.truncated]).toEqual([16_384, 40_000, true]);
    expect(await get(`/quarantine/${b}`)).not.toHaveProperty("payload");
    expect((await get(`/quarantine/${d + 1}`)).status).toBe(404);
  });

  it("does not show personal data even if the records had it", async () => {
    const item = { id: 1, rejection: rejection({ reason: "personal_data" }) };
    const { records } = service;
    const leaky = startService({ records: { ...records, quarantine: { ...records.quarantine, get: () => item } } });
    const answer = await leaky.as("admin", "GET", "/api/v1/quarantine/1");
    expect([answer.statusCode, answer.json().payload]).toEqual([200, undefined]);
    await leaky.close();
  });

  it("is driven again by ids or by reason, and the audit says so", async () => {
    const post = (body: object) => service.as("operator", "POST", "/api/v1/quarantine/redrive", body);
    expect((await post({ ids: [1, 3] })).json()).toEqual({ redriven: 2 });
    service.records.quarantine.markRedriven([1], "operator", T0);
    expect((await post({ reason: "malformed_json" })).json()).toEqual({ redriven: 1 });
    expect(redriven).toEqual([[1, 3], [4]]);
    expect((await post({})).statusCode).toBe(400);
    const redrive = () => Promise.reject(Object.assign(new Error("no space"), { state: "full" }));
    const full = startService({ redrive });
    const answer = await full.as("operator", "POST", "/api/v1/quarantine/redrive", { ids: [1] });
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "30"]);
    expect(full.records.audit.list(1).items).toEqual([]);
    await full.close();
    expect((await post({ ids: [1], reason: "conflict" })).statusCode).toBe(400);
    expect(service.records.audit.list(1).items).toMatchObject([
      { what: "quarantine.redrive", target: "malformed_json" },
    ]);
  });
});

describe("ledger", () => {
  it("shows the whole, days and sensors", async () => {
    const row = (sensorId: string, day: string, outcome: "received" | "stored" | "conflict", count: number) =>
      service.records.ledger.add([{ sensorId, day, outcome, count }]);
    row("air-1", "2026-11-21", "received", 10);
    row("air-1", "2026-11-21", "stored", 9);
    row("air-1", "2026-11-21", "conflict", 1);
    row("air-2", "2026-11-20", "received", 4);
    row("air-2", "2026-11-20", "stored", 3);
    expect(await get("/ledger")).toMatchObject({ received: 14, inJournal: 0, balanced: false, scope: "all" });
    expect((await get("/ledger")).days.map((one: { day: string }) => one.day)).toEqual(["2026-11-21", "2026-11-20"]);
    const none = { duplicate: 0, shed: 0, lost: 0, inJournal: 0 };
    const sums = { ...none, received: 10, stored: 9, quarantined: 1, balanced: true, reasons: { conflict: 1 } };
    expect(await get("/ledger?sensor=air-1")).toMatchObject(sums);
    expect(await get("/ledger?day=2026-11-21")).toMatchObject({ ...sums, days: [{ day: "2026-11-21", received: 10 }] });
    expect(await get("/ledger?day=2026-11-20")).toMatchObject({ received: 4, stored: 3, balanced: false });
    const { sensors, next } = await get("/ledger?by=sensor&limit=1");
    const values = { taken: 0, suspect: 0, missing: 0, refused: 0, repeated: 0 };
    expect(sensors).toEqual([{ sensorId: "air-1", ...sums, values }]);
    expect((await get(`/ledger?by=sensor&limit=1&cursor=${next}`)).sensors).toMatchObject([{ sensorId: "air-2" }]);
    expect((await get("/ledger?day=yesterday")).status).toBe(400);
  });

  it("counts again for operators and admins, and says what differs", async () => {
    const day = "2026-11-21";
    service.records.ledger.add([
      { sensorId: "air-1", day, outcome: "received", count: 2 },
      { sensorId: "air-1", day, outcome: "stored", count: 2 },
    ]);
    const { balanced, verified } = await get("/ledger?verify=true");
    expect([balanced, verified.ok, verified.readings]).toEqual([true, false, { booked: 2, removed: 0, found: 0 }]);
    expect(verified.differences).toEqual([{ what: "readings", sensorId: "air-1", booked: 2, found: 0 }]);
    expect((await get("/ledger?verify=true", "viewer")).status).toBe(403);
    expect(await get("/ledger", "viewer")).not.toHaveProperty("verified");
  });

  it("traces a reading", async () => {
    const answer = await get("/ledger/trace?sensor=air-1&measuredAt=2026-11-21T09:00:00Z");
    expect(answer).toMatchObject({ found: "unseen", measuredAt: "2026-11-21T09:00:00.000Z" });
    expect(answer.sentence).toContain("was never seen");
    expect((await get("/ledger/trace?sensor=air-1&measuredAt=soon")).status).toBe(400);
    expect((await get("/ledger/trace?sensor=air-1&measuredAt=1", "viewer")).status).toBe(403);
  });
});

describe("audit", () => {
  it("is listed newest first and can be verified", async () => {
    for (const target of ["a", "b"]) service.records.audit.add({ at: T0, by: "ann", what: "device.add", target });
    const { items } = await get("/audit");
    expect(items.map((one: { target: string }) => one.target)).toEqual(["b", "a"]);
    expect(items[0]).toMatchObject({ by: "ann", at: "2026-11-21T10:00:00.000Z" });
    expect(await get("/audit/verify", "admin")).toEqual({ entries: 2, intact: true });
  });
});

describe("sensors and latest values", () => {
  it("pages sensors, with what the live stream knows", async () => {
    service.records.sensors.add({ id: "air-0", kind: "air", district: "south", tags: { lane: "1" }, createdAt: T0 });
    service.live.push({ readings: [aReading()] });
    service.live.setOnline("air-1", true, T0 + 9_000);
    const first = await get("/sensors?limit=1", "viewer");
    expect(first.items).toEqual([
      { id: "air-0", kind: "air", district: "south", tags: { lane: "1" }, createdAt: "2026-11-21T10:00:00.000Z" },
    ]);
    const second = await get(`/sensors?limit=1&cursor=${first.next}`, "viewer");
    expect(second.items).toMatchObject([
      { id: "air-1", online: true, lastSeen: "2026-11-21T10:00:09.000Z", latest: { values: { pm25: 12.5 } } },
    ]);
    expect(second.next).toBeUndefined();
    expect((await get("/sensors?district=north", "viewer")).items).toHaveLength(1);
    expect((await get("/sensors/air-1", "viewer")).name).toBe("Station");
    expect((await get("/districts", "viewer")).items).toEqual([
      { district: "north", sensors: 1, kinds: { air: 1, traffic: 0, energy: 0 } },
      { district: "south", sensors: 1, kinds: { air: 1, traffic: 0, energy: 0 } },
    ]);
  });

  it("latest: a page looks only at the sensors it shows, in the order of their names, new ones among them", async () => {
    const live = createLive();
    let looked = 0;
    const find: typeof live.find = (kind, sensorId) => {
      looked += 1;
      return live.find(kind, sensorId);
    };
    /** All of them at once: to put them into order. */
    const latest: typeof live.latest = (filter) => {
      const all = live.latest(filter);
      looked += all.length;
      return all;
    };
    const own = startService({ live: { ...live, find, latest } });
    const name = (i: number) => `air-${String(i).padStart(5, "0")}`;
    live.push({ readings: Array.from({ length: 5_000 }, (_, i) => aReading({ sensorId: name(4_999 - i) })) });
    const page = async (query: string) => {
      const answer = (await own.as("viewer", "GET", `/api/v1/readings/latest?limit=10${query}`)).json();
      return { ...answer, names: answer.items.map((one: { sensorId: string }) => one.sensorId) };
    };
    const first = await page("");
    expect(first.names).toEqual(Array.from({ length: 10 }, (_, i) => name(i)));
    looked = 0;
    const second = await page(`&cursor=${first.next}`);
    expect(second.names).toEqual(Array.from({ length: 10 }, (_, i) => name(10 + i)));
    expect(looked).toBeLessThanOrEqual(11);
    const newer = aReading({ sensorId: name(10), measuredAt: T0 + 1, values: { no2: 7 } });
    live.push({ readings: [aReading({ sensorId: "air-00009a" }), newer] });
    const next = await page(`&cursor=${first.next}`);
    expect(next.names.slice(0, 2)).toEqual(["air-00009a", name(10)]);
    expect(next.items[1].values).toEqual({ no2: 7 });
    await own.close();
  });

  it("latest: the store's, overtaken by live ones, and the store asked once a minute", async () => {
    let asked = 0;
    const latest = async () => {
      asked += 1;
      return [aReading({ sensorId: "air-1" }), aReading({ sensorId: "air-2" })];
    };
    const own = startService({ store: { ...service.deps.store, latest } });
    own.live.push({ readings: [aReading({ sensorId: "air-2", measuredAt: T0 + 1, values: { no2: 3 } })] });
    const values = async () => {
      const { items } = (await own.as("viewer", "GET", "/api/v1/readings/latest?kind=air")).json();
      return items.map((one: { values: object }) => one.values);
    };
    expect(await values()).toEqual([{ pm25: 12.5 }, { no2: 3 }]);
    expect(await values()).toHaveLength(2);
    expect(asked).toBe(1);
    own.tick(60_000);
    await values();
    expect(asked).toBe(2);
    await own.close();
  });
});

describe("latest, metric by metric", () => {
  const hourAgo = aReading({ measuredAt: T0 - 3_600_000, values: { battery: 80, o3: 7 }, quality: { o3: "suspect" } });
  const stored = { ...aReading({ values: { pm25: 5 } }), earlier: [hourAgo] };
  const startOwn = () => startService({ store: { ...service.deps.store, latest: async () => [stored] } });
  const told = (own: ReturnType<typeof startService>) => async (path: string) =>
    (await own.as("viewer", "GET", `/api/v1${path}`)).json();
  const earlier = {
    battery: { value: 80, measuredAt: "2026-11-21T09:00:00.000Z" },
    o3: { value: 7, measuredAt: "2026-11-21T09:00:00.000Z", quality: "suspect" },
  };

  it("tells values that came before the newest reading with their own time, from the store and from the stream", async () => {
    const own = startOwn();
    const ask = told(own);
    const first = { measuredAt: "2026-11-21T10:00:00.000Z", values: { pm25: 5 }, earlier };
    expect((await ask("/readings/latest")).items).toMatchObject([first]);
    expect((await ask("/sensors/air-1")).latest).toMatchObject(first);
    expect((await ask("/sensors")).items[0].latest).toMatchObject(first);
    own.live.push({ readings: [aReading({ measuredAt: T0 + 60_000, values: { o3: 9 } })] });
    own.live.push({ readings: [aReading({ measuredAt: T0 - 7_200_000, values: { battery: 1, no2: 4 } })] });
    const [one] = (await ask("/readings/latest")).items;
    expect(one.values).toEqual({ o3: 9 });
    expect(one.earlier).toEqual({
      pm25: { value: 5, measuredAt: "2026-11-21T10:00:00.000Z" },
      battery: earlier.battery,
      no2: { value: 4, measuredAt: "2026-11-21T08:00:00.000Z" },
    });
    expect((await ask("/sensors/air-1")).latest).toEqual(one);
    await own.close();
  });

  it("leaves out sensors that were taken off the register", async () => {
    const own = startOwn();
    own.records.sensors.retire(own.records.sensors.get("air-1")!, T0);
    expect((await told(own)("/readings/latest")).items).toEqual([]);
    expect((await told(own)("/sensors/air-1")).latest.values).toEqual({ pm25: 5 });
    await own.close();
  });

  it("shows sensors with what the stream knows while the store is away", async () => {
    const latest = async () => {
      throw new StoreError("unavailable", "away");
    };
    const own = startService({ store: { ...service.deps.store, latest } });
    own.live.push({ readings: [aReading()] });
    expect((await told(own)("/sensors/air-1")).latest.values).toEqual({ pm25: 12.5 });
    await own.close();
  });
});

describe("rules", () => {
  it("are shown as they are", async () => {
    const rule = {
      id: "pm25-high",
      version: "abc",
      title: "PM2.5 is high",
      kind: "air",
      metric: "pm25",
      condition: { type: "threshold", above: 50, aggregate: "mean", capture: 0.75 },
      severity: "warning",
      audience: "operators",
      source: { text: "EU 2024/2881" },
      mode: "live",
      advice: "Warn people.",
    } as const;
    const own = startService({ rules: () => [rule] });
    const shown = { ...rule, state: "ok", file: "rules.yaml", stats: expect.objectContaining({ days: 30, alerts: 0 }) };
    expect((await own.as("viewer", "GET", "/api/v1/rules")).json()).toEqual({ items: [shown] });
    expect((await own.as("viewer", "GET", "/api/v1/rules/pm25-high")).json()).toEqual(shown);
    expect((await own.as("viewer", "GET", "/api/v1/rules/other")).statusCode).toBe(404);
    await own.close();
  });
});
