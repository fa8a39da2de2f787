import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import * as rules from "../../cli/rules.ts";
import { runCli } from "./run-cli.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lamppost-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("finds the rules that come with the service sound", async () => {
  const { code, out } = await runCli(rules, "rules", "check");
  expect(code).toBe(0);
  expect(out).toMatch(/^\d+ rules, no mistakes$/);
});

it("prints every mistake with its place and exits with 1", async () => {
  const file = join(folder, "a.yaml");
  writeFileSync(file, "rules:\n  - id: A\n    title: Hot\n    kind: wind\n");
  const { code, out } = await runCli(rules, "rules", "check", folder);
  expect(code).toBe(1);
  expect(out.split("\n")[0]).toMatch(/a\.yaml:2:9: id: an id is 1 to 64/);
  expect(out).toMatch(/a\.yaml:4:11: kind: /);
  expect(out).toMatch(/\d+ mistakes$/);
  const json = JSON.parse((await runCli(rules, "rules", "check", folder, "--json")).out);
  expect(json).toMatchObject({ ok: false, rules: 0 });
  expect(json.mistakes[0]).toEqual({ file, line: 2, column: 9, message: expect.stringContaining("an id is") });
});
