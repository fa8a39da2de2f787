import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import * as rules from "../../cli/rules.ts";
import { runCli } from "./run-cli.ts";

const RULES = `rules:
  - id: hot
    title: Hot
    kind: air
    metric: temperature
    condition: { type: threshold, above: 40 }
    severity: info
    audience: operators
    source: { text: a test }
`;
const TESTS = `rules: hot.yaml
tests:
  - name: a hot hour
    start: 2026-11-21T00:00:00Z
    sensors: [{ id: s-1, kind: air, district: north }]
    readings: [{ sensor: s-1, every: 10m, temperature: 20 50 50 20 }]
    expect:
      - { what: firing, at: +10m }
      - { what: resolved, at: +30m }
`;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lamppost-cli-"));
  file = join(folder, "hot.test.yaml");
  writeFileSync(join(folder, "hot.yaml"), RULES);
  writeFileSync(file, TESTS);
});
afterEach(() => rmSync(folder, { recursive: true }));

it("runs the tests of a file on the rules beside it", async () => {
  expect(await runCli(rules, "rules", "test", file)).toMatchObject({ code: 0, out: "1 of 1 tests passed" });
});

it("shows a failed test as a diff and exits with 1", async () => {
  writeFileSync(file, TESTS.replace("+10m", "+20m"));
  const { code, out } = await runCli(rules, "rules", "test", file);
  expect(code).toBe(1);
  const [title, ...lines] = out.split("\n");
  expect(title).toBe(`FAILED  a hot hour (${file}:3)`);
  expect(lines[0]).toMatch(/^ \+ {2}2026-11-21T00:10:00Z {2}firing +hot +s-1 +happened, not expected: /);
  expect(lines[1]).toMatch(/^ - {2}2026-11-21T00:20:00Z {2}firing +any +any +expected, did not happen$/);
  expect(lines[2]).toMatch(/^ {4}2026-11-21T00:30:00Z {2}resolved +hot +s-1/);
  expect(out).toMatch(/0 of 1 tests passed, 1 FAILED$/);
  const json = JSON.parse((await runCli(rules, "rules", "test", file, "--json")).out);
  expect(json).toMatchObject({ ok: false, tests: 1, failed: 1 });
});

it("runs the example of the documentation", async () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/rules.md"), "utf8");
  const example = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, text]) => text!)
    .find((text) => text.includes("tests:"))!;
  writeFileSync(
    file,
    example.replace("rules: . ", `rules: ${join(import.meta.dirname, "../../alerts/rules/air.yaml")} `),
  );
  expect(await runCli(rules, "rules", "test", file)).toMatchObject({ code: 0, out: "1 of 1 tests passed" });
});

it("says where a test or its rules are wrong", async () => {
  writeFileSync(join(folder, "hot.yaml"), RULES.replace("kind: air", "kind: wind"));
  expect((await runCli(rules, "rules", "test", file)).errors).toMatch(/hot\.yaml:4:11: kind: /);
  writeFileSync(file, TESTS.replace("20 50 50 20", "20 hot"));
  const { code, errors } = await runCli(rules, "rules", "test", file);
  expect(code).toBe(1);
  expect(errors).toMatch(/hot\.test\.yaml:6:\d+: tests\.0\.readings\.0\.temperature: "hot" is no value/);
});
