import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createServiceClient } from "../../client/client.ts";
import { SILENT } from "../../model/log.ts";
import { loadMapping, parseMapping } from "../../simulators/mapping.ts";
import { type ReplayOptions, type ReplayProgress, replay } from "../../simulators/replay.ts";
import { type FakeService, startFakeService } from "./fake-service.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
let service: FakeService;
let dir: string;
beforeEach(async () => {
  service = await startFakeService();
  dir = mkdtempSync(join(tmpdir(), "lamppost-replay-"));
});
afterEach(async () => {
  await service.stop();
  rmSync(dir, { recursive: true });
});

function write(name: string, content: string): string {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
}

function options(files: string[], change: Partial<ReplayOptions> = {}): ReplayOptions {
  return {
    service: createServiceClient({ url: service.http, token: service.token }),
    mqtt: service.mqtt,
    mapping: loadMapping("nab"),
    files,
    speed: "max",
    start: "original",
    now: () => NOW,
    random: Math.random,
    log: SILENT,
    onProgress() {},
    waiting: { everyMs: 5, stallMs: 1000 },
    ...change,
  };
}

/** Two stored, one repeated, one conflict, one without a time, one without a value (stored: a sign of life). */
const MIXED = `timestamp,value
2015-09-01 10:00:00,1
2015-09-01 10:05:00,2
2015-09-01 10:05:00,2
2015-09-01 10:05:00,3
sometime,4
2015-09-01 10:10:00,
`;

describe("replay", () => {
  it("accounts for every row, from the books of the service, and cleans up behind itself", async () => {
    const phases: ReplayProgress["phase"][] = [];
    const report = await replay(
      options([write("occupancy_a.csv", MIXED)], { onProgress: ({ phase }) => phases.push(phase) }),
    );
    expect(report).toMatchObject({
      mapping: "nab",
      files: ["occupancy_a.csv"],
      sensors: 1,
      rows: 6,
      readings: 6,
      sent: 6,
      acknowledged: 6,
      resent: 0,
      stored: 3,
      duplicates: 1,
      quarantined: 2,
      balanced: true,
      stopped: false,
      reasons: { conflict: 1, bad_timestamp: 1 },
    });
    expect([...new Set(phases)]).toEqual(["reading", "sending", "booking", "rules"]);
    expect(service.logins.size).toBe(0);
    expect(service.removed).toEqual([expect.stringMatching(/^replay-[0-9a-f]{8}$/)]);
  });

  it("sends all to the import topic, also what has just been measured: it is no news to anybody", async () => {
    await replay(options([write("occupancy_a.csv", MIXED)]));
    const recent = write("occupancy_b.csv", "timestamp,value\n2026-11-21 05:55:00,4\n");
    await replay(options([recent]));
    const topics = service.seen.map(({ topic }) => topic);
    expect(new Set(topics)).toEqual(
      new Set(["import/twin-cities/traffic/occupancy-a", "import/twin-cities/traffic/occupancy-b"]),
    );
    const payloads = service.seen.flatMap(({ payload }) => JSON.parse(payload));
    expect(payloads).toContainEqual({ measuredAt: "sometime", occupancy: 4 });
  });

  it("sends nothing where InfluxDB itself would remove it at once, and says what to do", async () => {
    service.knobs.keepsMs = 30 * 86_400_000;
    const files = [write("occupancy_a.csv", MIXED)];
    await expect(replay(options(files))).rejects.toThrow(
      /begins at 2015-09-01T15:00:00.000Z.*more than 30 d ago.*longer retention, or use --start now/,
    );
    expect([service.seen, service.logins.size]).toEqual([[], 0]);
    expect((await replay(options(files, { start: "now" }))).stored).toBe(2);
    service.knobs.keepsMs = 50 * 365 * 86_400_000;
    expect((await replay(options(files))).stored).toBe(3);
  });

  it("--start now --speed max: shifts all times alike, so that it ends now, on live topics", async () => {
    await replay(options([write("occupancy_a.csv", MIXED)], { start: "now" }));
    const items = service.seen.flatMap(({ topic, payload }) =>
      [JSON.parse(payload)].flat().map((item) => ({ topic, ...item })),
    );
    expect(items[0]).toMatchObject({ measuredAt: "2026-11-21T11:50:00.000Z", occupancy: 1 });
    expect(items.at(-1)).toMatchObject({ measuredAt: "2026-11-21T12:00:00.000Z", occupancy: null });
    expect(items.every(({ topic }) => topic.startsWith("city/"))).toBe(true);
  });

  it("--start now --quiet: the same times, to the topic of history", async () => {
    await replay(options([write("occupancy_a.csv", MIXED)], { start: "now", quiet: true }));
    expect(service.seen.map(({ topic }) => topic)).toEqual(["import/twin-cities/traffic/occupancy-a"]);
    expect(JSON.parse(service.seen[0]!.payload)[0]).toMatchObject({ measuredAt: "2026-11-21T11:50:00.000Z" });
  });

  it("sends the readings of several sensors in the order of time, also at --speed max and from shuffled files", async () => {
    const rows = Array.from({ length: 40 }, (_, n) => `2015-09-01 10:${String(n).padStart(2, "0")}:00,${n}`);
    const file = (name: string, lines: readonly string[]) => write(name, `timestamp,value\n${lines.join("\n")}\n`);
    const shuffled = rows.map((_, n) => rows[(n * 23) % 40]!);
    const files = [
      file("speed_a.csv", shuffled),
      file("occupancy_a.csv", rows),
      file("occupancy_b.csv", rows.toReversed()),
    ];
    const report = await replay(options(files));
    const sent = service.seen.map(({ topic, payload }) => `${JSON.parse(payload).measuredAt} ${topic}`);
    expect(sent).toHaveLength(120);
    expect(sent).toEqual(sent.toSorted());
    expect(report.sorted).toMatchObject([
      { file: "speed_a.csv", order: "mixed", firstStepBack: { row: 3, sensorId: "speed-a" } },
      { file: "occupancy_b.csv", order: "backward", stepsBack: 39 },
    ]);
    expect(report.balanced).toBe(true);
  });

  it("goes on when the service does not answer a question once, and gives up when it stays away", async () => {
    const file = write("occupancy_a.csv", MIXED);
    service.knobs.failing = ["/api/v1/ledger", "/api/v1/ledger", "/metrics", "/api/v1/alerts"];
    expect(await replay(options([file]))).toMatchObject({ balanced: true, stored: 3 });
    expect(service.knobs.failing).toEqual([]);
    service.knobs.failing = Array.from({ length: 50 }, () => "/api/v1/ledger");
    await expect(replay(options([file]))).rejects.toThrow(/HTTP 500|Internal/);
    expect(service.logins.size).toBe(0);
  });

  it("waits for a service that is away no longer than until it is told to stop", async () => {
    service.knobs.failing = Array.from({ length: 50 }, () => "/api/v1/ledger");
    const stopping = new AbortController();
    const waiting = { everyMs: 10_000, stallMs: 1000 };
    const going = replay(options([write("occupancy_a.csv", MIXED)], { signal: stopping.signal, waiting }));
    await vi.waitUntil(() => service.knobs.failing.length < 50);
    stopping.abort();
    await expect(going).rejects.toThrow(/HTTP 500|Internal/);
    expect(service.knobs.failing).toHaveLength(49);
  });

  it("says how many readings were too late for any rule", async () => {
    const figures = (late: number) =>
      `lamppost_consumer_lag_messages{consumer="alerts"} 0\nlamppost_rules_places_total{place="too_late"} ${late}`;
    service.knobs.metrics = [figures(5), figures(12), figures(12)];
    expect((await replay(options([write("occupancy_a.csv", MIXED)]))).tooLateForRules).toBe(7);
  });

  it("--speed N: one reading a message, each when it is due", async () => {
    const file = write(
      "occupancy_a.csv",
      "timestamp,value\n2015-09-01 10:00:00,1\n2015-09-01 10:05:00,2\n2015-09-01 10:10:00,3\n",
    );
    const started = Date.now();
    const report = await replay(options([file], { speed: 1500, now: Date.now }));
    expect(report).toMatchObject({ readings: 3, messages: 3, balanced: true });
    // Ten minutes, 1500 times as fast.
    expect(Date.now() - started).toBeGreaterThanOrEqual(400);
  });

  it("counts a second replay as duplicates: only the difference of the books is its own", async () => {
    const file = write("speed_a.csv", "timestamp,value\n2015-09-01 10:00:00,50\n2015-09-01 10:05:00,51\n");
    expect(await replay(options([file]))).toMatchObject({ stored: 2, duplicates: 0, balanced: true });
    expect(await replay(options([file]))).toMatchObject({ stored: 0, duplicates: 2, balanced: true });
  });

  it("tells the alerts it raised from those that were there", async () => {
    const alert = (id: string, rule: string, sensorId: string) => ({ id, rule: { id: rule }, subject: { sensorId } });
    service.knobs.alerts.push(alert("1", "congestion", "occupancy-a"), alert("2", "congestion", "someone-else"));
    const file = write("occupancy_a.csv", MIXED);
    const onProgress = ({ phase }: ReplayProgress) => {
      if (phase === "rules") service.knobs.alerts.push(alert("3", "sensor-silent", "occupancy-a"));
    };
    const report = await replay(options([file], { onProgress }));
    expect(report.alertsRaised).toEqual({ "sensor-silent": 1 });
    expect(report.alerts).toEqual({ congestion: 1, "sensor-silent": 1 });
  });

  it("asks for the alerts when the rules have judged what waited above its sender's share, and all is told", async () => {
    const figures = (waiting: number, lag: number, untold: number) =>
      [
        'lamppost_consumer_lag_messages{consumer="alerts"} 0',
        `lamppost_rules_readings_waiting{place="above_share"} ${waiting}`,
        `lamppost_rules_lag_seconds ${lag}`,
        `lamppost_alert_transitions_waiting ${untold}`,
      ].join("\n");
    service.knobs.metrics = [figures(7, 3, 0), figures(0, 3.5, 0), figures(0, 0, 4), figures(0, 0, 0)];
    const report = await replay(options([write("occupancy_a.csv", MIXED)]));
    expect(service.knobs.metrics).toEqual([figures(0, 0, 0)]);
    expect(report.notes.filter((note) => note.includes("rules"))).toEqual([]);
  });

  it("does not balance when the service loses something", async () => {
    service.knobs.forget = (topic) => topic.endsWith("speed-a");
    const lost = write("speed_a.csv", "timestamp,value\n2015-09-01 10:00:00,50\n");
    const report = await replay(options([write("occupancy_a.csv", MIXED), lost]));
    expect(report).toMatchObject({ readings: 7, stored: 3, duplicates: 1, quarantined: 2, balanced: false });
  });

  it("counts what is refused of sensors that nobody has registered, and no more than is missing", async () => {
    service.knobs.unregistered.add("speed-a");
    const bad = write("speed_a.csv", "timestamp,value\n2015-09-01 10:00:00,abc\n2015-09-01 11:00:00,def\n");
    const all = await replay(options([bad]));
    expect(all).toMatchObject({ stored: 0, quarantined: 2, reasons: { wrong_type: 2 }, balanced: true });
    service.knobs.forget = (topic) => topic.endsWith("occupancy-a");
    service.sums.set("occupancy-a", { received: 0, stored: 0, duplicate: 0, quarantined: 0, reasons: {} });
    const report = await replay(options([bad, write("occupancy_a.csv", MIXED)]));
    expect(report).toMatchObject({ readings: 8, quarantined: 2, balanced: false });
  });

  it("warns before it sends when there are more new sensors than a gateway may register", async () => {
    const said: [string, number][] = [];
    const log = { ...SILENT, warn: (_: object, text: string) => said.push([text, service.seen.length]) };
    const columns = Array.from({ length: 2_001 }, (_, n) => `c${n}`);
    const file = write(
      "wide.csv",
      `time,${columns.join(",")}\n2025-01-01T00:00:00Z,${columns.map(() => 5).join(",")}\n`,
    );
    const reading = { eachColumn: "^c\\d+$", sensor: "{column}", kind: "air", metric: "pm25", unit: "µg/m³" };
    const time = { columns: ["time"], patterns: ["iso"] };
    const mapping = parseMapping({ files: [{ time, district: "d", readings: [reading] }] });
    expect(await replay(options([file], { mapping, log }))).toMatchObject({ readings: 2_001, balanced: true });
    expect(said).toEqual([[expect.stringMatching(/^2001 of the sensors may be new \(c0, c1, c2, …\): .* 2,000/), 0]]);
  });

  it("survives cut connections without losing or inventing a reading", async () => {
    const rows = Array.from(
      { length: 4000 },
      (_, n) =>
        `${new Date(Date.UTC(2015, 0, 1) + n * 300_000).toISOString().slice(0, 19).replace("T", " ")},${n % 90}`,
    );
    const file = write("occupancy_a.csv", `timestamp,value\n${rows.join("\n")}\n`);
    service.knobs.ackDelayMs = 20;
    const cut = service.until(() => service.seen.length >= 2).then(() => service.cutConnections());
    const report = await replay(options([file]));
    await cut;
    expect(report).toMatchObject({ readings: 4000, acknowledged: 4000, stored: 4000, balanced: true });
    expect(report.resent).toBeGreaterThan(0);
  });

  it("stops early when asked, and still books what it sent", async () => {
    const stopping = new AbortController();
    stopping.abort();
    const report = await replay(options([write("occupancy_a.csv", MIXED)], { signal: stopping.signal }));
    expect(report).toMatchObject({ stopped: true, sent: 0, stored: 0 });
    expect(service.logins.size).toBe(0);
  });

  it("removes its gateway when the broker refuses, and says why", async () => {
    service.refuseTopics(() => true);
    const file = write("occupancy_a.csv", MIXED);
    // Every connection is closed unacknowledged; the fake clock does not matter to the publisher's patience.
    const failing = replay(options([file], { patienceMs: 200 }));
    await expect(failing).rejects.toThrow(/no acknowledgement/);
    expect(service.logins.size).toBe(0);
  });

  it("refuses a file without readings before it registers anything", async () => {
    await expect(replay(options([write("occupancy_a.csv", "timestamp,value\n")]))).rejects.toThrow(/no readings/);
    expect(service.removed).toEqual([]);
  });
});
