import { describe, expect, it } from "vitest";
import { createReconnects, sortDelivered } from "../../ingest/mqtt-source/source.ts";
import { TOPIC_BYTES_MAX } from "../../model/message.ts";

const limits = { backOffMsMin: 250, backOffMsMax: 15_000, steadyMs: 30_000 };
const coded = (code: string | number) => Object.assign(new Error("x"), { code });
const closed = { accepted: true };

describe("coming back to the external broker", () => {
  it("waits longer each time, at random, and begins anew after a connection that held", () => {
    const reconnects = createReconnects(limits, () => 1);
    const refused = { accepted: false, error: coded("ECONNREFUSED") };
    const waits = Array.from({ length: 8 }, () => reconnects.ended(refused, 0).waitMs);
    expect(waits).toEqual([500, 750, 1_250, 2_250, 4_250, 8_250, 15_250, 15_250]);
    expect(reconnects.ended(closed, 30_000).waitMs).toBe(500);
    expect(createReconnects(limits, () => 0).ended(refused, 0).waitMs).toBe(250);
  });

  it("speaks MQTT 3.1.1 at once with a broker that says it does not know 5", () => {
    const reconnects = createReconnects(limits, () => 1);
    expect(reconnects.version()).toBe(5);
    const verdict = { waitMs: 0, wrong: false, takeover: false };
    expect(reconnects.ended({ accepted: false, error: coded(1) }, 0)).toEqual(verdict);
    expect(reconnects.version()).toBe(4);
    // Neither is known: it does not run in circles without a wait.
    expect(reconnects.ended({ accepted: false, error: coded(1) }, 0).waitMs).toBe(500);
  });

  it("tries both versions in turn on a broker that just hangs up, until one has worked", () => {
    const reconnects = createReconnects(limits, () => 1);
    const versions = Array.from({ length: 3 }, () => {
      reconnects.ended({ accepted: false }, 0);
      return reconnects.version();
    });
    expect(versions).toEqual([4, 5, 4]);
    reconnects.ended(closed, 0);
    reconnects.ended({ accepted: false }, 0);
    expect(reconnects.version()).toBe(4);
  });

  it("suspects another client after three short connections in a row, until one holds", () => {
    const reconnects = createReconnects(limits, () => 1);
    const takeovers = [1, 2, 3].map(() => reconnects.ended(closed, 1_000).takeover);
    expect(takeovers).toEqual([false, false, true]);
    expect(reconnects.takeover()).toBe("likely");
    reconnects.steady();
    expect(reconnects.takeover()).toBeUndefined();
  });

  it("does not suspect anybody when the journal was the reason", () => {
    const reconnects = createReconnects(limits, () => 1);
    for (let i = 0; i < 5; i += 1) reconnects.ended({ accepted: true, error: new Error("the disk is full") }, 100);
    expect(reconnects.takeover()).toBeUndefined();
  });

  it("believes a broker of MQTT 5 that says so, until a connection holds", () => {
    const reconnects = createReconnects(limits, () => 1);
    expect(reconnects.ended({ accepted: true, reasonCode: 0x8e }, 60_000).takeover).toBe(true);
    expect(reconnects.takeover()).toBe("sure");
    reconnects.ended(closed, 10);
    expect(reconnects.takeover()).toBe("sure");
    reconnects.ended(closed, 30_000);
    expect(reconnects.takeover()).toBeUndefined();
  });
});

const T0 = Date.UTC(2026, 10, 21, 10);

describe("sorting what the external broker delivers", () => {
  const source = { via: "bridge", role: "broker", name: "broker" } as const;
  const sort = (topic: string, payload = "{}", retain = false) =>
    sortDelivered({ topic, payload: Buffer.from(payload), retain }, source, T0);

  it.each([
    ["city/north/air/air-1", "{}", false, "journal"],
    ["city/north/air/air-1", '{"pm25":1}', true, "retained_without_time"],
    ["city/north/air/air-1", '{"measuredAt" : null,"pm25":1}', true, "retained_without_time"],
    ["city/north/air/air-1", '{"measuredAt":"n/a","pm25":1}', true, "retained_without_time"],
    ["city/north/air/air-1", '{"measuredAt":"1970-01-01T00:00:09Z","pm25":1}', true, "retained_without_time"],
    ["city/north/air/air-1", '[{"measuredAt":null,"pm25":1}]', true, "retained_without_time"],
    ["city/north/air/air-1", '{"measuredAt":1795255200000,"pm25":1}', true, "journal"],
    ["city/anything/else", "{}", false, "journal"],
    ["import/north/air/air-1", "{}", false, "foreign_topic"],
    ["citynorth/air/air-1", "{}", false, "foreign_topic"],
    ["city/north/air/air-1/rejected", "{}", false, "own_rejection"],
    ["city/north/air/air-1/status", "offline", true, "journal"],
    ["city/north/air/air-1/status", "perhaps", true, "bad_status"],
  ])("%s %s retained %s: %s", (topic, payload, retain, expected) => {
    const sorted = sort(topic, payload, retain);
    expect(sorted.to === "nobody" ? sorted.reason : sorted.to).toBe(expected);
  });

  it("cuts a topic that is longer than any door allows", () => {
    const sorted = sort(`city/${"x".repeat(60_000)}`);
    expect(sorted).toMatchObject({ to: "journal", message: { topic: expect.stringMatching(/^city\/x+$/) } });
    expect(sorted.to === "journal" && sorted.message.topic.length).toBe(TOPIC_BYTES_MAX);
  });
});
