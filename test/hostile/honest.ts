import mqtt from "mqtt";
import { type City, until } from "../helpers/city.ts";
import { openEvents } from "../helpers/event-stream.ts";
import { settledBooks } from "../helpers/senders.ts";

/** An answer that takes longer did not come. Generous: the machine of the test is shared with the attack itself. */
export const PATIENCE_MS = 5_000;
const SENSOR = "honest";
const PLACE = "old-town";
const READING_EVERY_MS = 500;
const QUERY_EVERY_MS = 1_000;
const PROBE_EVERY_MS = 250;

type Answer = "puback" | "live" | "query" | "livez";
type Times = Record<Answer, number[]>;
const noTimes = (): Times => ({ puback: [], live: [], query: [], livez: [] });

/**
 * One device (two readings a second, QoS 1) and one operator (a query a second, the live stream open) who do nothing
 * wrong, and somebody who asks `/livez`. Everything that goes wrong for them is one sentence in `complaints`.
 */
export async function startHonest(city: City) {
  const complaints: string[] = [];
  let times = noTimes();
  const waiting: Promise<void>[] = [];
  const ending = new AbortController();

  const login = await city.api("/devices", { sensorId: SENSOR, kind: "air", district: PLACE });
  const operator = await city.api("/users", { name: "honest-operator", role: "operator" });
  const headers = { authorization: `Bearer ${operator.password}` };
  const device = await mqtt.connectAsync(city.mqtt, { clientId: SENSOR, ...login, reconnectPeriod: 0 });
  device.on("close", () => ending.signal.aborted || complaints.push("the device's connection was closed"));
  device.on("error", (error) => complaints.push(`the device: ${error.message}`));
  const asOperator = { ...city, call: (path: string, init?: RequestInit) => city.call(path, { ...init, headers }) };
  const stream = await openEvents(asOperator, { query: "?readings=true" });

  /** What was sent and has not been seen live yet. */
  const unseen = new Map<number, PromiseWithResolvers<void>>();
  const sent: number[] = [];
  void (async () => {
    for (;;) {
      for (const reading of (await stream.next("readings")).data) {
        if (reading.sensorId === SENSOR) unseen.get(Date.parse(reading.measuredAt))?.resolve();
      }
    }
  })().catch((error) => ending.signal.aborted || complaints.push(`the live stream: ${(error as Error).message}`));

  async function measure(answer: Answer, asked: () => Promise<unknown>): Promise<void> {
    const into = times[answer];
    const from = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS / 1_000} s`)), PATIENCE_MS);
    });
    try {
      await Promise.race([asked(), late]);
      into.push(performance.now() - from);
    } catch (error) {
      const { message, cause } = error as Error;
      complaints.push(`${answer}: ${message}${cause ? ` (${(cause as Error).message})` : ""}`);
    } finally {
      clearTimeout(timer);
    }
  }

  function sendReading(): void {
    const measuredAt = Date.now();
    sent.push(measuredAt);
    const seen = Promise.withResolvers<void>();
    unseen.set(measuredAt, seen);
    const payload = JSON.stringify({ measuredAt, pm25: 10 + (sent.length % 20) });
    waiting.push(measure("puback", () => device.publishAsync(`city/${PLACE}/air/${SENSOR}`, payload, { qos: 1 })));
    waiting.push(measure("live", () => seen.promise));
  }

  const get = async (path: string, as: Record<string, string>) => {
    const response = await fetch(`${city.http}${path}`, { headers: as });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
  };
  const begin = new Date(Date.now() - 60_000).toISOString();
  const queries = [
    () => `/api/v1/sensors/${SENSOR}/readings?from=${begin}&to=${new Date().toISOString()}`,
    () => "/api/v1/alerts?limit=50",
    () => `/api/v1/sensors/${SENSOR}`,
  ];
  let asked = 0;
  const query = () => waiting.push(measure("query", () => get(queries[asked++ % queries.length]!(), headers)));
  const timers = [
    setInterval(sendReading, READING_EVERY_MS),
    setInterval(query, QUERY_EVERY_MS),
    setInterval(() => waiting.push(measure("livez", () => get("/livez", {}))), PROBE_EVERY_MS),
  ];
  let ended: Promise<void> | undefined;

  /** Every reading that was sent is stored, once, and the books balance. */
  async function checkStored(): Promise<void> {
    const books = await settledBooks(city, 60_000);
    if (!books.balanced) complaints.push(`the books do not balance: ${JSON.stringify(books).slice(0, 500)}`);
    const own = await until(
      () => city.api(`/ledger?sensor=${SENSOR}`),
      ({ inJournal }) => inJournal === 0,
    );
    if (own.stored !== sent.length) complaints.push(`${sent.length} readings sent, ${own.stored} stored`);
  }

  return {
    complaints: (): readonly string[] => complaints,
    /** The times since the last call, and how many answers there were of each. */
    summary(): string {
      const taken = times;
      times = noTimes();
      const words = Object.entries(taken).map(([name, all]) => `${name} ${quantile(all, 0.5)}/${quantile(all, 0.99)}`);
      return `${words.join(", ")} ms`;
    },
    /** Sends and asks nothing more, waits for what is under way and looks whether everything was kept. */
    end(): Promise<void> {
      ended ??= (async () => {
        for (const timer of timers) clearInterval(timer);
        await Promise.all(waiting);
        await checkStored().catch((error) => complaints.push((error as Error).message));
        ending.abort();
        await stream.close();
        device.end(true);
      })();
      return ended;
    },
  };
}

const quantile = (all: readonly number[], q: number): number =>
  Math.round([...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * q))] ?? 0);
