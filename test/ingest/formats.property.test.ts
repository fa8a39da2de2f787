import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openYaml } from "../../alerts/rules/yaml-file.ts";
import { decodeForeign, type ForeignContext } from "../../ingest/foreign.ts";
import { readCbor } from "../../ingest/formats/cbor.ts";
import { FORMAT_NAMES, FORMATS } from "../../ingest/formats/registry.ts";
import { resolve } from "../../ingest/formats/senml.ts";
import { uncompressSnappy } from "../../ingest/formats/snappy.ts";
import { checkMapping } from "../../ingest/mappings/check.ts";
import { compileMapping } from "../../ingest/mappings/compile.ts";
import { READINGS_PER_MESSAGE_MAX } from "../../model/message.ts";
import { isFault } from "../../model/rejection.ts";

const KIT = join(import.meta.dirname, "../../../shared/open/kit");
const NOW = Date.parse("2026-11-21T10:05:10Z");
const SOURCE = { via: "mqtt", role: "gateway", name: "gw" } as const;
const ABOUT = { levels: ["v3", "a", "devices", "b", "up"], params: new Map<string, string>(), receivedAt: NOW };

/** Whole messages of each format, to begin with; mutated they come nearer to the decoder's insides than chance does. */
const SEEDS: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
  json: ['{"pm25":1,"a":{"b":[1,2,{"c":3}]}}', '[{"pm25":1},{"pm10":"2"}]', "12.5", "[]"],
  plain: ["21.5", "ON"],
  tts: [
    '{"end_device_ids":{"dev_eui":"A1"},"uplink_message":{"decoded_payload":{"pm25":1},"normalized_payload":[{"air":{"temperature":1},"time":"2026-11-21T10:00:00Z"}],"rx_metadata":[{"rssi":-1}],"received_at":"2026-11-21T10:00:00Z"}}',
    '{"join_accept":{}}',
  ],
  chirpstack: [
    '{"deviceInfo":{"devEui":"a1","tags":{"x":"y"}},"fCnt":1,"object":{"pm25":1},"rxInfo":[{"rssi":-1,"snr":1}],"time":"2026-11-21T10:00:00Z"}',
    '{"deviceInfo":{"devEui":"a1"},"batteryLevel":50}',
  ],
  "line-protocol": ['air,sensor=a\\ b pm25=1,no2=2i,s="x y",t=t 1795255200000000000\nair,sensor=b pm25=1\n# x\n'],
  senml: [
    '[{"bn":"urn:dev:x:","bt":1795255200,"bu":"Cel","n":"temperature","v":4},{"n":"b","vs":"x","t":-1}]',
    Buffer.from("82a3216a75726e3a6465763a783a006474656d7002f949c0a2006162f5", "hex"),
  ],
  "ngsi-ld": [
    '{"type":"Notification","data":[{"id":"a","type":"AirQualityObserved","no2":{"type":"Property","value":1,"unitCode":"GQ"},"dateObserved":"2026-11-21T10:00:00Z/2026-11-21T10:05:00Z"}]}',
  ],
  "ngsi-v2": ['{"data":[{"id":"a","type":"ACMeasurement","voltage":{"type":"Text","value":"230"}}]}'],
  sensorthings: [
    '{"Datastream":{"@iot.id":17},"result":7}',
    '[{"Datastream":{"@iot.id":17},"components":["result"],"dataArray":[[1],[2]]}]',
  ],
  "sparkplug-b": [Buffer.from("08e0a6b5ec9f34121010 0b18e0a6b5ec9f34200965000024411802".replace(" ", ""), "hex")],
  prometheus: [
    Buffer.from(
      "0a2e0a100a085f5f6e616d655f5f1204706d32350a080a0273781202616212100900000000000028401080d2b1ec9f34",
      "hex",
    ),
  ],
};

function mutated(): fc.Arbitrary<{ name: (typeof FORMAT_NAMES)[number]; payload: Uint8Array }> {
  return fc.constantFrom(...FORMAT_NAMES).chain((name) => {
    const seeds = SEEDS[name]!.map((one) => Buffer.from(one as string));
    const edits = fc.array(fc.tuple(fc.nat(400), fc.constantFrom("set", "cut", "insert", "double"), fc.nat(255)), {
      maxLength: 8,
    });
    const edited = fc.tuple(fc.constantFrom(...seeds), edits).map(([seed, list]) => {
      let bytes = Buffer.from(seed);
      for (const [place, how, byte] of list) {
        const at = bytes.length === 0 ? 0 : place % bytes.length;
        if (how === "set" && bytes.length > 0) bytes[at] = byte;
        else if (how === "cut") bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + (byte % 9))]);
        else if (how === "insert")
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at)]);
        else bytes = Buffer.concat([bytes, bytes.subarray(at)]).subarray(0, 65_536);
      }
      return bytes as Uint8Array;
    });
    const value = fc.oneof(
      edited,
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text) as Uint8Array),
    );
    return value.map((payload) => ({ name, payload }));
  });
}

function contextOf(name: string): ForeignContext {
  const text = `base: ${name === "plain" ? "shelly-gen1" : name}\nsensor: "{device|topic.4}"\nkind: air\ndistrict: north\n`;
  const { mapping, mistakes } = checkMapping(openYaml(text, "m.yaml"));
  expect(mistakes).toEqual([]);
  const compiled = compileMapping("m", 1, mapping!);
  return {
    sensor: (id) => ({ id, kind: "air", district: "north", tags: {}, createdAt: 0 }),
    enrol: ({ sensorId: id, kind, district }) => ({ id, kind, district, tags: {}, createdAt: 0 }),
    mappings: { find: () => compiled, refusal: () => undefined },
  };
}

describe("whatever comes", () => {
  const contexts = Object.fromEntries(FORMAT_NAMES.map((name) => [name, contextOf(name)]));

  it("no decoder throws, and what comes out is readings of ours with places one after the other", () => {
    fc.assert(
      fc.property(mutated(), ({ name, payload }) => {
        const message = {
          seq: 7,
          receivedAt: NOW,
          source: SOURCE,
          topic: name === "sparkplug-b" ? "spBv1.0/g/DDATA/e/d" : "v3/a/devices/b/up",
          payload,
        };
        const { readings, rejections, ignored } = decodeForeign(message, contexts[name]!);
        expect(readings.length + rejections.length).toBeLessThanOrEqual(READINGS_PER_MESSAGE_MAX * 20);
        expect(ignored).toBeGreaterThanOrEqual(0);
        for (const { values, measuredAt } of readings) {
          expect(Object.values(values).every(Number.isFinite)).toBe(true);
          expect(Number.isFinite(measuredAt)).toBe(true);
        }
        const whole = rejections.filter(({ metric }) => metric === undefined).map(({ index }) => index);
        expect(new Set(whole).size).toBe(whole.length);
        expect(whole.length + readings.length).toBeLessThanOrEqual(READINGS_PER_MESSAGE_MAX);
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 3_000) },
    );
  });

  it("what is cut for the journal says the same as the whole", () => {
    const line = fc.record({ sensor: fc.nat(5), pm25: fc.nat(99), at: fc.nat(1_000) });
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (lines, itemsMax) => {
          const text = lines
            .map(({ sensor, pm25, at }) => `air,sensor=s${sensor} pm25=${pm25},t="a\nb" ${at}`)
            .join("\n");
          const format = FORMATS["line-protocol"];
          const open = (payload: Uint8Array) =>
            format.open(payload, ABOUT, {}).items.map((item) => ({ ...item, bytes: undefined }));
          const pieces = format.cut!(Buffer.from(text), 200, itemsMax)!;
          expect(pieces.flatMap(open)).toEqual(open(Buffer.from(text)));
          expect(pieces.every((piece) => piece.byteLength <= 200 && open(piece).length <= itemsMax)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(["[".repeat(65_000), `${'{"a":'.repeat(10_000)}1`, `[${"[1],".repeat(16_000)}[1]]`, '{"a":1e999}'])(
    "a bomb is one refusal, or nothing",
    (text) => {
      for (const name of FORMAT_NAMES) {
        const message = {
          seq: 7,
          receivedAt: NOW,
          source: SOURCE,
          topic: "v3/a/devices/b/up",
          payload: Buffer.from(text),
        };
        const begun = performance.now();
        const { readings, rejections } = decodeForeign(message, contexts[name]!);
        expect(readings).toEqual([]);
        expect(rejections.length).toBeLessThanOrEqual(1);
        expect(performance.now() - begun, name).toBeLessThan(1_000);
      }
    },
  );

  it("a snappy block is believed no further than its bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const plain = uncompressSnappy(bytes, 1_000);
        expect(plain === undefined || plain.length <= 1_000).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    // 16 MiB, it says.
    expect(uncompressSnappy(Buffer.from("8080800801", "hex"), 1_048_576)).toBeUndefined();
    // "abcabcabc…": a copy that reaches into what it writes.
    expect(Buffer.from(uncompressSnappy(Buffer.from([12, 8, 97, 98, 99, 34, 3, 0]), 100)!).toString()).toBe(
      "abcabcabcabc",
    );
  });

  it("CBOR is read as far as it is CBOR", () => {
    const hex = (text: string) => readCbor(Buffer.from(text, "hex"));
    // RFC 8949, appendix A.
    expect([
      hex("1903e8"),
      hex("3903e7"),
      hex("f93c00"),
      hex("fa47c35000"),
      hex("fb3ff199999999999a"),
      hex("c249010000000000000000"),
    ]).toEqual([1000, -1000, 1, 100000, 1.1, 2 ** 64]);
    expect([hex("9f018202039f0405ffff"), hex("7f657374726561646d696e67ff"), hex("a201020304")]).toEqual([
      [1, [2, 3], [4, 5]],
      "streaming",
      { 1: 2, 3: 4 },
    ]);
    expect([hex("ff"), hex("0001"), hex("9f01"), hex("81".repeat(40)), hex("1b")]).toEqual(Array(5).fill(undefined));
  });
});

describe.skipIf(!existsSync(KIT))("the examples of RFC 8428", () => {
  const names = existsSync(KIT)
    ? readdirSync(join(KIT, "senml")).filter((name) => /^ex\d+\.(json|cbor)$/.test(name))
    : [];
  it.each(names)("%s resolves as the kit says", (name) => {
    const read = (file: string) => readFileSync(join(KIT, "senml", file));
    const oracle = JSON.parse(read(`${name.split(".")[0]}.resolved.json`).toString()) as {
      n: string;
      t: number;
      v: number;
      u?: string;
    }[];
    const bytes = read(name);
    const pack = name.endsWith(".cbor") ? undefined : (JSON.parse(bytes.toString()) as unknown[]);
    const device = pack ? resolve(pack, NOW) : undefined;
    if (!device) {
      const { items } = FORMATS.senml.open(bytes, ABOUT, {});
      // What is of one moment is one sample.
      expect(items).toHaveLength(new Set(oracle.map(({ t }) => t)).size);
      return;
    }
    if (isFault(device)) throw new Error(device.detail);
    expect(device.map(({ n, u }) => [n, u])).toEqual(oracle.map(({ n, u }) => [n, u]));
    for (const [index, { t, value }] of device.entries()) {
      if (oracle[index]!.v !== undefined) expect(value).toBeCloseTo(oracle[index]!.v, 9);
      if (t !== undefined) expect(t).toBeCloseTo(oracle[index]!.t, 3);
    }
  });
});
