import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { type City, startCity } from "../../test/helpers/city.ts";
import { startInfluxd } from "../../test/helpers/influxd.ts";
import { settledBooks } from "../../test/helpers/senders.ts";
import { load } from "./contenders.ts";
import type { LoadResult } from "./load-generator.ts";

/**
 * The whole service on a real influxd (1.x, on the PATH) that is away for a while: what the devices feel, what the
 * memory does, and how fast the journal drains while readings go on coming in.
 */
type OutageRow = {
  readonly phase: "before" | "outage" | "catching up";
  readonly seconds: number;
  readonly acked: number;
  readonly pubackP50Ms: number;
  readonly pubackP99Ms: number;
  /** Resident memory of the service, sampled every second. */
  readonly rssMinMiB: number;
  readonly rssMaxMiB: number;
  /** The most messages that rules and live stream had not taken yet. */
  readonly alertsLagMax: number;
  readonly liveLagMax: number;
  /** Messages waiting for InfluxDB at the end of the phase. */
  readonly waiting: number;
};

type OutageResult = {
  readonly phases: readonly OutageRow[];
  /** From the first batch InfluxDB took again until it had everything; readings stored a second in that time. */
  readonly drainSeconds: number;
  readonly drainedPerS: number;
  readonly timesArrivalRate: number;
  /** How long after InfluxDB's return it was written to again (its back-off was 60 s at most). */
  readonly noticedAfterSeconds: number;
  readonly acked: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly inInflux: number;
};

type Sample = { readonly rssMiB: number; readonly alerts: number; readonly live: number; readonly store: number };

export async function benchOutage(options: { outageMs: number; ratePerS: number }): Promise<OutageResult> {
  const influx = await startInfluxd();
  const env = { LAMPPOST_STORE: "influxdb", INFLUX_URL: influx.url, INFLUX_DATABASE: "outage" };
  const city = await startCity({ env });
  try {
    return await run(city, influx, options);
  } finally {
    await city.remove();
    await influx.stop();
  }
}

async function run(
  city: City,
  influx: Awaited<ReturnType<typeof startInfluxd>>,
  { outageMs, ratePerS }: { outageMs: number; ratePerS: number },
): Promise<OutageResult> {
  const credentials = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      city.api<{ username: string; password: string }>("/gateways", { name: `bench-${n}`, districts: ["bench"] }),
    ),
  );
  const { hostname, port } = new URL(city.mqtt);
  const shape = { host: hostname, port: Number(port), credentials, connections: 100, inFlight: 50, district: "bench" };
  const rows: OutageRow[] = [];
  async function phase(name: OutageRow["phase"], durationMs: number): Promise<void> {
    const samples = startSampling(city);
    // The same sensors throughout: new ones cost memory of their own.
    const result = await load({ ...shape, ratePerS, durationMs, prefix: "outage" });
    rows.push(toRow(name, result, await samples.stop()));
  }

  await phase("before", 15_000);
  await influx.halt();
  await phase("outage", outageMs);
  await influx.resume();
  const drain = measureDrain(city);
  // Long enough for the longest pause between two tries, which is not longer than the outage was.
  await phase("catching up", Math.min(60_000, outageMs) + 5_000);
  const { drainSeconds, drainedPerS, noticedAfterSeconds } = await drain;
  const books = await settledBooks(city);
  return {
    phases: rows,
    drainSeconds,
    drainedPerS,
    timesArrivalRate: round(drainedPerS / ratePerS),
    noticedAfterSeconds,
    acked: rows.reduce((sum, { acked }) => sum + acked, 0),
    stored: books.stored,
    duplicate: books.duplicate,
    inInflux: await countIn(influx.url),
  };
}

function toRow(phase: OutageRow["phase"], result: LoadResult, samples: readonly Sample[]): OutageRow {
  const most = (key: keyof Sample) => Math.max(...samples.map((sample) => sample[key]));
  return {
    phase,
    seconds: Math.round(result.seconds),
    acked: result.acked,
    pubackP50Ms: round(result.p50Ms),
    pubackP99Ms: round(result.p99Ms),
    rssMinMiB: Math.round(Math.min(...samples.map(({ rssMiB }) => rssMiB))),
    rssMaxMiB: Math.round(most("rssMiB")),
    alertsLagMax: most("alerts"),
    liveLagMax: most("live"),
    waiting: samples.at(-1)!.store,
  };
}

/** Watches the books until nothing waits for the store any more. */
async function measureDrain(city: City) {
  const resumedAt = performance.now();
  const first = await city.api("/ledger");
  let noticedAt: number | undefined;
  for (;;) {
    const { stored, inJournal } = await city.api("/ledger");
    const now = performance.now();
    if (stored > first.stored) noticedAt ??= now;
    // What came in during the last moments is always on its way.
    if (noticedAt !== undefined && inJournal < 2_000) {
      const drainSeconds = (now - noticedAt) / 1000;
      return {
        drainSeconds: round(drainSeconds),
        drainedPerS: Math.round((stored - first.stored) / drainSeconds),
        noticedAfterSeconds: round((noticedAt - resumedAt) / 1000),
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function startSampling(city: City) {
  const samples: Promise<Sample>[] = [takeSample(city)];
  const timer = setInterval(() => samples.push(takeSample(city)), 1_000);
  return {
    stop() {
      clearInterval(timer);
      samples.push(takeSample(city));
      return Promise.all(samples);
    },
  };
}

async function takeSample(city: City): Promise<Sample> {
  const text = await (await city.call("/metrics")).text();
  const lag = (name: string) =>
    Number(new RegExp(`lamppost_consumer_lag_messages\\{consumer="${name}"\\} (\\d+)`).exec(text)?.[1]);
  return { rssMiB: rssMiBOf(city.pid), alerts: lag("alerts"), live: lag("live"), store: lag("store") };
}

function rssMiBOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** What InfluxDB itself says it has. */
async function countIn(url: string): Promise<number> {
  const ask = new URLSearchParams({ db: "outage", q: "SELECT count(/^receipt_/) FROM air" });
  const answer = (await (await fetch(`${url}/query?${ask}`)).json()) as {
    results: { series?: { values: number[][] }[] }[];
  };
  return answer.results[0]?.series?.[0]?.values[0]?.[1] ?? 0;
}

const round = (value: number) => Math.round(value * 100) / 100;
