import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WatchedSensor } from "../../alerts/conditions/condition.ts";
import { createDetector } from "../../alerts/detector.ts";
import { DEFAULT_RULES_FOLDER } from "../../alerts/rules/check.ts";
import type { Transition } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rejection } from "../../model/rejection.ts";
import type { Rule } from "../../model/rule.ts";
import { DAY_MS } from "../../model/time.ts";
import { rulesOf } from "../alerts/builders.ts";

export const GOLDEN = join(import.meta.dirname, "../golden");

export const goldenCases = (): string[] => readdirSync(GOLDEN).sort();
const read = (name: string, file: string) => readFileSync(join(GOLDEN, name, file), "utf8");

export const rulesIn = (name: string): Rule[] => rulesOf(read(name, "rules.yaml"));
export const expectedIn = (name: string): unknown => JSON.parse(read(name, "expected.json"));

type Line = Omit<Reading, "measuredAt" | "receivedAt"> & { measuredAt: string; receivedAt?: string };

/** In the order of the file; `receivedAt` is given where a reading comes late. */
function readingsIn(name: string): Reading[] {
  const lines = read(name, "readings.ndjson").trim().split("\n").filter(Boolean);
  return lines.map((line, i) => {
    const { measuredAt, receivedAt = measuredAt, ...rest } = JSON.parse(line) as Line;
    return { ...rest, measuredAt: Date.parse(measuredAt), receivedAt: Date.parse(receivedAt), journalSeq: i + 1 };
  });
}

/** What the rules of the case say to its readings, an entry a line. */
export const timelineOf = (name: string): object[] => transitionsOf(name).map(entryOf);

export function transitionsOf(name: string): Transition[] {
  const list = JSON.parse(read(name, "sensors.json")) as WatchedSensor[];
  const sensors = new Map(list.map((sensor) => [sensor.id, sensor]));
  const detector = createDetector({ rules: rulesIn(name), sensor: (id) => sensors.get(id) });
  const refused = refusedIn(name);
  const said = [...detector.refuse(refused), ...detector.observe(readingsIn(name))];
  const last = refused.at(-1);
  return [...said, ...(last ? detector.tick(last.receivedAt + DAY_MS) : [])];
}

/** What was refused, in the order of the file; a day later the clock looks at what has become of it. */
function refusedIn(name: string): Rejection[] {
  if (!existsSync(join(GOLDEN, name, "refused.ndjson"))) return [];
  const source = { via: "mqtt", role: "device", name: "device" } as const;
  return read(name, "refused.ndjson")
    .trim()
    .split("\n")
    .map((line) => {
      const { receivedAt, ...rest } = JSON.parse(line) as Omit<Rejection, "receivedAt"> & { receivedAt: string };
      return { ...rest, receivedAt: Date.parse(receivedAt), journalSeq: 1, index: 0, source, topic: "" };
    });
}

function entryOf({ alert, entry }: Transition): object {
  const { sensorId, district, gateway, tag } = alert.subject;
  return {
    what: entry.what,
    at: new Date(entry.at).toISOString(),
    rule: alert.rule.id,
    ...(alert.level === undefined ? {} : { level: alert.level, severity: alert.severity }),
    ...(sensorId !== undefined ? { sensorId } : { district, gateway, tag }),
    startedAt: new Date(alert.startedAt).toISOString(),
    explanation: alert.explanation,
  };
}

/** The text of one rule as it stands in the default set. */
function textOf(id: string): string {
  for (const file of readdirSync(DEFAULT_RULES_FOLDER).filter((name) => name.endsWith(".yaml"))) {
    const text = readFileSync(join(DEFAULT_RULES_FOLDER, file), "utf8");
    const [, after] = text.split(`  - id: ${id}\n`);
    if (after !== undefined) return `  - id: ${id}\n${after.split(/\n\n|\n {2}(?:- id:|#)/)[0]!.trimEnd()}\n`;
  }
  throw new Error(`no default rule "${id}"`);
}

/**
 * `node test/helpers/golden.ts <case> [rule ids]` writes the case's rules.yaml (today's text of those rules, or of the ones
 * it has) and its expected.json. Read what it wrote against the source of the rules before it is committed.
 */
function write([name, ...ids]: string[]): void {
  const path = join(GOLDEN, name!);
  const chosen = ids.length > 0 ? ids : [...read(name!, "rules.yaml").matchAll(/^ {2}- id: (.+)$/gm)].map((m) => m[1]!);
  writeFileSync(join(path, "rules.yaml"), `rules:\n${chosen.map(textOf).join("\n")}`);
  writeFileSync(join(path, "expected.json"), `${JSON.stringify(timelineOf(name!), undefined, 2)}\n`);
}

if (import.meta.main) write(process.argv.slice(2));
