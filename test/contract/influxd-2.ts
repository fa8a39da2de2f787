import { afterAll, beforeAll, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { type Influxd2, startInfluxd2 } from "../helpers/influxd2.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";
import { readingStoreContract } from "./reading-store.ts";

const OLD = T0 - 400 * 86_400_000;

/** What the scripted server plays, on the real one that `path` names. */
export function realServer(path: string): void {
  let server: Influxd2;
  let places = 0;
  beforeAll(async () => {
    server = await startInfluxd2(path);
    await server.addOrg("town");
  });
  afterAll(() => server.stop());

  const openStore = (token: string, bucket: string) => {
    const flavour = { token, org: "city", bucket };
    return openInfluxStore({ url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 60_000, log: SILENT });
  };
  const foreign = Array.from({ length: 50 }, (_, n) => `air,sensorId=air-1,district=north pm25=1,foreign=1 ${OLD + n}`);

  readingStoreContract("InfluxDB 2.x", async () => {
    places += 1;
    const name = `readings-${places}${places % 2 ? "/raw" : ""}`;
    const bucket = await server.addBucket("city", name);
    const token = await server.addToken(bucket, ["read", "write"]);
    return {
      open: () => openStore(token, name),
      remove: () => server.dropBucket(bucket),
      writeForeign: (lines) => server.write(bucket, lines),
      countForeign: () => server.count(bucket, "foreign"),
    };
  });

  it("is refused for a token of another organisation; the points there stay", async () => {
    await server.addBucket("city", "two");
    const other = await server.addBucket("town", "two");
    await server.write(other, foreign);
    const store = await openStore(await server.addToken(other, ["read", "write"]), "two");
    for (const work of [store.write([aReading()]), store.deleteBefore("air", T0), store.ping()])
      await expect(work).rejects.toMatchObject({ kind: "misconfigured" });
    expect(await server.count(other, "foreign")).toBe(50);
    await store.close();
  });

  it("is not led elsewhere by a mapping of its name, with a token that may make another and one that may not", async () => {
    const bucket = await server.addBucket("city", "mapped");
    const other = await server.addBucket("city", "archive");
    await server.addMapping(other, "mapped");
    await server.write(other, foreign);
    for (const token of [await server.addToken(bucket, ["read", "write"]), server.operator]) {
      const store = await openStore(token, "mapped");
      const failure = await store
        .write([aReading(), aReading({ measuredAt: OLD, receivedAt: OLD })])
        .catch((error) => error);
      if (failure) expect(failure).toMatchObject({ kind: "misconfigured", reason: "mapping" });
      else {
        await store.deleteBefore("air", T0);
        expect(await collect(store, { from: 0 })).toEqual([aReading()]);
      }
      expect(await server.count(other, "foreign")).toBe(50);
      expect(await server.count(other, "receipt_1a2b3c4d")).toBe(0);
      await store.close();
    }
  });

  it("says what is wrong with a token and a bucket, each in its own sentence", async () => {
    const bucket = await server.addBucket("city", "rights");
    const cases: [string, string, string][] = [
      ["wrong", "rights", "token"],
      [await server.addToken(bucket, ["read"]), "rights", "permissions"],
      [await server.addToken(bucket, ["write"]), "rights", "permissions"],
      [await server.addToken(bucket, ["read", "write"]), "reights", "bucket_missing"],
    ];
    for (const [token, name, reason] of cases) {
      const store = await openStore(token, name);
      await expect(store.ping()).rejects.toMatchObject({ kind: "misconfigured", reason });
      await store.close();
    }
  });
}
