import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openYaml } from "../../alerts/rules/yaml-file.ts";
import { BASE_NAMES } from "../../ingest/mappings/bases.ts";
import { createMappingBook } from "../../ingest/mappings/book.ts";
import { checkMapping } from "../../ingest/mappings/check.ts";
import { compileMapping } from "../../ingest/mappings/compile.ts";
import { addSensor, suggestMapping, suggestSensor } from "../../ingest/mappings/suggest.ts";
import { tryMapping } from "../../ingest/mappings/trial.ts";
import { createUnmapped } from "../../ingest/mappings/unmapped.ts";
import { SILENT } from "../../model/log.ts";
import type { Message, Source } from "../../model/message.ts";
import { isFault } from "../../model/rejection.ts";
import { openRecords } from "../../store/records.ts";
import { HOME, runCli } from "../helpers/city.ts";

const mistakesOf = (yaml: string) =>
  checkMapping(openYaml(yaml, "m.yaml")).mistakes.map(({ line, column, message }) => `${line}:${column} ${message}`);

describe("a mapping", () => {
  it("is checked with line and column, and what is wrong says what to write", () => {
    const yaml = `format: json
district: North side
sensors:
  - { device: a, sensor: a-1 }
  - device: a
    sensor: B_2
readings:
  - kind: air
    metrics:
      - { column: p, metric: pressure, unit: bar }
      - { column: t, metric: temperature, unit: kWh }
      - { column: w, metric: activePower }
      - { column: x, metric: smog }
colour: red
`;
    const found = mistakesOf(yaml);
    const has = (place: string, words: RegExp) => found.some((one) => one.startsWith(`${place} `) && words.test(one));
    expect(has("2:11", /neither an id/), found.join("\n")).toBe(true);
    expect(has("6:13", /an id is 1 to 64/)).toBe(true);
    expect(found.some((one) => /^13:\d+ .*not a metric/.test(one))).toBe(true);
    expect(has("14:1", /"colour" is not known here/)).toBe(true);
    const second = mistakesOf(
      yaml.replace("North side", "north").replace("B_2", "b-2").replace("smog", "pm10").replace("colour: red\n", ""),
    );
    expect(second).toEqual([
      expect.stringMatching(/^11:\d+ .*no conversion from kWh for temperature; it comes in °C/),
      expect.stringMatching(/^12:\d+ .*activePower is not a metric of air sensors/),
      expect.stringMatching(/^5:\d+ .*"a" is there already, as number 1/),
    ]);
    expect(mistakesOf("district: north")).toEqual([
      expect.stringMatching(/^1:1 .*format.*is missing: one of json, plain/),
    ]);
    expect(mistakesOf("base: nobody")[0]).toMatch(/^1:7 .*not one of airgradient/);
    expect(mistakesOf("a: [1")[0]).toMatch(/^1:/);
  });

  it.each(BASE_NAMES)("%s, which comes along, has no mistakes", (name) => {
    expect(mistakesOf(`base: ${name}\n`)).toEqual([]);
  });
});

const SENSOR = (id: string) =>
  `format: json\nown: true\nsensors: [{ device: d, sensor: ${id} }]\ndevice: "{d}"\nkind: air\ndistrict: north\n`;

function aBook() {
  const records = openRecords({ path: ":memory:", now: () => 1_000, log: SILENT });
  let seq = 1;
  const open = () => createMappingBook({ records, open: openYaml, nextSeq: () => seq, now: () => 1_000, log: SILENT });
  return {
    records,
    open,
    at(next: number) {
      seq = next;
    },
  };
}

const GATEWAY: Source = { via: "mqtt", role: "gateway", name: "gw" };
const BROKER: Source = { via: "bridge", role: "broker", name: "broker" };

describe("the book of mappings", () => {
  it("reads each message by the version that was in force when it was kept, also after a restart", () => {
    const { open, at } = aBook();
    const book = open();
    const author = { by: "ada", reason: "because" };
    at(10);
    book.put("m", SENSOR("one"), author);
    at(20);
    book.put("m", SENSOR("two"), author);
    at(30);
    expect(book.remove("m", author)).toEqual({ removed: true });
    const versionAt = (from: ReturnType<typeof open>, seq: number) => {
      const found = from.context.find({ topic: "in/m?x=1", source: GATEWAY, seq });
      return isFault(found) ? found.reason : found.version;
    };
    const seen = [9, 10, 19, 20, 29, 30].map((seq) => versionAt(book, seq));
    expect(seen).toEqual(["unmapped", 1, 1, 2, 2, "unmapped"]);
    expect([9, 10, 19, 20, 29, 30].map((seq) => versionAt(open(), seq))).toEqual(seen);
  });

  it("refuses a change of what somebody else has changed meanwhile, and writes down who did what", () => {
    const { records, open } = aBook();
    const book = open();
    const put = (ifVersion: number) => book.put("m", SENSOR("one"), { by: "ada", reason: "because", ifVersion });
    expect(put(0)).toHaveProperty("change");
    expect(put(0)).toMatchObject({ refused: "conflict" });
    expect(put(1)).toMatchObject({ change: { version: 2 } });
    expect(book.put("m", "format: nothing", { by: "ada", reason: "x" })).toHaveProperty("mistakes");
    expect(records.audit.list(10).items.map(({ what, target, by }) => [what, target, by])).toEqual([
      ["mapping.changed", "m", "ada"],
      ["mapping.changed", "m", "ada"],
    ]);
  });

  it("gives a gateway what it was given, a broker what reads the topic, and nobody more than their right", () => {
    const { records, open } = aBook();
    const accepts = [{ mapping: "second", topics: ["tele/#"] }];
    const account = { role: "gateway", name: "gw", districts: ["north"], mayImport: false, accepts } as const;
    records.credentials.add({ account, secretHash: "0".repeat(64), createdAt: 0, createdBy: "test" });
    const book = open();
    for (const id of ["first", "second"])
      book.put(id, `${SENSOR(id)}topics: [tele/#]\n`, { by: "ada", reason: "because" });
    const of = (source: Source, topic: string) => {
      const found = book.context.find({ topic, source, seq: 5 });
      return isFault(found) ? found.reason : found.id;
    };
    expect([of(GATEWAY, "tele/x/SENSOR"), of(BROKER, "tele/x/SENSOR"), of(BROKER, "other/x")]).toEqual([
      "second",
      "first",
      "unmapped",
    ]);
    const at = { sensorId: "a", kind: "air", district: "south", imported: false } as const;
    expect(book.context.refusal(GATEWAY, at)?.reason).toBe("not_allowed");
    expect(book.context.refusal(GATEWAY, { ...at, district: "north" })).toBeUndefined();
    expect(book.context.refusal({ ...GATEWAY, name: "gone" }, at)?.reason).toBe("not_allowed");
    expect(book.context.refusal(BROKER, at)).toBeUndefined();
  });
});

describe("senders that nobody has mapped", () => {
  it("are kept by the thousand and up to 8 MiB, with what they said last", () => {
    const { note, list } = createUnmapped();
    const message = (text: string): Message => ({
      seq: 1,
      receivedAt: 5,
      source: GATEWAY,
      topic: "x",
      payload: Buffer.from(text),
    });
    for (let i = 0; i < 1_500; i += 1) note(message("x".repeat(1_000)), "m", `device-${i}`);
    note(message("last"), "m", "device-1499");
    const all = list();
    expect(all).toHaveLength(1_000);
    expect(all[0]).toMatchObject({ device: "device-1499", count: 2, payload: new Uint8Array(Buffer.from("last")) });
    for (let i = 0; i < 500; i += 1) note(message("x".repeat(60_000)), "m", `large-${i}`);
    const bytes = list().reduce((sum, { payload }) => sum + payload.length, 0);
    expect(bytes).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(bytes).toBeGreaterThan(7 * 1024 * 1024);
  });
});

describe("lamppost mapping", () => {
  const EXAMPLES = join(HOME, "docs/integrations/examples");
  const files = readdirSync(EXAMPLES).filter((name) => name.endsWith(".yaml") && name !== "home-assistant.yaml");

  it("finds the examples of the documentation right, and their samples as they say", async () => {
    const paths = files.map((name) => join(EXAMPLES, name));
    const env = { PATH: process.env.PATH };
    const checked = await runCli(["mapping", "check", ...paths], env);
    expect([checked.code, checked.stdout]).toEqual([0, `${files.length} mappings, no mistakes\n`]);
    const tested = await runCli(["mapping", "test", ...paths, "--json"], env);
    expect(JSON.parse(tested.stdout)).toMatchObject({ ok: true, failed: 0 });
    const tried = await runCli(
      [
        "mapping",
        "try",
        join(EXAMPLES, "schools.yaml"),
        join(EXAMPLES, "schools.yaml"),
        "--header",
        "x-sensor=esp8266-10583142",
      ],
      env,
    );
    expect(tried.code).toBe(1);
    expect(tried.stdout).toContain("refused: malformed_json: Mapping schools: Not valid JSON");
  });
});

const stranger = (topic: string, payload: unknown, device = topic) => ({
  device,
  topic,
  payload: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
  receivedAt: Date.parse("2026-11-21T10:00:00Z"),
  district: "north",
});

describe("a mapping is proposed", () => {
  const BLOCK = "# ours\nbase: json\nsensors:\n- { device: a, sensor: a } # first\n\n# samples follow\nsamples: []\n";
  const FLOW = "sensors: [\n  { device: a, sensor: a },\n]\nbase: json\n";
  it.each([
    [BLOCK, BLOCK.replace("# first\n", "# first\n- { device: B 1, sensor: b }\n").replace("B 1", '"B 1"')],
    [FLOW, FLOW.replace("[", '[{ device: "B 1", sensor: b }, ')],
    ["base: json\nsensors: []\n", 'base: json\nsensors: [{ device: "B 1", sensor: b }]\n'],
    ["base: json", 'base: json\nsensors:\n  - { device: "B 1", sensor: b }\n'],
  ])("with one more sensor, and the rest as it was written: %j", (text, wanted) => {
    const found = addSensor(text, { device: "B 1", sensor: "b" });
    expect(found).toBe(wanted);
    expect(mistakesOf(found)).toEqual([]);
  });

  it("which says of a sensor what the mapping does not", () => {
    const text = 'base: json\ndevice: "{id}"\n';
    const { mapping } = checkMapping(openYaml(text, "m.yaml"));
    const one = stranger("in/x", { id: "m-1", frequency: 50.01, voltage: 230, activePower: 2 }, "m-1");
    expect(suggestSensor(text, mapping!, one)).toBe(
      `${text}sensors:\n  - { device: m-1, sensor: m-1, kind: energy, district: north }\n`,
    );
  });

  it.each([
    [
      "tele/plug-7/SENSOR",
      { ENERGY: { Power: 3, Voltage: 231 } },
      /^base: tasmota\n/,
      "plug-7",
      { activePower: 0.003, voltage: 231 },
    ],
    [
      "zigbee2mqtt/Hall",
      { temperature: 21, humidity: 40 },
      /^base: zigbee2mqtt\n/,
      "hall",
      { temperature: 21, relativeHumidity: 40 },
    ],
    [
      "field/station-4/data",
      { main: { temp: 4, pm2_5: 9 }, x: 1 },
      /^format: json\ntopics: \[field\/\+\/data\]/,
      "station-4",
      { temperature: 4, pm25: 9 },
    ],
    ["home/hall/humidity", "55.5", /^format: plain\n/, "hall", { relativeHumidity: 55.5 }],
  ])("for %s", async (topic, payload, beginning, sensorId, values) => {
    const one = stranger(topic, payload);
    const text = await suggestMapping(one);
    expect(text).toMatch(beginning);
    const { mapping, mistakes } = checkMapping(openYaml(text, "m.yaml"));
    expect(mistakes, text).toEqual([]);
    const { readings } = tryMapping(compileMapping("m", 1, mapping!), { topic }, one.payload, one.receivedAt);
    expect(readings).toMatchObject([{ sensorId, district: "north", values }]);
  });

  it("with a mark where only a person knows the place, and for what nobody can read a beginning", async () => {
    const text = await suggestMapping({
      ...stranger("tele/plug-7/SENSOR", { ENERGY: { Power: 3 } }),
      district: undefined,
    });
    expect(mistakesOf(text)).toContainEqual(expect.stringMatching(/^2:11 .*neither an id/));
    expect(mistakesOf(text).every((one) => one.startsWith("2:11 "))).toBe(true);
    expect(await suggestMapping(stranger("odd/thing", "\u0000\u0001"))).toMatch(
      /^format: json\ntopics: \[odd\/thing\]/,
    );
  });
});
