/** @module-tag long */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { InfluxDB, Point } from "@influxdata/influxdb-client";
import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, HOME, startCity, until } from "../helpers/city.ts";
import { KIT_MAPPINGS, MAPPING_OF } from "../helpers/kit-mappings.ts";

/*
 * The samples of other makers through the doors that their senders use, into the store. The service's clock stands at the
 * day the samples are of.
 */
const KIT = join(import.meta.dirname, "../../../shared/open/kit");
const DAY = Date.parse("2026-11-21T10:05:10Z");
const MQTT_FILTERS: Readonly<Record<string, string[]>> = {
  airgradient: ["airgradient/readings/+"],
  tasmota: ["tele/#"],
  zigbee: ["zigbee2mqtt/#"],
  frost: ["v1.1/#"],
  sparkplug: ["spBv1.0/#"],
  ttn: ["v3/#"],
  chirpstack: ["application/#"],
};
const ANSWERS: Readonly<Record<string, number>> = {
  community: 201,
  ld: 204,
  orion: 200,
  frost: 201,
  senml: 204,
  city: 204,
  prometheus: 204,
};

type Wanted = { device: string; values: Record<string, number> };
type Row = {
  file: string;
  topic?: string;
  path?: string;
  headers?: Record<string, string>;
  retained?: boolean;
  readings: Wanted[];
  quarantine?: string;
  status?: string;
};

let city: City;
let folder: string;
let secret: string;
let client: mqtt.MqttClient;

async function startOnTheDay(): Promise<City> {
  folder = mkdtempSync(join(tmpdir(), "lamppost-integrations-"));
  const clock = join(folder, "clock");
  writeFileSync(clock, `${DAY - Date.now()} 0`);
  const shim = `--import ${join(HOME, "test/helpers/set-clock.ts")}`;
  return startCity({ env: { NODE_OPTIONS: shim, CLOCK_FILE: clock } });
}

async function addMappings(): Promise<void> {
  for (const [id, yaml] of Object.entries(KIT_MAPPINGS))
    await city.api(`/mappings/${id}`, { yaml, reason: "the samples of the kit" }, "PUT");
  const accepts = Object.keys(KIT_MAPPINGS).map((mapping) => ({ mapping, topics: MQTT_FILTERS[mapping] ?? [] }));
  const login = await city.api("/gateways", { name: "gw-kit", districts: ["north", "centre"], accepts });
  secret = login.password;
  client = await mqtt.connectAsync(city.mqtt, { username: "gw-kit", password: secret });
}

const send = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${city.http}${path}`, {
    method: "POST",
    body: body as string,
    headers: { authorization: `Bearer ${secret}`, ...headers },
  });

const quarantined = async (): Promise<{ id: number; reason: string; detail: string; topic: string }[]> =>
  (await city.api("/quarantine?limit=1000")).items;

/** The newest reading of a sensor that has these values; undefined while there is none. */
async function storedWith(sensorId: string, values: Record<string, number>) {
  const response = await city.call(
    `/api/v1/sensors/${sensorId}/readings?from=2026-11-14T10:00:00Z&to=2026-11-21T11:00:00Z`,
  );
  if (!response.ok) return undefined;
  const { items } = (await response.json()) as { items: { measuredAt: string; values: Record<string, number> }[] };
  return items.find((one) =>
    Object.entries(values).every(([name, value]) => Math.abs((one.values[name] ?? Number.NaN) - value) < 1e-5),
  );
}

/** Which sensor of ours a device of the table is, by the mappings of the kit. */
const SENSORS: Readonly<Record<string, string>> = {
  "esp8266-10583142": "school-7",
  "84fce612ab34": "library",
  "urn:ngsi-ld:AirQualityObserved:north-01": "north-01",
  "urn:ngsi-ld:TrafficFlowObserved:a7": "a7",
  "city/edge-1/roadside-4": "roadside-4",
  "Datastreams(17)": "stream-17",
  "Datastreams(18)": "stream-18",
  "urn:dev:mac:0024befffe804ff1": "urn-dev-mac-0024befffe804ff1",
  "urn:dev:x": "urn-dev-x",
};
const PREFIXES: Readonly<Record<string, string>> = { city: "lp-", prometheus: "prom-" };
const sensorOf = (device: string, mapping: string) =>
  SENSORS[PREFIXES[mapping] ? "" : device] ??
  `${PREFIXES[mapping] ?? ""}${device.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;

function inputs(): Row[] {
  const table = JSON.parse(readFileSync(join(KIT, "inputs/expected.json"), "utf8")) as Row[];
  return table.filter(({ file }) => MAPPING_OF[file.split("/")[0]!] !== undefined);
}

/** Each uplink of the table is of a device of its own, and of the day. */
function lorawan(): (Row & { text: string })[] {
  const table = JSON.parse(readFileSync(join(KIT, "lorawan/expected.json"), "utf8")) as (Wanted & Row)[];
  return table.map(({ file, topic, device, values, quarantine }, index) => {
    const eui = `a0000000000000${(index + 16).toString(16)}`;
    const text = readFileSync(join(KIT, "lorawan", file), "utf8")
      .replaceAll(new RegExp(device, "gi"), eui)
      .replaceAll(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d/g, "2026-11-21T10:01:00");
    const readings = quarantine === undefined ? [{ device: eui, values }] : [];
    return { file, topic: topic!, readings, text, ...(quarantine !== undefined && { quarantine }) };
  });
}

describe.skipIf(!existsSync(KIT))("messages of other makers", () => {
  beforeAll(async () => {
    city = await startOnTheDay();
    await addMappings();
  }, 120_000);
  afterAll(async () => {
    await client?.endAsync(true);
    await city?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const rows: (Row & { text?: string })[] = existsSync(KIT) ? [...inputs(), ...lorawan()] : [];

  it.each(rows.map((row) => [row.file, row] as const))("%s goes through its door into the store", async (file, row) => {
    const mapping = MAPPING_OF[file.split("/")[0]!]!;
    const given = row.text ?? readFileSync(join(KIT, "inputs", file));
    // The moment of the one before is taken.
    const body = file.includes("create-obs") ? given.toString().replaceAll("T10:0", "T09:0") : given;
    const before = (await quarantined()).length;
    if (row.topic) await client.publishAsync(row.topic, Buffer.from(body), { qos: 1, retain: row.retained === true });
    else {
      const isOwn = row.path?.startsWith("/api/v2/write") ?? false;
      const path = isOwn ? row.path! : `/in/${mapping}${row.path?.startsWith("/v1") ? row.path : ""}`;
      const { authorization: _, ...headers } = row.headers ?? {};
      const response = await send(path, body, isOwn ? { authorization: `Token ${secret}` } : headers);
      const isUnreadable = row.quarantine === "malformed_reading";
      expect([response.status, await response.text()]).toEqual([
        isUnreadable ? 400 : ANSWERS[mapping],
        expect.anything(),
      ]);
    }
    for (const { device, values } of row.readings) {
      const [first] = Object.values(values);
      const wanted = "(by mapping)" in values ? { pm25: first! } : values;
      const plausible = file.includes("am319_1") ? { battery: 85 } : wanted;
      await until(
        () => storedWith(sensorOf(device, mapping), plausible),
        (found) => found !== undefined,
        20_000,
      );
    }
    if (row.quarantine) {
      const items = await until(quarantined, (all) => all.length > before, 20_000);
      expect(
        items.filter(({ reason, detail }) => reason === row.quarantine && detail.startsWith(`Mapping ${mapping}:`)),
      ).not.toEqual([]);
    }
  });

  it("answers a list of observations with an address for each", async () => {
    const body = readFileSync(join(KIT, "inputs/sensorthings-mqtt/create-observations.json"), "utf8");
    const response = await send("/in/frost/v1.1/CreateObservations", body.replace(/\b20\b/, '"x"'));
    expect(response.status).toBe(201);
    const answer = (await response.json()) as string[];
    expect(answer).toHaveLength(3);
    expect(answer[1]).toContain("/api/v1/sensors/stream-17/readings");
  });

  it("takes what InfluxDB's client library and Telegraf write, packed, and says which lines it cannot read", async () => {
    const api = new InfluxDB({ url: city.http, token: secret }).getWriteApi("org", "city", "ms", { gzipThreshold: 1 });
    api.writePoint(
      new Point("air")
        .tag("sensor", "client-1")
        .floatField("pm25", 6.25)
        .timestamp(DAY - 60_000),
    );
    await api.close();
    await until(
      () => storedWith("lp-client-1", { pm25: 6.25 }),
      (found) => found !== undefined,
    );
    // outputs.influxdb_v2 and outputs.influxdb: gzip, seconds; a base address with a path of its own.
    const seconds = Math.floor(DAY / 1000) - 30;
    const lines = `air,host=roof,sensor=telegraf-1 pm25=7.5 ${seconds}\nair,host=roof,sensor=telegraf-1 no2=21i ${seconds}\n`;
    const packed = { "content-encoding": "gzip", "content-type": "text/plain; charset=utf-8" };
    const v2 = await send("/in/city/api/v2/write?bucket=x&org=y&precision=s", gzipSync(lines), packed);
    expect([v2.status, await v2.text()]).toEqual([204, ""]);
    await until(
      () => storedWith("lp-telegraf-1", { pm25: 7.5, no2: 21 }),
      (found) => found !== undefined,
    );
    const basic = `Basic ${Buffer.from(`gw-kit:${secret}`).toString("base64")}`;
    const v1 = await send("/write?db=city&precision=s", `air,sensor=v1-1 pm25=8 ${seconds}\nair,sensor=v1-1\n`, {
      authorization: basic,
    });
    expect(v1.status).toBe(400);
    expect(await v1.json()).toEqual({
      error: expect.stringMatching(/^partial write: unable to parse .*missing fields dropped=1$/),
    });
    await until(
      () => storedWith("lp-v1-1", { pm25: 8 }),
      (found) => found !== undefined,
    );
    expect((await send("/write?db=nowhere", lines)).status).toBe(404);
    const wide = Array.from(
      { length: 1_200 },
      (_, i) => `air,sensor=wide-${i % 3} pm25=${i % 50} ${seconds * 1000 - i}`,
    ).join("\n");
    expect((await send("/api/v2/write?bucket=city&precision=ms", wide)).status).toBe(204);
    await until(
      () => city.api("/ledger"),
      ({ inJournal, balanced }) => inJournal === 0 && balanced,
    );
  });

  it("refuses who has no right to a mapping, and is not told a secret by mistake", async () => {
    const { password } = await city.api("/gateways", { name: "gw-plain", districts: ["north"] });
    const as = (authorization: string) => send("/in/senml", "[]", { authorization });
    expect((await as(`Bearer ${password}`)).status).toBe(403);
    expect((await as("Bearer wrong")).status).toBe(401);
    expect((await as(`Basic ${Buffer.from(`other:${secret}`).toString("base64")}`)).status).toBe(401);
    const stranger = await city.api("/gateways", {
      name: "gw-south",
      districts: ["south"],
      accepts: [{ mapping: "senml", topics: [] }],
    });
    const text = '[{"bn":"urn:dev:os:far:","n":"temperature","u":"Cel","v":4}]';
    expect((await as(`Bearer ${stranger.password}`)).status).toBe(204);
    expect((await send("/in/senml", text, { authorization: `Bearer ${stranger.password}` })).status).toBe(204);
    await until(quarantined, (all) =>
      all.some(({ reason, detail }) => reason === "not_allowed" && detail.includes("gw-south")),
    );
  });

  it("takes the secret where a sender can put it: a header of the mapping's own, InfluxDB 1's query and its token", async () => {
    const yaml = readFileSync(join(HOME, "docs/integrations/examples/bike-counter.yaml"), "utf8");
    await city.api("/mappings/bikes", { yaml, reason: "counters" }, "PUT");
    const accepts = [
      { mapping: "bikes", topics: [] },
      { mapping: "city", topics: [] },
    ];
    const own = await city.api("/gateways", { name: "gw-doors", districts: ["centre", "north"], accepts });
    const bikes = (key: string, date: string) =>
      fetch(`${city.http}/in/bikes`, {
        method: "POST",
        headers: { "x-api-key": key },
        body: JSON.stringify({ station: { id: 42 }, date, time: "11:00", counts: [{ direction: "both", bikes: 50 }] }),
      });
    expect((await bikes(own.password, "21.11.2026")).status).toBe(202);
    await until(
      () => storedWith("bikes-bridge", { flow: 200 }),
      (found) => found !== undefined,
    );
    expect((await bikes("wrong", "21.11.2026")).status).toBe(401);
    // What can be read is a success of the sender's, whatever becomes of it: this time is no date.
    expect((await bikes(own.password, "31.02.2026")).status).toBe(202);
    const seconds = Math.floor(DAY / 1000) - 40;
    const write = (query: string, headers: Record<string, string> = {}) =>
      fetch(`${city.http}/write?db=city&precision=s&${query}`, {
        method: "POST",
        headers,
        body: `air,sensor=door-1 pm25=9 ${seconds}`,
      });
    expect((await write(`u=gw-doors&p=${encodeURIComponent(own.password)}`)).status).toBe(204);
    expect((await write(`u=gw-kit&p=${encodeURIComponent(own.password)}`)).status).toBe(401);
    expect((await write("u=gw-doors&p=wrong")).status).toBe(401);
    expect((await write("", { authorization: `Token gw-doors:${own.password}` })).status).toBe(204);
    expect((await write("")).status).toBe(401);
    await until(
      () => storedWith("lp-door-1", { pm25: 9 }),
      (found) => found !== undefined,
    );
    const client = await fetch(`${city.http}/ping`);
    expect([client.status, client.headers.get("x-influxdb-version")]).toEqual([204, "lamppost"]);
  });

  it.each([
    ["senml", "[{", 400, /^/],
    ["ld", "[", 400, /"type":"https:\/\/uri.etsi.org\/ngsi-ld\/errors\/BadRequestData"/],
    ["orion", "[", 400, /"error":"BadRequest"/],
    ["community", "{", 400, /^/],
    ["prometheus", "\u00ff", 400, /./],
  ])("tells a sender of %s in its own words what cannot be read", async (mapping, body, status, words) => {
    const before = (await quarantined()).length;
    const response = await send(`/in/${mapping}`, body);
    expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(words)]);
    // It is kept all the same, under the mapping's name.
    const items = await until(quarantined, (all) => all.length > before, 20_000);
    expect(items.some(({ detail }) => detail.startsWith(`Mapping ${mapping}: `))).toBe(true);
  });

  it("sends and hears what the flow for Node-RED does", async () => {
    const flow = JSON.parse(
      readFileSync(join(HOME, "docs/integrations/examples/node-red-flow.json"), "utf8"),
    ) as Record<string, string & Record<string, string>[]>[];
    const node = (type: string) => flow.find((one) => one.type === type)!;
    const [out, inject, hears] = [node("mqtt out"), node("inject"), node("mqtt in")];
    const gateway = await city.api("/gateways", { name: "gw-node-red", districts: ["north"] });
    const viewer = await city.api("/users", { name: "node-red", role: "viewer" });
    // As its nodes connect: an id of its own making, MQTT 3.1.1.
    const as = (login: { username: string; password: string }) =>
      mqtt.connectAsync(city.mqtt, { ...login, clientId: `nodered_${DAY.toString(16)}`, protocolVersion: 4 });
    const listener = await as(viewer);
    expect((await listener.subscribeAsync(hears!.topic!, { qos: 1 }))[0]?.qos).toBe(1);
    const sender = await as(gateway);
    await sender.publishAsync(out!.topic!, inject!.payload!, { qos: Number(out!.qos) as 1 });
    const sensor = out!.topic!.split("/").at(-1)!;
    await until(
      () => storedWith(sensor, JSON.parse(inject!.payload!)),
      (found) => found !== undefined,
    );
    const heard = new Promise<string>((resolve) => listener.once("message", (topic) => resolve(topic)));
    await sender.publishAsync(out!.topic!, JSON.stringify({ battery: 2 }), { qos: 1 });
    expect(await heard).toMatch(/^alerts\/north\/[a-z]+\/\S+$/);
    await Promise.all([listener.endAsync(true), sender.endAsync(true)]);
  });

  it("sends a new version of remote write back to what it can read", async () => {
    const type = {
      "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
      "content-encoding": "snappy",
    };
    expect((await send("/in/prometheus", new Uint8Array([0]), type)).status).toBe(415);
  });

  it("lists who is not mapped, and reads it once it is, out of the quarantine", async () => {
    const sent = JSON.stringify({ sensordatavalues: [{ value_type: "SDS_P2", value: "5.50" }] });
    const response = await send("/in/community", sent, { "x-sensor": "esp8266-99" });
    expect(response.status).toBe(201);
    const { items } = await until(
      () => city.api("/unmapped"),
      (page) => page.items.length > 0,
    );
    expect(items[0]).toMatchObject({ mapping: "community", device: "esp8266-99", payload: sent, isText: true });
    const { version } = await city.api("/mappings/community");
    const yaml = `${KIT_MAPPINGS.community}  - { device: esp8266-99, sensor: school-8 }\n`;
    expect((await city.api("/mappings/community", { yaml, reason: "a second node" }, "PUT")).version).toBe(version + 1);
    expect((await city.api("/unmapped")).items).toEqual([]);
    const isWaiting = ({ reason }: { reason: string }) => reason === "unmapped";
    await until(quarantined, (all) => all.some(isWaiting));
    const { waiting } = await city.api("/mappings/community");
    expect(waiting).toBeGreaterThan(0);
    expect(await city.api("/quarantine/redrive", { mapping: "community" })).toEqual({ redriven: waiting });
    await until(
      () => storedWith("school-8", { pm25: 5.5 }),
      (found) => found !== undefined,
    );
  });

  it("goes on reading by its mappings after a restart, and keeps their versions", async () => {
    await client.endAsync(true);
    await city.kill();
    city = await city.restart();
    expect((await city.api("/mappings")).items).toHaveLength(Object.keys(KIT_MAPPINGS).length + 1);
    expect((await city.api("/mappings/community/versions")).items).toHaveLength(2);
    const text = '[{"bn":"urn:dev:os:late:","n":"temperature","u":"Cel","v":5}]';
    expect((await send("/in/senml", text)).status).toBe(204);
    await until(
      () => storedWith("urn-dev-os-late", { temperature: 5 }),
      (found) => found !== undefined,
    );
    const ledger = await until(
      () => city.api("/ledger"),
      ({ inJournal }) => inJournal === 0,
    );
    expect(ledger.balanced).toBe(true);
  });
});
