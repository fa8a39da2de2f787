import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The walks of CONTRIBUTING.md in a copy of the sources: what is forgotten is named by the compiler, and nothing else is. */
const HOME = join(import.meta.dirname, "..");
const FOLDERS = [
  "alerts",
  "api",
  "app",
  "broker",
  "cli",
  "client",
  "contract",
  "dashboard",
  "ingest",
  "messages",
  "model",
];
const MORE = ["simulators", "store", "test", "tools", "tsconfig.json", "package.json", "vitest.config.ts"];
const copy = mkdtempSync(join(tmpdir(), "lamppost-contributing-"));

beforeAll(() => {
  const isSource = (path: string) => !/\/(dist|node_modules|screenshots)(\/|$)/.test(path.slice(HOME.length));
  for (const name of [...FOLDERS, ...MORE]) {
    cpSync(join(HOME, name), join(copy, name), { recursive: true, filter: isSource });
  }
  symlinkSync(join(HOME, "node_modules"), join(copy, "node_modules"));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function edit(file: string, before: string, after: string): void {
  const text = readFileSync(join(copy, file), "utf8");
  expect(text, `${file} has the place of the walk`).toContain(before);
  writeFileSync(join(copy, file), text.replace(before, after));
}

/** The files in which the compiler misses something. The page has libraries of its own and is compiled apart. */
function incomplete(): string[] {
  const found = [".", "dashboard"].flatMap((project) => {
    const tsc = spawnSync(join(HOME, "node_modules/.bin/tsc"), ["--noEmit", "-p", project], { cwd: copy });
    const lines = tsc.stdout.toString().split("\n");
    return lines.flatMap((line) => (/\): error TS/.test(line) ? [line.split("(", 1)[0]!] : []));
  });
  return [...new Set(found)].sort();
}

const CONDITION = `import { say } from "../../model/sentence.ts";
import { NOTHING, type OverValues } from "./condition.ts";

export const toy: OverValues<"toy", { readonly above: number }, object> = {
  over: "values",
  params({ above }) {
    return () => ({ above });
  },
  explain: ({ rule }) => say("text", { text: rule.title }),
  quiet: {},
  step: (_, state) => [state, NOTHING],
};
`;
const CHANNEL = `import { type Channel, JSON_HEADERS } from "./channel.ts";

export const toyPager: Channel = {
  send: (target, { notices }, { post }) => post(target, JSON.stringify(notices.length), JSON_HEADERS),
};
`;

/** One reading a line, whose device stands before a colon; what begins with # is a remark. */
const FORMAT = `import { fault } from "../../model/rejection.ts";
import type { Format } from "./format.ts";

export const toy: Format = {
  answer: 200,
  topics: ["toys/#"],
  wants: [],
  open(payload) {
    const lines = new TextDecoder().decode(payload).split("\\n");
    const items = lines.filter((line) => !line.startsWith("#")).map((line) => {
      const [, device, name, value] = /^([^:]+):(\\w+)=(.+)$/.exec(line) ?? [];
      if (name === undefined) return fault("malformed_reading", "There is no =.");
      return { device, fields: new Map([[name, Number(value)]]), bytes: new TextEncoder().encode(line) };
    });
    return { items, ignored: lines.length - items.length };
  },
};
`;
const READ = `
import { decodeMessage } from "./ingest/decode.ts";
import { messageMapping } from "./ingest/mappings/schema.ts";
import { compileMapping } from "./ingest/mappings/compile.ts";
import { parseSensorTopic } from "./model/topics.ts";
const source = { via: "mqtt", role: "gateway", name: "toys" };
const payload = new TextEncoder().encode("a:pm25=7\\nnothing\\n# a remark\\nb:pm10=9\\na:wind=3");
const spec = { format: "toy", own: true, sensor: "{device}", kind: "air", district: "north" };
const mapping = compileMapping("toys", 1, messageMapping.parse(spec));
const mappings = { find: () => mapping, refusal: () => undefined };
const context = { topic: parseSensorTopic, sensor: (id) => ({ id, kind: "air", district: "north" }), mappings };
const decode = (topic) => decodeMessage({ seq: 1, receivedAt: 0, source, topic, payload }, context);
const { readings, rejections, ignored } = decode("toys/1");
const texts = rejections.map((one) => [one.index, one.reason, new TextDecoder().decode(one.payload).split("\\n").at(-1)]);
const others = decode("city/north/air/a-b").rejections.map(({ reason }) => reason);
console.log(JSON.stringify({ values: readings.map(({ sensorId, values }) => [sensorId, values]), texts, ignored, others }));
`;

describe("a newcomer's walks", () => {
  it("a condition, a channel, a payload format: the compiler names what is missing, and nothing else", {
    tags: ["long"],
  }, () => {
    edit(
      "model/conditions.ts",
      "SHAPES = [",
      'SHAPES = [\n  z.strictObject({ type: z.literal("toy"), above: z.number() }),',
    );
    edit(
      "model/channels.ts",
      "  slack: {",
      '  toyPager: { address: "url", hasSecret: false, prefix: "" },\n  slack: {',
    );
    edit("ingest/formats/registry.ts", "FORMAT_NAMES = [", 'FORMAT_NAMES = ["toy", ');
    const registries = ["alerts/channels/registry.ts", "alerts/conditions/registry.ts"];
    const pages = ["dashboard/admin/targets.tsx", "dashboard/messages/en/admin.ts", "dashboard/messages/rule-words.ts"];
    expect(incomplete()).toEqual([...registries, ...pages, "ingest/formats/registry.ts"]);

    writeFileSync(join(copy, "alerts/conditions/toy.ts"), CONDITION);
    edit("alerts/conditions/registry.ts", "export type", 'import { toy } from "./toy.ts";\n\nexport type');
    edit("alerts/conditions/registry.ts", "CONDITIONS: ConditionTable = {", "CONDITIONS: ConditionTable = {\n  toy,");
    const words = '  toy: () => ({ fires: "", ends: "" }),\n  threshold(condition, about) {';
    edit("dashboard/messages/rule-words.ts", "  threshold(condition, about) {", words);
    writeFileSync(join(copy, "alerts/channels/toy-pager.ts"), CHANNEL);
    edit("alerts/channels/registry.ts", "export type", 'import { toyPager } from "./toy-pager.ts";\n\nexport type');
    edit("alerts/channels/registry.ts", "Channel } = {", "Channel } = { toyPager,");
    edit("dashboard/messages/en/admin.ts", "types: {", 'types: { toyPager: "Pager",');
    writeFileSync(join(copy, "ingest/formats/toy.ts"), FORMAT);
    edit("ingest/formats/registry.ts", "Format>> = {", "Format>> = { toy,");
    edit("ingest/formats/registry.ts", 'from "./json.ts";', 'from "./json.ts";\nimport { toy } from "./toy.ts";');
    const others = ["dashboard/messages/de/admin.ts", "dashboard/messages/es/admin.ts"];
    expect(incomplete()).toEqual(others);

    for (const file of others) edit(file, "types: {", 'types: { toyPager: "Pager", ');
    expect(incomplete()).toEqual([]);
  });

  it("a payload format: its messages are read, item by item", { tags: ["long"] }, () => {
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", READ], { cwd: copy });
    expect(JSON.parse(run.stdout.toString() || run.stderr.toString())).toEqual({
      values: [
        ["a", { pm25: 7 }],
        ["b", { pm10: 9 }],
      ],
      texts: [
        [1, "malformed_reading", "a:wind=3"],
        [3, "no_values", "a:wind=3"],
      ],
      ignored: 1,
      others: ["malformed_json"],
    });
  });

  it("are written down, with files that are there", () => {
    const text = readFileSync(join(HOME, "CONTRIBUTING.md"), "utf8");
    for (const walk of ["## A condition", "## A channel", "## A payload format"]) expect(text).toContain(walk);
    const files = [...text.matchAll(/`((?:alerts|dashboard|ingest|model)\/[\w/.-]+\.tsx?)`/g)].map(([, file]) => file!);
    expect(files.filter((file) => !existsSync(join(HOME, file)))).toEqual([]);
  });
});

describe("the contract", () => {
  it("whoever serves, shows or sends a field that was renamed does not compile", {
    tags: ["long"],
  }, () => {
    edit("contract/ledger.ts", "reasons: z.record", "causes: z.record");
    edit("contract/account.ts", "districts: z.array(DistrictId)", "quarters: z.array(DistrictId)");
    const served = ["ingest/ledger.ts", "cli/books.ts", "dashboard/feed/ledger.tsx", "simulators/replay.ts"];
    const sent = ["api/routes/accounts.ts", "cli/accounts.ts", "dashboard/admin/gateways.tsx", "simulators/fleet.ts"];
    expect(incomplete()).toEqual(expect.arrayContaining([...served, ...sent]));
  });
});
