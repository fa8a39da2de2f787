import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as immediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it, onTestFinished } from "vitest";
import { decodeMessage } from "../../ingest/decode.ts";
import { createEnrolment, ENROLMENT_DEFAULTS } from "../../ingest/enrolment.ts";
import { createJournalReader } from "../../ingest/journal/reader.ts";
import { decodeChunk } from "../../ingest/journal/record.ts";
import { openJournalWriter } from "../../ingest/journal/writer.ts";
import type { Sleep } from "../../ingest/retry.ts";
import { createStoreWriter } from "../../ingest/store-writer.ts";
import { type Consumer, createWorker } from "../../ingest/worker.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { StoreError } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { T0 } from "./helpers.ts";

const PER_SECOND = 1_000;
const MIB = 1024 * 1024;
const VALUES = { pm25: 1, no2: 31.5, o3: 48.2, temperature: 17.3, battery: 87 };

/** Time that passes when the test says so. */
function virtualTime() {
  let time = T0;
  const sleepers = new Set<{ readonly until: number; wake(): void }>();
  const sleep: Sleep = (ms, signal) =>
    new Promise((resolve, reject) => {
      const sleeper = { until: time + ms, wake: resolve };
      sleepers.add(sleeper);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  return {
    now: () => time,
    sleep,
    pass(ms: number): void {
      time += ms;
      for (const sleeper of sleepers) {
        if (sleeper.until > time) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
    },
  };
}

/** Away until told otherwise; counts how often each reading was written. */
function aDistantStore() {
  const written = new Uint8Array(PER_SECOND * 700);
  const sizes: number[] = [];
  const state = { away: false, asked: 0 };
  const answer = () => {
    state.asked += 1;
    if (state.away) throw new StoreError("unavailable", "ECONNREFUSED");
  };
  const placeOf = ({ sensorId, measuredAt }: { sensorId: string; measuredAt: number }) =>
    ((measuredAt - T0) / 1_000) * PER_SECOND + Number(sensorId.slice(4));
  return {
    name: "influxdb",
    repeatable: true,
    state,
    written,
    sizes,
    async write(readings: readonly Reading[]) {
      answer();
      sizes.push(readings.length);
      for (const reading of readings) written[placeOf(reading)]! += 1;
    },
    async find(_kind: string, keys: readonly { sensorId: string; measuredAt: number }[]) {
      answer();
      // What a duplicate is told by.
      return keys.map((key) =>
        written[placeOf(key)] ? ({ ...key, values: VALUES, journalSeq: -1 } as unknown as Reading) : undefined,
      );
    },
    async newest() {
      answer();
      return new Map<string, number>();
    },
  };
}

/** Journal, worker, store writer and records as in the service, on a real disk; time and the store are ours. */
async function startPipeline(store: ReturnType<typeof aDistantStore>, time: ReturnType<typeof virtualTime>) {
  const dir = mkdtempSync(join(tmpdir(), "lamppost-outage-"));
  const records = openRecords({ path: join(dir, "records.db"), now: time.now, log: SILENT });
  const journalDir = join(dir, "journal");
  const { writer } = await openJournalWriter({ dir: journalDir, freeBytesMin: 0 }, { now: time.now, log: SILENT });
  const { context } = createEnrolment(records, { ...ENROLMENT_DEFAULTS, autoEnrol: true }, time.now);
  const storeWriter = createStoreWriter({ store, records, now: time.now, log: SILENT, sleep: time.sleep });
  let liveReadings = 0;
  let caughtUp = Promise.withResolvers<void>();
  const live: Consumer = {
    name: "alerts",
    offset: 1,
    durable: true,
    take(batch) {
      liveReadings += batch.readings.length;
      if (batch.to === writer.state().next) caughtUp.resolve();
    },
  };
  const worker = createWorker({
    openReader() {
      const onGap = (gap: object) => expect.fail(`a gap in the journal: ${JSON.stringify(gap)}`);
      return createJournalReader({ dir: journalDir, onGap });
    },
    decodeChunk,
    decode: (message) => decodeMessage(message, context),
    consumers: [{ ...storeWriter, gatherForMs: undefined }, live],
    end: 1,
    log: SILENT,
    sleep: time.sleep,
    now: time.now,
  });
  writer.onCommit(worker.committed);
  onTestFinished(async () => {
    await worker.stop();
    await writer.close();
    records.close();
    rmSync(dir, { recursive: true });
  });

  /** One second of the city: a reading of each sensor, and now and then noise or the same again. */
  async function second(): Promise<void> {
    time.pass(1_000);
    caughtUp = Promise.withResolvers();
    const source = { via: "mqtt", role: "gateway", name: "gw-1" } as const;
    const append = (sensor: number, text: string) =>
      new Promise<void>((resolve, reject) => {
        const topic = `city/north/air/air-${sensor}`;
        writer.append({ receivedAt: time.now(), source, topic, payload: Buffer.from(text) }, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    const text = JSON.stringify({ measuredAt: time.now(), ...VALUES });
    const all = Array.from({ length: PER_SECOND }, (_, sensor) => append(sensor, text));
    all.push(append(1, "noise"), append(2, text));
    await Promise.all(all);
    await caughtUp.promise;
    await immediate();
  }

  return { second, worker, storeWriter, records, live: () => liveReadings, journal: () => writer.state() };
}

function collectGarbage(): () => number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  return () => {
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / MIB;
  };
}

it("10 minutes without the store at 1,000 readings a second: memory flat, rules and live view up to date, all kept once", {
  tags: ["long"],
}, async () => {
  const [time, store] = [virtualTime(), aDistantStore()];
  const city = await startPipeline(store, time);
  const memory = collectGarbage();
  for (let s = 0; s < 10; s += 1) await city.second();
  const before = memory();
  store.state.away = true;
  store.state.asked = 0;
  const grown: number[] = [];
  for (let s = 1; s <= 600; s += 1) {
    await city.second();
    if (s % 60 === 0) grown.push(Math.round(10 * (memory() - before)) / 10);
  }
  const asked = store.state.asked;
  expect(city.live()).toBe(610 * (PER_SECOND + 1));
  expect(city.worker.pendingMessages("alerts")).toBe(0);
  expect(city.worker.pendingMessages("store")).toBeGreaterThan(600 * PER_SECOND);
  expect(city.worker.windowSize().messages).toBeLessThan(10 * PER_SECOND);
  expect(city.records.quarantine.count()).toBeLessThanOrEqual(12);
  // Back-off: a few at first, then one in 7.5 to 15 s.
  expect(asked).toBeLessThan(95);

  store.state.away = false;
  store.sizes.length = 0;
  const startedAt = performance.now();
  // The writer may be asleep for a while; the city goes on.
  for (let s = 0; s < 60; s += 1) await city.second();
  const waiting = city.worker.pendingMessages("store");
  await city.worker.idle();
  const seconds = (performance.now() - startedAt) / 1_000;
  process.stdout.write(
    `10 virtual minutes: heap after gc ${grown.map((mib) => `${mib >= 0 ? "+" : ""}${mib}`).join(" ")} MiB; asked ${asked} times; ` +
      `journal ${Math.round(city.journal().bytes / MIB)} MiB; ${waiting} messages left after 60 s, all settled after ${seconds.toFixed(1)} s of real time\n`,
  );
  expect(Math.max(...grown.map(Math.abs))).toBeLessThan(64);
  // The batch in hand had 1,000 readings; then what has waited, in ever larger writes.
  expect(store.sizes.slice(0, 4)).toEqual([100, 400, 500, 6_400]);
  expect(Math.max(...store.sizes)).toBe(20_000);
  expect(new Set(store.written.subarray(PER_SECOND, PER_SECOND * 671))).toEqual(new Set([1]));
  const totals = Object.fromEntries(city.records.ledger.totals());
  expect(totals).toMatchObject({ received: 670 * 1_002, stored: 670_000, duplicate: 670, malformed_json: 670 });
});
