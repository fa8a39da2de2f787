import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readMetricsFile } from "../../app/metrics-file.ts";
import { BUILT_IN_METRICS } from "../../model/metrics.ts";
import { type City, startCity, until } from "../helpers/city.ts";

const FILE = `metrics:
  - id: pollenGrass
    kind: air
    unit: grains/m³
    possible: [0, 20000]
    usual: [0, 500]
    names: { en: grass pollen, de: Gräserpollen, es: polen de gramíneas }
`;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lamppost-metrics-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function write(text: string): string {
  const path = join(dir, "metrics.yaml");
  writeFileSync(path, text);
  return path;
}

describe("a file of a city's own metrics", () => {
  const mistakes = (text: string) => readMetricsFile(write(text), BUILT_IN_METRICS).mistakes;

  it("is read", () => {
    expect(mistakes(FILE)).toEqual([]);
    expect(readMetricsFile(write(FILE)).metrics).toMatchObject([
      { id: "pollenGrass", kind: "air", fail: [0, 20_000], suspect: [0, 500] },
    ]);
  });

  it.each([
    ["one that is there", FILE.replace("pollenGrass", "pm25"), /"pm25" is taken already/],
    ["one that differs by capitals", FILE.replace("pollenGrass", "pM25"), /taken already/],
    ["a field of readings", FILE.replace("pollenGrass", "measuredAt"), /taken already/],
    ["a store's column", FILE.replace("pollenGrass", "pm25Mean"), /a part of "pm25"/],
    ["another kind", FILE.replace("air", "water"), /metrics\.0\.kind/],
    ["a name of blanks", FILE.replace("pollenGrass", "grass pollen"), /small letter first/],
    ["no name in a language", FILE.replace(", es: polen de gramíneas", ""), /names\.es/],
    ["a range the wrong way", FILE.replace("[0, 20000]", "[5, 1]"), /less than the second/],
    ["usual beyond possible", FILE.replace("[0, 500]", "[0, 50000]"), /usual lies within possible/],
    ["no YAML", "metrics: [", /is not YAML/],
    ["nothing", "", /metrics/],
  ])("is refused with %s", (_, text, expected) => expect(mistakes(text).join("\n")).toMatch(expected));

  it("is refused where it is not there", () => {
    expect(readMetricsFile(join(dir, "none.yaml")).mistakes.join()).toMatch(/cannot be read/);
  });
});

describe("a city's own metric", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity({ env: { LAMPPOST_METRICS_FILE: write(FILE) } });
  });
  afterAll(() => city?.remove());

  it("is taken, judged, stored, watched by rules, and shown with its name", async () => {
    await city.api("/devices", { sensorId: "bee-1", kind: "air", district: "centre" });
    const send = async (values: object) => {
      const body = JSON.stringify({ sensorId: "bee-1", kind: "air", district: "centre", ...values });
      const headers = { "content-type": "application/json" };
      return (await city.call("/api/v1/readings", { method: "POST", headers, body })).json();
    };
    expect(await send({ pollenGrass: 700, pm25: 1 })).toMatchObject({ accepted: 1, rejected: [] });
    expect(await send({ pollenGrass: 30_000, pm25: 2 })).toMatchObject({
      accepted: 1,
      rejected: [{ metric: "pollenGrass", reason: "out_of_range" }],
    });
    const { items } = await until(
      () => city.api("/sensors/bee-1/readings?metrics=pollenGrass"),
      (page) => page.items.length > 0,
    );
    expect(items[0]).toMatchObject({ values: { pollenGrass: 700 }, quality: { pollenGrass: "suspect" } });
    const yaml = `rules:
  - id: much-pollen
    title: Much grass pollen
    kind: air
    metric: pollenGrass
    condition: { type: threshold, above: 100 }
    severity: info
    audience: operators
    source: { text: practice }
`;
    expect(JSON.stringify(await city.api("/rules/check", { yaml }))).not.toContain("is not a metric");
    const wrong = await city.api("/rules/check", { yaml: yaml.replace("pollenGrass", "pollenTree") });
    expect(JSON.stringify(wrong)).toContain("is not a metric");
    expect(await (await city.call("/city-metrics.js")).text()).toContain("Gräserpollen");
  });
});
