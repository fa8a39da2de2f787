import { execFileSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { connectAsync, connect as connectMqtt, type MqttClient } from "mqtt";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { startBroker } from "../../broker/broker.ts";
import { SILENT } from "../../model/log.ts";
import {
  DEVICE,
  GATEWAY,
  OPERATOR,
  OTHER_DEVICE,
  OWN_TOPIC,
  SECRET,
  startTestBroker,
  type TestBroker,
  until,
  VIEWER,
} from "./broker-fixture.ts";

let city: TestBroker;
afterEach(() => city.stop());

describe("doors", () => {
  it("speaks MQTT over WebSocket on the same port", async () => {
    city = await startTestBroker();
    const url = city.url.replace("mqtt:", "ws:");
    const device = await city.connect(DEVICE, { url });
    await device.publishAsync(OWN_TOPIC, '{"no2":1}', { qos: 1 });
    expect(city.kept).toMatchObject([{ topic: OWN_TOPIC }]);
    const olga = await city.connect(OPERATOR, { url });
    await olga.subscribeAsync("city/#");
    const heard = new Promise((resolve) => olga.once("message", (topic) => resolve(topic)));
    const big = Buffer.alloc(60_000, "x");
    await device.publishAsync(OWN_TOPIC, big, { qos: 1 });
    await city.broker.publish({ topic: OWN_TOPIC, payload: big, qos: 1 });
    expect(await heard).toBe(OWN_TOPIC);
  });

  it("answers plain HTTP with 426, refuses text frames, and can do without WebSocket", async () => {
    city = await startTestBroker();
    const http = city.url.replace("mqtt:", "http:");
    expect((await fetch(http)).status).toBe(426);
    const texter = new WebSocket(city.url.replace("mqtt:", "ws:"), "mqtt");
    texter.once("open", () => texter.send(""));
    expect(await new Promise((resolve) => texter.once("close", resolve))).toBe(1003);
    await city.stop();
    city = await startTestBroker({ webSocket: false });
    await expect(fetch(city.url.replace("mqtt:", "http:"))).rejects.toThrow();
    expect(city.broker.counts().refused.not_mqtt).toBe(1);
  });

  it.each([
    ["requests without waiting for an answer", "GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(2_000)],
    [
      "a body in chunks of a byte",
      `GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(8_000)}`,
    ],
    ["a head without an end", `GET / HTTP/1.1\r\nhost: x\r\n${"a: b\r\n".repeat(10_000)}`],
  ])("makes no request of plain HTTP: %s", async (_, bytes) => {
    city = await startTestBroker();
    let requests = 0;
    const onStart = () => {
      requests += 1;
    };
    subscribe("http.server.request.start", onStart);
    const socket = createConnection({ host: "127.0.0.1", port: Number(new URL(city.url).port) });
    socket.on("error", () => {}); // it is closed while there is more to send
    socket.write(bytes);
    await once(socket.resume(), "close");
    unsubscribe("http.server.request.start", onStart);
    expect(requests).toBe(0);
    expect(city.broker.counts().connections).toBe(0);
  });

  it("speaks MQTT and WebSocket over TLS on a port of its own", async () => {
    const folder = mkdtempSync(join(tmpdir(), "broker-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-days", "2"];
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync("openssl", ["req", "-x509", ...newKey, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
    city = await startTestBroker({ tls: { port: 0, cert: readFileSync(cert), key: readFileSync(key) } });
    rmSync(folder, { recursive: true });
    for (const scheme of ["mqtts", "wss"]) {
      const url = `${scheme}://127.0.0.1:${city.broker.address.tlsPort}`;
      const device = await city.connect(DEVICE, { url, rejectUnauthorized: false });
      await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
      await device.endAsync();
    }
    expect(city.kept.length).toBe(2);
  });

  it("takes a client certificate for the account it names, and another certificate without dropping anyone", async () => {
    const pki = createPki();
    const crl = pki.revoke("no2-2");
    const material = { ...pki.server("first"), clientCa: pki.ca, crl };
    city = await startTestBroker({ port: undefined, tls: { port: 0, ...material } });
    const url = `mqtts://127.0.0.1:${city.broker.address.port}`;
    const login = (name: string, more: object = {}) =>
      connectAsync(url, { ...pki.client(name), ca: pki.ca, clientId: "", reconnectPeriod: 0, ...more });
    const isRefused = async (name: string, more: object = {}) => {
      const given = { ...pki.client(name), ca: pki.ca, clientId: "", reconnectPeriod: 0, ...more };
      const client = connectMqtt(url, given);
      client.on("error", () => {});
      let isIn = false;
      client.once("connect", () => {
        isIn = true;
        client.end(true);
      });
      await new Promise<void>((resolve) => void client.once("close", () => resolve()));
      return !isIn;
    };
    const served = (client: MqttClient) => (client.stream as TLSSocket).getPeerCertificate().subject.CN;

    const device = await login(DEVICE.name);
    expect(served(device)).toBe("first");
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    expect(city.kept[0]?.source).toMatchObject({ role: "device", name: DEVICE.name });
    expect(await isRefused(OTHER_DEVICE.name)).toBe(true); // taken back
    expect(await isRefused(OPERATOR.name)).toBe(true); // people have passwords
    expect(await isRefused(DEVICE.name, createPki().client(DEVICE.name))).toBe(true); // of another authority
    expect(await isRefused(DEVICE.name, { username: GATEWAY.name })).toBe(true);
    const byPassword = { cert: undefined, key: undefined, username: OTHER_DEVICE.name, password: SECRET };
    await (await login(OTHER_DEVICE.name, byPassword)).endAsync();
    expect(city.broker.counts().refused).toMatchObject({ bad_certificate: 2, bad_credentials: 2 });

    city.broker.renewTls({ ...material, ...pki.server("second") });
    const next = await login(DEVICE.name);
    expect(served(next)).toBe("second");
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    await Promise.all([device.endAsync(), next.endAsync()]);
  });

  it("rejects when the port is taken", async () => {
    city = await startTestBroker();
    const ports = {
      credential: () => undefined,
      append: () => {},
      onEvent: () => {},
      onListeners: () => {},
      now: Date.now,
      log: SILENT,
    };
    await expect(startBroker({ port: city.broker.address.port }, ports)).rejects.toThrow("EADDRINUSE");
  });
});

/** An authority, made with openssl in a folder of its own. */
function createPki() {
  const folder = mkdtempSync(join(tmpdir(), "broker-pki-"));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore", cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=city", "-days", "2");
  writeFileSync(file("index.txt"), "");
  writeFileSync(file("serial"), "1000\n");
  writeFileSync(file("number"), "01\n");
  writeFileSync(file("san.cnf"), "subjectAltName=IP:127.0.0.1\n");
  const ca = "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\ncrlnumber=number\nnew_certs_dir=.\n";
  const more = "default_md=sha256\ndefault_crl_days=2\ndefault_days=2\npolicy=any\n[any]\ncommonName=supplied\n";
  writeFileSync(file("ca.cnf"), ca + more);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  function signed(name: string) {
    openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const by = ["-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-extfile", "san.cnf"];
    openssl("ca", "-batch", "-notext", ...by, "-in", `${name}.csr`, "-out", `${name}.pem`);
    return { cert: readFileSync(file(`${name}.pem`), "utf8"), key: readFileSync(file(`${name}.key`), "utf8") };
  }
  const made = new Map<string, ReturnType<typeof signed>>();
  function of(name: string) {
    const pair = made.get(name) ?? signed(name);
    made.set(name, pair);
    return pair;
  }
  function revoke(name: string): string {
    of(name);
    const by = ["-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key"];
    openssl("ca", ...by, "-revoke", `${name}.pem`);
    openssl("ca", ...by, "-gencrl", "-out", "crl.pem");
    return readFileSync(file("crl.pem"), "utf8");
  }
  return { ca: readFileSync(file("ca.pem"), "utf8"), server: of, client: of, revoke };
}

describe("limits on connections", () => {
  it("closes sockets that are silent, slow, or not MQTT", async () => {
    city = await startTestBroker({ connectTimeoutMs: 300 });
    const silent = await city.raw();
    const half = await city.raw();
    half.socket.write(Buffer.from([0x10, 0x20, 0x00]));
    const upgrading = await city.raw();
    upgrading.socket.write("GET / HTTP/1.1\r\nHost: x\r\n");
    const slow = await city.raw();
    const drip = setInterval(() => slow.socket.write(Buffer.from([0x10])), 50);
    const rubbish = await city.raw();
    rubbish.socket.write("hello");
    const started = performance.now();
    const device = await city.connect(DEVICE);
    await Promise.all([silent, half, upgrading, slow, rubbish].map((socket) => socket.whenClosed()));
    clearInterval(drip);
    expect(performance.now() - started).toBeLessThan(8_000);
    await device.publishAsync(OWN_TOPIC, "{}", { qos: 1 });
    const { refused, connections } = city.broker.counts();
    expect(refused.not_mqtt).toBe(1);
    expect(refused.connect_timeout).toBeGreaterThanOrEqual(2);
    expect(connections).toBe(1);
  });

  it("takes only so many connections, in all and from one address", async () => {
    for (const [options, reason] of [
      [{ connectionsMax: 2 }, "connections_max"],
      [{ connectionsPerAddressMax: 2, addressesExempt: [] }, "address_connections_max"],
    ] as const) {
      city = await startTestBroker(options);
      const inside = [await city.connect(DEVICE), await city.connect(OPERATOR)];
      await (await city.raw()).whenClosed();
      expect(inside.every((client) => client.connected)).toBe(true);
      expect(city.broker.counts()).toMatchObject({ connections: 2, refused: { [reason]: 1 } });
      await city.stop();
    }
    city = await startTestBroker({ connectionsPerAccountMax: 2 });
    const answers = [];
    for (const clientId of ["gw-1", "gw-2", "gw-3"])
      answers.push(await (await city.raw()).login(GATEWAY, { clientId }));
    expect(answers).toEqual([0, 0, 3]);
  });

  it.each([
    ["in all", { connectionsMax: 50 }],
    ["from one address", { connectionsPerAddressMax: 50, addressesExempt: [] }],
  ])("lets a login in where idle sockets have taken all there are %s: the oldest of them goes", async (_, options) => {
    city = await startTestBroker(options);
    const inside = await city.connect(DEVICE);
    const idle: Awaited<ReturnType<typeof city.raw>>[] = [];
    for (let i = 0; i < 60; i += 1) idle.push(await city.raw());
    const olga = await city.connect(OPERATOR);
    await olga.subscribeAsync("alerts/#");
    await until(() => idle.filter((socket) => socket.isClosed()).length === 12);
    expect(idle.slice(0, 12).every((socket) => socket.isClosed())).toBe(true);
    expect(inside.connected).toBe(true);
    expect(city.broker.counts().connections).toBe(50);
  });
});

describe("a subscriber that reads nothing", () => {
  it("stalls nobody, and is closed after the drain timeout", async () => {
    city = await startTestBroker({ drainTimeoutMs: 1_500, rates: {} });
    const frozen = await city.raw();
    await frozen.login(OPERATOR);
    frozen.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "city/#", qos: 1 }] });
    await frozen.next("suback");
    frozen.socket.pause();
    const device = await city.connect(DEVICE);
    const payload = Buffer.alloc(60_000, "x");
    let slowest = 0;
    const end = performance.now() + 1_000;
    for (let i = 0; i < 2_000 && (performance.now() < end || !city.broker.counts().subscriberDrops); i += 1) {
      void city.broker.publish({ topic: OWN_TOPIC, payload, qos: 1 });
      const sent = performance.now();
      await device.publishAsync(OWN_TOPIC, payload, { qos: 1 });
      slowest = Math.max(slowest, performance.now() - sent);
    }
    expect(city.broker.counts().subscriberDrops).toBeGreaterThan(0);
    expect(slowest).toBeLessThan(500);
    await until(() => city.broker.counts().connections === 1);
    frozen.socket.resume();
    await frozen.whenClosed();
  });

  it("does not hold up what others subscribed to, however much waits for it", async () => {
    city = await startTestBroker({ rates: {}, subscriberBufferBytesMax: 64 * 1_048_576 });
    const frozen = await city.raw();
    await frozen.login(OPERATOR);
    frozen.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "city/#", qos: 1 }] });
    await frozen.next("suback");
    frozen.socket.pause();
    const healthy = await city.connect(VIEWER);
    await healthy.subscribeAsync("alerts/#");
    const device = await city.connect(DEVICE);
    const payload = Buffer.alloc(60_000, "x");
    // More than the sockets' buffers hold, and then more than aedes has in hand at once.
    for (let i = 0; i < 450; i += 1) {
      void city.broker.publish({ topic: OWN_TOPIC, payload, qos: 1 });
      await device.publishAsync(OWN_TOPIC, payload, { qos: 1 });
    }
    const heard = new Promise((resolve) => healthy.once("message", resolve));
    const sent = performance.now();
    await city.broker.publish({ topic: "alerts/north/critical/a1", payload: "{}", qos: 1 });
    await heard;
    expect(performance.now() - sent).toBeLessThan(10_000);
  });
});
