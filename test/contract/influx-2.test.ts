import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";
import { type Influx2, startInflux2 } from "../helpers/scripted-influx2.ts";
import { realServer } from "./influxd-2.ts";
import { readingStoreContract } from "./reading-store.ts";

describe("InfluxDB 2.x, scripted", () => {
  let server: Influx2;
  let places = 0;
  beforeAll(async () => {
    server = await startInflux2();
    server.addOrg("city");
  });
  afterAll(() => server.stop());

  async function makePlace() {
    places += 1;
    const name = `readings-${places}${places % 2 ? "/raw" : ""}`;
    const bucket = server.addBucket("city", name);
    const token = `token-${places}`;
    server.addToken({ text: token, org: "city", read: [bucket.id], write: [bucket.id] });
    const flavour = { token, org: "city", bucket: name };
    const options = { url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 60_000, log: SILENT };
    return {
      open: () => openInfluxStore(options),
      remove: async () => server.dropBucket(bucket),
      async writeForeign(lines: readonly string[]) {
        const address = `${server.url}/api/v2/write?${new URLSearchParams({ org: "city", bucket: name, precision: "ms" })}`;
        const headers = { authorization: `Token ${token}` };
        const answer = await fetch(address, { method: "POST", headers, body: lines.join("\n") });
        expect([answer.status, await answer.text()]).toEqual([204, ""]);
      },
      countForeign: async () => server.count(bucket, "foreign"),
    };
  }

  it("copies what earlier versions wrote", async () => {
    const place = await makePlace();
    const store = await place.open();
    const rollup = "pm25Sum=30,pm25Min=10,pm25Max=20,pm25Count=2,foreign=1";
    const own = `receivedAt=${T0 + 250},journalSeq=1`;
    const series = "district=north,sensorId=air-1";
    const old = [`air,${series} pm25=12.5,${own} ${T0}`, `air_hourly,${series} ${rollup} ${T0}`];
    await place.writeForeign([...old, `air,${series} pm25=1 ${T0 + 1}`]);
    const migration = { at: undefined, save: () => {} };
    expect(await store.migrate(migration, new AbortController().signal)).toEqual({ copied: 2, refused: 0 });
    expect(await collect(store)).toEqual([aReading()]);
    await store.close();
  });

  readingStoreContract("InfluxDB 2.7", makePlace, { sharesOurMemory: true });
});

const binary = process.env.LAMPPOST_TEST_INFLUXD2;
if (binary) describe("InfluxDB 2.x, a real one", () => realServer(binary));
