import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NewMessage } from "../../model/message.ts";
import { DEVICE, GATEWAY, OPERATOR, OWN_TOPIC, startTestBroker, type TestBroker, until } from "./broker-fixture.ts";

let city: TestBroker;
beforeEach(async () => {
  city = await startTestBroker();
});
afterEach(() => city.stop());

/** Appends that are answered by hand. */
function answerByHand() {
  const asked: { message: NewMessage; done: (error?: Error) => void }[] = [];
  city.journal.append = (message, done) => asked.push({ message, done });
  return asked;
}

describe("a publish is acknowledged when it is kept", () => {
  it("sends the PUBACK only after the append is done", async () => {
    const asked = answerByHand();
    const device = await city.raw();
    expect(await device.login(DEVICE)).toBe(0);
    device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 1, messageId: 7, retain: false, dup: false });
    await until(() => asked.length === 1);
    expect(asked[0]?.message).toMatchObject({
      topic: OWN_TOPIC,
      source: { via: "mqtt", role: "device", name: "no2-1" },
    });
    // Another client's round trip through the same loop: time enough for a PUBACK that does not wait.
    const other = await city.raw();
    expect(await other.login(GATEWAY)).toBe(0);
    expect(device.packets).toEqual([]);
    asked[0]?.done();
    expect((await device.next("puback"))?.messageId).toBe(7);
  });

  it("acknowledges in the order received, whichever is kept first", async () => {
    const asked = answerByHand();
    const device = await city.raw();
    await device.login(DEVICE);
    for (const messageId of [1, 2, 3]) {
      device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 1, messageId, retain: false, dup: false });
    }
    device.send({
      cmd: "publish",
      topic: `${OWN_TOPIC}/status`,
      payload: "online",
      qos: 1,
      messageId: 4,
      retain: true,
      dup: false,
    });
    await until(() => asked.length === 4);
    asked[3]?.done();
    asked[2]?.done();
    asked[1]?.done();
    asked[0]?.done();
    const order = [];
    for (let i = 0; i < 4; i += 1) order.push((await device.next("puback"))?.messageId);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it("closes without a PUBACK when the append fails, and takes the message when it comes again", async () => {
    const { append } = city.journal;
    let failures = 0;
    city.journal.append = (_message, done) => {
      failures += 1;
      city.journal.append = append;
      done(new Error("disk full"));
    };
    const device = await city.connect(DEVICE, { reconnectPeriod: 20 });
    await device.publishAsync(OWN_TOPIC, '{"no2":1}', { qos: 1 });
    expect(failures).toBe(1);
    expect(city.kept.map((message) => Buffer.from(message.payload).toString())).toEqual(['{"no2":1}']);
    expect(city.broker.counts()).toMatchObject({ appendErrors: 1, received: 2, accepted: 2 });
  });

  it("does not acknowledge what follows a failed append on the same connection", async () => {
    const asked = answerByHand();
    const device = await city.raw();
    await device.login(DEVICE);
    for (const messageId of [1, 2]) {
      device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 1, messageId, retain: false, dup: false });
    }
    await until(() => asked.length === 2);
    asked[1]?.done();
    asked[0]?.done(new Error("disk full"));
    await device.whenClosed();
    expect(device.packets).toEqual([]);
  });

  it("survives an append that throws or answers twice", async () => {
    city.journal.append = () => {
      throw new Error("broken");
    };
    const device = await city.raw();
    await device.login(DEVICE);
    device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 1, messageId: 1, retain: false, dup: false });
    await device.whenClosed();
    city.journal.append = (_message, done) => {
      done();
      done();
    };
    const again = await city.connect(DEVICE);
    await again.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    await again.publishAsync(OWN_TOPIC, "{}", { qos: 2 });
    expect(city.broker.counts()).toMatchObject({ waitingAppends: 0, appendErrors: 1 });
  });

  it("appends QoS 0 without waiting, and answers QoS 2 after the append", async () => {
    const asked = answerByHand();
    const device = await city.raw();
    await device.login(DEVICE);
    device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "a", qos: 0, retain: false, dup: false });
    device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "b", qos: 2, messageId: 5, retain: false, dup: false });
    await until(() => asked.length === 2);
    expect(device.packets).toEqual([]);
    asked[1]?.done();
    expect((await device.next("pubrec"))?.messageId).toBe(5);
    device.send({ cmd: "pubrel", messageId: 5 });
    expect((await device.next("pubcomp"))?.messageId).toBe(5);
  });
});

describe("under pressure", () => {
  it("closes a connection whose append never answers", async () => {
    await city.stop();
    city = await startTestBroker({ hookTimeoutMs: 200 });
    answerByHand();
    const device = await city.raw();
    await device.login(DEVICE);
    device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 1, messageId: 1, retain: false, dup: false });
    await device.whenClosed();
    expect(device.packets).toEqual([]);
    expect(city.broker.counts().hookTimeouts).toBe(1);
  });

  it("sheds QoS 0 when too many appends wait, while QoS 1 waits", async () => {
    await city.stop();
    city = await startTestBroker({ waitingAppendsMax: 3 });
    const asked = answerByHand();
    const gateway = await city.connect(GATEWAY);
    for (let i = 0; i < 10; i += 1) await gateway.publishAsync(OWN_TOPIC, "{}", { qos: 0 });
    const kept = gateway.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    await until(() => asked.length === 4);
    expect(city.broker.counts()).toMatchObject({ shedQos0: 7, waitingAppends: 4 });
    asked[0]!.done(new Error("the disk is full")); // nobody waits for a QoS 0 message: it is let go as well
    for (const { done } of asked) done();
    await kept;
    expect(city.broker.takeShed()).toEqual([{ sensorId: "no2-1", count: 8 }]);
    expect(city.broker.takeShed()).toEqual([]);
  });

  it("slows a device down to its rate, loses nothing and keeps the order", async () => {
    await city.stop();
    city = await startTestBroker({ rates: { device: { perSecond: 100, burst: 5 } } });
    const device = await city.connect(DEVICE);
    const started = performance.now();
    await Promise.all(Array.from({ length: 25 }, (_, i) => device.publishAsync(OWN_TOPIC, `${i}`, { qos: 1 })));
    expect(performance.now() - started).toBeGreaterThan(150);
    expect(city.kept.map((message) => Number(Buffer.from(message.payload)))).toEqual(Array.from(Array(25).keys()));
    expect(city.broker.counts().slowedByRate).toBeGreaterThan(3);
    // QoS 0 waits as well: the bucket is empty now.
    for (let i = 0; i < 20; i += 1) await device.publishAsync(OWN_TOPIC, "{}", { qos: 0 });
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    expect(city.kept.length).toBe(46);
    expect(city.broker.counts().shedQos0).toBe(0);
  });
});

describe("stopping", () => {
  it("lets what is being kept be acknowledged, then closes; sends no last wills", async () => {
    const asked = answerByHand();
    const device = await city.raw();
    await device.login(DEVICE, { will: { topic: `${OWN_TOPIC}/status`, payload: "offline", qos: 1, retain: true } });
    device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 1, messageId: 9, retain: false, dup: false });
    await until(() => asked.length === 1);
    const closing = city.broker.close({ deadline: Date.now() + 5_000 });
    device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 1, messageId: 10, retain: false, dup: false });
    const late = await city.raw().catch(() => undefined);
    await late?.whenClosed();
    asked[0]?.done();
    expect((await device.next("puback"))?.messageId).toBe(9);
    await device.whenClosed();
    await closing;
    expect(asked.length).toBe(1);
    expect(city.events).toEqual([]);
    await expect(city.broker.publish({ topic: "alerts/a/b/c", payload: "", qos: 0 })).rejects.toThrow("closed");
  });

  it("does not wait beyond the deadline for an append or a client that never answers", async () => {
    answerByHand();
    const device = await city.raw();
    await device.login(DEVICE);
    const operator = await city.raw();
    await operator.login(OPERATOR);
    operator.socket.pause();
    device.send({ cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 1, messageId: 9, retain: false, dup: false });
    await until(() => city.broker.counts().waitingAppends === 1);
    await city.broker.close({ deadline: Date.now() + 300 });
    await device.whenClosed();
    expect(device.packets).toEqual([]);
  });
});

describe("a message of QoS 2", () => {
  it("of which the sender never says the second half takes no memory without an end, in however many connections", async () => {
    await city.stop();
    city = await startTestBroker({ unreleasedPerAccountMax: 100, unreleasedPerConnectionMin: 2 });
    const clients = await Promise.all(Array.from({ length: 20 }, () => city.raw()));
    for (const [n, client] of clients.entries()) await client.login(GATEWAY, { clientId: `gw-${n}` });
    const sent = async (client: (typeof clients)[number]) => {
      for (let messageId = 1; messageId <= 100; messageId += 1) {
        const head = { cmd: "publish", topic: OWN_TOPIC, payload: "{}", retain: false, dup: false } as const;
        client.send({ ...head, qos: 2, messageId });
        if ((await client.next("pubrec"))?.messageId !== messageId) return messageId - 1;
      }
      return 100;
    };
    const taken = await Promise.all(clients.map(sent));
    expect(taken.every((count) => count >= 5)).toBe(true);
    // As connections close, the others have more; all of that is bounded by the harmonic sum of the shares.
    expect(taken.reduce((sum, count) => sum + count, 0)).toBeLessThan(100 * 4);
    expect(city.events).toContainEqual(expect.objectContaining({ type: "closed", reason: "unreleased", name: "gw" }));
    // Who says it may send on for ever.
    const device = await city.raw();
    await device.login(DEVICE);
    for (let n = 0; n < 300; n += 1) {
      const messageId = (n % 50) + 1;
      const head = { cmd: "publish", topic: OWN_TOPIC, payload: "{}", retain: false, dup: false } as const;
      device.send({ ...head, qos: 2, messageId });
      expect((await device.next("pubrec"))?.messageId).toBe(messageId);
      device.send({ cmd: "pubrel", messageId });
      expect((await device.next("pubcomp"))?.messageId).toBe(messageId);
    }
  });
});
