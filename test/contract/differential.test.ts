/** @module-tag long */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KINDS } from "../../model/kinds.ts";
import { SILENT } from "../../model/log.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import type { AggregateQuery, Bucket, ReadingStore } from "../../store/reading-store.ts";
import { startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { startInflux2 } from "../helpers/scripted-influx2.ts";
import { seededRandom } from "../helpers/senders.ts";

const DAY_MS = 86_400_000;

/** The same readings in both homes, and the same questions: the answers are the same. */
async function compare(other: ReadingStore): Promise<void> {
  const random = seededRandom("both homes");
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(all: readonly T[]) => all[below(all.length)]!;
  const folder = await mkdtemp(join(tmpdir(), "lamppost-both-"));
  const duckdb = await openDuckDbStore({ path: join(folder, "readings.duckdb"), memoryLimit: "512MB", log: SILENT });
  const readings = new Map<string, Reading>();
  for (let n = 0; n < 3_000; n += 1) {
    const kind = pick(KINDS);
    const measuredAt = T0 - below(4 * DAY_MS);
    const values: Reading["values"] = {};
    for (let m = 0; m < 3; m += 1) values[pick(METRICS_OF[kind])] = below(1_000) / 8;
    const flagged = Object.keys(values).filter(() => below(6) === 0);
    const quality = Object.fromEntries(flagged.map((metric) => [metric, "suspect"])) as Reading["quality"];
    const sensorId = `${kind}-${below(5)}`;
    readings.set(`${sensorId} ${measuredAt}`, {
      ...aReading({ kind, sensorId, district: pick(["north", "south"]), measuredAt, values, journalSeq: n + 1 }),
      receivedAt: measuredAt + pick([250, 250, 3_600_000, 2 * DAY_MS, 3 * DAY_MS]),
      ...(flagged.length > 0 ? { quality } : {}),
      ...(below(10) === 0 ? { imported: true } : {}),
    });
  }
  const all = [...readings.values()];
  for (const store of [duckdb, other]) await store.write(all);

  const list = async (chunks: AsyncIterable<readonly Reading[]>) => (await Array.fromAsync(chunks)).flat();
  // Sums may differ in the last bits, by the order of the additions.
  const rounded = (buckets: readonly Bucket[]) =>
    buckets.map(({ start, values }) => [
      start,
      Object.entries(values).map(([name, one]) => [name, { ...one, mean: one.mean.toFixed(6) }]),
    ]);
  const sorted = (counts: ReadonlyMap<string, unknown>) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const key = (one: Reading) => `${one.measuredAt} ${one.journalSeq}`;
  const same = async (what: string, ask: (store: ReadingStore) => Promise<unknown>) =>
    expect(await ask(other), what).toEqual(await ask(duckdb));

  async function askAll(questions: number): Promise<void> {
    for (let n = 0; n < questions; n += 1) {
      const kind = pick(KINDS);
      const [a, b] = [T0 - below(4 * DAY_MS), T0 - below(4 * DAY_MS)];
      const metrics = below(2) ? { metrics: [pick(METRICS_OF[kind]), pick(METRICS_OF[kind])] } : {};
      const district = below(3) === 0 ? { district: "north" } : {};
      const range = { kind, from: Math.min(a, b), to: Math.max(a, b), ...metrics, ...district };
      const sensorId = `${kind}-${below(6)}`;
      const everyMs = pick([60_000, 420_000, 3_600_000, DAY_MS]);
      const what = JSON.stringify({ ...range, sensorId, everyMs });
      const inOrder = async (store: ReadingStore, query: typeof range & { sensorId?: string }) =>
        (await list(store.stream(query))).toSorted((x, y) => (key(x) < key(y) ? -1 : 1));
      await same(what, (store) => inOrder(store, { ...range, sensorId }));
      await same(what, (store) => inOrder(store, range));
      await same(what, async (store) =>
        rounded(await store.aggregate({ ...range, sensorId, everyMs } as AggregateQuery)),
      );
      await same(what, async (store) => sorted(await store.countBySensor({ seqBefore: n * 90 })));
      await same(what, async (store) => sorted(await store.countByDay(kind, range.from, range.to)));
      await same(what, (store) => store.find(kind, all.slice(n, n + 9)));
    }
    await same("newest", async (store) => sorted(await store.newest()));
    await same("count", (store) => store.count());
  }
  await askAll(35);
  await other.close();
  await duckdb.close();
  await rm(folder, { recursive: true, force: true });
}

describe("both homes", () => {
  const flavour2 = { token: "t", org: "city", bucket: "readings" };
  const common = { installation: "1a2b3c4d", timeoutMs: 60_000, log: SILENT };

  it("answer 200 random questions alike: DuckDB and InfluxDB 2.x", async () => {
    const server = await startInflux2();
    server.addOrg("city");
    server.addBucket("city", "readings");
    server.addToken({ text: "t", org: "city", operator: true });
    await compare(await openInfluxStore({ ...common, url: server.url, flavour: flavour2 }));
    await server.stop();
  });

  it.runIf(needs("influxd"))("answer them alike: DuckDB and a real InfluxDB 1.6", async () => {
    const server = await startInfluxd();
    await compare(await openInfluxStore({ ...common, url: server.url, flavour: { database: "both" } }));
    await server.stop();
  });
});
