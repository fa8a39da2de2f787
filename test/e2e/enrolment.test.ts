import mqtt from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { startCity, until } from "../helpers/city.ts";

/** A city that is connected in one go: every gateway brings its full quota of new sensors at once. */
const GATEWAYS = 25;
const QUOTA = 2_000;
const SENSORS_EACH = process.env.HOSTILE_S === undefined ? 200 : QUOTA;
const LANES = 100;

describe("enrolling a whole city at once", () => {
  it("registers every sensor, stores every reading and goes on answering", async () => {
    const city = await startCity();
    onTestFinished(() => city.remove());
    const clients = await Promise.all(
      Array.from({ length: GATEWAYS }, async (_, place) => {
        const name = `gw-${place}`;
        const login = await city.api("/gateways", { name, districts: [`district-${place}`] });
        return mqtt.connectAsync(city.mqtt, { clientId: name, ...login, reconnectPeriod: 0 });
      }),
    );
    const wanted = GATEWAYS * SENSORS_EACH;
    const from = performance.now();
    await Promise.all(
      clients.map(async (client, place) => {
        let next = 0;
        const lane = async () => {
          while (next < SENSORS_EACH) {
            const topic = `city/district-${place}/air/s-${place}-${next++}`;
            await client.publishAsync(topic, '{"pm25":12}', { qos: 1 });
          }
        };
        await Promise.all(Array.from({ length: LANES }, lane));
      }),
    );
    const acknowledged = performance.now() - from;
    const books = await until(
      () => city.api("/ledger"),
      ({ received, inJournal }) => received === wanted && inJournal === 0,
      150_000,
    );
    const settled = performance.now() - from;
    const figures = await (await city.call("/metrics")).text();
    const held = Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(figures)?.[1]);
    process.stdout.write(
      `${wanted} sensors: acknowledged after ${Math.round(acknowledged)} ms, registered and stored after ` +
        `${Math.round(settled)} ms; the core thread was held for ${Math.round(held * 1_000)} ms at most\n`,
    );
    expect(books).toMatchObject({ stored: wanted, quarantined: 0, duplicate: 0, balanced: true });
    const { items } = await city.api("/districts");
    expect(items).toHaveLength(GATEWAYS);
    expect(items.map(({ sensors }: { sensors: number }) => sensors)).toEqual(items.map(() => SENSORS_EACH));
    for (const client of clients) client.end(true);
  });
});
