import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ScenarioName, SIMULATED_PREFIX } from "../../model/simulation.ts";
import { createCity } from "../city.ts";
import { readLines } from "../lines.ts";
import { SCENARIOS } from "../scenarios.ts";

/** A scenario plays the hour up to its start: with speed "max" that is the hour up to now. */
const SPAN_MS = 60 * 60_000;
const ID_MAX = 64;

type Line = Readonly<Record<string, unknown>>;

/**
 * Writes what a run sends as a native recording: the same readings, of sensors and districts whose names say that they
 * are simulated, so that no value ends in a real sensor's history. Resolves with the number of lines.
 */
export async function prepareRun(
  source: { readonly scenario: ScenarioName } | { readonly file: string },
  options: { readonly to: string; readonly districts?: readonly string[]; readonly now: number; readonly seed: number },
): Promise<number> {
  const lines = "scenario" in source ? scenarioLines(source.scenario, options) : fileLines(source.file);
  const wanted = options.districts && new Set(options.districts.map(simulatedId));
  let count = 0;
  async function* text() {
    for await (const line of lines) {
      const renamed = rename(line);
      if (!renamed || (wanted && !wanted.has(renamed.district))) continue;
      count += 1;
      yield `${JSON.stringify(renamed)}\n`;
    }
  }
  await pipeline(Readable.from(text()), createWriteStream(options.to, { flags: "wx", mode: 0o600 }));
  return count;
}

function* scenarioLines(name: ScenarioName, { now, seed }: { now: number; seed: number }): Generator<Line> {
  const city = createCity({ seed, scenario: SCENARIOS[name], startedAt: now });
  const stepMs = city.sensors[0]!.intervalS * 1_000;
  for (let at = now - SPAN_MS; at <= now; at += stepMs) {
    for (const sensor of city.sensors) {
      const values = city.measure(sensor, at);
      if (!values) continue;
      const { id: sensorId, kind, district } = sensor;
      const place = { sensorId, kind, district };
      const payload = { measuredAt: new Date(at).toISOString(), ...values };
      yield { ...place, ...payload };
      for (const more of city.mischief(sensor, at - stepMs, at, JSON.stringify(payload))) {
        const parsed = parse(more);
        // A broken one a moment later: with the time of the good one it would only contradict it.
        if (parsed) yield { ...place, measuredAt: new Date(at + 1_000).toISOString(), ...parsed };
      }
    }
  }
}

async function* fileLines(path: string): AsyncGenerator<Line> {
  for await (const text of readLines(path)) {
    const line = parse(text);
    if (line) yield line;
  }
}

/** undefined for what is no object: a recording has no line for it. */
function parse(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}

function rename(line: Line): (Line & { readonly district: string }) | undefined {
  const { sensorId, district } = line;
  if (typeof sensorId !== "string" || typeof district !== "string") return undefined;
  return { ...line, sensorId: simulatedId(sensorId), district: simulatedId(district) };
}

/** "sim-" before it, once. An id that becomes too long ends with what tells it from others. */
export function simulatedId(id: string): string {
  const name = id.startsWith(SIMULATED_PREFIX) ? id : `${SIMULATED_PREFIX}${id}`;
  if (name.length <= ID_MAX) return name;
  return `${name.slice(0, ID_MAX - 9)}-${createHash("sha256").update(id).digest("hex").slice(0, 8)}`;
}
