import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";

const RULES = `rules:
  - id: hot
    title: Hot
    kind: air
    metric: temperature
    condition: { type: threshold, above: 30 }
    severity: warning
    audience: operators
    source: { text: a test }
`;

type Entry = { readonly what: string; readonly note?: string };

describe("what people find out about readings", () => {
  const folder = mkdtempSync(join(tmpdir(), "lamppost-corrections-"));
  const start = Date.now() - 20 * 60_000;
  let city: City;
  beforeAll(async () => {
    writeFileSync(join(folder, "hot.yaml"), RULES);
    city = await startCity({ env: { LAMPPOST_RULES_DIR: folder } });
    await city.api("/devices", { sensorId: "air-1", kind: "air", district: "north" });
    for (const [i, temperature] of [20, 45, 44, 43].entries()) {
      const measuredAt = start + i * 60_000;
      await city.api("/readings", { sensorId: "air-1", kind: "air", district: "north", measuredAt, temperature });
    }
  });
  afterAll(async () => {
    await city.remove();
    rmSync(folder, { recursive: true });
  });

  const states = async () => (await city.api("/alerts")).items.map((one: { state: string }) => one.state).join();
  const soon = (state: string) => until(states, (found) => found === state);
  const range = `from=${start}&to=${start + 3_600_000}`;
  const read = async (query = "") =>
    (await city.api(`/sensors/air-1/readings?${range}${query}`)).items.map(
      ({ values, quality, raw }: { values: object; quality?: object; raw?: object }) => [values, quality, raw],
    );
  const timeline = async (): Promise<Entry[]> => {
    const [{ id }] = (await city.api("/alerts")).items;
    return (await city.api(`/alerts/${id}`)).timeline;
  };
  const FAHRENHEIT = ["--what", "factor", "--metrics", "temperature", "--factor", "0.5556", "--offset", "-17.7778"];

  it("changes what is read and what the rules say, from the command line, and says why in the alert", async () => {
    await soon("firing");
    await until(read, (found) => found.length === 4);
    const given = ["--from", String(start + 30_000), ...FAHRENHEIT, "--reason", "degrees Fahrenheit"];
    const dry = await city.cli("correction", "add", "air-1", ...given, "--dry-run");
    expect(dry.stdout).toContain("3 readings would be read differently, 1 hours computed anew, 1 alerts marked");
    const added = await city.cli("correction", "add", "air-1", ...given);
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining("correction 1 of air-1") });
    await soon("retracted");
    const entries = await timeline();
    expect(entries.map(({ what }) => what)).toEqual(["firing", "readings-corrected", "retracted"]);
    expect(entries[2]!.note).toMatch(/^Correction 1: temperature x 0.5556 - 17.7778, .*: degrees Fahrenheit$/);
    const all = await read("&raw=true");
    expect(all[0]).toEqual([{ temperature: 20 }, undefined, undefined]);
    expect(all[1]).toEqual([
      { temperature: expect.closeTo(7.22, 2) },
      { temperature: "corrected" },
      { temperature: 45 },
    ]);
    expect((await city.api("/sensors/air-1")).latest.values.temperature).toBeCloseTo(6.1, 1);
  });

  it("holds after kill -9, for readings that come later, too", async () => {
    await city.kill();
    city = await city.restart();
    expect(await states()).toBe("retracted");
    expect((await read())[3]![0].temperature).toBeCloseTo(6.1, 1);
    const late = { sensorId: "air-1", kind: "air", district: "north", measuredAt: start + 90_000, temperature: 46 };
    await city.api("/readings", late);
    const found = await until(read, (one) => one.length === 5);
    expect(found[2]![0].temperature).toBeCloseTo(7.8, 1);
    expect(await states()).toBe("retracted");
  });

  it("is as before when it is revoked, whenever the service was killed meanwhile", async () => {
    const answer = city.cli("correction", "revoke", "1", "--reason", "it was Celsius");
    expect((await answer).code).toBe(0);
    await city.kill();
    city = await city.restart();
    await soon("firing");
    expect((await read()).map(([{ temperature }]: [{ temperature: number }]) => temperature)).toEqual([
      20, 45, 46, 44, 43,
    ]);
    expect((await city.cli("correction", "list", "air-1")).stdout).toContain("it was Celsius");
    const { code } = await city.cli("audit", "verify");
    expect(code).toBe(0);
  });
});
