import mqtt from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";
import { type Mosquitto, startMosquitto } from "../helpers/mosquitto.ts";
import { needs } from "../helpers/needs.ts";
import { BASE, DISTRICT, reckon, type Sender, settledBooks, startMqttSender } from "../helpers/senders.ts";

/**
 * A real Mosquitto in front: what it acknowledged to a publisher is stored exactly once, whoever is stopped or killed.
 * Mosquitto itself keeps its queues in RAM and saves them when it is stopped (SIGTERM), so the exact check stops it; after
 * a kill -9 it may have lost what it acknowledged, and there the check is that everything goes on by itself.
 */
describe.runIf(needs("mosquitto"))("an external broker as the source", () => {
  async function start(env: Record<string, string> = {}): Promise<{ broker: Mosquitto; city: City }> {
    const broker = await startMosquitto(["allow_anonymous true"]);
    onTestFinished(() => broker.stop());
    const city = await startCity({ env: { LAMPPOST_MQTT_SOURCE_URL: broker.url, ...env } });
    onTestFinished(() => city.remove());
    return { broker, city };
  }

  type Part = { part: string; state: string; ready: boolean; reason?: string };
  async function sourceHealth(city: City): Promise<Part> {
    const { parts } = (await (await city.call("/readyz")).json()) as { parts: Part[] };
    return parts.find(({ part }) => part === "mqtt source")!;
  }
  const isRead = (city: City) =>
    until(
      () => sourceHealth(city),
      ({ state }) => state === "ok",
    );

  async function figure(city: City, name: string): Promise<number> {
    const text = await (await city.call("/metrics")).text();
    return Number(new RegExp(`^lamppost_mqtt_source_${name} (\\S+)$`, "m").exec(text)?.[1]);
  }

  const LOGIN = { username: "publisher", password: "any" };
  const SENSORS = ["bridge-1", "bridge-2"];
  const startSenders = (city: City, broker: Mosquitto, before: readonly Sender[] = []) =>
    Promise.all(
      SENSORS.map((sensorId, place) =>
        // Few at a time: they go on while the service starts again, and all of it is read back at the end.
        startMqttSender({ ...city, mqtt: broker.url }, LOGIN, {
          sensorId,
          first: before[place]?.next() ?? 0,
          inFlight: 3,
        }),
      ),
    );
  const ackedAtLeast = (senders: readonly Sender[], count: number) =>
    Promise.all(senders.map((sender) => sender.ackedAtLeast(count)));

  it("loses and doubles nothing when the broker and the service are restarted mid-burst", {
    tags: ["long"],
    timeout: 240_000,
  }, async () => {
    const { broker, city: first } = await start();
    await isRead(first);
    const one = await startSenders(first, broker);
    await ackedAtLeast(one, 400);
    await broker.halt("SIGTERM");
    await Promise.all(one.map(({ ended }) => ended));
    await broker.resume();
    const two = await startSenders(first, broker, one);
    await ackedAtLeast(two, 400);
    expect(await first.stop()).toBe(0);
    await quit(two);
    const second = await first.restart();
    onTestFinished(() => second.remove());
    await isRead(second);
    const three = await startSenders(second, broker, two);
    await ackedAtLeast(three, 400);
    await second.kill();
    await quit(three);
    const third = await first.restart();
    onTestFinished(() => third.remove());
    const all = [...one, ...two, ...three];
    await arrived(third, all);
    const { ledger, lost, doubled, rows } = await reckon(third, all);
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(ledger).toMatchObject({ balanced: true, stored: rows, quarantined: 0 });
    expect(rows).toBeGreaterThanOrEqual(2_400);
  });

  /** Goes on a little while nobody reads, then ends: the service takes longer to start than a burst may last. */
  async function quit(senders: readonly Sender[]): Promise<void> {
    await ackedAtLeast(senders, 800);
    await Promise.all(senders.map((sender) => sender.stop()));
  }

  /** Waits until all that the broker acknowledged is stored. */
  async function arrived(city: City, senders: readonly Sender[]): Promise<void> {
    const acked = senders.reduce((sum, one) => sum + one.acked.size, 0);
    await until(
      () => settledBooks(city),
      ({ stored }) => stored >= acked,
      40_000,
    );
    // What was stored may be others, sent without an answer: only the readings themselves show it.
    await until(
      () => reckon(city, senders),
      ({ lost }) => lost === 0,
    );
  }

  it("goes on after a kill -9 of the broker that forgot the session", {
    tags: ["long"],
    timeout: 240_000,
  }, async () => {
    const { broker, city } = await start();
    await isRead(city);
    const before = await startSenders(city, broker);
    await ackedAtLeast(before, 300);
    await broker.halt("SIGKILL");
    await until(
      () => sourceHealth(city),
      ({ state }) => state === "degraded",
    );
    await until(
      () => sourceHealth(city),
      ({ ready, reason }) => ready && reason?.includes("nothing listens") === true,
    );
    expect((await city.call("/readyz")).status).toBe(200);
    await broker.resume();
    await isRead(city);
    expect(await figure(city, "sessions_lost_total")).toBe(1);
    const after = await startSenders(city, broker, before);
    await ackedAtLeast(after, 300);
    await Promise.all(after.map((sender) => sender.stop()));
    await arrived(city, after);
    const { ledger, lost, doubled } = await reckon(city, after);
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(ledger.balanced).toBe(true);
  });

  it("leaves with the broker what a full disk does not take", { tags: ["long"] }, async () => {
    const { broker, city: full } = await start({ LAMPPOST_DISK_FREE_MIN_MIB: "1048576" });
    await isRead(full);
    const senders = await startSenders(full, broker);
    await ackedAtLeast(senders, 50);
    await Promise.all(senders.map((sender) => sender.stop()));
    await until(
      () => figure(full, "append_errors_total"),
      (errors) => errors > 1,
    );
    expect(await figure(full, "acknowledged_total")).toBe(0);
    expect((await sourceHealth(full)).reason).toContain("the journal did not take a message");
    await full.stop();
    const roomy = await full.restart({ env: { LAMPPOST_MQTT_SOURCE_URL: broker.url } });
    onTestFinished(() => roomy.remove());
    await arrived(roomy, senders);
    const { lost, doubled, ledger } = await reckon(roomy, senders);
    expect({ lost, doubled, balanced: ledger.balanced }).toEqual({ lost: 0, doubled: 0, balanced: true });
  });

  it("enrols sensors, shows who is online, and keeps bad messages with their reason", {
    timeout: 240_000,
  }, async () => {
    const broker = await startMosquitto(["allow_anonymous true"]);
    onTestFinished(() => broker.stop());
    const publisher = await mqtt.connectAsync(broker.url, { clientId: "publisher" });
    onTestFinished(() => publisher.endAsync(true));
    const topic = `city/${DISTRICT}/air/air-1`;
    await publisher.publishAsync(`${topic}/status`, "online", { qos: 1, retain: true });
    // What is retained comes with the subscription; only what says when it was measured is a reading.
    await publisher.publishAsync(`city/${DISTRICT}/air/air-2`, '{"pm25":9}', { qos: 1, retain: true });
    const timed = `{"measuredAt":${BASE},"pm25":9}`;
    await publisher.publishAsync(`city/${DISTRICT}/air/air-3`, timed, { qos: 1, retain: true });
    const city = await startCity({ env: { LAMPPOST_MQTT_SOURCE_URL: broker.url } });
    onTestFinished(() => city.remove());
    await isRead(city);
    await publisher.publishAsync(topic, '{"pm25":12.5}', { qos: 1 });
    await publisher.publishAsync(topic, Buffer.alloc(200_000, "x"), { qos: 1 });
    await publisher.publishAsync(`import/${DISTRICT}/air/air-1`, '{"pm25":12.5}', { qos: 1 });
    await publisher.publishAsync(`city/${DISTRICT}/nothing`, "{}", { qos: 1 });
    await until(
      () => settledBooks(city),
      ({ received }) => received >= 4,
    );
    expect(await settledBooks(city)).toMatchObject({
      balanced: true,
      received: 4,
      stored: 2,
      reasons: { too_large: 1, unknown_topic: 1 },
    });
    const { items: sensors } = await city.api("/sensors");
    const seen = sensors.map(({ id, online }: { id: string; online?: boolean }) => [id, online]);
    expect(Object.fromEntries(seen)).toEqual({ "air-1": true, "air-3": undefined });
    const { items } = await city.api("/quarantine");
    expect(items[0].source).toBe("bridge:broker:127.0.0.1");
  });

  it("says when another client uses its id", async () => {
    const { broker, city } = await start();
    await isRead(city);
    const other = mqtt.connect(broker.url, { clientId: "lamppost-source", clean: false, reconnectPeriod: 50 });
    onTestFinished(() => other.endAsync(true));
    const health = await until(
      () => sourceHealth(city),
      ({ reason }) => reason?.includes("LAMPPOST_MQTT_SOURCE_CLIENT_ID") === true,
    );
    expect(health).toMatchObject({ state: "degraded", ready: true });
    expect(await figure(city, "takeovers_total")).toBeGreaterThan(0);
  });
});
