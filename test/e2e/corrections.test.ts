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
    expect(dry.stdout).toContain(
      "readings that would be read differently: 3; hours computed anew: 1; alerts marked: 1",
    );
    const added = await city.cli("correction", "add", "air-1", ...given);
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining("correction 1 of air-1") });
    await soon("retracted");
    const entries = await timeline();
    expect(entries.map(({ what }) => what)).toEqual(["firing", "readings-corrected", "retracted"]);
    expect(entries[2]).toMatchObject({ says: { key: "corrected", params: { reason: "degrees Fahrenheit" } } });
    expect(entries[2]!.note).toMatch(/^Correction 1: air temperature × 0.5556 - 17.7778, .*: degrees Fahrenheit$/);
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

  it("stores what a calibration makes of a value from now on, with what the device said beside it", async () => {
    const given = ["--factor", "1.1", "--offset", "-2", "--from", String(start), "--certificate", "lab report 7"];
    const added = await city.cli("calibration", "add", "air-1", "no2", ...given);
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining("no2 x 1.1 + -2") });
    const at = (minute: number, no2: number) =>
      city.api("/readings", {
        sensorId: "air-1",
        kind: "air",
        district: "north",
        measuredAt: start + minute * 60_000,
        no2,
      });
    await at(10, 20);
    await until(read, (found) => found.length === 6);
    expect((await read("&raw=true"))[5]).toEqual([{ no2: expect.closeTo(20, 9) }, undefined, { no2: 20 }]);
    await city.cli("calibration", "end", "1");
    await at(11, 20);
    expect(
      (
        await until(
          () => read("&raw=true"),
          (found) => found.length === 7,
        )
      )[6],
    ).toEqual([{ no2: 20 }, undefined, undefined]);
  });

  it("lets an operator take the new one of two values of a moment, or keep the old", async () => {
    const reading = { sensorId: "air-1", kind: "air", district: "north", measuredAt: start + 11 * 60_000 };
    const conflicts = async () => (await city.api("/quarantine?reason=conflict&redriven=false")).items;
    await city.api("/readings", { ...reading, no2: 25 });
    const [{ id }] = await until(conflicts, (found) => found.length === 1);
    const taken = await city.cli("quarantine", "decide", String(id), "take", "--reason", "the first was a test");
    expect(taken.code).toBe(0);
    expect((await read("&raw=true"))[6]).toEqual([{ no2: 25 }, { no2: "corrected" }, { no2: 20 }]);
    expect(await conflicts()).toEqual([]);
    expect((await city.api("/sensors/air-1/corrections")).items[0]).toMatchObject({
      what: "value",
      value: 25,
      quarantineId: id,
    });
    // With a metric that is new the rest is taken, and the value alone is refused.
    await city.api("/readings", { ...reading, no2: 31, o3: 40 });
    const [second] = await until(conflicts, (found) => found.length === 1);
    expect(second).toMatchObject({ metric: "no2" });
    expect((await city.cli("quarantine", "decide", String(second.id), "keep", "--reason", "31 is wrong")).code).toBe(0);
    expect((await read())[6]![0]).toEqual({ no2: 25, o3: 40 });
    expect((await city.api(`/quarantine/${second.id}`)).decision).toBe("keep");
  });
});
