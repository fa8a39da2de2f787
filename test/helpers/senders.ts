import mqtt from "mqtt";
import { type City, until } from "./city.ts";

export type Login = { readonly username: string; readonly password: string };

/** Sends numbered readings of one sensor as fast as they are acknowledged, and knows which were. */
export type Sender = {
  readonly sensorId: string;
  /** `measuredAt` of everything a PUBACK or a 202 came for. */
  readonly acked: ReadonlySet<number>;
  /** Number of the first reading that was never sent: where the next sender of this sensor goes on. */
  next(): number;
  /** Resolves when this many are acknowledged; rejects when the sender ended before. */
  ackedAtLeast(count: number): Promise<void>;
  /** Resolves when the connection is lost or the service says no. */
  readonly ended: Promise<void>;
  /** Nothing new; resolves when what is under way is answered (or can be no more). */
  stop(): Promise<void>;
};

export const DISTRICT = "load";
/** An hour ago: neither late nor in the future, however long the test takes. */
export const BASE = Date.now() - 3_600_000;
const SPAN_MS = 3_000_000;
const READINGS_PER_POST = 20;

/** A gateway that may send for every sensor of `DISTRICT`; its sensors are enrolled with their first reading. */
export const addLoadGateway = (city: City): Promise<Login> =>
  city.api("/gateways", { name: "gw-load", districts: [DISTRICT] });

/** `first` numbers the first reading: the next sender of the same sensor goes on after the one before. */
export type SenderOptions = { readonly sensorId: string; readonly first?: number; readonly inFlight?: number };

/** QoS 1, `inFlight` unacknowledged at most, one connection, no reconnect. */
export async function startMqttSender(city: City, login: Login, options: SenderOptions): Promise<Sender> {
  const { sensorId, first = 0, inFlight = 20 } = options;
  const client = mqtt.connect(city.mqtt, {
    clientId: `${login.username}-${sensorId}`,
    ...login,
    reconnectPeriod: 0,
    queueQoSZero: false,
  });
  const track = createTrack(sensorId, first);
  client.on("error", () => {});
  client.on("close", track.end);
  // The service may be killed before it answers: then there is a "close" and nothing else.
  await new Promise<void>((resolve) => void client.once("connect", () => resolve()).once("close", resolve));

  function sendNext(): void {
    if (track.isOver()) return track.idle();
    const measuredAt = track.take();
    client.publish(`city/${DISTRICT}/air/${sensorId}`, JSON.stringify(readingAt(measuredAt)), { qos: 1 }, (error) => {
      if (error) track.end();
      else track.acknowledge([measuredAt]);
      sendNext();
    });
  }
  for (let i = 0; i < inFlight; i += 1) sendNext();
  return track.sender(inFlight, async () => void client.end(true));
}

/** One POST of 20 readings after the other. */
export function startHttpSender(city: City, login: Login, { sensorId, first = 0 }: SenderOptions): Sender {
  const track = createTrack(sensorId, first);
  const headers = { authorization: `Bearer ${login.password}`, "content-type": "application/json" };

  async function run(): Promise<void> {
    while (!track.isOver()) {
      const times = Array.from({ length: READINGS_PER_POST }, track.take);
      const body = times.map((time) => ({ sensorId, kind: "air", district: DISTRICT, ...readingAt(time) }));
      const request = { method: "POST", headers, body: JSON.stringify(body) };
      const answer = await fetch(`${city.http}/api/v1/readings`, request).catch(() => undefined);
      await answer?.text().catch(() => {});
      if (answer?.status === 202) track.acknowledge(times);
      else track.end();
    }
    track.idle();
  }
  void run();
  return track.sender(1, async () => {});
}

export const readingAt = (measuredAt: number) => ({ measuredAt, pm25: measuredAt % 500 });

function createTrack(sensorId: string, first: number) {
  const acked = new Set<number>();
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  const ended = Promise.withResolvers<void>();
  const quiet = Promise.withResolvers<void>();
  let next = BASE + first;
  let over = false;
  let hasEnded = false;
  let idle = 0;
  let lines = Number.POSITIVE_INFINITY;

  function acknowledge(times: readonly number[]): void {
    for (const time of times) acked.add(time);
    for (const [count, { resolve }] of waiting) if (acked.size >= count) resolve();
  }

  function end(): void {
    over = true;
    hasEnded = true;
    ended.resolve();
    quiet.resolve();
    for (const { reject } of waiting.values()) reject(new Error(`${sensorId} ended after ${acked.size}`));
  }

  async function ackedAtLeast(count: number): Promise<void> {
    if (acked.size >= count) return;
    if (hasEnded) throw new Error(`${sensorId} ended after ${acked.size}`);
    const wait = waiting.get(count) ?? Promise.withResolvers<void>();
    waiting.set(count, wait);
    await wait.promise;
  }

  return {
    take: () => next++,
    isOver: () => over,
    acknowledge,
    end,
    idle(): void {
      idle += 1;
      if (idle >= lines) quiet.resolve();
    },
    sender(linesOfSender: number, close: () => Promise<void>): Sender {
      lines = linesOfSender;
      const stop = async () => {
        over = true;
        if (idle >= lines) quiet.resolve();
        await quiet.promise;
        await close();
      };
      return { sensorId, acked, next: () => next - BASE, ackedAtLeast, ended: ended.promise, stop };
    },
  };
}

/** Every `measuredAt` the service has of a sensor, as its CSV says; doubled rows come twice. */
export async function storedTimes(city: City, sensorId: string): Promise<number[]> {
  const range = `from=${BASE - 1_000}&to=${BASE + SPAN_MS}`;
  const response = await city.call(`/api/v1/sensors/${sensorId}/readings?${range}&format=csv`);
  if (!response.ok) throw new Error(`${sensorId}: ${response.status} ${await response.text()}`);
  const [header, ...rows] = (await response.text()).trim().split("\r\n");
  const column = header!.split(",").indexOf("measuredAt");
  return rows.map((row) => Date.parse(row.split(",")[column]!));
}

/** Waits until nothing is left in the journal; the books then. */
export function settledBooks(city: City, withinMs = 30_000) {
  return until(
    () => city.api("/ledger"),
    (books) => books.inJournal === 0,
    withinMs,
  );
}

/** Stored is not judged, and judged is not said: what is sent above one's share waits for its turns. */
export function settledRules(city: City, withinMs = 240_000) {
  return until(
    async () =>
      (await (await city.call("/metrics")).text()).match(/^lamppost_(rules_readings|alert_transitions)_waiting.*/gm),
    (waiting) => waiting?.every((line) => line.endsWith(" 0")) === true,
    withinMs,
  );
}

/** What became of everything the senders were told is kept. */
export async function reckon(city: City, senders: readonly Sender[], withinMs?: number) {
  const ledger = await settledBooks(city, withinMs);
  const acked = Map.groupBy(senders, ({ sensorId }) => sensorId);
  const sums = { lost: 0, doubled: 0, rows: 0 };
  for (const [sensorId, ofSensor] of acked) {
    const times = await storedTimes(city, sensorId);
    const unique = new Set(times);
    sums.rows += times.length;
    sums.doubled += times.length - unique.size;
    for (const sender of ofSensor) for (const time of sender.acked) if (!unique.has(time)) sums.lost += 1;
  }
  return { ledger, ...sums };
}

/** mulberry32: small, seeded, good enough to choose moments. The seed is printed; SEED=… repeats them. */
export function seededRandom(what: string): () => number {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  process.stdout.write(`${what}: seed ${seed} (SEED=${seed} repeats its choices)\n`);
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
