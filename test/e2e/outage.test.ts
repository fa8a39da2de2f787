import { readFileSync } from "node:fs";
import mqtt, { type MqttClient } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Health } from "../../model/health.ts";
import { type City, startCity, until } from "../helpers/city.ts";
import { startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { answer, startScriptedHttp } from "../helpers/scripted-http.ts";
import {
  addLoadGateway,
  BASE,
  DISTRICT,
  type Login,
  readingAt,
  settledBooks,
  storedTimes,
} from "../helpers/senders.ts";

const OUTAGE_MS = 60_000;
const SENSORS = 10;
const PER_SECOND = 700;
/** What 60 s of readings would take if they were kept decoded, several times over, and the noise of a garbage collector. */
const RSS_GROWTH_MIB_MAX = 256;

/** Ten sensors on one connection each, at a steady rate whatever comes back, and how long each PUBACK took. */
async function startSteadyLoad(city: City, login: Login) {
  const clients = await Promise.all(
    Array.from({ length: SENSORS }, (_, n) =>
      mqtt.connectAsync(city.mqtt, { clientId: `${login.username}-steady-${n}`, ...login, reconnectPeriod: 0 }),
    ),
  );
  const acked = clients.map(() => new Set<number>());
  const errors: Error[] = [];
  let latencies: number[] = [];
  let sent = 0;
  let waiting = 0;
  function send(client: MqttClient, n: number, measuredAt: number): void {
    const startedAt = performance.now();
    waiting += 1;
    const payload = JSON.stringify(readingAt(measuredAt));
    client.publish(`city/${DISTRICT}/air/steady-${n}`, payload, { qos: 1 }, (error) => {
      waiting -= 1;
      if (error) errors.push(error);
      else acked[n]!.add(measuredAt);
      latencies.push(performance.now() - startedAt);
    });
  }
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * PER_SECOND;
    for (; sent < due; sent += 1) {
      const n = sent % SENSORS;
      send(clients[n]!, n, BASE + Math.floor(sent / SENSORS));
    }
  }, 5);
  return {
    acked,
    errors,
    ackedCount: () => acked.reduce((sum, ofSensor) => sum + ofSensor.size, 0),
    /** 99th percentile and longest of the PUBACKs since the last call, in ms. */
    latency(): { p99: number; max: number } {
      const sorted = latencies.toSorted((a, b) => a - b);
      latencies = [];
      const at = (q: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0);
      return { p99: at(0.99), max: at(1) };
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await until(
        async () => waiting,
        (left) => left === 0,
      );
      await Promise.all(clients.map((client) => client.endAsync()));
    },
  };
}

type Sample = { readonly rssMiB: number; readonly alerts: number; readonly live: number };

/** Every second: resident memory, and how far rules and live stream are behind. */
function startSampling(city: City) {
  const samples: Sample[] = [];
  let asking: Promise<void> = Promise.resolve();
  async function take(): Promise<void> {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${city.pid}/status`, "utf8"))?.[1];
    const text = await (await city.call("/metrics")).text();
    const lag = (name: string) =>
      Number(new RegExp(`lamppost_consumer_lag_messages\\{consumer="${name}"\\} (\\d+)`).exec(text)?.[1]);
    samples.push({ rssMiB: Math.round(Number(kib) / 1_024), alerts: lag("alerts"), live: lag("live") });
  }
  const timer = setInterval(() => {
    asking = take();
  }, 1_000);
  onTestFinished(() => clearInterval(timer));
  async function stop(): Promise<void> {
    clearInterval(timer);
    await asking;
  }
  return { samples, stop };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const most = (samples: readonly Sample[], key: keyof Sample) => Math.max(...samples.map((sample) => sample[key]));

it("a wrong token: holds what comes in, and says on /readyz and /metrics what to correct", async () => {
  const server = await startScriptedHttp(answer(401, { code: "unauthorized", message: "unauthorized access" }));
  onTestFinished(() => server.stop());
  const influx = { INFLUX_URL: server.url, INFLUX_TOKEN: "old", INFLUX_ORG: "city", INFLUX_BUCKET: "readings" };
  const city = await startCity({ env: { LAMPPOST_STORE: "influxdb", ...influx } });
  onTestFinished(() => city.remove());
  const reading = { sensorId: "air-1", kind: "air", district: "centre", measuredAt: new Date(BASE).toISOString() };
  await city.api("/devices", { sensorId: "air-1", kind: "air", district: "centre" });
  await city.api("/readings", [{ ...reading, pm25: 5 }]);
  const partOf = async () => {
    const { ready, parts } = (await (await city.call("/readyz")).json()) as { ready: boolean; parts: Health[] };
    return { ready, store: parts.find(({ part }) => part === "store") };
  };
  const { ready, store } = await until(partOf, (one) => one.store?.state === "failed");
  // Ready all the same: readings are kept, and a restart by an orchestrator would mend nothing.
  expect(ready).toBe(true);
  expect(store?.reason).toMatch(/misconfigured.*401.*check INFLUX_TOKEN.*wait in the journal/);
  const metrics = await (await city.call("/metrics")).text();
  expect(metrics).toContain('lamppost_store_state{state="misconfigured"} 1\n');
  expect(await city.api("/ledger")).toMatchObject({
    received: 1,
    inJournal: 1,
    stored: 0,
    quarantined: 0,
    balanced: true,
  });
});

describe.runIf(needs("influxd"))("a minute without InfluxDB", () => {
  it(`at ${PER_SECOND} readings a second: nobody notices, memory stays flat, everything is there afterwards, once`, {
    tags: ["long"],
  }, async () => {
    const influx = await startInfluxd();
    onTestFinished(() => influx.stop());
    const env = { LAMPPOST_STORE: "influxdb", INFLUX_URL: influx.url, INFLUX_DATABASE: "outage" };
    const city = await startCity({ env });
    onTestFinished(() => city.remove());
    const load = await startSteadyLoad(city, await addLoadGateway(city));
    const { samples, stop } = startSampling(city);
    const figure = async (line: RegExp) => Number(line.exec(await (await city.call("/metrics")).text())?.[1]);

    await pause(10_000);
    const calm = load.latency();
    const base = samples.at(-1)!.rssMiB;
    samples.length = 0;
    await influx.halt("SIGKILL");
    await pause(OUTAGE_MS);
    const during = { ...load.latency(), samples: samples.splice(0) };
    expect(await figure(/lamppost_store_state\{state="unavailable"\} (\d)/)).toBe(1);
    const before = await city.api("/ledger");
    expect(before.inJournal).toBeGreaterThan((PER_SECOND * OUTAGE_MS * 0.9) / 1_000);

    await influx.resume();
    const resumedAt = performance.now();
    await until(
      () => city.api("/ledger"),
      ({ stored }) => stored > before.stored,
      75_000,
    );
    const noticedAt = performance.now();
    const waiting = (await city.api("/ledger")).inJournal;
    // The load goes on: what is left is what came in a moment ago.
    await until(
      () => city.api("/ledger"),
      ({ inJournal }) => inJournal < PER_SECOND,
      60_000,
    );
    const drainS = (performance.now() - noticedAt) / 1_000;
    const after = { ...load.latency(), samples: samples.splice(0) };
    await stop();
    await load.stop();
    const ledger = await settledBooks(city);

    const drained = Math.round(waiting / drainS);
    const change = during.samples.map(({ rssMiB }) => rssMiB - base);
    process.stdout.write(
      `outage of ${OUTAGE_MS / 1_000} s at ${PER_SECOND}/s: PUBACK p99 before ${calm.p99} ms, during ${during.p99} ms (longest ${during.max}), catching up ${after.p99} ms (${after.max}); ` +
        `RSS ${base} MiB ${Math.min(...change)}…+${Math.max(...change)}, catching up +${most(after.samples, "rssMiB") - base}; ` +
        `lag of rules ${most(during.samples, "alerts")}, ${most(after.samples, "alerts")}, of the live stream ${most(during.samples, "live")}, ${most(after.samples, "live")}; ` +
        `noticed after ${((noticedAt - resumedAt) / 1_000).toFixed(1)} s, then ${waiting} in ${drainS.toFixed(2)} s (${drained}/s)\n`,
    );

    expect(load.errors).toEqual([]);
    const stored = await Promise.all(load.acked.map((_, n) => storedTimes(city, `steady-${n}`)));
    const lost = load.acked.flatMap((ofSensor, n) => [...ofSensor.difference(new Set(stored[n]))]);
    const doubled = stored.reduce((sum, times) => sum + times.length - new Set(times).size, 0);
    expect({ lost: lost.length, doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(ledger).toMatchObject({ stored: load.ackedCount(), duplicate: 0, quarantined: 0, balanced: true });

    // How fast and how flat is for the line above and `npm run bench -- outage`: another load on the machine is not a
    // fault of ours. What must not be, on any machine: memory that grows with the outage, consumers held up by the store.
    expect(Math.max(...change)).toBeLessThan(RSS_GROWTH_MIB_MAX);
    expect(most([...during.samples, ...after.samples], "alerts")).toBeLessThan(before.inJournal / 4);
    expect(most([...during.samples, ...after.samples], "live")).toBeLessThan(before.inJournal / 4);
  });
});
