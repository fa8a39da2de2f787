import { once } from "node:events";
import { connect } from "node:net";
import mqtt from "mqtt";
import { generate } from "mqtt-packet";
import { describe, expect, it, onTestFinished } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";
import { startInflux2 } from "../helpers/scripted-influx2.ts";
import {
  addLoadGateway,
  BASE,
  DISTRICT,
  type Login,
  readingAt,
  reckon,
  type Sender,
  settledBooks,
  startHttpSender,
  startMqttSender,
} from "../helpers/senders.ts";

/** A stop in order: whoever was told "kept" finds it after the restart, and no one can hold the stop up for long. */
const STOP_WITHIN_MS = 10_000;

async function startLoad(city: City, login: Login, first = 0): Promise<Sender[]> {
  const senders = [
    await startMqttSender(city, login, { sensorId: "mqtt-1", first, inFlight: 50 }),
    await startMqttSender(city, login, { sensorId: "mqtt-2", first, inFlight: 50 }),
    startHttpSender(city, login, { sensorId: "http-1", first }),
    startHttpSender(city, login, { sensorId: "http-2", first }),
  ];
  await Promise.all(senders.map((sender) => sender.ackedAtLeast(200)));
  return senders;
}

async function timedStop(city: City): Promise<{ code: number | null; ms: number }> {
  const from = Date.now();
  return { code: await city.stop(), ms: Date.now() - from };
}

/** Subscribes to all readings of the district, then never reads its socket again, nor closes it. */
async function freezeSubscriber(city: City, { username, password }: Login): Promise<void> {
  const { hostname, port } = new URL(city.mqtt);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  const protocol = { protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 60 } as const;
  const clientId = `${username}-frozen`;
  socket.write(generate({ cmd: "connect", ...protocol, clientId, username, password: Buffer.from(password) }));
  await once(socket, "data"); // CONNACK
  socket.write(generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: `city/${DISTRICT}/#`, qos: 0 }] }));
  await once(socket, "data"); // SUBACK
  socket.pause();
}

/** Publishes until both sockets' buffers on the way to the frozen subscriber are full. */
async function fillFrozen(city: City, login: Login): Promise<void> {
  const client = await mqtt.connectAsync(city.mqtt, { clientId: `${login.username}-filler`, ...login });
  let measuredAt = BASE;
  const payload = () => JSON.stringify(Array.from({ length: 500 }, () => readingAt(measuredAt++)));
  const someMore = () => client.publishAsync(`city/${DISTRICT}/air/filler`, payload(), { qos: 1 });
  await until(
    async () => {
      await Promise.all(Array.from({ length: 20 }, someMore));
      return (await city.call("/metrics")).text();
    },
    (figures) => /^lamppost_\w*subscriber_drops_total [1-9]/m.test(figures),
    90_000,
  );
  await client.endAsync();
}

/** `text` resolves with all that came when the service ends the stream, and rejects when the stream is cut. */
async function openStream(city: City): Promise<{ readonly text: Promise<string> }> {
  const response = await city.call("/api/v1/events?readings=true");
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  return { text: response.text() };
}

describe("SIGTERM under load", () => {
  it("ends with 0 within ten seconds and keeps every acknowledged reading, once", async () => {
    let city = await startCity();
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    const senders: Sender[] = [];
    for (const life of [0, 1]) {
      // The second life sends some of the first again: devices do that with what they saw no PUBACK for.
      const ofLife = await startLoad(city, login, life * 150);
      senders.push(...ofLife);
      const { code, ms } = await timedStop(city);
      expect(code).toBe(0);
      expect(ms).toBeLessThan(STOP_WITHIN_MS);
      await Promise.all(ofLife.map((sender) => sender.ended));
      city = await city.restart();
    }
    const { ledger, lost, doubled, rows } = await reckon(city, senders);
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(ledger).toMatchObject({ stored: rows, quarantined: 0, balanced: true });
    expect(ledger.duplicate).toBeGreaterThan(0);
    expect(city.said().stderr).toBe("");
  });

  it("is not held up by an open event stream, read or not, nor by a frozen subscriber", {
    tags: ["long"],
  }, async () => {
    let city = await startCity();
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    await freezeSubscriber(city, login);
    const unread = await city.call("/api/v1/events?readings=true");
    const stream = await openStream(city);
    const senders = await startLoad(city, login);
    await fillFrozen(city, login);
    const { code, ms } = await timedStop(city);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_WITHIN_MS);
    expect(await stream.text).toContain("event: readings");
    await unread.body!.cancel().catch(() => {});

    city = await city.restart();
    const { ledger, lost, doubled } = await reckon(city, senders);
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(ledger.balanced).toBe(true);
  });

  it("is not held up by an InfluxDB that has taken the write and does not answer", async () => {
    const influx = await startInflux2();
    onTestFinished(() => influx.stop());
    influx.addOrg("city");
    influx.addBucket("city", "readings");
    influx.addToken({ text: "t", org: "city", operator: true });
    const place = { INFLUX_URL: influx.url, INFLUX_TOKEN: "t", INFLUX_ORG: "city", INFLUX_BUCKET: "readings" };
    const env = { LAMPPOST_STORE: "influxdb", ...place };
    let city = await startCity({ env });
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    const sender = await startMqttSender(city, login, { sensorId: "mqtt-1" });
    await sender.ackedAtLeast(200);
    influx.trouble("frozen");
    const writes = () => influx.requests.filter(({ path }) => path === "/api/v2/write").length;
    const before = writes();
    await until(
      async () => writes(),
      (count) => count > before,
    );
    const { code, ms } = await timedStop(city);
    expect(code, city.said().stderr.slice(-3_000)).toBe(0);
    expect(ms).toBeLessThan(STOP_WITHIN_MS / 2);
    await sender.ended;

    influx.trouble(undefined);
    city = await city.restart({ env });
    const books = await settledBooks(city);
    expect(books).toMatchObject({ duplicate: 0, quarantined: 0, balanced: true });
    expect(books.stored).toBeGreaterThanOrEqual(sender.acked.size);
  });

  it("ends at once on the second signal, and still loses nothing", { tags: ["long"] }, async () => {
    let city = await startCity();
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    await freezeSubscriber(city, login);
    const senders = await startLoad(city, login);
    await fillFrozen(city, login); // the stop in order waits for the frozen one for some seconds
    process.kill(city.pid, "SIGTERM");
    await until(
      () =>
        city.call("/livez").then(
          () => true,
          () => false,
        ),
      (answers) => !answers,
    );
    const from = Date.now();
    process.kill(city.pid, "SIGTERM");
    expect(await city.ended).toBe(1);
    expect(Date.now() - from).toBeLessThan(2_000);

    city = await city.restart();
    const { ledger, lost, doubled } = await reckon(city, senders);
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(ledger.balanced).toBe(true);
  });
});
