import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SimulationDeps } from "../../api/deps.ts";
import type { Run, RunQuestion } from "../../contract/simulation.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { SimulationRefused } from "../../model/simulation.ts";
import { createRecorder } from "../../simulators/runs/recorder.ts";
import { aBackground } from "../helpers/background.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

let dir: string;
let hear: (readings: readonly Reading[]) => void;
let running: Run | undefined;
let service: ReturnType<typeof startService>;
let recorder: ReturnType<typeof createRecorder>;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lamppost-recordings-"));
  open();
});
afterEach(async () => {
  await service.close();
  await recorder.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(bytesMax?: number): void {
  const subscribe = (listener: typeof hear) => {
    hear = listener;
    return () => {
      hear = () => {};
    };
  };
  running = undefined;
  recorder = createRecorder({
    dir,
    subscribe,
    background: aBackground(),
    now: () => T0,
    log: SILENT,
    filesMax: 2,
    ...(bytesMax ? { bytesMax } : {}),
  });
  const simulations: SimulationDeps = {
    refusal: () => undefined,
    districts: () => ["centre"],
    current: () => running,
    last: () => undefined,
    start(asked: RunQuestion, by: string) {
      if (running) throw new SimulationRefused(`${running.by} has one running; there is one at a time.`);
      const times = { startedAt: T0, endsAt: T0 + asked.minutes * 60_000 };
      running = { ...asked, ...times, id: "abc", by, phase: "preparing", done: 0, total: 0 };
      return running;
    },
    stop: (id) => running?.id === id,
    recordings: recorder,
  };
  service = startService({ simulations });
}

const audited = () => service.records.audit.list(10).items.map(({ by, what, target }) => `${by} ${what} ${target}`);

describe("simulations", () => {
  it("starts one at a time, says who has it, and writes down who did what", async () => {
    const first = await service.as("admin", "POST", "/api/v1/simulations", { scenario: "episode", speed: "max" });
    expect(first.statusCode).toBe(201);
    expect(first.json()).toMatchObject({ id: "abc", scenario: "episode", speed: "max", by: "admin" });
    const second = await service.as("admin", "POST", "/api/v1/simulations", { scenario: "storm" });
    expect([second.statusCode, second.json().detail]).toEqual([409, "admin has one running; there is one at a time."]);
    expect((await service.as("viewer", "GET", "/api/v1/simulations")).json().current.id).toBe("abc");
    expect((await service.as("admin", "DELETE", "/api/v1/simulations/abc")).statusCode).toBe(204);
    expect((await service.as("admin", "DELETE", "/api/v1/simulations/xyz")).statusCode).toBe(404);
    expect(audited()).toEqual(["admin simulation.stop abc", "admin simulation.start episode"]);
  });

  it.each([
    [{}, 400],
    [{ scenario: "flood" }, 400],
    [{ scenario: "storm", recording: "a" }, 400],
    [{ scenario: "storm", minutes: 241 }, 400],
    [{ scenario: "storm", speed: 0 }, 400],
    [{ recording: "../records" }, 400],
    [{ recording: "nothing" }, 404],
  ])("refuses %o with %d", async (body, status) => {
    expect((await service.as("admin", "POST", "/api/v1/simulations", body)).statusCode).toBe(status);
  });
});

describe("recordings", () => {
  const record = (body: object) => service.as("operator", "POST", "/api/v1/recordings", body);
  const listed = async () => (await service.as("viewer", "GET", "/api/v1/recordings")).json();
  const whole = (names: string[]) =>
    vi.waitFor(
      async () => expect((await listed()).items.map(({ name }: { name: string }) => name)).toEqual(names),
      30_000,
    );

  it("keeps what the chosen sensors say, to be downloaded and deleted", async () => {
    expect((await record({ name: "noon", sensors: ["air-1"], minutes: 5 })).statusCode).toBe(201);
    expect((await record({ name: "other" })).json().detail).toBe("operator is recording; there is one at a time.");
    hear([aReading({ sensorId: "air-1", values: { pm25: 7 } }), aReading({ sensorId: "air-2" })]);
    expect((await listed()).current).toMatchObject({ name: "noon", readings: 1, missed: 0 });
    expect((await service.as("operator", "POST", "/api/v1/recordings/noon/stop")).statusCode).toBe(204);
    await whole(["noon"]);
    const { body, headers } = await service.as("viewer", "GET", "/api/v1/recordings/noon");
    expect(body.split("\n").map((line) => line && JSON.parse(line).values)).toEqual([{ pm25: 7 }, ""]);
    expect(headers["content-disposition"]).toBe('attachment; filename="noon.ndjson"');
    expect((await record({ name: "noon" })).statusCode).toBe(409);
    expect((await service.as("operator", "DELETE", "/api/v1/recordings/noon")).statusCode).toBe(204);
    expect(readdirSync(dir)).toEqual([]);
    expect(audited()).toEqual(["remove", "stop", "start"].map((what) => `operator recording.${what} noon`));
  });

  it("ends one that is as large as it may be, and takes no more than so many", async () => {
    await service.close();
    open(100);
    await record({ name: "small" });
    hear([aReading({})]);
    hear([aReading({}), aReading({})]);
    await whole(["small"]);
    expect((await listed()).items[0].bytes).toBeLessThan(300);
    writeFileSync(join(dir, "second.ndjson"), "");
    expect((await record({ name: "third" })).json().detail).toBe("There are 2 recordings. Delete one first.");
  });

  it("stays in its folder and shows nothing else that lies there", async () => {
    writeFileSync(join(dir, "..", "outside.ndjson"), "secret");
    writeFileSync(join(dir, "Not an id.ndjson"), "");
    writeFileSync(join(dir, "notes.txt"), "");
    for (const name of ["..%2Foutside", "../outside", "%2e%2e%2foutside", "Not%20an%20id", "notes.txt"]) {
      expect([400, 404], name).toContain((await service.as("viewer", "GET", `/api/v1/recordings/${name}`)).statusCode);
      expect([400, 404], name).toContain(
        (await service.as("admin", "DELETE", `/api/v1/recordings/${name}`)).statusCode,
      );
    }
    expect((await record({ name: "../outside" })).statusCode).toBe(400);
    expect((await listed()).items).toEqual([]);
    rmSync(join(dir, "..", "outside.ndjson"));
  });

  it("finds what a crash has left: the recording so far, no scratch files", async () => {
    writeFileSync(join(dir, "cut.ndjson.part"), "{}\n");
    writeFileSync(join(dir, ".run-1.ndjson"), "{}\n");
    await service.close();
    open();
    await whole(["cut"]);
    expect(readdirSync(dir)).toEqual(["cut.ndjson"]);
  });
});
