import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApiDeps } from "../../api/deps.ts";
import type { Limits } from "../../api/limits.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { firing, startService } from "./service.ts";

let service: ReturnType<typeof startService>;
let url: string;
let aborts: AbortController[];

async function start(limits: Partial<Limits> = {}, overrides: Partial<ApiDeps> = {}) {
  service = startService({ ...overrides, options: { version: "0", limits: { heartbeatMs: 20, ...limits } } });
  url = await service.app.listen({ host: "127.0.0.1", port: 0 });
}
beforeEach(() => {
  aborts = [];
});
afterEach(async () => {
  for (const abort of aborts) abort.abort();
  await service.close();
});

async function open(query = "", headers: Record<string, string> = {}, name = "viewer") {
  const abort = new AbortController();
  aborts.push(abort);
  const answer = await fetch(`${url}/api/v1/events${query}`, {
    headers: { authorization: `Bearer ${name}-token`, ...headers },
    signal: abort.signal,
  });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  /** The next frame that fits; undefined when the stream has ended. */
  async function next(wanted = /^event:/m): Promise<string | undefined> {
    for (;;) {
      const frames = text.split("\n\n");
      const found = frames.slice(0, -1).findIndex((frame) => wanted.test(frame));
      if (found >= 0) {
        text = frames.slice(found + 1).join("\n\n");
        return frames[found];
      }
      const step = await reader.read();
      if (step.done) return undefined;
      text += step.value;
    }
  }
  return { answer, next, abort };
}

const fire = (id: string, explanation = "60 is above 50.") => service.records.alerts.apply(firing(id, { explanation }));
const idsOf = (frame: string | undefined) => [
  /^id: (.*)$/m.exec(frame ?? "")?.[1],
  /"alert":\{"id":"(\w+)"/.exec(frame ?? "")?.[1],
];

const readingsOf = (frame: string | undefined): string[] =>
  JSON.parse(/^data: (.*)$/m.exec(frame!)![1]!).map(({ sensorId }: { sensorId: string }) => sensorId);

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
}

describe("GET /events", () => {
  it("tells alerts as they happen, with safe headers and an id", async () => {
    await start();
    const stream = await open();
    expect(stream.answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(stream.answer.headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(await stream.next(/./)).toBe("retry: 3000");
    fire("a1");
    const frame = await stream.next();
    expect(idsOf(frame)).toEqual(["1", "a1"]);
    expect(JSON.parse(/^data: (.*)$/m.exec(frame!)![1]!)).toMatchObject({
      what: "firing",
      alert: { severity: "warning" },
    });
    service.records.alerts.apply(firing("p1", { state: "pending" }));
    fire("a2");
    expect(idsOf(await stream.next())).toEqual(["3", "a2"]);
  });

  it("resumes after Last-Event-ID without a gap or a repeat, then goes on live", async () => {
    await start();
    for (let i = 1; i <= 250; i += 1) fire(`a${i}`);
    const stream = await open("", { "last-event-id": "20" });
    for (let i = 21; i <= 250; i += 1) expect(idsOf(await stream.next())).toEqual([String(i), `a${i}`]);
    fire("a251");
    expect(idsOf(await stream.next())).toEqual(["251", "a251"]);
    const byQuery = await open("?lastEventId=249");
    expect(idsOf(await byQuery.next())).toEqual(["250", "a250"]);
    const future = await open("?lastEventId=9999");
    expect(await future.next()).toBe('event: reset\nid: 251\ndata: {"reason":"restored"}');
    fire("a252");
    expect(idsOf(await future.next())).toEqual(["252", "a252"]);
  });

  it("says where events are gone, before what is left of them, once", async () => {
    await start();
    for (let i = 1; i <= 3; i += 1) fire(`old${i}`);
    service.tick(60_000);
    for (let i = 4; i <= 250; i += 1) fire(`a${i}`);
    service.records.events.deleteBefore(service.deps.now());
    const stream = await open("?lastEventId=1");
    const reset = 'event: reset\nid: 3\ndata: {"reason":"removed"}';
    expect(await stream.next()).toBe(reset);
    for (let i = 4; i <= 250; i += 1) expect(idsOf(await stream.next())).toEqual([String(i), `a${i}`]);
    // Who has seen the last of those that are gone misses nothing.
    const whole = await open("?lastEventId=3");
    expect(idsOf(await whole.next())).toEqual(["4", "a4"]);
    service.tick(60_000);
    service.records.events.deleteBefore(service.deps.now());
    const late = await open("?lastEventId=100");
    expect(await late.next()).toBe('event: reset\nid: 250\ndata: {"reason":"removed"}');
    const newest = await open("?lastEventId=250");
    fire("new");
    for (const one of [stream, whole, late, newest]) expect(idsOf(await one.next(/"new"/))).toEqual(["251", "new"]);
  });

  it("catches up as fast as the client reads; what happens meanwhile comes after, nothing is missing", async () => {
    await start({ heartbeatMs: 60_000 });
    for (let i = 1; i <= 400; i += 1) fire(`a${i}`, "x".repeat(50_000));
    const stream = await open("?lastEventId=0");
    fire("last");
    for (let i = 1; i <= 400; i += 1) expect(idsOf(await stream.next())[0]).toBe(String(i));
    expect(idsOf(await stream.next())).toEqual(["401", "last"]);
  });

  it("tells live readings only if asked, without an id", async () => {
    await start();
    const plain = await open();
    const live = await open("?readings=true");
    service.live.push({ readings: [aReading(), aReading({ sensorId: "air-2", imported: true })] });
    const frame = await live.next();
    expect(frame).toContain("event: readings");
    expect(frame).not.toContain("id:");
    expect(JSON.parse(frame!.slice(frame!.indexOf("[")))).toMatchObject([
      { sensorId: "air-1", values: { pm25: 12.5 } },
    ]);
    fire("a1");
    expect(await plain.next()).toContain("event: alert");
  });

  it("beats, so that proxies keep it open", async () => {
    await start();
    expect(await (await open()).next(/^: /)).toBe(": still here");
  });

  it("refuses beyond the caps of an account, an address and the service, and frees a place when one leaves", async () => {
    await start({ streamsPerAccountMax: 2, streamsPerAddressMax: 3, streamsMax: 10 });
    const first = await open();
    await open();
    const third = await open();
    expect(third.answer.status).toBe(503);
    expect(third.answer.headers.get("retry-after")).toBe("30");
    expect(third.answer.headers.get("content-type")).toContain("application/problem+json");
    expect((await open("", {}, "crew")).answer.status).toBe(200);
    expect((await open("", {}, "operator")).answer.status).toBe(503);
    first.abort.abort();
    while ((await metric("lamppost_http_streams")) > 2) fire("again");
    expect((await open("", {}, "operator")).answer.status).toBe(200);
    expect(await metric("lamppost_http_streams_refused_total")).toBe(2);
  });

  it("the service's cap counts all", async () => {
    await start({ streamsMax: 1 });
    await open();
    expect((await open("", {}, "crew")).answer.status).toBe(503);
  });

  it("drops a client that does not read, and no one else notices", async () => {
    await start({ streamBufferBytesMax: 64 * 1024, heartbeatMs: 60_000 });
    const frozen = await freeze("/api/v1/events");
    const reader = await open("", {}, "crew");
    let sent = 0;
    while ((await metric("lamppost_http_streams")) === 2) {
      fire(`b${sent}`, "x".repeat(50_000));
      expect(idsOf(await reader.next())[1]).toBe(`b${sent}`);
      sent += 1;
    }
    expect(await metric("lamppost_http_streams_dropped_total")).toBe(1);
    expect(sent).toBeLessThan(500);
    frozen.destroy();
  });

  it("drops a client that stopped reading while it caught up, at the second beat", async () => {
    await start({ streamBufferBytesMax: 1e9 });
    for (let i = 1; i <= 400; i += 1) fire(`a${i}`, "x".repeat(50_000));
    const frozen = await freeze("/api/v1/events?lastEventId=0");
    while ((await metric("lamppost_http_streams")) > 0) await fetch(`${url}/livez`);
    expect(await metric("lamppost_http_streams_dropped_total")).toBe(1);
    frozen.destroy();
  });

  it("keeps a burst of thousands of live readings for a client that reads: it gets every one, in order", async () => {
    await start({ heartbeatMs: 60_000 });
    const stream = await open("?readings=true");
    const burst = Array.from({ length: 4_000 }, (_, i) => aReading({ sensorId: `air-${i}` }));
    service.live.push({ readings: burst });
    service.live.push({ readings: [aReading({ sensorId: "honest" })] });
    const seen: string[] = [];
    while (seen.at(-1) !== "honest") {
      const frame = await stream.next();
      expect(frame).toContain("event: readings");
      seen.push(...readingsOf(frame));
    }
    expect(seen).toEqual([...burst.map(({ sensorId }) => sensorId), "honest"]);
    expect(await metric("lamppost_http_streams_missed_total")).toBe(0);
  });

  it("leaves out the oldest live readings beyond what may wait, and tells how many before it goes on", async () => {
    await start({ streamReadingsCharsMax: 300_000, heartbeatMs: 60_000 });
    const stream = await open("?readings=true");
    await stream.next(/retry/);
    service.live.push({ readings: Array.from({ length: 10_000 }, (_, i) => aReading({ sensorId: `air-${i}` })) });
    let [got, missed] = [0, 0];
    for (let last = ""; last !== "air-9999"; ) {
      const frame = await stream.next();
      if (frame!.includes("event: missed")) {
        missed += JSON.parse(/^data: (.*)$/m.exec(frame!)![1]!).readings;
        continue;
      }
      const ids = readingsOf(frame);
      // After what was left out, and only there, the numbers leap.
      expect(ids[0]).toBe(`air-${got + missed}`);
      got += ids.length;
      last = ids.at(-1)!;
    }
    expect(missed).toBeGreaterThan(1_000);
    expect(got + missed).toBe(10_000);
    expect(await metric("lamppost_http_streams_missed_total")).toBe(missed);
  });

  it("tells what was skipped before it came to the stream", async () => {
    await start({ heartbeatMs: 60_000 });
    const stream = await open("?readings=true");
    await stream.next(/retry/);
    const { take } = service.live.consumer(1);
    const batch = { readings: [aReading()], rejections: [] };
    take({ ...batch, from: 1, to: 2 });
    take({ ...batch, from: 9, to: 10 });
    expect(await stream.next()).toContain("event: readings");
    expect(await stream.next()).toContain('event: missed\ndata: {"readings":7}');
    expect(await stream.next()).toContain("event: readings");
  });

  it("keeps so much of live readings for a client that does not read, and no more", async () => {
    await start({ streamReadingsCharsMax: 1_000_000, streamBufferBytesMax: 1e9, heartbeatMs: 60_000 });
    const frozen = await freeze("/api/v1/events?readings=true");
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1_500; i += 1) {
      service.live.push({ readings: Array.from({ length: 100 }, () => aReading()) });
      if (i % 50 === 0) await fetch(`${url}/livez`);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    expect(await metric("lamppost_http_streams_missed_total")).toBeGreaterThan(50_000);
    frozen.destroy();
    while ((await metric("lamppost_http_streams")) > 0) await fetch(`${url}/livez`);
    expect(await metric("lamppost_http_streams_missed_total")).toBeGreaterThan(50_000);
  });

  it("ends when the account is removed", async () => {
    await start();
    const stream = await open();
    await stream.next(/retry/);
    service.records.credentials.remove("viewer");
    expect(await stream.next()).toBeUndefined();
  });

  it("looks at the token again each minute", async () => {
    let forgotten = false;
    const probe = startService();
    const credentials = {
      ...probe.records.credentials,
      bySecretHash: (hash: string) => (forgotten ? undefined : probe.records.credentials.bySecretHash(hash)),
    };
    await start({}, { records: { ...probe.records, credentials } });
    const stream = await open();
    await stream.next(/^: /);
    forgotten = true;
    await stream.next(/^: /);
    await stream.next(/^: /);
    service.tick(60_000);
    expect(await stream.next()).toBeUndefined();
    await probe.close();
  });

  it("close() ends the streams and does not wait for them", async () => {
    await start({ heartbeatMs: 60_000 });
    const stream = await open();
    await stream.next(/retry/);
    await service.app.close();
    expect(await stream.next()).toBeUndefined();
  });

  it("400 for an id that is none", async () => {
    await start();
    expect((await open("?lastEventId=abc")).answer.status).toBe(400);
    expect((await open("", { "last-event-id": "-1" })).answer.status).toBe(400);
    expect(service.deps.now()).toBe(T0);
  });

  it("tells of corrections that come and go, whoever made them, and of no dry run", async () => {
    await start();
    service.stored.push(aReading({ sensorId: "air-1", district: "north", measuredAt: T0 - 60_000 }));
    const { next } = await open();
    const body = { from: "2026-11-21T09:00:00Z", to: "2026-11-21T10:00:00Z", what: "invalid", reason: "test" };
    const path = "/api/v1/sensors/air-1/corrections";
    await service.as("operator", "POST", `${path}?dryRun=true`, body);
    const added = await service.as("operator", "POST", path, body);
    expect(added.statusCode).toBe(201);
    expect((await service.as("operator", "POST", path, body)).statusCode).toBe(200);
    const { id } = added.json().correction;
    await service.as("operator", "POST", `/api/v1/corrections/${id}/revoke`, { reason: "it was right" });
    const told = async () => JSON.parse(/^data: (.*)$/m.exec((await next(/^event: correction$/m))!)![1]!);
    expect(await told()).toMatchObject({ what: "added", correction: { id, sensorId: "air-1", what: "invalid" } });
    expect(await told()).toMatchObject({ what: "revoked", correction: { id, sensorId: "air-1" } });
  });
});

/** A client that asks and never reads. */
async function freeze(path: string): Promise<Socket> {
  const socket = connect((service.app.server.address() as AddressInfo).port, "127.0.0.1");
  socket.pause();
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer viewer-token\r\n\r\n`);
  // It may be dropped again before one looks.
  const seen = async () =>
    (await metric("lamppost_http_streams")) + (await metric("lamppost_http_streams_dropped_total"));
  while ((await seen()) < 1) await fetch(`${url}/livez`);
  return socket;
}
