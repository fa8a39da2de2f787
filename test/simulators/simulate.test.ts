import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { ORDINARY_DAY } from "../../simulators/scenarios.ts";
import { type SimulationOptions, startSimulation } from "../../simulators/simulate.ts";
import { type FakeService, startFakeService } from "./fake-service.ts";

const MINUTE = 60_000;
let service: FakeService;
let dir: string;
let dataFile: string;
beforeEach(async () => {
  service = await startFakeService();
  dir = mkdtempSync(join(tmpdir(), "lamppost-simulate-"));
  dataFile = join(dir, "simulator.json");
});
afterEach(async () => {
  await service.stop();
  rmSync(dir, { recursive: true });
});

/** Without what comes up by the minute: a test must not depend on when it runs. */
const calm = {
  name: "calm",
  events: ORDINARY_DAY.events.filter(({ what }) => what !== "bad-payload" && what !== "repeat"),
};

function start(change: Partial<SimulationOptions> = {}) {
  return startSimulation({
    http: service.http,
    token: service.token,
    mqtt: service.mqtt,
    dataFile,
    seed: 1,
    log: SILENT,
    now: Date.now,
    random: Math.random,
    scenario: calm,
    liveEveryMs: 500,
    historyMs: 30 * MINUTE,
    ...change,
  });
}
const sum = (pick: "stored" | "duplicate" | "quarantined") =>
  [...service.sums.values()].reduce((total, one) => total + one[pick], 0);
const liveSeen = () => service.seen.filter(({ payload }) => payload.startsWith("{")).length;

describe("the simulated city at work", () => {
  it("registers, says hello, tells its past and goes live through the front door", async () => {
    const simulation = start();
    await service.until(() => service.sums.size === 64 && liveSeen() > 200);
    await simulation.stop();
    expect([...service.logins.values()].filter(({ body }) => body.noun === "devices").length).toBe(65);
    expect(service.logins.get("gw-harbour")!.body).toMatchObject({ districts: ["harbour"], mayImport: false });
    expect(service.logins.get("transformer-centre")!.body).toMatchObject({
      tags: { ratedCurrent: "577" },
      intervalS: 60,
    });
    const { history, live, sensors } = simulation.counts();
    expect(sensors).toBe(65);
    // 30 minutes of 64 sensors; the silent one stopped before that.
    expect(history).toBeGreaterThanOrEqual(64 * 29);
    expect(live).toBeGreaterThan(100);
    expect(sum("quarantined")).toBe(0);
    const clients = new Set(service.seen.map(({ client }) => client));
    expect(clients.has("gw-harbour-1") && clients.has("air-centre-01") && !clients.has("feeder-harbour-01")).toBe(true);
    const status = service.seen.filter(({ topic }) => topic === "city/centre/air/air-centre-01/status");
    expect(status.map(({ payload, retain }) => `${payload} ${retain}`)).toEqual(["online true", "offline true"]);
    expect(service.seen.every(({ payload }) => payload.length < 64 * 1024)).toBe(true);
  });

  it("keeps its passwords to itself and uses them again", async () => {
    const first = start();
    await service.until(() => service.sums.size === 64 && liveSeen() > 65);
    await first.stop();
    expect(statSync(dataFile).mode & 0o777).toBe(0o600);
    const stored = sum("stored");
    const before = readFileSync(dataFile, "utf8");
    const seen = service.seen.length;
    const second = start();
    await service.until(() => service.seen.length > seen + 200);
    await second.stop();
    expect(service.removed).toEqual([]);
    expect(JSON.parse(readFileSync(dataFile, "utf8")).logins).toEqual(JSON.parse(before).logins);
    // Only the gap is told: no history twice.
    expect(second.counts().history).toBeLessThan(65 * 2);
    expect(sum("stored")).toBeGreaterThan(stored);
    expect(sum("duplicate") + sum("quarantined")).toBe(0);
  });

  it("takes its names back when the passwords are lost", async () => {
    const first = start();
    await service.until(() => service.sums.size > 0);
    await first.stop();
    rmSync(dataFile);
    const second = start();
    await service.until(() => service.removed.length === 67);
    const seen = service.seen.length;
    await service.until(() => service.seen.length > seen + 50);
    await second.stop();
    expect(service.logins.size).toBe(67);
  });

  it("goes on after the broker has cut everyone off, and loses nothing it measured", async () => {
    const simulation = start({ random: () => 0 });
    await service.until(() => service.sums.size === 64 && liveSeen() > 65);
    service.cutConnections();
    const live = liveSeen();
    const moments = () => {
      const payloads = service.seen
        .filter(({ topic, payload }) => topic.endsWith("/air-centre-01") && payload.startsWith("{"))
        .map(({ payload }) => Date.parse(JSON.parse(payload).measuredAt));
      return [...new Set(payloads)].sort();
    };
    // What was sent again is seen twice, and acknowledged once: readings seen do not tell how many moments there were.
    await service.until(() => liveSeen() > live + 200 && simulation.counts().live > 200 && moments().length > 3);
    await simulation.stop();
    const { live: acknowledged, skipped } = simulation.counts();
    expect(skipped).toBe(0);
    expect(acknowledged).toBeGreaterThan(200);
    const told = moments();
    expect(told.slice(1).every((at, i) => at - told[i]! === 500)).toBe(true);
  });

  it("ends with the reason when the service refuses its token", async () => {
    const simulation = start({ token: "wrong" });
    await expect(simulation.running).rejects.toThrow("Wrong token.");
    await simulation.stop();
  });

  it("waits for a service that is not there yet, and stops while waiting", async () => {
    const simulation = start({ http: "http://127.0.0.1:1" });
    await simulation.stop();
    await simulation.running;
    expect(service.seen).toEqual([]);
  });

  it("waits for a store that is away, and begins when it is back", async () => {
    service.knobs.storeAway = 2;
    const simulation = start();
    await service.until(() => service.sums.size === 64 && liveSeen() > 65);
    expect(service.knobs.storeAway).toBe(0);
    expect(service.removed).toEqual([]);
    await simulation.stop();
    await simulation.running;
  });

  it("runs in a thread of its own and stops on a message", async () => {
    const { http, token, mqtt } = service;
    const worker = new Worker(new URL("../../simulators/thread.ts", import.meta.url), {
      workerData: { http, token, mqtt, dataFile, seed: 1 },
    });
    const ended = new Promise((done) => worker.once("exit", done));
    await service.until(() => service.seen.length > 100);
    worker.postMessage("stop");
    expect(await ended).toBe(0);
    const refused = new Worker(new URL("../../simulators/thread.ts", import.meta.url), {
      workerData: { http, token: "wrong", mqtt, dataFile, seed: 1 },
    });
    const error = await new Promise<Error>((done) => refused.once("error", done));
    expect(error.message).toBe("Wrong token.");
  });
});
