import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";

describe("lamppost record", () => {
  const dir = mkdtempSync(join(tmpdir(), "lamppost-record-"));
  let city: City;
  beforeAll(async () => {
    city = await startCity();
    for (const sensorId of ["air-1", "air-2"]) await city.api("/devices", { sensorId, kind: "air", district: "north" });
  });
  afterAll(async () => {
    await city?.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  it("writes what chosen sensors say to a file that replay plays, and leaves an older file alone", async () => {
    const file = join(dir, "take.ndjson");
    const recording = city.cli("record", file, "--sensor", "air-1", "--for", "4s", "--json");
    await until(
      async () => /lamppost_http_streams (\d+)/.exec(await (await city.call("/metrics")).text())?.[1],
      (open) => open === "1",
    );
    const place = { kind: "air", district: "north" };
    await city.api("/readings", [
      { sensorId: "air-1", ...place, pm25: 4 },
      { sensorId: "air-2", ...place, pm25: 5 },
    ]);
    const { code, stdout } = await recording;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ file, readings: 1, sensors: 1, interruptions: 0 });
    const lines = readFileSync(file, "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ sensorId: "air-1", values: { pm25: 4 } }]);
    const replayed = await city.cli("replay", file, "--json");
    expect(JSON.parse(replayed.stdout)).toMatchObject({ readings: 1, duplicates: 1, balanced: true });
    const again = await city.cli("record", file, "--for", "1s");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("EEXIST");
    expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(1);
  });

  it.each([
    [["--for", "soon"], 2, "A time such as"],
    [["--sensor", "Not An Id"], 2, "An id is"],
    [["--token", "wrong", "--for", "1s"], 1, "HTTP 401"],
  ])("refuses %o", async (args, expected, text) => {
    const { code, stderr } = await city.cli("record", join(dir, "none.ndjson"), ...args);
    expect([code, stderr]).toEqual([expected, expect.stringContaining(text)]);
  });
});
