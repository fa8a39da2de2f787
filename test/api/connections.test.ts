import { once } from "node:events";
import { request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { LIMITS, type Limits } from "../../api/limits.ts";
import type { Bucket } from "../../store/reading-store.ts";
import { aReading } from "../helpers/readings.ts";
import { startService } from "./service.ts";

/** Few and short, so that all of them are met. */
const SMALL = { connectionsMax: 24, connectionsPerAddressMax: 8, requestsAtOnceMax: 4 };
const HERE = "127.0.0.1";
const BUCKETS = "/api/v1/sensors/air-1/readings?every=1h";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Overrides = Parameters<typeof startService>[0];

async function serve(limits: Partial<Limits> = {}, overrides: Overrides = {}) {
  const service = startService({ ...overrides, options: { ...overrides.options, limits: { ...SMALL, ...limits } } });
  await service.app.listen({ host: "0.0.0.0", port: 0 });
  closing.push(service.close);
  const { port } = service.app.server.address() as AddressInfo;

  /** A connection that has said `text`; `ended` with all it was told. */
  async function open(text = "", from = HERE) {
    const socket = connect({ host: HERE, port, localAddress: from });
    closing.push(() => socket.destroy());
    const told: string[] = [];
    socket.on("data", (data) => told.push(String(data))).on("error", () => {});
    const ended = new Promise<string>((resolve) => socket.once("close", () => resolve(told.join(""))));
    await once(socket, "connect");
    if (text !== "") socket.write(text);
    return { socket, ended, told: () => told.join("") };
  }

  /** One request over a connection of its own. */
  function ask(path: string, as?: string, from = HERE): Promise<{ status: number; headers: object; body: string }> {
    const headers = { connection: "close", ...(as ? { authorization: `Bearer ${as}-token` } : {}) };
    return new Promise((resolve, reject) => {
      const asked = request({ host: HERE, port, path, headers, localAddress: from, agent: false }, (response) => {
        let body = "";
        response.on("data", (part) => {
          body += part;
        });
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      });
      asked.on("error", reject).end();
    });
  }

  const audits = () => service.records.audit.list(100).items.filter(({ what }) => what === "connections.limit");
  const isOpen = async () => Number(/^lamppost_http_connections (\d+)$/m.exec((await ask("/metrics")).body)?.[1]);
  return { ...service, open, ask, audits, isOpen };
}

const HALF = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Half: ";
const body = (bytes: number, more = "") =>
  `POST /api/v1/readings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer gw-north-token\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n${more}\r\n[`;

describe("requests that do not wait for an answer", () => {
  const LIVEZ = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";

  it("end their connection beyond 16 at a time; what stands behind that is not worked on", async () => {
    const { open, ask, app } = await serve();
    let worked = 0;
    app.server.on("request", () => {
      worked += 1;
    });
    const flood = await open(LIVEZ.repeat(1_000));
    await flood.ended;
    expect(worked).toBeLessThanOrEqual(17);
    expect((await ask("/livez")).status).toBe(200);
    const { body } = await ask("/metrics");
    expect(body).toContain("lamppost_http_connections_pipelined_total 1\n");
  });

  it("are answered in order up to then", async () => {
    const { open } = await serve();
    const few = await open(LIVEZ.repeat(9) + LIVEZ.replace("Host", "Connection: close\r\nHost"));
    expect((await few.ended).match(/HTTP\/1\.1 200/g)).toHaveLength(10);
  });
});

describe("what costs much to read", () => {
  /** As it stands in one read of the socket: 10,000 chunks of a byte, or requests with thousands of headers. */
  const tiny = (chunks: number) =>
    `POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\n \r\n".repeat(chunks)}`;
  const headers = Array.from({ length: 1_500 }, (_, i) => `a${i}:\r\n`).join("");
  const heads = `GET /x HTTP/1.1\r\nHost: x\r\n${headers}\r\n`.repeat(5);

  it.each([
    ["bodies in tiny chunks", tiny(999).repeat(8)],
    ["requests with thousands of headers", heads],
  ])("%s: of one address one socket at a time, while others are answered", async (_, text) => {
    const { open, ask, app } = await serve({ connectionsMax: 100, connectionsPerAddressMax: 50 });
    await ask("/livez"); // what is done once is done
    let [accepted, read, most, watching] = [0, 0, 0, true];
    const turn = () => {
      most = Math.max(most, read);
      read = 0;
      if (watching) globalThis.setImmediate(turn);
    };
    app.server.on("connection", (socket) => {
      accepted += 1;
      socket.on("data", () => (read += socket.remoteAddress === HERE ? 1 : 0));
    });
    const held = await Promise.all(Array.from({ length: 30 }, () => open()));
    await expect.poll(() => accepted).toBe(30);
    turn();
    const ended = held.map(({ socket, ended: all }) => {
      socket.write(text);
      return all;
    });
    expect((await ask("/livez", undefined, "127.0.0.2")).status).toBe(200);
    for (const { socket } of held) socket.end();
    await Promise.all(ended);
    watching = false;
    // A few have their turn before it is known that they are dear, the more the faster the machine; by itself Node reads all 30.
    expect(most).toBeLessThan(15);
  });

  it("nobody waits for ever: each of many requests of many connections is answered", async () => {
    const { open } = await serve({ connectionsMax: 100, connectionsPerAddressMax: 50 });
    const line = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    const all = await Promise.all(Array.from({ length: 40 }, () => open()));
    await Promise.all(
      all.map(async ({ socket, told }) => {
        for (let i = 1; i <= 20; i++) {
          socket.write(line);
          while (told().split("HTTP/1.1 200").length <= i) await once(socket, "data");
        }
      }),
    );
  });

  it("a body in thousands of tiny chunks ends its connection, one in large ones does not", async () => {
    const { open, ask } = await serve();
    expect(await (await open(tiny(5_000))).ended).toBe("");
    const chunk = `40\r\n${" ".repeat(64)}\r\n`;
    const large = `${tiny(0).replace("Host", "Connection: close\r\nHost")}${chunk.repeat(900)}0\r\n\r\n`;
    expect(await (await open(large)).ended).toContain("HTTP/1.1 400");
    expect((await ask("/metrics")).body).toContain("lamppost_http_connections_tiny_chunks_total 1\n");
  });
});

describe("connections of one address", () => {
  it.each([
    ["silent", ""],
    ["half-sent", HALF],
    ["half-sent bodies", body(100).replace(/Authorization.*\r\n/, "")],
  ])("%s ones make room for each new one, and keep nobody out", async (_, text) => {
    const { open, ask, audits, isOpen } = await serve({ headersMs: 60_000, requestMs: 60_000 });
    const held = [];
    for (let i = 0; i < 3 * SMALL.connectionsPerAddressMax; i++) held.push(await open(text));
    await Promise.all(held.slice(0, 8).map(({ ended }) => ended));
    expect((await ask("/livez")).status).toBe(200);
    expect((await ask("/api/v1/districts", "viewer")).status).toBe(200);
    expect((await ask("/livez", undefined, "127.0.0.2")).status).toBe(200);
    expect(await isOpen()).toBeLessThanOrEqual(SMALL.connectionsPerAddressMax);
    expect(audits()).toMatchObject([{ target: HERE, detail: expect.stringContaining("CONNECTIONS_PER_ADDRESS_MAX") }]);
  });

  it("one that has asked before stays while others say nothing", async () => {
    const { open } = await serve({ headersMs: 60_000, requestMs: 60_000 });
    const kept = await open("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(kept.socket, "data");
    const held = [];
    for (let i = 0; i < 3 * SMALL.connectionsPerAddressMax; i++) held.push(await open(HALF));
    await Promise.all(held.slice(0, 8).map(({ ended }) => ended));
    kept.socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(kept.socket, "data");
  });

  it("a request in progress of someone signed in keeps its place", async () => {
    const { open, ask } = await serve();
    const stream = await open(`GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer-token\r\n\r\n`);
    await once(stream.socket, "data");
    for (let i = 0; i < 30; i++) await open(HALF);
    expect((await ask("/livez")).status).toBe(200);
    expect(stream.socket.readyState).toBe("open");
  });

  it("a trusted proxy speaks for many: only what is open in all counts", async () => {
    const { open, isOpen, audits } = await serve({}, { options: { proxiesTrusted: ["127.0.0.0/24"] } });
    for (let i = 0; i < 2 * SMALL.connectionsPerAddressMax; i++) await open();
    expect(await isOpen()).toBe(2 * SMALL.connectionsPerAddressMax + 1);
    expect(audits()).toEqual([]);
  });
});

describe("connections in all", () => {
  it("full of half-sent ones from many addresses: a new one is let in, and the greatest holder pays", async () => {
    const { open, ask, isOpen } = await serve();
    const alone = await open(HALF, "127.0.0.9");
    const held: { socket: Socket }[] = [];
    for (let i = 0; i < SMALL.connectionsMax; i++) held.push(await open(HALF, `127.0.0.${1 + (i % 4)}`));
    expect((await ask("/livez", undefined, "127.0.0.8")).status).toBe(200);
    expect((await ask("/api/v1/districts", "viewer", "127.0.0.7")).status).toBe(200);
    expect(alone.socket.readyState).toBe("open");
    expect(await isOpen()).toBeLessThanOrEqual(SMALL.connectionsMax);
  });
});

describe("requests in progress", () => {
  /** A store that answers when it is told to. */
  function slowStore() {
    const waiting: (() => void)[] = [];
    const aggregate = () => new Promise<Bucket[]>((resolve) => waiting.push(() => resolve([])));
    const { deps } = startService();
    return { store: { ...deps.store, aggregate }, waiting };
  }

  it("are counted for their account: 429 with Retry-After, while others and /livez are answered", async () => {
    const streams = Array.from({ length: SMALL.requestsAtOnceMax });
    const { open, ask } = await serve();
    const get = "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer-token\r\n\r\n";
    const held = await Promise.all(streams.map(() => open(get)));
    await Promise.all(held.map(({ socket, told }) => told() || once(socket, "data")));
    const refused = await ask("/api/v1/districts", "viewer");
    expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "2" } });
    expect((await ask("/api/v1/districts", "operator")).status).toBe(200);
    expect((await ask("/livez")).status).toBe(200);
    for (const { socket } of held) socket.destroy();
    await expect.poll(async () => (await ask("/api/v1/districts", "viewer")).status).toBe(200);
  });

  it("never hold the last slots: /livez and people get in when many accounts are busy", async () => {
    const { store, waiting } = slowStore();
    const { addAccount, ask } = await serve(
      { connectionsPerAddressMax: SMALL.connectionsMax, queriesMax: 100, queriesPerAccountMax: 100 },
      { store },
    );
    const asked: ReturnType<typeof ask>[] = [];
    for (let i = 0; i < SMALL.connectionsMax; i++) {
      if (i % SMALL.requestsAtOnceMax === 0) addAccount({ role: "viewer", name: `v-${i}` });
      const one = ask(BUCKETS, `v-${i - (i % SMALL.requestsAtOnceMax)}`);
      asked.push(one);
      // One after the other: each is in the store, or refused, before the next comes.
      const isOver = one.then(() => true);
      while (waiting.length < i + 1 && !(await Promise.race([isOver, setImmediate(false)])));
    }
    expect((await ask("/livez")).status).toBe(200);
    for (const one of waiting) one();
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(Math.ceil(SMALL.connectionsMax * 0.9));
    expect(statuses.slice(-2)).toEqual([503, 503]);
  });
});

describe("what does not come, or is not taken, ends", () => {
  const SHORT = { headersMs: 200, requestMs: 400 };

  it.each([
    ["nothing at all", ""],
    ["half a head", HALF],
    ["half a body", body(100)],
    ["half a body after Expect", body(100, "Expect: 100-continue\r\n")],
    ["an upgrade and half a head", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX:"],
  ])("%s", async (_, text) => {
    const { open } = await serve(SHORT);
    const { ended } = await open(text);
    expect(await ended).toMatch(/^(HTTP\/1.1 100 Continue\r\n\r\n)?HTTP\/1.1 40[18] |^$/);
  });

  it.each([
    ["a head", HALF, "a"],
    ["a body", body(100_000), " "],
  ])("%s of a byte at a time", async (_, text, byte) => {
    const { open } = await serve(SHORT);
    const { socket, ended } = await open(text);
    const trickle = setInterval(() => socket.write(byte), 50);
    closing.push(() => clearInterval(trickle));
    expect(await ended).toContain("408");
  });

  it("a tunnel is not dug", async () => {
    const { open } = await serve(SHORT);
    const { ended } = await open("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n");
    await ended;
  });

  it("an answer that nobody reads", async () => {
    const { open, isOpen } = await serve({ stalledMs: 500 }, { store: endless() });
    const line =
      "GET /api/v1/sensors/air-1/readings?format=csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer-token\r\n\r\n";
    const { socket } = await open(line);
    socket.pause();
    await expect.poll(isOpen).toBe(1);
  });
});

/** Readings without an end. */
function endless() {
  const { deps } = startService();
  return {
    ...deps.store,
    stream: async function* () {
      for (;;) yield Array.from({ length: 1_000 }, (_, i) => aReading({ measuredAt: i, values: { pm25: i } }));
    },
  };
}

it("the limits are what the documentation says", () => {
  expect(LIMITS).toMatchObject({ connectionsMax: 2_000, connectionsPerAddressMax: 256, headersMs: 5_000 });
});
