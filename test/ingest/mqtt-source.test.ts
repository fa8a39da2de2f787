import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import type { Packet } from "mqtt-packet";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { explainEnd } from "../../ingest/mqtt-source/source.ts";
import { PAYLOAD_BYTES_MAX } from "../../model/message.ts";
import {
  createHeldJournal,
  type Peer,
  publishOf,
  startAedes,
  startScripted,
  startSource,
  TOPIC,
  welcome,
} from "./mqtt-source-harness.ts";

const COUNT = 50;
const coded = (code: string) => Object.assign(new Error("something"), { code });
const keepAll = async () => {};

/** A broker that sends so many messages at once on each connection and notes what is acknowledged. */
async function startBurst(version: 4 | 5, count = COUNT) {
  const acked: number[] = [];
  const connects: Packet[] = [];
  let peerNow: Peer | undefined;
  const port = await startScripted(version, (packet, peer) => {
    if (packet.cmd === "connect") connects.push(packet);
    if (packet.cmd === "puback") acked.push(packet.messageId!);
    if (welcome(packet, peer)) for (let id = 1; id <= count; id += 1) peer.send(publishOf(id));
    peerNow = peer;
  });
  const send = (from: number, to: number) => {
    for (let id = from; id <= to; id += 1) peerNow!.send(publishOf(id));
  };
  return { port, acked, connects, send };
}

/** Long enough for anything that does not wait for the journal to have happened. */
async function aFewTurns(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("a source of MQTT messages", () => {
  it("reads no further from a broker that delivers more than its rate, and loses nothing of it", async () => {
    const { port, acked } = await startBurst(4);
    const kept: unknown[] = [];
    const append = async (messages: readonly unknown[]) => void kept.push(...messages);
    const source = startSource(port, append, { options: { readingsPerS: 10 } });
    await vi.waitFor(() => expect(source.counts().slowed).toBeGreaterThan(0), 30_000);
    expect(kept.length).toBeLessThan(COUNT);
    expect(source.health()).toMatchObject({ state: "ok" });
    await vi.waitFor(() => expect(acked).toHaveLength(COUNT), 30_000);
    expect(kept).toHaveLength(COUNT);
  });

  it.each([4, 5] as const)(
    "acknowledges nothing before it is kept, and then in order (MQTT version %i)",
    async (version) => {
      const { port, acked, send } = await startBurst(version, 20);
      const journal = createHeldJournal();
      const source = startSource(port, journal.append);
      await journal.has(20);
      send(21, COUNT);
      await journal.has(COUNT);
      await aFewTurns();
      expect(source.counts()).toMatchObject({ received: COUNT, waiting: COUNT, acknowledged: 0 });
      expect(acked).toEqual([]);
      expect(journal.messages()[0]).toMatchObject({
        topic: TOPIC,
        source: { via: "bridge", role: "broker", name: "127.0.0.1" },
      });
      expect(journal.asked.length).toBeGreaterThan(1);
      const [first, ...later] = journal.asked;
      for (const { settle } of later.toReversed()) settle();
      await aFewTurns();
      expect(source.counts().acknowledged).toBe(0);
      first!.settle();
      await vi.waitFor(() => expect(acked).toHaveLength(COUNT), 30_000);
      expect(acked).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
    },
  );

  it("asks for a session that stays, with a bounded window", async () => {
    const { port, connects } = await startBurst(5, 0);
    const source = startSource(port, keepAll);
    await vi.waitFor(() => expect(source.health().state).toBe("ok"), 30_000);
    expect(connects[0]).toMatchObject({
      clean: false,
      clientId: "lamppost-source",
      protocolVersion: 5,
      properties: { sessionExpiryInterval: 0xffffffff, receiveMaximum: 1_000 },
    });
  });

  it("drops the connection when the journal does not take a message, and gets it again", async () => {
    const { port, acked, connects } = await startBurst(5, 10);
    const journal = createHeldJournal();
    const source = startSource(port, journal.append);
    await journal.has(10);
    for (const { settle } of journal.asked.splice(0)) settle(new Error("the disk is full"));
    await journal.has(10);
    expect(acked).toEqual([]);
    expect(connects).toHaveLength(2);
    expect(source.counts()).toMatchObject({ appendErrors: expect.any(Number), acknowledged: 0 });
    for (const { settle } of journal.asked) settle();
    await vi.waitFor(() => expect(acked).toHaveLength(10), 30_000);
  });

  it("stops reading when too much waits for the journal, whatever the broker sends", async () => {
    const { port, acked } = await startBurst(4, 500);
    const journal = createHeldJournal();
    const source = startSource(port, journal.append, { limits: { waitingMax: 20 } });
    for (let done = 0; done < 500; ) {
      await journal.has(1);
      const asked = journal.asked.splice(0);
      expect(source.counts().waiting).toBeLessThanOrEqual(20);
      done += asked.reduce((sum, { messages }) => sum + messages.length, 0);
      for (const { settle } of asked) settle();
    }
    await vi.waitFor(() => expect(acked).toHaveLength(500), 30_000);
  });

  it("acknowledges what is under way when it stops, and takes nothing more", async () => {
    const { port, acked } = await startBurst(5, 10);
    const journal = createHeldJournal();
    const source = startSource(port, journal.append);
    await journal.has(10);
    const closed = source.close(5_000);
    await aFewTurns();
    for (const { settle } of journal.asked) settle();
    await closed;
    await vi.waitFor(() => expect(acked).toHaveLength(10), 30_000);
    expect(source.counts().connected).toBe(0);
  });

  it("does not wait for a journal that does not answer when it stops", async () => {
    const { port, acked } = await startBurst(5, 10);
    const journal = createHeldJournal();
    const source = startSource(port, journal.append);
    await journal.has(10);
    await source.close(20);
    expect(acked).toEqual([]);
  });

  it("reads from a broker that only knows MQTT 3.1.1, and acknowledges QoS 2 as well", async () => {
    const { broker, port } = await startAedes();
    const journal = createHeldJournal();
    const source = startSource(port, journal.append);
    await vi.waitFor(() => expect(source.health().state).toBe("ok"), 30_000);
    const publish = (topic: string, payload: string) =>
      new Promise<void>((resolve) => {
        const packet = { cmd: "publish", topic, payload, qos: 1, dup: false, retain: false } as const;
        broker.publish(packet, () => resolve());
      });
    await publish(TOPIC, "{}");
    await publish(`${TOPIC}/status`, "online");
    await publish(`${TOPIC}/status`, "asleep");
    await publish(`${TOPIC}/rejected`, "{}");
    await journal.has(2);
    for (const { settle } of journal.asked) settle();
    await vi.waitFor(() => expect(source.counts().acknowledged).toBe(4), 30_000);
    expect(source.counts()).toMatchObject({ statuses: 1, ignored: { own_rejection: 1, bad_status: 1 } });
    expect(journal.messages().map(({ topic }) => topic)).toEqual([TOPIC, `${TOPIC}/status`]);
  });

  it("keeps of a message that is too large only enough to say so", async () => {
    const port = await startScripted(5, (packet, peer) => {
      if (welcome(packet, peer)) peer.send(publishOf(1, "x".repeat(300_000)));
    });
    const journal = createHeldJournal();
    startSource(port, journal.append);
    await journal.has(1);
    expect(journal.messages()[0]!.payload.byteLength).toBe(PAYLOAD_BYTES_MAX + 1);
  });

  it("subscribes again and says so when the broker has forgotten the session", async () => {
    let subscriptions = 0;
    let peerNow: Peer | undefined;
    const port = await startScripted(5, (packet, peer) => {
      peerNow = peer;
      if (welcome(packet, peer)) subscriptions += 1;
    });
    const source = startSource(port, keepAll);
    await vi.waitFor(() => expect(source.counts().connects).toBe(1), 30_000);
    peerNow!.close();
    await vi.waitFor(() => expect(source.counts()).toMatchObject({ connects: 2, sessionsLost: 1 }), 30_000);
    expect(subscriptions).toBe(2);
  });
});

describe("what an operator is told", () => {
  const reasonOf = async (port: number, words: string, options = {}, limits = {}) => {
    const source = startSource(port, keepAll, { options, limits });
    await vi.waitFor(() => expect(source.health().reason).toContain(words), { timeout: 30_000 });
    expect(source.health()).toMatchObject({ part: "mqtt source", state: "degraded", ready: true });
    return source;
  };

  it("a wrong password", async () => {
    const { port } = await startAedes({
      authenticate: (_client, _name, password, done) => {
        const error = Object.assign(new Error("no"), { returnCode: 4 });
        if (password?.toString() === "right") done(null, true);
        else done(error as never, false);
      },
    });
    const source = await reasonOf(port, "refused the user name or the password", {
      username: "city",
      password: "wrong",
    });
    expect(source.health().reason).not.toContain("wrong");
    const right = startSource(port, keepAll, { options: { username: "city", password: "right", clientId: "other" } });
    await vi.waitFor(() => expect(right.health().state).toBe("ok"), 30_000);
  });

  it("nobody listens, a name nobody knows, no TLS there", async () => {
    const { port } = await startAedes();
    await reasonOf(1, "nothing listens there");
    await reasonOf(port, "hung up without an answer", { tls: {} });
    expect(explainEnd({ accepted: false, error: coded("ERR_SSL_WRONG_VERSION_NUMBER") })).toContain(
      "does not speak TLS",
    );
    await reasonOf(port, "not known", { host: "no-such-host.invalid" });
  });

  it("a refused subscription", async () => {
    const port = await startScripted(5, (packet, peer) => {
      if (packet.cmd === "connect") welcome(packet, peer);
      if (packet.cmd === "subscribe") peer.send({ cmd: "suback", messageId: packet.messageId!, granted: [0x87] });
    });
    await reasonOf(port, "refused the subscription: Subscribe error: Not authorized");
  });

  it("a broker that stays silent, at either step", async () => {
    const limits = { connectTimeoutMs: 30 };
    await reasonOf(await startScripted(5, () => {}), "connack timeout", {}, limits);
    const port = await startScripted(5, (packet, peer) => {
      if (packet.cmd === "connect") welcome(packet, peer);
    });
    await reasonOf(port, "did not answer the subscription", {}, limits);
  });

  it("another client with the same id, as MQTT 5 says it", async () => {
    const port = await startScripted(5, (packet, peer) => {
      if (!welcome(packet, peer)) return;
      peer.send({ cmd: "disconnect", reasonCode: 0x8e });
      peer.close();
    });
    const source = await reasonOf(port, 'Another client takes the session of "lamppost-source"');
    expect(source.figures()).toContainEqual(
      expect.objectContaining({ name: "lamppost_mqtt_source_takeovers_total", type: "counter" }),
    );
    expect(source.counts().takeovers).toBeGreaterThan(0);
  });

  it("an authority it does not know, and none once LAMPPOST_MQTT_SOURCE_CA names it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lamppost-ca-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key];
    execFileSync("openssl", ["req", "-x509", ...newKey, "-out", cert, ...subject], { stdio: "ignore" });
    const { broker } = await startAedes();
    const tls = { key: readFileSync(key), cert: readFileSync(cert) };
    const server = createTlsServer(tls, (socket) => void broker.handle(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    await reasonOf(port, "LAMPPOST_MQTT_SOURCE_CA", { tls: {} });
    const source = startSource(port, keepAll, {
      options: { tls: { ca: readFileSync(cert, "utf8") }, clientId: "other" },
    });
    await vi.waitFor(() => expect(source.health().state).toBe("ok"), 30_000);
  });
});
