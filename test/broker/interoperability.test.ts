import { once } from "node:events";
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DEVICE, OPERATOR, OWN_TOPIC, startTestBroker, type TestBroker, until } from "./broker-fixture.ts";

/**
 * What the eleven cases of Eclipse Paho's interoperability tests for MQTT 3.1.1 look for, by their names, with the topics that
 * there are here: a client hears what the service tells, never what another client sent. Offline queueing and redelivery are
 * those of alerts to users: kept-sessions.test.ts.
 */
let city: TestBroker;
beforeEach(async () => {
  city = await startTestBroker();
});
afterEach(() => city.stop());

const STATUS = `${OWN_TOPIC}/status`;
type Heard = { topic: string; payload: string; qos: number; retain: boolean };
function listen(client: MqttClient): Heard[] {
  const heard: Heard[] = [];
  client.on("message", (topic, payload, { qos, retain }) =>
    heard.push({ topic, payload: String(payload), qos, retain }),
  );
  return heard;
}
const alert = (id: string, payload: string) =>
  city.broker.publish({ topic: `alerts/north/info/${id}`, payload, qos: 1, retain: true });

it("basic: all three qualities; a second CONNECT and another protocol end the connection", async () => {
  const device = await city.connect(DEVICE);
  for (const qos of [0, 1, 2] as const) await device.publishAsync(OWN_TOPIC, `{"no2":${qos}}`, { qos });
  await until(() => city.kept.length === 3);
  await device.endAsync();
  const again = await city.raw();
  expect(await again.login(DEVICE)).toBe(0);
  await again.login(DEVICE);
  await again.whenClosed();
  const other = await city.raw();
  other.socket.write(Buffer.from([0x10, 12, 0, 2, 0x68, 0x6a, 4, 2, 0, 60, 0, 2, 0x61, 0x62]));
  await other.whenClosed();
});

it("retained: told to who comes later, with the flag, until it is emptied", async () => {
  await alert("1", "one");
  const client = await city.connect(OPERATOR);
  const heard = listen(client);
  await client.subscribeAsync("alerts/#", { qos: 2 });
  await until(() => heard.length === 1);
  await alert("2", "two");
  await until(() => heard.length === 2);
  expect(heard.map(({ payload, retain }) => [payload, retain])).toEqual([
    ["one", true],
    ["two", false],
  ]);
  await alert("1", "");
  const later = listen(
    await city.connect(OPERATOR, { clientId: "later" }).then(async (next) => {
      const of = next;
      setImmediate(() => of.subscribe("alerts/#", { qos: 1 }));
      return of;
    }),
  );
  await until(() => later.length === 1);
  expect(later[0]).toMatchObject({ payload: "two", retain: true });
});

it("will, keepalive: kept once when the connection is lost or silent, not when it ends in order", async () => {
  const will = { topic: STATUS, payload: "offline", qos: 1, retain: true };
  const lost = await city.raw();
  await lost.login(DEVICE, { will, keepalive: 60 });
  lost.socket.destroy();
  await until(() => city.kept.length === 1);
  const silent = await city.raw();
  await silent.login(DEVICE, { will, keepalive: 1 });
  const begun = performance.now();
  await silent.whenClosed();
  expect(performance.now() - begun).toBeGreaterThan(1_000);
  await until(() => city.kept.length === 2);
  const orderly = await city.raw();
  await orderly.login(DEVICE, { will });
  orderly.send({ cmd: "disconnect" });
  await orderly.whenClosed();
  const last = await city.connect(DEVICE);
  await last.publishAsync(STATUS, "online", { qos: 1 });
  expect(city.kept.map(({ payload }) => Buffer.from(payload).toString())).toEqual(["offline", "offline", "online"]);
});

it("overlapping subscriptions: one message of the highest quality, or one for each", async () => {
  const client = await city.connect(OPERATOR);
  const heard = listen(client);
  await client.subscribeAsync({ "alerts/#": { qos: 1 }, "alerts/north/+/1": { qos: 0 } });
  await alert("1", "one");
  await alert("2", "last");
  await until(() => heard.some(({ payload }) => payload === "last"));
  const qualities = heard.filter(({ payload }) => payload === "one").map(({ qos }) => qos);
  expect([[1], [0, 1], [1, 0]]).toContainEqual(qualities);
});

it("unsubscribe: nothing more of it", async () => {
  const client = await city.connect(OPERATOR);
  const heard = listen(client);
  await client.subscribeAsync(["alerts/north/info/1", "alerts/north/info/2"], { qos: 1 });
  await client.unsubscribeAsync("alerts/north/info/1");
  await alert("1", "one");
  await alert("2", "two");
  await until(() => heard.length === 1);
  expect(heard[0]?.payload).toBe("two");
});

it("zero length client id: in a clean session only", async () => {
  const [clean, kept] = [await city.raw(), await city.raw()];
  expect(await clean.login(OPERATOR, { clientId: "", clean: true })).toBe(0);
  // CONNECT without an id, a name or a clean session.
  kept.socket.write(Buffer.from([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 60, 0, 0]));
  expect((await kept.next("connack"))?.returnCode).toBe(2);
  await kept.whenClosed();
});

it("subscribe failure, $ topics: 0x80 for what may not be heard, and nothing of what begins with $", async () => {
  const client = await city.raw();
  await client.login(OPERATOR);
  const filters = ["nosubscribe", "#", "+/+", "$SYS/#", `$${OWN_TOPIC}`, "alerts/#"];
  client.send({ cmd: "subscribe", messageId: 1, subscriptions: filters.map((topic) => ({ topic, qos: 2 as const })) });
  expect((await client.next("suback"))?.granted).toEqual([0x80, 0x80, 0x80, 0x80, 0x80, 2]);
  const publish = { cmd: "publish", payload: "x", qos: 1, messageId: 2, retain: false, dup: false } as const;
  client.send({ ...publish, topic: `$${OWN_TOPIC}` });
  expect((await client.next("puback"))?.messageId).toBe(2);
  expect(city.kept[0]?.refused).toMatchObject({ reason: "unknown_topic" });
  expect(client.packets).toEqual([]);
});

it("1,000 messages right behind the CONNECT, and then gone: all are kept, and acknowledged to who waits", async () => {
  const device = await city.raw();
  device.send({
    cmd: "connect",
    clientId: "hasty",
    username: DEVICE.name,
    password: "correct horse battery staple",
  } as never);
  const publish = { cmd: "publish", topic: OWN_TOPIC, qos: 1, retain: false, dup: false } as const;
  for (let messageId = 1; messageId <= 1_000; messageId += 1)
    device.send({ ...publish, messageId, payload: `{"no2":${messageId % 50}}` });
  device.send({ cmd: "disconnect" });
  device.socket.end();
  await once(device.socket, "close");
  await until(() => city.kept.length === 1_000);
});
