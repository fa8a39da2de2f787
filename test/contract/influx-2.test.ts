import { afterAll, beforeAll, describe, expect } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { type Influx2, startInflux2 } from "../helpers/scripted-influx2.ts";
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
    const options = { url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 10_000, log: SILENT };
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

  readingStoreContract("InfluxDB 2.7", makePlace, { sharesOurMemory: true });
});
