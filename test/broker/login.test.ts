import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import mqttPacket, { type Packet } from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ACCOUNTS,
  DEVICE,
  GATEWAY,
  OPERATOR,
  OTHER_DEVICE,
  OWN_TOPIC,
  SECRET,
  startTestBroker,
  type TestBroker,
  until,
} from "./broker-fixture.ts";

let city: TestBroker;
beforeEach(async () => {
  city = await startTestBroker({ loginFailures: { perSecond: 1_000, burst: 1_000 } });
});
afterEach(() => city.stop());

async function answerTo(account: (typeof ACCOUNTS)[number], connect: object): Promise<number | undefined> {
  const client = await city.raw();
  const answer = await client.login(account, connect);
  client.socket.destroy();
  await client.whenClosed();
  return answer;
}

describe("logging in", () => {
  it("takes every account with its secret, and with it only", async () => {
    for (const account of ACCOUNTS) {
      expect(await answerTo(account, {})).toBe(0);
      for (const password of ["", "x", "correct horse battery stapl", "x".repeat(1_000), undefined]) {
        expect(await answerTo(account, { password })).toBe(4);
      }
    }
    expect(city.broker.counts().refused.bad_credentials).toBe(ACCOUNTS.length * 5);
  });

  it("refuses user names outside the pattern", async () => {
    for (const username of [
      "+",
      "#",
      "a/+",
      "%c",
      "../x",
      "__proto__",
      "constructor",
      "$SYS",
      "NO2-1",
      "nobody",
      undefined,
    ]) {
      expect(await answerTo(DEVICE, { username, password: username && "x" })).toBe(4);
    }
  });

  it("takes any client id that tools make up, up to 256 characters", async () => {
    const ids = [
      "mqttjs_1a2b3c4d",
      "Telegraf-Consumer-9Qx",
      "nodered_f3b1",
      "DVES_1A2B3C",
      "shellyplus1-a8032ab1",
      "a b/é",
    ];
    for (const clientId of [...ids, "+", "#", "../x", "__proto__", "$SYS", OTHER_DEVICE.name, "x".repeat(256)]) {
      for (const account of [DEVICE, GATEWAY, OPERATOR])
        expect(await answerTo(account, { clientId }), clientId).toBe(0);
    }
    expect(await answerTo(GATEWAY, { clientId: "x".repeat(257) })).toBe(2);
  });

  it("ends the oldest connection of a device that comes again and again under other client ids", async () => {
    await city.stop();
    city = await startTestBroker({ connectionsPerDeviceMax: 3 });
    const clients = [];
    for (const clientId of ["a", "b", "c", "d"]) {
      const client = await city.raw();
      expect(await client.login(DEVICE, { clientId })).toBe(0);
      clients.push(client);
    }
    await clients[0]!.whenClosed();
    expect(city.broker.counts()).toMatchObject({ connections: 3, takeovers: 1 });
    const other = await city.raw();
    expect(await other.login(OTHER_DEVICE, { clientId: "a" })).toBe(0);
    expect(city.broker.counts()).toMatchObject({ connections: 4, takeovers: 1 });
  });

  it("gives an empty client id to a clean session and refuses it otherwise", async () => {
    expect(await answerTo(DEVICE, { clientId: "", clean: true })).toBe(0);
    expect(await answerTo(OPERATOR, { clientId: "", clean: true })).toBe(0);
    const kept = await city.raw(); // mqtt-packet will not write this one
    kept.socket.write(Buffer.from("101200044d5154540480003c000000046f6c6761", "hex"));
    expect((await kept.next("connack"))?.returnCode).toBe(2);
    expect(await answerTo(DEVICE, { protocolId: "MQIsdp", protocolVersion: 3 })).toBe(0);
    const long = { protocolId: "MQIsdp", protocolVersion: 3, clientId: `gw-${"x".repeat(30)}` };
    expect(await answerTo(GATEWAY, long)).toBe(2);
  });

  it.each([
    [6, "MQTT", [0x20, 2, 0, 1]],
    [0, "MQTT", [0x20, 2, 0, 1]],
    [2, "MQIsdp", [0x20, 2, 0, 1]],
  ])("tells a client of level %i so in the words of its own version, and closes", async (level, name, answer) => {
    const { port } = city.broker.address;
    const socket = connect({ host: "127.0.0.1", port });
    const heard: Buffer[] = [];
    socket.on("data", (bytes: Buffer) => void heard.push(bytes));
    const closed = once(socket, "close");
    const said = [0, name.length, ...Buffer.from(name), level, 2, 0, 60, 0, 1, 97];
    socket.write(Buffer.from([0x10, said.length, ...said]));
    await closed;
    expect([...Buffer.concat(heard)]).toEqual(answer);
    expect(city.broker.counts().refused.protocol_version).toBe(1);
    expect(city.events).toMatchObject([{ type: "refused", reason: "protocol_version" }]);
  });

  it("takes a thousand messages right behind the CONNECT, of a client that leaves at once", async () => {
    const client = await city.raw();
    const connect = { cmd: "connect", clientId: "x", username: GATEWAY.name, password: Buffer.from(SECRET) };
    const publish = (i: number) => ({ cmd: "publish", qos: i % 2, messageId: i, topic: OWN_TOPIC, payload: `${i}` });
    const packets = [connect, ...Array.from({ length: 1_000 }, (_, i) => publish(i + 1)), { cmd: "disconnect" }];
    client.socket.write(Buffer.concat(packets.map((packet) => mqttPacket.generate(packet as unknown as Packet))));
    await client.whenClosed();
    expect(city.kept.map(({ payload }) => Number(Buffer.from(payload).toString()))).toEqual(
      Array.from({ length: 1_000 }, (_, i) => i + 1),
    );
  });

  it("leaves out a last will that may not be, and lets its client in all the same", async () => {
    const topic = `${OWN_TOPIC}/status`;
    const goodbye = async (will: { topic: string; payload: string }) => {
      const { deniedWills, received } = city.broker.counts();
      expect(await answerTo(DEVICE, { will: { ...will, qos: 1, retain: true } })).toBe(0);
      const now = () => city.broker.counts();
      await until(() => now().connections === 0);
      return { denied: now().deniedWills - deniedWills, kept: now().received - received };
    };
    expect(await goodbye({ topic, payload: "offline" })).toEqual({ denied: 0, kept: 1 });
    const none = { denied: 1, kept: 0 };
    expect(await goodbye({ topic: `${topic}x`, payload: "offline" })).toEqual(none);
    expect(await goodbye({ topic: "city/north/air/no2-2/status", payload: "offline" })).toEqual(none);
    expect(await goodbye({ topic: OWN_TOPIC, payload: "{}" })).toEqual(none);
    expect(await goodbye({ topic, payload: "Offline" })).toEqual(none);
    expect(await goodbye({ topic: "$SYS/x/new/clients", payload: "no2-2" })).toEqual(none);
    expect(city.events).toMatchObject([{ type: "denied-publish", reason: "will_not_allowed", name: "no2-1" }]);
  });

  it("reports a refusal once and counts its repeats", async () => {
    await city.stop();
    city = await startTestBroker({ eventRepeatMs: 500, hookTimeoutMs: 500 });
    for (let i = 0; i < 5; i += 1) await answerTo(DEVICE, { password: "x", clientId: "no2-1" });
    expect(city.events).toEqual([expect.objectContaining({ type: "refused", reason: "bad_credentials", repeats: 0 })]);
    await until(() => city.events.length === 2);
    expect(city.events[1]).toMatchObject({ type: "refused", reason: "bad_credentials", repeats: 4 });
  });

  it("answers late after many failures from an address, but not those with the right secret", async () => {
    await city.stop();
    city = await startTestBroker({ loginFailures: { perSecond: 0.001, burst: 3 }, loginBackOffMs: 1_000 });
    for (let i = 0; i < 3; i += 1) expect(await answerTo(DEVICE, { password: "x" })).toBe(4);
    const started = performance.now();
    const late = answerTo(DEVICE, { password: "x" });
    expect(await Promise.race([answerTo(DEVICE, {}), late])).toBe(0);
    expect(await late).toBe(4);
    expect(performance.now() - started).toBeGreaterThan(950);
  });

  it("makes one event of an address that tries a thousand names, and keeps nobody else's back", async () => {
    await city.stop();
    const refusals = { loginFailures: { perSecond: 0.001, burst: 5 }, loginBackOffMs: 500 };
    city = await startTestBroker({ ...refusals, eventRepeatMs: 300, hookTimeoutMs: 500 });
    const names = Array.from({ length: 1_100 }, (_, i) => `guess-${i}`);
    const guesses = Promise.all(names.map((username) => answerTo(DEVICE, { username, clientId: username })));
    await until(() => city.broker.counts().refused.bad_credentials > 100);
    // Meanwhile, and from the same address: a right secret is let in, and what others do is told at once.
    expect(await answerTo(GATEWAY, {})).toBe(0);
    const device = await city.connect(DEVICE);
    await device.publishAsync("city/north/air/no2-2", "{}", { qos: 1 });
    expect(city.events.filter(({ type }) => type === "denied-publish")).toMatchObject([{ name: DEVICE.name }]);
    expect(new Set(await guesses)).toEqual(new Set([4]));
    const told = () =>
      city.events.filter(({ type }) => type === "refused").reduce((sum, one) => sum + 1 + one.repeats, 0);
    const reports = () => city.events.filter(({ type }) => type === "refused").length;
    // A later report says how many came since, and does not count for one itself.
    await until(() => told() - (reports() - 1) === names.length);
    expect(reports()).toBeLessThan(12);
    expect(city.events.filter(({ type }) => type === "refused").at(-1)?.names).toBe(20);
  });

  it("fails closed when credentials cannot be looked up", async () => {
    city.credentials.get = () => {
      throw new Error("broken");
    };
    expect(await answerTo(DEVICE, {})).toBe(4);
  });

  it("ends what is silent for one and a half times its keepalive, and at last also who asks for none", async () => {
    await city.stop();
    city = await startTestBroker({ idleMaxS: 1 });
    const longest = await city.raw();
    expect(await longest.login(OTHER_DEVICE, { keepalive: 65_535 })).toBe(0);
    for (const [keepalive, ms] of [
      [0, 1_000],
      [1, 1_500],
    ] as const) {
      const started = performance.now();
      const client = await city.raw();
      expect(await client.login(DEVICE, { keepalive })).toBe(0);
      await client.whenClosed();
      expect(performance.now() - started).toBeGreaterThan(ms - 50);
    }
    longest.send({ cmd: "pingreq" });
    expect(await longest.next("pingresp")).toBeDefined();
  });
});

describe("taking a credential away", () => {
  it("closes all connections of the account, and lets nobody in again", async () => {
    const clients = [];
    for (const clientId of ["gw", "gw-1", "gw-2"]) {
      const client = await city.raw();
      await client.login(GATEWAY, { clientId });
      clients.push(client);
    }
    const device = await city.connect(DEVICE);
    city.credentials.delete("gw");
    expect(city.broker.disconnect("gw")).toBe(3);
    await Promise.all(clients.map((client) => client.whenClosed()));
    expect(await answerTo(GATEWAY, {})).toBe(4);
    expect(city.broker.disconnect("gw")).toBe(0);
    expect(device.connected).toBe(true);
  });

  it("takes two while one is replaced, says that the new one was used, and cuts off who showed the old one", async () => {
    const used: string[] = [];
    await city.stop();
    city = await startTestBroker({}, { onNewSecret: (...shown) => void used.push(shown.join(" ")) });
    const hash = (secret: string) => createHash("sha256").update(secret).digest("hex");
    const [secretHash, old] = [hash("new"), hash(SECRET)];
    const former = { secretHash: old, until: Date.now() + 60_000 };
    city.credentials.set("no2-1", { account: DEVICE, secretHash, former });
    const before = await city.raw();
    expect(await before.login(DEVICE, { clientId: "old" })).toBe(0);
    expect(used).toEqual([]);
    const after = await city.raw();
    expect(await after.login(DEVICE, { clientId: "new", password: "new" })).toBe(0);
    expect(used).toEqual([`no2-1 ${secretHash}`]);
    expect(city.broker.disconnect("no2-1", [secretHash, old])).toBe(0);
    expect(city.broker.disconnect("no2-1", [secretHash])).toBe(1);
    await before.whenClosed();
    city.credentials.set("no2-1", { account: DEVICE, secretHash, former: { ...former, until: Date.now() } });
    expect(await answerTo(DEVICE, {})).toBe(4);
    expect(await answerTo(DEVICE, { password: "new" })).toBe(0);
  });

  it("takes a new secret at once", async () => {
    const secretHash = createHash("sha256").update("new").digest("hex");
    city.credentials.set("no2-1", { account: DEVICE, secretHash });
    expect(await answerTo(DEVICE, {})).toBe(4);
    expect(await answerTo(DEVICE, { password: "new" })).toBe(0);
  });
});

describe("status", () => {
  it("goes to the journal like a reading: what a sensor says of itself and what its last will says for it", async () => {
    const device = await city.raw();
    const topic = `${OWN_TOPIC}/status`;
    await device.login(DEVICE, { will: { topic, payload: "offline", qos: 1, retain: true } });
    device.send({ cmd: "publish", topic, payload: "online", qos: 1, messageId: 1, retain: true, dup: false });
    await device.next("puback");
    device.socket.destroy();
    await until(() => city.kept.length === 2);
    const said = city.kept.map((message) => [message.topic, Buffer.from(message.payload).toString(), message.refused]);
    expect(said).toEqual([
      [topic, "online", undefined],
      [topic, "offline", undefined],
    ]);
  });

  it("stays online when the last will of a connection comes after a newer one has said so", async () => {
    const topic = `${OWN_TOPIC}/status`;
    const will = { topic, payload: "offline", qos: 1, retain: true } as const;
    for (const clientIds of [
      ["same", "same"],
      ["before", "after"],
    ]) {
      const [older, newer] = [await city.raw(), await city.raw()];
      await older.login(DEVICE, { clientId: clientIds[0]!, will });
      await newer.login(DEVICE, { clientId: clientIds[1]!, will });
      newer.send({ cmd: "publish", topic, payload: "online", qos: 1, messageId: 1, retain: true, dup: false });
      await newer.next("puback");
      older.socket.destroy();
      await until(() => city.broker.counts().connections === 1);
      newer.send({ cmd: "disconnect" });
      await newer.whenClosed();
    }
    const gateways = [await city.raw(), await city.raw()];
    for (const [i, client] of gateways.entries()) await client.login(GATEWAY, { clientId: `gw-${i}`, will });
    gateways[0]!.socket.destroy();
    await until(() => city.broker.counts().connections === 1);
    expect(city.kept.map(({ payload }) => Buffer.from(payload).toString())).toEqual(["online", "online"]);
    gateways[1]!.socket.destroy();
    await until(() => city.kept.length === 3);
    expect(Buffer.from(city.kept[2]!.payload).toString()).toBe("offline");
  });

  it("keeps only so many retained", async () => {
    await city.stop();
    city = await startTestBroker({ retainedMax: 2 });
    for (const id of ["a", "b", "c", "a"]) {
      const topic = `city/north/air/${id}/status`;
      await city.broker.publish({ topic, payload: "online", qos: 1, retain: true });
    }
    expect(city.broker.counts().retainedRefused).toBe(1);
  });
});

describe("who logs in again and again", () => {
  it("with a right secret, waits for its turn, and nobody else does", async () => {
    await city.stop();
    city = await startTestBroker({ logins: { perSecond: 4, burst: 3 }, connectTimeoutMs: 1_500 });
    const begun = performance.now();
    const took = async (n: number) => {
      const client = await city.raw();
      const answer = await client.login(GATEWAY, { clientId: `gw-${n}` });
      return answer === 0 ? performance.now() - begun : Number.POSITIVE_INFINITY;
    };
    const all = Array.from({ length: 20 }, (_, n) => took(n));
    const other = await city.raw();
    expect(await other.login(DEVICE)).toBe(0);
    expect(city.broker.counts().connections).toBe(21);
    const answered = (await Promise.all(all)).filter(Number.isFinite).length;
    // Three at once, and four a second for as long as a connection may wait for its answer.
    expect(answered).toBeGreaterThan(4);
    expect(answered).toBeLessThan(14);
    expect(city.broker.counts().refused.connect_timeout).toBe(20 - answered);
  });
});
