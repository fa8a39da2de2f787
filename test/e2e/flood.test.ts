/** @module-tag long */
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROKER_DEFAULTS } from "../../broker/options.ts";
import { type City, startCity, until } from "../helpers/city.ts";
import { type Flood, type Flooded, flood } from "../helpers/flood.ts";
import { DISTRICT, settledBooks } from "../helpers/senders.ts";

/**
 * The replay of a public incident, in less time: one device sends ten times what the whole city does. It is held to its
 * rate; the others must not notice, neither in how soon they are answered nor in the alerts they raise.
 */
const DEVICES = 24;
const EVERY_MS = 100;
const ROUNDS = 60;
const NORMAL_PER_S = (DEVICES * 1_000) / EVERY_MS;
const PHASE_MS = EVERY_MS * ROUNDS;
/** Below this nobody cares, and twice a lucky quiet p99 is little. */
const P99_FLOOR_MS = 25;
/** What a flood does it does each time; what a neighbour on the same machine does, not. */
const TRIES = 3;
const START = Date.now() - 1_500_000;
const RATE = BROKER_DEFAULTS.rates.device!;

type Device = { readonly sensorId: string; readonly client: MqttClient; readonly index: number };
type Phase = { readonly p50Ms: number; readonly p99Ms: number; readonly alerts: readonly string[] };

describe("one device that floods", () => {
  let city: City;
  let devices: Device[];
  let flooder: Pick<Flood, "mqtt" | "login" | "topic">;
  let phases = 0;
  const floods: Flooded[] = [];

  beforeAll(async () => {
    city = await startCity();
    devices = await Promise.all(Array.from({ length: DEVICES }, (_, index) => connectDevice(index)));
    const login = await city.api("/devices", { sensorId: "flooder", kind: "air", district: DISTRICT });
    flooder = { mqtt: city.mqtt, login, topic: `city/${DISTRICT}/air/flooder` };
  });
  afterAll(async () => {
    for (const { client } of devices) client.end(true);
    await city.remove();
  });

  async function connectDevice(index: number): Promise<Device> {
    const sensorId = `calm-${index}`;
    const login = await city.api("/devices", { sensorId, kind: "air", district: DISTRICT });
    const client = await mqtt.connectAsync(city.mqtt, { clientId: sensorId, ...login, reconnectPeriod: 0 });
    return { sensorId, client, index };
  }

  /** All devices through the same minutes of their lives, at the normal pace; each raises alerts and ends them. */
  async function normalLife(): Promise<Phase> {
    const from = START + phases++ * 2 * PHASE_MS;
    const latencies: number[] = [];
    const pending: Promise<unknown>[] = [];
    const begin = performance.now();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const device of devices) {
        const due = begin + round * EVERY_MS + (device.index * EVERY_MS) / DEVICES;
        const wait = due - performance.now();
        if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
        pending.push(publish(device, from + round * EVERY_MS, round, latencies));
      }
    }
    await Promise.all(pending);
    await settledBooks(city);
    latencies.sort((a, b) => a - b);
    const quantile = (q: number) => Math.round(latencies[Math.floor(latencies.length * q)]! * 10) / 10;
    return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), alerts: await alertsFrom(from) };
  }

  async function publish({ sensorId, client, index }: Device, measuredAt: number, round: number, to: number[]) {
    const low = round >= 10 + index && round < 25 + index;
    const battery = low ? 5 + (index % 10) : 80;
    const sentAt = performance.now();
    await client.publishAsync(`city/${DISTRICT}/air/${sensorId}`, JSON.stringify({ measuredAt, pm25: 12, battery }), {
      qos: 1,
    });
    to.push(performance.now() - sentAt);
  }

  /** The alerts of the calm devices in one phase, with times since its start. */
  async function alertsFrom(from: number): Promise<string[]> {
    const items = await until(
      async () => (await city.api("/alerts?limit=1000")).items,
      (all) => all.filter(begunAfter(from)).filter(({ state }: { state: string }) => state === "firing").length === 0,
    );
    return items.filter(begunAfter(from)).map(lineOf(from)).sort();
  }

  /** The same life without the flood and with it, until the others are answered as soon with it as without. */
  async function compare(qos: 0 | 1): Promise<Pair> {
    for (let tries = 1; ; tries += 1) {
      const quiet = await normalLife();
      const from = START + 1_000_000 * qos + 100_000 * tries;
      const options = { ...flooder, qos, from, perSecond: 10 * NORMAL_PER_S, forMs: PHASE_MS };
      const [loud, flooded] = await Promise.all([normalLife(), flood(options)]);
      floods.push(flooded);
      process.stdout.write(
        `QoS ${qos}: others quiet ${words(quiet)}, in the flood ${words(loud)}; ${JSON.stringify(flooded)}\n`,
      );
      expect(quiet.alerts.length).toBeGreaterThanOrEqual(DEVICES);
      expect(loud.alerts).toEqual(quiet.alerts);
      const isUnnoticed = loud.p99Ms <= Math.max(2 * quiet.p99Ms, P99_FLOOR_MS);
      if (isUnnoticed || tries === TRIES) return { quiet, loud, isUnnoticed };
    }
  }

  /** Once all that was acknowledged is in them. */
  function booksOfFlooder() {
    const acknowledged = floods.reduce((sum, flooded) => sum + flooded.acknowledged, 0);
    return until(
      () => city.api("/ledger?sensor=flooder"),
      ({ received, inJournal }) => received >= acknowledged && inJournal === 0,
    );
  }

  it("is held to its rate, and the others do not notice", async () => {
    const from = performance.now();
    const unacknowledged = await compare(0);
    const acknowledged = await compare(1);
    const seconds = (performance.now() - from) / 1_000;
    expect(unacknowledged).toMatchObject({ isUnnoticed: true });
    expect(acknowledged).toMatchObject({ isUnnoticed: true });

    // The flooder: a bucket's worth, then its rate; what is more stays in its own socket.
    const its = await booksOfFlooder();
    const books = await settledBooks(city);
    process.stdout.write(
      `flooder: received ${its.received}, stored ${its.stored}, shed ${its.shed} in ${seconds.toFixed(1)} s\n`,
    );
    expect(floods[0]!.published).toBeGreaterThan(9 * NORMAL_PER_S * floods[0]!.seconds);
    expect(its).toMatchObject({ duplicate: 0, quarantined: 0, balanced: true });
    expect(its.stored).toBeGreaterThan(RATE.burst);
    expect(its.stored).toBeLessThan(RATE.burst + RATE.perSecond * (seconds + 1));
    // Nothing was read only to be dropped.
    expect(its).toMatchObject({ shed: 0, received: its.stored });

    expect(books).toMatchObject({ shed: 0, duplicate: 0, quarantined: 0, inJournal: 0, balanced: true });
    expect(books.stored).toBe(phases * DEVICES * ROUNDS + its.stored);
    expect(books.received).toBe(books.stored + books.shed);
  });
});

type Pair = { readonly quiet: Phase; readonly loud: Phase; readonly isUnnoticed: boolean };

const words = ({ p50Ms, p99Ms }: Phase) => `p50 ${p50Ms} ms, p99 ${p99Ms} ms`;

type AlertItem = {
  readonly rule: { readonly id: string };
  readonly subject: { readonly sensorId: string };
  readonly startedAt: string;
  readonly state: string;
  readonly timeline: readonly { readonly what: string; readonly at: string }[];
};

const begunAfter =
  (from: number) =>
  ({ startedAt, subject }: AlertItem): boolean =>
    subject.sensorId.startsWith("calm") && Date.parse(startedAt) >= from;

const lineOf =
  (from: number) =>
  ({ rule, subject, timeline }: AlertItem): string =>
    `${subject.sensorId} ${rule.id}: ${timeline.map((entry) => sayEntry(entry, from)).join(", ")}`;

/** What the noise control adds has the time of the service and not that of the readings. */
function sayEntry({ what, at }: AlertItem["timeline"][number], from: number): string {
  return what === "suppressed" || what === "released" ? what : `${what} ${Date.parse(at) - from}`;
}
