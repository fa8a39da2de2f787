import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseProxyHeader } from "../../model/proxy-protocol.ts";
import { makeCertificate } from "../helpers/certificate.ts";
import { DEVICE, OTHER_DEVICE, rawClient, startTestBroker, type TestBroker, until } from "./broker-fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "lamppost-proxy-"));
const { certFile, keyFile } = makeCertificate(folder, "broker");
const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)];
const BALANCER = "127.0.0.2";
const LINE = "PROXY TCP4 203.0.113.7 192.0.2.1 4711 1883\r\n";

/** Version 2, over TCP. */
function binary(address: string, { command = 0x21, family = 0x11, more = 0 } = {}): Buffer {
  const is6 = address.includes(":");
  const ends = is6
    ? Buffer.concat([hex6(address), Buffer.alloc(16), Buffer.alloc(4)])
    : Buffer.from([...address.split(".").map(Number), 192, 0, 2, 1, 0x12, 0x67, 0x07, 0x5b]);
  const rest = Buffer.concat([ends, Buffer.alloc(more)]);
  const head = Buffer.from([
    0x0d,
    10,
    13,
    10,
    0,
    13,
    10,
    0x51,
    0x55,
    0x49,
    0x54,
    10,
    command,
    is6 ? 0x21 : family,
    0,
    0,
  ]);
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
}
const hex6 = (address: string) =>
  Buffer.from(
    address
      .split(":")
      .map((group) => group.padStart(4, "0"))
      .join(""),
    "hex",
  );

let broker: TestBroker;
const sockets: Socket[] = [];
beforeAll(async () => {
  broker = await startTestBroker({
    proxiesTrusted: [BALANCER],
    connectionsPerAddressMax: 2,
    connectTimeoutMs: 400,
    eventRepeatMs: 1,
    tls: { port: 0, cert, key },
  });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await broker.stop();
  rmSync(folder, { recursive: true });
});

function from(localAddress: string, header: string | Buffer, to = broker.broker.address.port): Socket {
  const socket = connectTcp({ port: to, host: "127.0.0.1", localAddress });
  sockets.push(socket);
  socket.on("error", () => {});
  socket.write(header);
  return socket;
}

it("reads both versions, in pieces too, and takes nothing for one that is none", () => {
  const good: [string | Buffer, string | undefined][] = [
    [LINE, "203.0.113.7"],
    ["PROXY TCP6 2001:db8::7 2001:db8::1 65535 0\r\n", "2001:db8::7"],
    ["PROXY UNKNOWN ffff::1 what ever\r\n", undefined],
    [binary("203.0.113.7", { more: 40 }), "203.0.113.7"],
    [binary("2001:db8:0:0:0:0:0:7"), "2001:db8::7"],
    [binary("203.0.113.7", { command: 0x20 }), undefined],
    [binary("203.0.113.7", { family: 0 }), undefined],
  ];
  for (const [header, address] of good) {
    const bytes = Buffer.from(header);
    expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from("rest")]))).toEqual({ address, length: bytes.length });
    for (let cut = 1; cut < bytes.length; cut += 1) expect(parseProxyHeader(bytes.subarray(0, cut))).toBe("more");
  }
  const bad = [
    "PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n",
    "PROXY TCP4 203.0.113.7 192.0.2.1 4711 70000\r\n",
    "PROXY TCP4 203.0.113.7 192.0.2.1 04711 1883\r\n",
    "PROXY TCP4 2001:db8::7 192.0.2.1 4711 1883\r\n",
    "PROXY TCP4  203.0.113.7 192.0.2.1 4711 1883\r\n",
    "PROXY UDP4 203.0.113.7 192.0.2.1 4711 1883\r\n",
    `PROXY UNKNOWN ${"x".repeat(100)}`,
    "GET / HTTP/1.1\r\n",
    "\x10\x0c\0\x04MQTT",
    binary("203.0.113.7", { command: 0x11 }),
    binary("203.0.113.7", { command: 0x22 }),
    binary("203.0.113.7", { family: 0x12 }),
    binary("203.0.113.7", { more: 3_000 }),
  ];
  for (const header of bad) expect(parseProxyHeader(Buffer.from(header)), String(header)).toBe("bad");
});

describe("a balancer that is trusted", () => {
  it("says whose a connection is, for the limits of an address and for the log", async () => {
    const first = rawClient(from(BALANCER, LINE));
    const second = rawClient(from(BALANCER, binary("203.0.113.7")));
    expect([await first.login(DEVICE), await second.login(OTHER_DEVICE)]).toEqual([0, 0]);
    const third = rawClient(from(BALANCER, LINE));
    await third.whenClosed();
    await until(() => broker.events.some((event) => event.type === "refused"));
    expect(broker.events.at(-1)).toMatchObject({ reason: "address_connections_max", address: "203.0.113.7" });
    const other = rawClient(from(BALANCER, "PROXY TCP4 203.0.113.8 192.0.2.1 1 1883\r\n"));
    expect(await other.login(DEVICE, { password: "wrong" })).toBe(4);
    expect(broker.events.at(-1)).toMatchObject({ reason: "bad_credentials", address: "203.0.113.8" });
    first.socket.destroy();
    second.socket.destroy();
  });

  it("also before TLS", async () => {
    const below = from(BALANCER, LINE, broker.broker.address.tlsPort);
    const client = rawClient(connectTls({ socket: below, ca: cert, servername: "localhost" }) as unknown as Socket);
    expect(await client.login(DEVICE, { password: "wrong" })).toBe(4);
    expect(broker.events.at(-1)).toMatchObject({ reason: "bad_credentials", address: "203.0.113.7" });
  });

  it("is closed with a bad header, without one, and with one that does not come", async () => {
    const before = broker.broker.counts().refused.proxy_header;
    const all = ["PROXY TCP4 nonsense\r\n", "\x10\x0c\0\x04MQTT", "PROXY TCP4 203", ""].map((header) =>
      rawClient(from(BALANCER, header)),
    );
    await Promise.all(all.map(({ whenClosed }) => whenClosed()));
    expect(broker.broker.counts().refused.proxy_header).toBe(before + all.length);
  });
});

it("refuses a header from anyone else", async () => {
  const before = broker.broker.counts().refused.proxy_header;
  for (const header of [LINE, binary("203.0.113.7")]) await rawClient(from("127.0.0.3", header)).whenClosed();
  expect(broker.broker.counts().refused.proxy_header).toBe(before + 2);
  expect(broker.events).toContainEqual(expect.objectContaining({ reason: "proxy_header", address: "127.0.0.3" }));
  await until(() => broker.broker.counts().connections === 0);
});
