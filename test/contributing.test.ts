import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The walks of CONTRIBUTING.md in a copy of the sources: what is forgotten is named by the compiler, and nothing else is. */
const HOME = join(import.meta.dirname, "..");
const FOLDERS = ["alerts", "api", "app", "broker", "cli", "client", "contract", "dashboard", "ingest", "model"];
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

const CONDITION = `import { NOTHING, type OverValues } from "./condition.ts";

export const toy: OverValues<"toy", { readonly above: number }, object> = {
  over: "values",
  params({ above }) {
    return () => ({ above });
  },
  explain: ({ rule }) => rule.title,
  quiet: {},
  step: (_, state) => [state, NOTHING],
};
`;
const CHANNEL = `import { type Channel, JSON_HEADERS } from "./channel.ts";

export const pager: Channel = {
  send: (target, { notices }, { post }) => post(target, JSON.stringify(notices.length), JSON_HEADERS),
};
`;

describe("a newcomer's walks", () => {
  it("a condition and a channel: the compiler names what is missing, and nothing else", { timeout: 240_000 }, () => {
    edit(
      "model/conditions.ts",
      "SHAPES = [",
      'SHAPES = [\n  z.strictObject({ type: z.literal("toy"), above: z.number() }),',
    );
    edit("model/channels.ts", "  slack: {", '  pager: { address: "url", hasSecret: false, prefix: "" },\n  slack: {');
    const registries = ["alerts/channels/registry.ts", "alerts/conditions/registry.ts"];
    expect(incomplete()).toEqual([...registries, "dashboard/admin/targets.tsx", "dashboard/rules/rule-words.tsx"]);

    writeFileSync(join(copy, "alerts/conditions/toy.ts"), CONDITION);
    edit("alerts/conditions/registry.ts", "export type", 'import { toy } from "./toy.ts";\n\nexport type');
    edit("alerts/conditions/registry.ts", "CONDITIONS: ConditionTable = {", "CONDITIONS: ConditionTable = {\n  toy,");
    const words = '  toy: () => ({ fires: "", ends: "" }),\n  threshold(condition, about) {';
    edit("dashboard/rules/rule-words.tsx", "  threshold(condition, about) {", words);
    writeFileSync(join(copy, "alerts/channels/pager.ts"), CHANNEL);
    edit("alerts/channels/registry.ts", "export type", 'import { pager } from "./pager.ts";\n\nexport type');
    edit("alerts/channels/registry.ts", "= { webhook,", "= { pager, webhook,");
    edit("dashboard/messages/en/admin.ts", "types: { ", 'types: { pager: "Pager", ');
    const others = ["dashboard/messages/de/admin.ts", "dashboard/messages/es/admin.ts"];
    expect(incomplete()).toEqual(others);

    for (const file of others) edit(file, "types: { ", 'types: { pager: "Pager", ');
    expect(incomplete()).toEqual([]);
  });

  it("are written down, with files that are there", () => {
    const text = readFileSync(join(HOME, "CONTRIBUTING.md"), "utf8");
    for (const walk of ["## A condition", "## A channel"]) expect(text).toContain(walk);
    const files = [...text.matchAll(/`((?:alerts|model|dashboard)\/[\w/.-]+\.tsx?)`/g)].map(([, file]) => file!);
    expect(files.filter((file) => !existsSync(join(HOME, file)))).toEqual([]);
  });
});
