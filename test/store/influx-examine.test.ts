import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StoreReportView } from "../../contract/ledger.ts";
import { SILENT } from "../../model/log.ts";
import { durationMs } from "../../store/influx/place.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { answer, startScriptedHttp } from "../helpers/scripted-http.ts";
import { type Influx2, startInflux2 } from "../helpers/scripted-influx2.ts";

const DAY_MS = 86_400_000;
const KEEP = { raw: 90, hourly: 730, daily: Number.POSITIVE_INFINITY };
const INSTALLATION = "1a2b3c4d";

type Examined = Pick<StoreReportView, "keepsMs" | "findings">;
const findingOf = ({ findings }: Examined, check: string) => findings.find((one) => one.check === check);
const wrongs = ({ findings }: Examined) => findings.filter(({ ok }) => !ok).map(({ check }) => check);

async function examined(url: string, flavour: Parameters<typeof openInfluxStore>[0]["flavour"]): Promise<Examined> {
  const store = await openInfluxStore({ url, flavour, installation: INSTALLATION, timeoutMs: 60_000, log: SILENT });
  try {
    return await store.examine!(KEEP);
  } finally {
    await store.close();
  }
}

it("reads the durations of 1.x", () => {
  expect(["168h0m0s", "0s", "1h0m0s", "30m", "forever"].map(durationMs)).toEqual([
    7 * DAY_MS,
    undefined,
    3_600_000,
    1_800_000,
    undefined,
  ]);
});

describe.runIf(needs("influxd"))("what an administrator should know of InfluxDB 1.x", () => {
  let server: InfluxServer;
  beforeAll(async () => {
    server = await startInfluxd();
  });
  afterAll(() => server.stop());

  it("says version, rights, database, retention, clock and series, and finds nothing wrong with a new one", async () => {
    const report = await examined(server.url, { database: "city" });
    expect(wrongs(report)).toEqual([]);
    expect(report.keepsMs).toBeUndefined();
    const found = Object.fromEntries(report.findings.map(({ check, found: text }) => [check, text]));
    expect(found).toEqual({
      version: "InfluxDB 1.6.7~rc0",
      clock: "agrees with this machine's",
      rights: "a test point was written, read and removed",
      database: "city",
      retention: "InfluxDB itself removes nothing; Lamppost does, by its own settings",
      rollups: "in database city_rollups",
      disk: expect.stringContaining("does not tell"),
      series: expect.stringMatching(/^about \d+$/),
    });
  });

  it("says before it bites that the default policy removes sooner than we would", async () => {
    const q = 'CREATE DATABASE "short" WITH DURATION 720h NAME "month"';
    await (await fetch(`${server.url}/query`, { method: "POST", body: new URLSearchParams({ q }) })).text();
    const report = await examined(server.url, { database: "short" });
    expect(report.keepsMs).toBe(30 * DAY_MS);
    expect(findingOf(report, "retention")).toEqual({
      check: "retention",
      ok: false,
      found: "InfluxDB removes what was measured more than 30 d ago",
      advice: "that is before Lamppost would (90 days): give the bucket or policy no retention, or a longer one",
    });
    expect(findingOf(report, "rollups")).toEqual({ check: "rollups", ok: true, found: "in database short_rollups" });
  });
});

describe("what an administrator should know of InfluxDB 2.x", () => {
  let server: Influx2;
  const flavour = { token: "t", org: "city", bucket: "readings" };
  beforeEach(async () => {
    server = await startInflux2();
    server.addOrg("city");
  });
  afterEach(() => server.stop());

  it("names bucket, organisation and the bucket's own retention", async () => {
    const bucket = server.addBucket("city", "readings", 800 * DAY_MS);
    server.addToken({ text: "t", org: "city", read: [bucket.id], write: [bucket.id] });
    const report = await examined(server.url, flavour);
    expect(findingOf(report, "version")).toMatchObject({ ok: true, found: "InfluxDB v2.7.12" });
    expect(findingOf(report, "bucket")).toMatchObject({ ok: true, found: "readings of city, read as readings" });
    expect(report.keepsMs).toBe(800 * DAY_MS);
    expect(findingOf(report, "retention")).toMatchObject({ ok: true });
    const rollups = findingOf(report, "rollups")!;
    expect(rollups.found).toMatch(
      /^in bucket readings, with the readings \(.*"readings_rollups" not found.*\); InfluxDB removes them 800 d after they were measured, before Lamppost would: daily ones \(for ever\)$/,
    );
    expect(rollups.advice).toContain('influx bucket create --org "city" --name "readings_rollups"');
    expect(wrongs(report)).toEqual(["rollups"]);
  });

  it.each([
    [3_600_000, "1 h"],
    [90 * 60_000, "1 h 30 min"],
    [26 * 3_600_000, "1 d 2 h"],
  ])("names a short retention in its own unit (%i ms)", async (keepsMs, words) => {
    const bucket = server.addBucket("city", "readings", keepsMs);
    server.addToken({ text: "t", org: "city", read: [bucket.id], write: [bucket.id] });
    const found = findingOf(await examined(server.url, flavour), "retention")!.found;
    expect(found).toBe(`InfluxDB removes what was measured more than ${words} ago`);
  });

  it("says which right is missing", async () => {
    const bucket = server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", read: [bucket.id], write: [] });
    const report = await examined(server.url, flavour);
    expect(findingOf(report, "rights")).toMatchObject({ ok: false, found: expect.stringContaining("INFLUX_TOKEN") });
  });
});

describe("what an administrator should know of a server that is not right", () => {
  it("says that the clocks differ, and by how much", async () => {
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    const server = await startScriptedHttp(answer(204, "", { date, "x-influxdb-version": "9.1.0" }));
    const report = await examined(server.url, { database: "city" });
    await server.stop();
    expect(findingOf(report, "clock")).toMatchObject({
      ok: false,
      found: expect.stringMatching(/^3(59|60)\d s behind/),
    });
    expect(findingOf(report, "version")!.found).toContain("9.1.0 (not one that was tried");
  });

  it("says that it does not answer, and nothing else", async () => {
    const server = await startScriptedHttp(answer(204));
    await server.stop();
    const report = await examined(server.url, { database: "city" });
    expect(report.findings.map(({ check, ok }) => [check, ok])).toEqual([["answers", false]]);
  });
});
