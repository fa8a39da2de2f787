import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { PublishError, type Publisher, type PublisherOptions, startPublisher } from "../../simulators/publisher.ts";
import { type FakeService, startFakeService } from "./fake-service.ts";

let service: FakeService;
let publisher: Publisher;
beforeEach(async () => {
  service = await startFakeService();
  service.logins.set("gw", { password: "p", body: {} });
});
afterEach(async () => {
  await publisher.close();
  await service.stop();
});

function start(change: Partial<PublisherOptions> = {}) {
  publisher = startPublisher({
    url: service.mqtt,
    username: "gw",
    password: "p",
    clientId: "gw-1",
    messagesMax: 10,
    bytesMax: 1_000_000,
    random: () => 0,
    log: SILENT,
    ...change,
  });
  return publisher;
}
const message = (n: number) => ({ topic: "city/d/air/s", payload: `{"n":${n}}` });
const numbers = () => service.seen.map(({ payload }) => JSON.parse(payload).n as number);

describe("publisher", () => {
  it("resolves when the broker has acknowledged, once per message, in order", async () => {
    start();
    const sends = await Promise.all([1, 2, 3].map((n) => publisher.publish(message(n))));
    expect(sends).toEqual([1, 1, 1]);
    expect(numbers()).toEqual([1, 2, 3]);
    expect(publisher.stats()).toMatchObject({ acknowledged: 3, resent: 0, unacked: 0 });
  });

  it("sends again what was not acknowledged when the connection broke, twice in a row, and loses nothing", async () => {
    service.knobs.ackDelayMs = 30;
    start();
    const all = Promise.all([1, 2, 3, 4].map((n) => publisher.publish(message(n))));
    await service.until(() => service.seen.length >= 1);
    service.cutConnections();
    // The four of the first connection are on their way through the broker already; the fifth comes by the second.
    await service.until(() => service.seen.length >= 5);
    service.cutConnections();
    await all;
    expect(new Set(numbers())).toEqual(new Set([1, 2, 3, 4]));
    expect(publisher.stats()).toMatchObject({ acknowledged: 4, unacked: 0, connects: 3 });
    expect(publisher.stats().resent).toBeGreaterThan(0);
  });

  it("makes the caller wait when the window is full", async () => {
    service.knobs.ackDelayMs = 20;
    start({ messagesMax: 3 });
    const flights: Promise<number>[] = [];
    let most = 0;
    for (let n = 0; n < 12; n++) {
      await publisher.room();
      flights.push(publisher.publish(message(n)));
      most = Math.max(most, publisher.stats().unacked);
    }
    await Promise.all(flights);
    expect(most).toBe(3);
  });

  it("gives up at once on refused credentials, and tells everyone who waits", async () => {
    start({ password: "wrong", messagesMax: 1 });
    const flight = publisher.publish(message(1));
    await expect(flight).rejects.toThrow(PublishError);
    await publisher.room();
    await expect(publisher.publish(message(2))).rejects.toThrow(/refuses gw/);
  });

  it("gives up when its patience ends: nobody there, or a topic that is never let through", async () => {
    service.refuseTopics(() => true);
    start({ patienceMs: 300 });
    await expect(publisher.publish(message(1))).rejects.toThrow(/no acknowledgement.*is the service running/);
    await publisher.close();
    start({ patienceMs: 100, url: "mqtt://127.0.0.1:1" });
    await expect(publisher.publish(message(1))).rejects.toThrow(/no acknowledgement/);
  });

  it("leaves its last will only when it is cut off", async () => {
    const status = { topic: "city/d/air/s/status", payload: "offline" };
    start({ will: status });
    await publisher.publish(message(1));
    service.cutConnections();
    await service.until(() => service.seen.some(({ topic }) => topic === status.topic));
    expect(service.seen.find(({ topic }) => topic === status.topic)).toMatchObject({
      payload: "offline",
      retain: true,
    });
    await publisher.publish(message(2));
    const before = service.seen.length;
    await publisher.close();
    start();
    await publisher.publish(message(3));
    expect(service.seen.slice(before).map(({ topic }) => topic)).toEqual(["city/d/air/s"]);
  });
});
