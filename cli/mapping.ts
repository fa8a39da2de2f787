import { readFileSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { formatMistake } from "../alerts/rules/check.ts";
import { type Mistake, openYaml } from "../alerts/rules/yaml-file.ts";
import type { MappingTrialView } from "../contract/mapping.ts";
import { BASE_NAMES, readBase } from "../ingest/mappings/bases.ts";
import { checkMapping } from "../ingest/mappings/check.ts";
import { type CompiledMapping, compileMapping } from "../ingest/mappings/compile.ts";
import type { MappingSample, MessageMapping } from "../ingest/mappings/schema.ts";
import { type Asked, tryMapping } from "../ingest/mappings/trial.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { parseId } from "./options.ts";
import { show, table } from "./output.ts";

const NOTATION = `
A mapping of messages:
  base: sensor-community            one that comes along (lamppost mapping bases), or format: json
  district: north
  sensors:
    - { device: esp8266-10583142, sensor: school-7 }
  samples:                          what test runs
    - headers: { x-sensor: esp8266-10583142, x-pin: "1" }
      payload: '{"sensordatavalues":[{"value_type":"P2","value":"7.80"}]}'
      expect: [{ sensor: school-7, values: { pm25: 7.8 } }]

All of it is in docs/integrations/mappings.md.`;

type Json = { readonly json?: boolean };
type Found = { readonly file: string; readonly mapping?: MessageMapping; readonly mistakes: readonly Mistake[] };

/** Mappings as data: found wrong, tested and tried before they are in force, and put in force. */
export function register(program: Command): void {
  const mapping = program
    .command("mapping")
    .description("how messages of other makers become readings: check, test and try mappings, and put them in force")
    .addCommand(checkCommand())
    .addCommand(testCommand())
    .addCommand(tryCommand())
    .addHelpText("after", "\nExample:\n  $ lamppost mapping check ttn.yaml");
  mapping
    .command("bases")
    .description("mappings that come along, to be named as a base")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ lamppost mapping bases")
    .action((options: Json) => {
      const bases = BASE_NAMES.map((name) => ({ name, ...(readBase(name) as { title: string; format: string }) }));
      const shown = bases.map(({ name, format, title }) => ({ name, format, title }));
      show(options, shown, () =>
        table(
          ["base", "format", ""],
          shown.map((one) => [one.name, one.format, one.title]),
        ),
      );
    });
  withService(mapping.command("list").description("those in force"), "mapping list").action(listMappings);
  withService(
    mapping.command("put").description("put one in force, or a new version of it"),
    'mapping put ttn ttn.yaml --reason "a new air sensor"',
  )
    .argument("<id>", "its id: the last part of /in/<id>", parseId)
    .argument("<file>", "YAML")
    .requiredOption("--reason <text>", "why, for the audit log")
    .action(putMapping);
  withService(mapping.command("show").description("the text of one"), "mapping show ttn")
    .argument("<id>", "its id", parseId)
    .action(showMapping);
  withService(
    mapping.command("unmapped").description("senders that were seen and that no mapping takes"),
    "mapping unmapped",
  ).action(listUnmapped);
}

function read(file: string): Found {
  return { file, ...checkMapping(openYaml(readFileSync(file, "utf8"), file)) };
}

/** Throws an Error that names every mistake. */
function compiledFrom(file: string): CompiledMapping {
  const { mapping, mistakes } = read(file);
  if (!mapping) throw new Error(`this mapping cannot be used:\n${mistakes.map(formatMistake).join("\n")}`);
  const id = basename(file, extname(file)).toLowerCase();
  return compileMapping(/^[a-z0-9][a-z0-9-]{0,63}$/.test(id) ? id : "mapping", 1, mapping);
}

function checkCommand(): Command {
  return new Command("check")
    .description("find all mistakes of mappings, with line and column")
    .argument("<files...>", "YAML")
    .option("--json", "print JSON")
    .addHelpText("after", `${NOTATION}\n\nExample:\n  $ lamppost mapping check ttn.yaml`)
    .action((files: string[], options: Json) => {
      const found = files.map(read);
      const mistakes = found.flatMap((one) => one.mistakes);
      show(options, { ok: mistakes.length === 0, mappings: found.length, mistakes }, () =>
        mistakes.length === 0
          ? `${found.length} mapping${found.length === 1 ? "" : "s"}, no mistakes`
          : mistakes.map(formatMistake).join("\n"),
      );
      if (mistakes.length > 0) process.exitCode = 1;
    });
}

type Result = { readonly file: string; readonly name: string; readonly differences: readonly string[] };

function testCommand(): Command {
  return new Command("test")
    .description("run the samples of mappings: what must come out, and what must be refused")
    .argument("<files...>", "YAML with samples")
    .option("--json", "print JSON")
    .addHelpText("after", `${NOTATION}\n\nExample:\n  $ lamppost mapping test ttn.yaml`)
    .action((files: string[], options: Json) => {
      const results = files.flatMap((file) => {
        const compiled = compiledFrom(file);
        return (compiled.spec.samples ?? []).map((sample, index) => testSample(compiled, sample, file, index));
      });
      if (results.length === 0) throw new Error("there is no sample in it: write some below samples");
      const failed = results.filter(({ differences }) => differences.length > 0);
      show(options, { ok: failed.length === 0, samples: results.length, failed: failed.length, results }, () =>
        [
          ...failed.flatMap(({ file, name, differences }) => [`FAILED  ${name} (${file})`, ...differences, ""]),
          `${results.length - failed.length} of ${results.length} samples passed${failed.length > 0 ? `, ${failed.length} FAILED` : ""}`,
        ].join("\n"),
      );
      if (failed.length > 0) process.exitCode = 1;
    });
}

const TOLERANCE = 1e-6;

function testSample(compiled: CompiledMapping, sample: MappingSample, file: string, index: number): Result {
  const at = sample.receivedAt === undefined ? Date.now() : Date.parse(sample.receivedAt);
  const { readings, refused } = tryMapping(compiled, sample, bytesOf(sample, file), at);
  const differences: string[] = [];
  const left = [...readings];
  for (const wanted of sample.expect) {
    const place = left.findIndex(
      (one) =>
        one.sensorId === wanted.sensor &&
        (wanted.measuredAt === undefined || Date.parse(wanted.measuredAt) === Date.parse(one.measuredAt)) &&
        sameValues(one.values, wanted.values),
    );
    if (place < 0) differences.push(`  - ${wanted.sensor} ${wanted.measuredAt ?? ""} ${JSON.stringify(wanted.values)}`);
    else left.splice(place, 1);
  }
  for (const one of left) differences.push(`  + ${one.sensorId} ${one.measuredAt} ${JSON.stringify(one.values)}`);
  const reasons = [...sample.refused].sort().join(" ");
  const got = refused
    .map(({ reason }) => reason)
    .sort()
    .join(" ");
  if (reasons !== got) {
    differences.push(`  refused: expected ${reasons || "nothing"}, got ${got || "nothing"}`);
    for (const { reason, detail } of refused) differences.push(`    ${reason}: ${detail}`);
  }
  return { file, name: sample.name ?? `sample ${index + 1}`, differences };
}

function sameValues(got: Readonly<Record<string, number>>, wanted: Readonly<Record<string, number>>): boolean {
  const names = Object.keys(wanted);
  if (names.length !== Object.keys(got).length) return false;
  return names.every((name) => Math.abs((got[name] ?? Number.NaN) - wanted[name]!) <= TOLERANCE);
}

function bytesOf({ payload, json, base64 }: MappingSample, file: string): Uint8Array {
  if (base64 !== undefined) return Buffer.from(base64, "base64");
  if (payload === undefined) return Buffer.from(JSON.stringify(json ?? null));
  // @file: beside the mapping, as curl has it.
  return payload.startsWith("@") ? readFileSync(resolve(dirname(file), payload.slice(1))) : Buffer.from(payload);
}

type TryOptions = Json & {
  readonly topic?: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly path?: string;
};

function tryCommand(): Command {
  return new Command("try")
    .description("what a mapping makes of one message; nothing is sent or kept")
    .argument("<mapping>", "YAML")
    .argument("<message>", "file with the payload, - for standard input")
    .option("--topic <topic>", "the MQTT topic it came to (default: it came over HTTP)")
    .option("--header <name=value>", "a header of its request; may be repeated", gatherPair)
    .option("--query <name=value>", "of its address; may be repeated", gatherPair)
    .option("--path <path>", "what stands behind /in/<mapping>/")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExample:\n  $ lamppost mapping try ttn.yaml uplink.json --topic v3/app@ttn/devices/eui-1/up",
    )
    .action((file: string, message: string, options: TryOptions) => {
      const compiled = compiledFrom(file);
      const asked: Asked = { topic: options.topic, headers: options.header, query: options.query, path: options.path };
      const result = tryMapping(compiled, asked, readFileSync(message === "-" ? 0 : message), Date.now());
      show(options, result, () => describe(result));
      if (result.readings.length === 0 && result.statuses.length === 0) process.exitCode = 1;
    });
}

function gatherPair(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("name=value was expected.");
  return { ...before, [text.slice(0, at).toLowerCase()]: text.slice(at + 1) };
}

function describe({ readings, refused, fields, statuses, ignored }: Omit<MappingTrialView, "mistakes">): string {
  const rows = readings.map(({ sensorId, kind, district, measuredAt, values }) => [
    sensorId,
    kind,
    district,
    measuredAt,
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}`)
      .join(" "),
  ]);
  return [
    ...(rows.length > 0 ? [table(["sensor", "kind", "district", "measured", "values"], rows)] : ["no readings"]),
    ...statuses.map(({ sensorId, online }) => `${sensorId} is ${online ? "online" : "offline"}`),
    ...refused.map(({ reason, detail }) => `refused: ${reason}: ${detail}`),
    ...(fields.length > 0 ? [`not taken: ${[...new Set(fields.map(({ name }) => name))].join(", ")}`] : []),
    ...(ignored > 0 ? [`${ignored} without a reading`] : []),
  ].join("\n");
}

async function listMappings(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all("/mappings", { limit: 1000 });
  show(options, rows, () =>
    table(
      ["mapping", "format", "version", "sensors", "changed", "by", "why"],
      rows.map((one) => [one.id, one.format, one.version, one.sensors, one.at, one.by, one.reason]),
    ),
  );
}

async function putMapping(
  id: string,
  file: string,
  options: ServiceOptions & { readonly reason: string },
): Promise<void> {
  const yaml = readFileSync(file, "utf8");
  const made = await findService(options).client.put(`/mappings/${id}`, { yaml, reason: options.reason });
  show(options, made, () => `${id} is version ${made.version}; messages come in at /in/${id}`);
}

async function showMapping(id: string, options: ServiceOptions): Promise<void> {
  const mapping = await findService(options).client.get(`/mappings/${id}`);
  show(options, mapping, () => mapping.yaml ?? "");
}

async function listUnmapped(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all("/unmapped", { limit: 1000 });
  show(options, rows, () =>
    table(
      ["device", "mapping", "through", "last seen", "messages", "last message"],
      rows.map((one) => [one.device, one.mapping, one.sender, one.lastSeen, one.count, one.payload.slice(0, 80)]),
    ),
  );
}
