import { describe, expect, it } from "vitest";
import { createRejector, decodeMessage, indexesInMessages, openMessages } from "../../ingest/decode.ts";
import type { RefusedReason } from "../../model/message.ts";
import { DAY_MS } from "../../model/time.ts";
import { aMessage, CITY, GATEWAY, T0 } from "./helpers.ts";
import { TABLE } from "./payload-table.ts";

const TOPICS = {
  air: "city/north/air/air-1",
  traffic: "city/north/traffic/flow-1",
  energy: "city/north/energy/feeder-1",
};
const decode = (payload: unknown, fields = {}) => decodeMessage(aMessage(payload, fields), CITY);
const reasonOf = (payload: unknown, fields = {}) => decode(payload, fields).rejections[0]?.reason;
const detailOf = (payload: unknown, fields = {}) => decode(payload, fields).rejections[0]?.detail;

function outcome(kind: keyof typeof TOPICS, payload: unknown): string {
  const { readings, rejections } = decode(payload, { topic: TOPICS[kind] });
  const whole = rejections.filter(({ metric }) => metric === undefined);
  const items: string[] = Array(readings.length + whole.length).fill("ok");
  for (const { index, reason, metric } of rejections) {
    if (metric === undefined) items[index] = reason;
    else items[index] += `,${metric}:${reason}`;
  }
  return items.join(" ");
}

describe("the table of payloads", () => {
  it("has at least 200 rows", () => expect(TABLE.length).toBeGreaterThanOrEqual(200));

  it.each(TABLE.map(([kind, payload, expected], i) => ({ i, kind, expected, payload, shown: show(payload) })))(
    "$i $kind $shown -> $expected",
    ({ kind, payload, expected }) => {
      expect(outcome(kind, payload)).toBe(expected);
    },
  );
});

function show(payload: unknown): string {
  return (typeof payload === "string" ? payload : (JSON.stringify(payload) ?? "")).slice(0, 60).replaceAll("%", "");
}

describe("a good reading", () => {
  it("carries what the topic and the payload say", () => {
    const payload = { measuredAt: "2026-11-21T09:59:00+00:00", seq: 17, pm25: 12.4, no2: null, battery: 87 };
    const { readings, rejections } = decode(payload, { seq: 9 });
    expect(rejections).toEqual([]);
    expect(readings).toEqual([
      {
        sensorId: "air-1",
        kind: "air",
        district: "north",
        measuredAt: T0 - 60_000,
        receivedAt: T0,
        values: { pm25: 12.4, battery: 87 },
        journalSeq: 9,
        seq: 17,
      },
    ]);
  });

  it("cuts fractions beyond milliseconds and counts zones", () => {
    const measured = (measuredAt: string) => decode({ measuredAt, pm25: 1 }).readings[0]?.measuredAt;
    expect(measured("2026-11-21T09:00:00.1239Z")).toBe(T0 - 3_600_000 + 123);
    expect(measured("2026-11-21T09:30:00+01:30")).toBe(T0 - 2 * 3_600_000);
    expect(measured("2026-11-21T05:00:00-05")).toBe(T0);
    expect(measured("20261121T110000.5+0100")).toBe(T0 + 500);
    expect(measured("2026-11-20T24:00:00Z")).toBe(T0 - 10 * 3_600_000);
    expect(measured(" 2026-11-21T10:00:00.1234567890123 GMT")).toBe(T0 + 123);
    expect(measured("1.7952552e+9")).toBe(T0);
  });

  it("flags what is possible but rare", () => {
    expect(decode({ pm25: 501, no2: 10 }).readings[0]?.quality).toEqual({ pm25: "suspect" });
    expect(decode({ no2: -3 }).readings[0]?.quality).toEqual({ no2: "suspect" });
    expect(decode({ no2: 10 }).readings[0]).not.toHaveProperty("quality");
  });

  it("takes an overshooting humidity as saturated", () => {
    const [reading] = decode({ relativeHumidity: 103.2 }).readings;
    expect(reading?.values).toEqual({ relativeHumidity: 100 });
    expect(reading?.quality).toEqual({ relativeHumidity: "suspect" });
    expect(decode({ relativeHumidity: 100 }).readings[0]).not.toHaveProperty("quality");
  });

  it("flags fractions of particles that weigh more than the whole, with a tolerance", () => {
    const quality = (values: object) => decode(values).readings[0]?.quality;
    expect(quality({ pm25: 12, pm10: 10 })).toBeUndefined();
    expect(quality({ pm25: 12.1, pm10: 10 })).toEqual({ pm25: "suspect", pm10: "suspect" });
    expect(quality({ pm25: 110, pm10: 100 })).toBeUndefined();
    expect(quality({ pm25: 111, pm10: 100 })).toEqual({ pm25: "suspect", pm10: "suspect" });
    expect(quality({ pm1: 20, pm10: 10 })).toEqual({ pm1: "suspect", pm10: "suspect" });
    expect(quality({ pm1: 20, pm25: 10, pm10: 30 })).toEqual({ pm1: "suspect", pm25: "suspect" });
  });
});

describe("a clock that was never set", () => {
  it("gives the moment of receipt, and says so", () => {
    for (const measuredAt of [
      0,
      86_400,
      1e11,
      "1970-01-01T00:00:03Z",
      "1980-01-06T00:00:00Z",
      "2000-01-01T00:09:00Z",
      "1601-01-01T00:00:00Z",
      "1899-12-30T00:00:00Z",
      "1904-01-01 00:00:12Z",
      "1970-01-01T00:00:00",
      "2000-00-00 00:00:00",
      "2038-01-19T03:14:07Z",
      2147483647,
      -62135596800,
    ]) {
      const [reading] = decode({ measuredAt, pm25: 1 }).readings;
      expect(reading).toMatchObject({ measuredAt: T0, clock: true });
    }
    for (const none of [T0 - 5, null, "", "null", "n/a"])
      expect(decode({ measuredAt: none, pm25: 1 }).readings[0]).not.toHaveProperty("clock");
  });

  it("takes a leap second for the first moment of the next day, nowhere else", () => {
    const fields = { receivedAt: Date.UTC(2026, 6, 1) };
    const measured = (measuredAt: string) => decode({ measuredAt, pm25: 1 }, fields).readings[0]?.measuredAt;
    expect(measured("2026-06-30T23:59:60Z")).toBe(fields.receivedAt);
    expect(measured("2026-07-01T01:59:60.5+02:00")).toBe(fields.receivedAt + 500);
    expect(measured("2026-06-30T22:59:60Z")).toBeUndefined();
  });
});

describe("history", () => {
  const topic = "import/north/air/air-1";
  it("may be old but not ahead of the clock", () => {
    expect(decode({ measuredAt: "2013-03-10T00:00:00Z", pm25: 1 }, { topic }).readings[0]?.imported).toBe(true);
    expect(reasonOf({ measuredAt: "2027-01-01T00:00:00Z", pm25: 1 }, { topic })).toBe("future");
  });
  it("needs a time: a clock that was never set has none to give", () => {
    const measured = (measuredAt: unknown) => decode({ measuredAt, pm25: 1 }, { topic }).readings[0]?.measuredAt;
    expect(measured(1362873600)).toBe(1362873600000);
    for (const moment of [
      "1993-05-01T00:00:00Z",
      "1985-07-01T01:00:00Z",
      "2000-02-29T13:00:00Z",
      "2000-12-31T23:00:00Z",
    ])
      expect(measured(moment)).toBe(Date.parse(moment));
    for (const none of [0, 1362873, "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2000-01-01", -1, 2147483647]) {
      expect(reasonOf({ measuredAt: none, pm25: 1 }, { topic })).toBe("bad_timestamp");
    }
  });
});

describe("a status", () => {
  const say = (payload: string, fields = {}) => decode(payload, { topic: "city/north/air/air-1/status", ...fields });

  it("is that of a registered sensor, and is no reading", () => {
    const status = { sensorId: "air-1", kind: "air", district: "north", online: true, receivedAt: T0 };
    expect(say("online")).toEqual({ readings: [], rejections: [], status });
    expect(say("offline").status).toEqual({ ...status, online: false });
  });

  it.each([
    ["of a sensor of another district", "city/south/air/air-1/status", "wrong_sensor"],
    ["of another kind", "city/north/traffic/air-1/status", "wrong_sensor"],
  ])("%s is refused, enrols nobody, and is not booked under the id it names", (_, topic, reason) => {
    const { status, rejections } = say("offline", { topic, source: GATEWAY });
    expect(status).toBeUndefined();
    expect(rejections).toMatchObject([{ reason, topic }]);
    expect(rejections[0]).not.toHaveProperty("sensorId");
  });

  it("of nobody is refused, but for those who may bring a sensor: nothing is kept under its name either", () => {
    const topic = "city/north/air/nobody/status";
    expect(say("offline", { topic }).rejections).toMatchObject([{ reason: "unknown_sensor", topic }]);
    const early = say("offline", { topic, source: GATEWAY });
    expect(early).toMatchObject({ rejections: [], status: { sensorId: "nobody", unregisteredFrom: GATEWAY } });
  });

  it("is nothing but the two words", () => {
    expect(say("Online").rejections).toMatchObject([{ reason: "bad_status", sensorId: "air-1" }]);
    expect(say("").rejections).toMatchObject([{ reason: "bad_status" }]);
  });
});

describe("what the door refused", () => {
  const refused = (reason: RefusedReason, payload: string, fields = {}) =>
    decode(payload, { refused: { reason, bytes: 70_000 }, ...fields }).rejections;

  it("becomes no reading, and says why", () => {
    const [large] = refused("too_large", '{"pm25":1}');
    expect(large).toMatchObject({ reason: "too_large", sensorId: "air-1" });
    expect(large?.detail).toContain("70000 bytes; 65536 are allowed");
    expect(Buffer.from(large!.payload!).toString()).toBe('{"pm25":1}');
    expect(refused("bad_status", "Online", { topic: "city/north/air/air-1/status" })).toMatchObject([
      { reason: "bad_status", sensorId: "air-1" },
    ]);
  });

  it("is not booked under a sensor whose sender it is not, or that is not registered", () => {
    for (const [reason, topic] of [
      ["not_allowed", "city/north/air/air-2"],
      ["too_large", "city/north/air/nobody"],
      ["too_large", "city/south/air/air-1"],
    ] as const) {
      const [rejection] = refused(reason, "{}", { topic });
      expect(rejection).toMatchObject({ reason, topic });
      expect(rejection).not.toHaveProperty("sensorId");
    }
  });

  it("is not kept if it names a person", () => {
    const [rejection] = refused("not_allowed", '{"plate":"B-AB 123","pm25":');
    expect(rejection?.reason).toBe("personal_data");
    expect(rejection).not.toHaveProperty("payload");
  });
});

describe("topics and sensors", () => {
  it.each([
    "",
    "city",
    "city/north/air",
    "city/north/air/air-1/rejected",
    "city/north/air/air-1/x",
    "city/north/water/air-1",
    "city/North/air/air-1",
    "city/north/air/",
    "city/north/air/a+b",
    "city/north/air/#",
    "$SYS/north/air/air-1",
    "city/north/air/__proto__",
    "import/north/air/air-1/status",
    "alerts/north/info/x",
    "city/north/air/a\u0000b",
  ])("%j is not a topic for readings", (topic) => {
    const { rejections } = decode({ pm25: 1 }, { topic });
    expect(rejections).toHaveLength(1);
    expect(rejections[0]?.reason).toBe("unknown_topic");
    expect(rejections[0]).not.toHaveProperty("sensorId");
  });

  it("refuses strangers and sensors that are registered elsewhere", () => {
    expect(reasonOf({ pm25: 1 }, { topic: "city/north/air/nobody" })).toBe("unknown_sensor");
    expect(reasonOf({ pm25: 1 }, { topic: "city/south/air/air-1" })).toBe("wrong_sensor");
    expect(reasonOf({ flow: 1 }, { topic: "city/north/traffic/air-1" })).toBe("wrong_sensor");
    expect(reasonOf({ pm25: 1 }, { topic: "city/north/air/nobody", source: GATEWAY })).toBe("unknown_sensor");
  });

  it("counts a message of a stranger as one item, whatever it holds", () => {
    expect(decode([{ pm25: 1 }, { pm25: 2 }], { topic: "city/north/air/nobody" }).rejections).toHaveLength(1);
  });
});

describe("values that are refused alone", () => {
  const payload = {
    measuredAt: "2026-11-21T09:00:00Z",
    pm25: 200,
    pm10: 230,
    o3: 1071,
    no2: "12,4",
    beep: [1],
    co: null,
  };

  it("leave the rest of the reading, and are told with its moment and as they were written", () => {
    const { readings, rejections, values } = decode(payload);
    expect(readings).toMatchObject([{ values: { pm25: 200, pm10: 230 } }]);
    const texts = rejections.map((one) => [one.index, one.metric, one.reason, Buffer.from(one.payload!).toString()]);
    expect(texts).toEqual([
      [0, "o3", "out_of_range", "1071"],
      [0, "no2", "wrong_type", '"12,4"'],
    ]);
    expect(rejections[0]!.measuredAt).toBe(T0 - 3_600_000);
    expect(values).toMatchObject({ taken: 2, missing: 1, refused: 2, unknown: new Map([["beep", 1]]) });
  });

  it("do not count as items", () => {
    const array = [payload, { pm25: "x" }, { pm25: 1 }, { pm25: 2, no2: 9e9 }];
    const batch = openMessages(1, 2, [aMessage(array)], (message) => decodeMessage(message, CITY));
    expect(indexesInMessages(batch)).toEqual([0, 2, 3]);
    expect(batch.values).toEqual([{ sensorId: "air-1", receivedAt: T0, taken: 4, suspect: 0, missing: 1, refused: 4 }]);
    expect(batch.unknownFields).toEqual([{ sensorId: "air-1", name: "beep", count: 1 }]);
    const { index, payload: kept } = createRejector(batch)(1, "conflict", "two values");
    expect([index, Buffer.from(kept!).toString()]).toEqual([2, '{"pm25":1}']);
  });

  it("are summed by day of receipt, and unknown names are bounded", () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`k${i}`, i]));
    const messages = [T0, T0 + 5, T0 + DAY_MS].map((receivedAt, i) => {
      return aMessage({ ...many, [`x${"y".repeat(400)}`]: 1, pm25: 1 }, { seq: i + 1, receivedAt });
    });
    const { values, unknownFields } = openMessages(1, 4, messages, (message) => decodeMessage(message, CITY));
    expect(values).toMatchObject([{ taken: 2 }, { taken: 1, receivedAt: T0 + DAY_MS }]);
    expect(unknownFields).toHaveLength(20);
    expect(unknownFields![0]).toEqual({ sensorId: "air-1", name: "k0", count: 3 });
  });

  it("of one message are kept up to 500, and all counted", () => {
    const items = Array.from({ length: 400 }, () => ({ pm25: 1, no2: "x", o3: "y" }));
    const { readings, rejections, values } = decode(items);
    expect([readings.length, rejections.length, values!.refused]).toEqual([400, 500, 800]);
  });
});

describe("what the device maker reads", () => {
  it.each([
    [{ pm2_5: 1 }, /"pm2_5" is not a metric of air sensors; did you mean "pm25"\?/],
    [{ humidity: 40 }, /did you mean "relativeHumidity"/],
    [{ temprature: 4 }, /did you mean "temperature"/],
    [{ flow: 1 }, /"flow" is not a metric of air sensors\.$/],
    [{ sensorId: 1 }, /the topic says/],
    [{ pm25: 2000 }, /pm25 is 2000; possible is -5 to 1000 µg\/m³/],
    [{ pm25: "one" }, /pm25 must be a number or null, not a string\.$/],
    [{ pm25: "12,4" }, /decimal comma, write 12\.4/],
    [{ temperature: "21.5 °C" }, /without its unit/],
    [{ batteryVoltage: 3600 }, /looks like millivolts/],
    [{ temperature: 294.15 }, /looks like kelvin/],
    [{ temperature: 75 }, /looks like degrees Fahrenheit/],
    [{ pressure: 101325 }, /looks like pascal/],
    [{ pressure: 101.3 }, /looks like kilopascal/],
    [{ pm25: 1, measuredAt: "2026-11-21T10:00:00" }, /no zone/],
    [{ pm25: 1, measuredAt: 5e14 }, /seconds, ms, µs or ns since 1970/],
    [{ pm25: 1, measuredAt: "2026-11-21T12:00:00Z" }, /120 min|2 h/],
    ['{"pm25":1,}', /from character \d+/],
    ['{"pm25":12.4,"temperature":NaN}', /^NaN at character 27 is not JSON: send null\.$/],
    ['[{"pm25":1},\n {"pm25": -Infinity }]', /^-Infinity at character 23 is/],
    ['{"a\\":NaN":[1,-nan(ind)]}', /^-nan\(ind\) at character 14 is/],
    ['{"pm25":1.#QNAN0}', /^1\.#QNAN0 at character 8 is/],
    ['{"pm25":1,"note":"a,NaN,', /^Not valid JSON/],
  ])("%j", (payload, expected) => expect(detailOf(payload)).toMatch(expected));

  it("shows a long or unprintable key short and on one line", () => {
    const detail = detailOf({ [`x\r\n\u001b[31m${"y".repeat(5000)}`]: 1 })!;
    expect(detail).toMatch(/^[\x20-\x7e…]+$/);
    expect(detail.length).toBeLessThan(120);
  });
});

describe("personal data", () => {
  it.each([
    '{"flow":1,"plate":"SECRET-1"}',
    '{"vehicle":{"plate":"SECRET-1"}}',
    '{"plate SECRET-1":1}',
    '{"flow":1,"plate":"SECRET-1',
    '[{"flow":1},{"plate":"SECRET-1"},{"flow":-1},{"flow":"x"}]',
    `[{"flow":-1},{"plate"${" ".repeat(500)}:"SECRET-1"}]`,
    '[{"flow":-1},{"pl\\u0061te":"SECRET-1"}]',
    '{"flow":1,"pl\\u0061te":"SECRET-1',
    `{"flow":1,"plate"${" ".repeat(500)}:"SECRET-1`,
    `[{"flow":-1},{"plate${"_".repeat(500)}":"SECRET-1"}]`,
  ])("is neither kept nor told: %s", (payload) => {
    const { rejections } = decode(payload, { topic: TOPICS.traffic });
    expect(rejections.some((one) => one.reason === "personal_data")).toBe(true);
    for (const rejection of rejections) {
      expect(rejection).not.toHaveProperty("payload");
      expect(JSON.stringify(rejection)).not.toContain("SECRET");
    }
  });

  it("is not kept where a second key of the same name hides it from the parser", () => {
    const payload = '[{"flow":"x","a":{"plate":"SECRET-1"},"a":1},{"flow":1}]';
    expect(decode(payload, { topic: TOPICS.traffic }).rejections[0]).not.toHaveProperty("payload");
  });

  it("is looked for in messages nobody opens", () => {
    const [rejection] = decode('{"plate":"SECRET-1"}', { topic: "nowhere" }).rejections;
    expect(rejection?.reason).toBe("personal_data");
    expect(rejection).not.toHaveProperty("payload");
  });

  it("does not cost other rejections their payload", () => {
    expect(decode({ surface: 1 }).rejections[0]?.payload).toEqual(aMessage({ surface: 1 }).payload);
  });
});

it("leaves prototypes alone", () => {
  decode('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"pm25":1}');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
