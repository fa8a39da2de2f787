import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chart } from "../../cli/output.ts";
import * as rules from "../../cli/rules.ts";
import { readingsOfRecording } from "../../cli/rules-backtest.ts";
import { parseMapping } from "../../simulators/mapping.ts";
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
const line = (minute: number, temperature: number | string, sensorId = "s-1") =>
  JSON.stringify({
    sensorId,
    kind: "air",
    district: "north",
    measuredAt: new Date(Date.UTC(2026, 0, 5, 0, minute)).toISOString(),
    temperature,
  });
const RECORDING = [
  line(0, 20),
  line(10, 45),
  line(20, 45),
  line(30, 20),
  line(40, 46),
  line(50, 20),
  line(60, 45, "s-2"),
];

let folder: string;
let rulesFile: string;
let recording: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lamppost-cli-"));
  rulesFile = join(folder, "hot.yaml");
  recording = join(folder, "feed.ndjson");
  writeFileSync(rulesFile, RULES);
  writeFileSync(recording, RECORDING.join("\n"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const backtest = (...args: string[]) =>
  runCli(rules, "rules", "backtest", rulesFile, "--recording", recording, "--mapping", "native", ...args);

describe("rules backtest over a recording", () => {
  it("prints figures, subjects, a chart and alerts", async () => {
    const { code, out } = await backtest();
    expect(code).toBe(0);
    expect(out.split("\n")[0]).toBe(
      "2026-01-05 00:00 to 2026-01-05 01:00: 7 readings, 3 alerts (72 a day), 30 minutes firing",
    );
    expect(out).toMatch(/^s-1 +hot +2 +48 +30$/m);
    expect(out).toMatch(/^s-2 +hot +1 +24 +0$/m);
    expect(out).toMatch(/^hot s-1 \|\.+[-=*]?#+[-=*]?\.+[-=*]?#+[-=*]?\.+\|$/m);
    expect(out).toMatch(/^2026-01-05 00:10 {2}2026-01-05 00:30 {2}hot {3}s-1 /m);
    expect(out).toMatch(/^2026-01-05 01:00 {2}\(still firing\) {4}hot {3}s-2 /m);
  });

  it("prints JSON, of one sensor and a part of the time", async () => {
    const args = ["--json", "--sensor", "s-1", "--from", "2026-01-05T00:35:00Z", "--warm-up", "0"];
    const result = JSON.parse((await backtest(...args)).out);
    expect(result).toMatchObject({ readings: 2, figures: { alerts: 1 }, from: "2026-01-05T00:35:00.000Z" });
    expect(result.alerts[0]).toMatchObject({
      startedAt: "2026-01-05T00:40:00.000Z",
      timeline: [
        { what: "firing", at: "2026-01-05T00:40:00.000Z" },
        { what: "resolved", at: "2026-01-05T00:50:00.000Z" },
      ],
    });
  });

  it("says what is missing, and what is wrong with the rules", async () => {
    const noMapping = await runCli(rules, "rules", "backtest", rulesFile, "--recording", recording);
    expect(noMapping).toMatchObject({ code: 2, errors: expect.stringContaining("--recording needs --mapping") });
    const noFrom = await runCli(rules, "rules", "backtest", rulesFile);
    expect(noFrom).toMatchObject({ code: 2, errors: expect.stringContaining("--from 30d") });
    expect(await backtest("--from", "2026-01-05T00:35")).toMatchObject({ code: 2 });
    writeFileSync(rulesFile, RULES.replace("air", "wind"));
    expect(await backtest()).toMatchObject({ code: 1, errors: expect.stringMatching(/hot\.yaml:4:11: kind/) });
  });
});

const NATIVE = parseMapping({ name: "native", title: "", source: "", form: "native" });

async function kept(lines: readonly string[]) {
  writeFileSync(recording, lines.join("\n"));
  return Array.fromAsync(readingsOfRecording(NATIVE, [recording], Date.UTC(2026, 5, 1)));
}

it("a recording gives the readings that the service would keep, in the order of time", async () => {
  const lines = [line(20, 21), line(0, 20), line(0, 25), line(5, 5_000), line(6, "hot"), RECORDING[1]!];
  const [readings] = await kept(lines);
  expect(readings!.map(({ values, imported }) => [values.temperature, imported])).toEqual([
    [20, true],
    [45, true],
    [21, true],
  ]);
});

it("is read a piece at a time", async () => {
  const pieces = await kept(Array.from({ length: 25_000 }, (_, minute) => line(minute, 20)));
  expect(pieces.map(({ length }) => length)).toEqual([10_000, 10_000, 5_000]);
});

it("a sensor that says nothing but stand-ins is there without a value, one that says nothing is silent", async () => {
  const silent = RULES.replace("  - id: hot", "  - id: silent").replace("    metric: temperature\n", "");
  const hourly = (of: (hour: number) => string[]) => Array.from({ length: 96 }, (_, hour) => of(hour)).flat();
  const isOut = (hour: number) => hour >= 48 && hour < 72;
  const lines = hourly((hour) => [
    line(60 * hour, isOut(hour) ? -999 : 20),
    ...(isOut(hour) ? [] : [line(60 * hour, 20, "s-2")]),
  ]);
  writeFileSync(rulesFile, silent.replace("type: threshold, above: 40", "type: silence, after: 2h"));
  writeFileSync(recording, lines.join("\n"));
  const { alerts, readings } = JSON.parse((await backtest("--json")).out);
  expect(readings).toBe(96 + 72);
  expect(alerts.map(({ subject }: { subject: { sensorId: string } }) => subject.sensorId)).toEqual(["s-2"]);
});

describe("the chart", () => {
  const range = { from: 0, to: 1_000 };
  const draw = (spans: [number, number][], plain = true) =>
    chart([{ name: "a", spans }], range, { columns: 15, plain }).split("\n")[0];

  it("shows how much of each step is covered", () => {
    expect(draw([[0, 1_000]])).toBe("a |##########|");
    expect(
      draw([
        [100, 125],
        [200, 250],
        [300, 375],
        [400, 500],
      ]),
    ).toBe("a |.-=*#.....|".replace("#.", "#-"));
    expect(draw([[0, 1_000]], false)).toBe("a |██████████|");
  });

  it("hides nothing: a moment is a mark", () => {
    expect(draw([[550, 550]])).toBe("a |.....-....|");
  });

  it("cuts what reaches beyond the range", () => {
    expect(
      draw([
        [-500, 100],
        [950, 5_000],
      ]),
    ).toBe("a |#-.......=|");
  });
});
