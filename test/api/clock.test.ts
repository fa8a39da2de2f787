import { afterEach, describe, expect, it } from "vitest";
import { createFailures } from "../../api/auth.ts";
import { createLatest, createLive } from "../../api/live.ts";
import { createSettledClock } from "../../model/time.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** The API beside a clock of the wall that the test sets. */
function aPlace() {
  let uptime = 0;
  const clock = createSettledClock(
    () => service.deps.now(),
    () => uptime,
  );
  return {
    /** Time passes, and the clock is set by `set` meanwhile. */
    pass(ms: number, set = 0) {
      uptime += ms;
      service.tick(ms + set);
    },
    now: clock.now,
  };
}

let service = startService();
afterEach(() => service.close());

describe("a session, when the clock is set", () => {
  async function signedIn() {
    let place: ReturnType<typeof aPlace> | undefined;
    await service.close();
    service = startService({ settled: () => place!.now() });
    place = aPlace();
    const start = async () => {
      const answer = await service.as(undefined, "POST", "/api/v1/session", { token: "operator-token" });
      return String(answer.headers["set-cookie"]).split(";")[0]!;
    };
    const ask = async (cookie: string) =>
      (await service.as(undefined, "GET", "/api/v1/alerts", undefined, { cookie })).statusCode;
    return { ...place, start, ask, cookie: await start() };
  }

  it("a year ahead, a minute later back: nobody is signed out, and who signs in meanwhile ends nobody's session", async () => {
    const { pass, start, ask, cookie } = await signedIn();
    pass(HOUR, YEAR);
    expect(await ask(cookie)).toBe(200);
    const other = await start();
    pass(MINUTE, -YEAR);
    expect([await ask(cookie), await ask(other)]).toEqual([200, 200]);
    pass(13 * HOUR);
    expect([await ask(cookie), await ask(other)]).toEqual([401, 401]);
  });

  it("a year back: it goes on, and ends when it would have", async () => {
    const { pass, ask, cookie } = await signedIn();
    pass(HOUR, -YEAR);
    expect(await ask(cookie)).toBe(200);
    pass(13 * HOUR);
    expect(await ask(cookie)).toBe(401);
    pass(DAY);
    expect(await ask(cookie)).toBe(401);
  });

  it("an hour back: it lives at most two hours longer", async () => {
    const { pass, ask, cookie } = await signedIn();
    pass(0, -HOUR);
    expect(await ask(cookie)).toBe(200);
    pass(13 * HOUR);
    expect(await ask(cookie)).toBe(401);
  });

  it("one of a year that has not come yet is over, not for ever", async () => {
    const { pass, ask, cookie } = await signedIn();
    await service.records.sessions.add("0".repeat(64), {
      account: "operator",
      createdAt: T0 + YEAR,
      usedAt: T0 + YEAR,
    });
    expect(service.records.sessions.list("operator")).toHaveLength(2);
    pass(MINUTE);
    expect(await ask(cookie)).toBe(200);
    const { createSessions } = await import("../../api/sessions.ts");
    const { LIMITS } = await import("../../api/limits.ts");
    expect(createSessions(service.deps, LIMITS).accountOf("0".repeat(64))).toBeUndefined();
  });
});

describe("the newest readings, when the clock is set back", () => {
  it("are those that come now, whatever time the ones before carry, from the store or from the stream", async () => {
    let now = T0;
    const live = createLive(() => now);
    const stored = [aReading({ sensorId: "air-1", measuredAt: T0, receivedAt: T0 })];
    let loads = 0;
    const latest = createLatest(
      {
        live,
        now: () => now,
        corrections: { read: (reading) => reading, changes: () => 0 },
        records: { sensors: { retired: () => undefined } },
        store: {
          async latest() {
            loads += 1;
            return stored;
          },
        },
      },
      MINUTE,
    );
    const at = async () => (await latest.list()).map(({ sensorId, measuredAt }) => `${sensorId} ${measuredAt - T0}`);
    live.push({ readings: [aReading({ sensorId: "air-2", measuredAt: T0, receivedAt: T0 })] });
    expect(await at()).toEqual(["air-1 0", "air-2 0"]);
    now -= 2 * HOUR;
    const readings = ["air-1", "air-2"].map((sensorId) => aReading({ sensorId, measuredAt: now, receivedAt: now }));
    live.push({ readings });
    expect(await at()).toEqual([`air-1 ${-2 * HOUR}`, `air-2 ${-2 * HOUR}`]);
    // What the store was asked for is not kept for as long as the clock was set back.
    expect(loads).toBe(2);
    expect(live.seen("air-2")).toMatchObject({ lastSeenAt: now });
  });
});

describe("those who typed a wrong secret", () => {
  it("wait no longer because the clock was set back", () => {
    let now = T0;
    const failures = createFailures({ free: 0, waitMaxMs: MINUTE, forgetMs: HOUR, keysMax: 10 }, () => now);
    for (let i = 0; i < 10; i += 1) failures.add("192.0.2.1");
    now -= 50 * MINUTE;
    expect(failures.waitMs("192.0.2.1")).toBe(MINUTE);
    now += MINUTE;
    expect(failures.waitMs("192.0.2.1")).toBe(0);
    expect(failures.count("192.0.2.1")).toBe(10);
  });
});
