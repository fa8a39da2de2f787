/** @module-tag long */
import { afterAll, beforeAll, describe, it } from "vitest";
import type { Health } from "../../model/health.ts";
import { type City, startCity, until } from "../helpers/city.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { type FaultyProxy, type Mischief, startProxy } from "../helpers/proxy.ts";
import { addLoadGateway, reckon, type Sender, startMqttSender } from "../helpers/senders.ts";

/** One service with a proxy and a database of its own, whose account has the same name. */
type Place = { readonly influx: InfluxServer; readonly proxy: FaultyProxy; readonly name: string };

type Fault = {
  readonly what: string;
  begin(place: Place): unknown;
  end(place: Place): unknown;
  /** What `/readyz` says of the store meanwhile; absent: that it is well. */
  readonly told?: RegExp;
};

const WRITE = /^POST \/write/;
const does = (mischief: Mischief, on = /./) => ({
  begin({ proxy }: Place) {
    proxy.rules = [{ on, does: mischief }];
  },
  end({ proxy }: Place) {
    proxy.rules = [];
  },
});
const grant = ({ influx, name }: Place) => influx.ask(`GRANT ALL ON "${name}" TO "${name}"`);
const revoke = ({ influx, name }: Place) => influx.ask(`REVOKE ALL ON "${name}" FROM "${name}"`);
const password = (text: string) => (place: Place) => place.influx.ask(`SET PASSWORD FOR "${place.name}" = '${text}'`);

/** Of one life of the service, one after the other; the lives side by side, because each waits most of the time. */
const LIVES: readonly { readonly life: string; readonly faults: readonly Fault[] }[] = [
  {
    life: "a line that breaks",
    faults: [
      { what: "slow", ...does({ slowMs: 200 }) },
      { what: "cut while the request is sent", ...does({ cut: "request" }, WRITE), told: /does not answer/ },
      { what: "cut after the write", ...does({ cut: "answer" }, WRITE), told: /does not answer/ },
      { what: "frozen", ...does("freeze"), told: /gave no answer within 10000 ms/ },
    ],
  },
  {
    life: "a box in between",
    faults: [
      { what: "503", ...does({ status: 503 }), told: /InfluxDB answered 503: Service Unavailable/ },
      {
        what: "429 with Retry-After",
        ...does({ status: 429, headers: { "retry-after": "2" } }),
        told: /InfluxDB answered 429: Too Many Requests/,
      },
      {
        what: "401",
        ...does({ status: 401 }),
        told: /answered 401: Unauthorized.*INFLUX_USERNAME and INFLUX_PASSWORD/,
      },
      { what: "403", ...does({ status: 403 }), told: /answered 403: Forbidden.*right to read and to write/ },
    ],
  },
  {
    life: "an account",
    faults: [
      { what: "no rights", begin: revoke, end: grant, told: /not authorized to write.*right to read and to write/ },
      {
        what: "another password",
        begin: password("other"),
        end: password("secret"),
        told: /401: authorization failed/,
      },
    ],
  },
];

describe.runIf(needs("influxd"))("the service, and what lies between it and InfluxDB 1.6.7", () => {
  let influx: InfluxServer;
  beforeAll(async () => {
    influx = await startInfluxd(undefined, true);
  });
  afterAll(() => influx.stop());

  async function aPlace(name: string, options = "") {
    const proxy = await startProxy(influx.url);
    await influx.ask(`CREATE DATABASE "${name}" ${options}`);
    await influx.ask(`CREATE USER "${name}" WITH PASSWORD 'secret'`);
    const place: Place = { influx, proxy, name };
    await grant(place);
    const account = { INFLUX_DATABASE: name, INFLUX_USERNAME: name, INFLUX_PASSWORD: "secret" };
    return { place, env: { LAMPPOST_STORE: "influxdb", INFLUX_URL: proxy.url, ...account } };
  }

  async function partOf(city: City, part: string): Promise<Health | undefined> {
    const { parts } = (await (await city.call("/readyz")).json()) as { parts: Health[] };
    return parts.find((one) => one.part === part);
  }

  const told = (city: City, part: string, words: RegExp, withinMs?: number) =>
    until(
      () => partOf(city, part),
      (one) => words.test(one?.reason ?? ""),
      withinMs,
    );

  const well = (city: City, withinMs = 60_000) =>
    until(
      () => partOf(city, "store"),
      (one) => one?.state === "ok",
      withinMs,
    );

  it.concurrent.for(LIVES)("$life", async ({ life, faults }, { expect, onTestFinished }) => {
    const { place, env } = await aPlace(life);
    onTestFinished(() => place.proxy.stop());
    const city = await startCity({ env });
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    const senders: Sender[] = [];
    for (const [n, fault] of faults.entries()) {
      await fault.begin(place);
      const sender = await startMqttSender(city, login, { sensorId: `load-${n}`, inFlight: 10 });
      senders.push(sender);
      // PUBACKs go on, whatever the store does.
      await sender.ackedAtLeast(200);
      await sender.stop();
      if (fault.told) await told(city, "store", fault.told, 30_000);
      expect((await city.call("/readyz")).status).toBe(200);
      await fault.end(place);
      const { ledger, ...sums } = await reckon(city, [sender], 90_000);
      expect([fault.what, sums]).toEqual([fault.what, { lost: 0, doubled: 0, rows: sender.acked.size }]);
      expect(ledger).toMatchObject({ quarantined: 0, duplicate: 0, lost: 0, balanced: true });
      await well(city);
    }
    const acked = senders.reduce((sum, sender) => sum + sender.acked.size, 0);
    expect((await city.api("/ledger")).stored).toBe(acked);
    expect(await influx.ask("SELECT count(/^receipt_/) FROM air", life)).toEqual([[0, acked]]);
    expect((await city.cli("ledger", "--verify")).code).toBe(0);
  });

  it.concurrent("a store that cannot be used when the service starts is never called well, and holds up no start", {
    timeout: 240_000,
  }, async ({ expect, onTestFinished }) => {
    const { place, env } = await aPlace("blocked");
    onTestFinished(() => place.proxy.stop());
    place.proxy.rules = [{ on: /./, does: "freeze" }];
    const city = await startCity({ env, args: ["--simulate", "city"] });
    onTestFinished(() => city.remove());
    // A first question that was never answered keeps no other one waiting: this is asked while it still waits.
    expect(await partOf(city, "store")).toMatchObject({
      state: "degraded",
      ready: true,
      reason: expect.stringMatching(/has not answered yet since the start/),
    });
    await told(city, "store", /gave no answer within 10000 ms/, 60_000);
    place.proxy.rules = [];
    await well(city);
    // The simulated city asked what is known of its sensors, and was told that nobody knows just now.
    await until(
      () => city.api("/readings/latest?limit=1000"),
      ({ items }) => items.length >= 64,
      120_000,
    );
  });

  it.concurrent("says what InfluxDB will remove by itself, and that nothing can be removed, with an alert each", {
    timeout: 240_000,
  }, async ({ expect, onTestFinished }) => {
    const { place, env } = await aPlace("limits", "WITH DURATION 3d");
    onTestFinished(() => place.proxy.stop());
    place.proxy.rules = [{ on: /DELETE FROM/, does: { status: 403, body: '{"error":"not authorized to DELETE"}' } }];
    const city = await startCity({ env });
    onTestFinished(() => city.remove());
    await told(city, "store retention", /removes what was measured more than 3 d ago.*LAMPPOST_RETENTION_RAW_DAYS=90/);
    await told(city, "store removal", /nothing is removed.*could not be removed: .*not authorized to DELETE/);
    expect((await city.call("/readyz")).status).toBe(200);
    const wanted = ["Trouble in the service: store removal", "Trouble in the service: store retention"];
    await until(
      async () => {
        const { items } = await city.api("/alerts?rule=service-health&state=firing");
        return items.map((one: { rule: { title: string } }) => one.rule.title) as string[];
      },
      (titles) => wanted.every((one) => titles.includes(one)),
      90_000,
    );
    expect(await city.stop()).toBe(0);
    place.proxy.rules = [];
    await influx.ask('ALTER RETENTION POLICY "autogen" ON "limits" DURATION INF');
    const again = await city.restart();
    onTestFinished(() => again.remove());
    await well(again);
    expect([await partOf(again, "store retention"), await partOf(again, "store removal")]).toEqual([
      undefined,
      undefined,
    ]);
  });
});
