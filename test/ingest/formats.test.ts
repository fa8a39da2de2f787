import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openYaml } from "../../alerts/rules/yaml-file.ts";
import { decodeForeign, type ForeignContext } from "../../ingest/foreign.ts";
import { uncompressSnappy } from "../../ingest/formats/snappy.ts";
import { checkMapping } from "../../ingest/mappings/check.ts";
import { type CompiledMapping, compileMapping } from "../../ingest/mappings/compile.ts";
import type { Message } from "../../model/message.ts";
import { fault } from "../../model/rejection.ts";
import { KIT_MAPPINGS, MAPPING_OF } from "../helpers/kit-mappings.ts";

const KIT = join(import.meta.dirname, "../../../shared/open/kit");
const SOURCE = { via: "http", role: "gateway", name: "gw" } as const;

function compiled(yaml: string, id = "m"): CompiledMapping {
  const { mapping, mistakes } = checkMapping(openYaml(yaml, `${id}.yaml`));
  expect(mistakes).toEqual([]);
  return compileMapping(id, 1, mapping!);
}

/** Everybody is registered by its first reading. */
export function contextWith(mapping: CompiledMapping) {
  const sensors = new Map<
    string,
    { id: string; kind: "air"; district: string; tags: Record<string, string>; createdAt: number }
  >();
  const unmapped: string[] = [];
  const context: ForeignContext = {
    sensor: (id) => sensors.get(id),
    enrol: ({ sensorId, kind, district }) => {
      const sensor = { id: sensorId, kind: kind as "air", district, tags: {}, createdAt: 0 };
      sensors.set(sensorId, sensor);
      return sensor;
    },
    mappings: {
      find: () => mapping,
      refusal: ({ name }) => (name === "stranger" ? fault("not_allowed", "no") : undefined),
      unmapped: (_message, _mapping, device) => void unmapped.push(device),
    },
  };
  return { context, unmapped, sensors };
}

const message = (topic: string, payload: Uint8Array | string, receivedAt: number): Message => ({
  seq: 1,
  receivedAt,
  source: SOURCE,
  topic,
  payload: typeof payload === "string" ? Buffer.from(payload) : payload,
});

type Expected = {
  file: string;
  topic?: string;
  path?: string;
  headers?: Record<string, string>;
  readings: { device: string; measuredAt: string | null; values: Record<string, number>; seq?: number }[];
  ignored?: string[];
  quarantine?: string;
  status?: string;
};

const NOW = Date.parse("2026-11-21T10:05:10Z");

function inputs(): Expected[] {
  const table = JSON.parse(readFileSync(join(KIT, "inputs/expected.json"), "utf8")) as Expected[];
  return table.filter(({ file }) => MAPPING_OF[file.split("/")[0]!] !== undefined);
}

function lorawan(): (Expected & { at: number })[] {
  const table = JSON.parse(readFileSync(join(KIT, "lorawan/expected.json"), "utf8")) as (Expected["readings"][number] &
    Pick<Expected, "file" | "topic" | "ignored" | "quarantine">)[];
  return table.map(({ file, topic, ignored, quarantine, ...reading }) => ({
    file: `../lorawan/${file}`,
    topic: topic!,
    readings: quarantine === undefined ? [reading] : [],
    ignored: ignored!,
    ...(quarantine !== undefined && { quarantine }),
    at: Date.parse(reading.measuredAt!) + 2_000,
  }));
}

export function topicFor(
  { topic, headers = {}, path }: Pick<Expected, "topic" | "headers" | "path">,
  mapping: CompiledMapping,
): string {
  if (topic) return topic;
  const params = new URLSearchParams();
  for (const name of mapping.wants) {
    const [where, key] = name.split(".");
    const query = new URL(path ?? "/", "http://x").searchParams;
    const value = where === "header" ? headers[key!] : where === "query" ? query.get(key!) : undefined;
    if (value) params.set(name, value);
  }
  return `in/${mapping.id}?${params}`;
}

/** The last level of a name: ENERGY.Power is called Power in the table. */
const short = (name: string) => name.split(".").at(-1)!;

describe.skipIf(!existsSync(KIT))("the samples of the kit, by their mappings", () => {
  const rows = existsSync(KIT) ? [...inputs().map((one) => ({ ...one, at: NOW })), ...lorawan()] : [];

  it.each(rows.map((row) => [row.file, row] as const))("%s", (file, row) => {
    const folder = file.replace("../lorawan/", "").split("/")[0]!;
    const mapping = compiled(KIT_MAPPINGS[MAPPING_OF[folder]!]!, MAPPING_OF[folder]!);
    const { context, sensors } = contextWith(mapping);
    for (const id of ["plug-lamp-12", "hall"])
      sensors.set(id, { id, kind: "energy" as "air", district: "north", tags: {}, createdAt: 0 });
    if (!row.status) sensors.clear();
    const bytes = readFileSync(join(KIT, "inputs", file));
    const payload = file.endsWith(".snappy.bin") ? uncompressSnappy(bytes, 1e6)! : bytes;
    const decoded = decodeForeign(message(topicFor(row, mapping), payload, row.at), context);
    // The table is about formats: what the judge of values thinks of 5,760 °C is another matter.
    const [values, whole] = [
      decoded.rejections.filter(({ metric }) => metric),
      decoded.rejections.filter(({ metric }) => !metric),
    ];
    expect(whole.map(({ reason }) => reason)).toEqual(row.quarantine ? [row.quarantine] : []);
    if (row.quarantine) expect(decoded.rejections[0]!.detail).toContain(`Mapping ${mapping.id}:`);
    expect(decoded.statuses.map(({ online }) => (online ? "online" : "offline"))).toEqual(
      row.status ? [row.status] : file.includes("dbirth") ? ["online"] : [],
    );
    const refused = Object.fromEntries(
      values.map(({ metric, payload }) => [metric, Number(Buffer.from(payload!).toString())]),
    );
    const said = decoded.readings.map(({ measuredAt, values }) => ({ measuredAt, values: { ...values, ...refused } }));
    const wanted = row.readings.map(({ measuredAt, values }, index) => ({
      measuredAt:
        measuredAt === null
          ? file.includes("relative") && index === 1
            ? row.at - 120_000
            : row.at
          : Math.floor(Date.parse(measuredAt)),
      values: "(by mapping)" in values ? { pm25: values["(by mapping)"] } : values,
    }));
    for (const [index, { values }] of wanted.entries())
      for (const [name, value] of Object.entries(values))
        expect((said[index]!.values as Record<string, number>)[name], name).toBeCloseTo(value!, 5);
    expect(said.map(({ measuredAt, values }) => [measuredAt, Object.keys(values).sort()])).toEqual(
      wanted.map(({ measuredAt, values }) => [measuredAt, Object.keys(values).sort()]),
    );
    if (row.ignored && said.length > 0) {
      const told = [...decoded.valuesOf.values()].flatMap(({ unknown }) => [...(unknown?.keys() ?? [])].map(short));
      expect(row.ignored.filter((name) => !told.includes(short(name)))).toEqual([]);
    }
  });
});
