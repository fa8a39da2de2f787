import { describe, expect, it } from "vitest";
import { createCity } from "../../simulators/city.ts";
import type { CitySensor } from "../../simulators/places.ts";
import { runLive, type Speakers } from "../../simulators/speaker.ts";

const START = Date.parse("2026-11-21T12:00:00Z");
const EVERY = 10_000;

/** The live loop with a clock that jumps `stepMs` at each look and stops after `looks`. */
async function play(looks: number, stepMs: number, hasRoom: (look: number) => boolean, setBack = (_look: number) => 0) {
  const city = createCity({ seed: 1, scenario: { name: "quiet", events: [] }, startedAt: START });
  const only = city.sensors[0]!;
  const stopping = new AbortController();
  const sent: number[] = [];
  let look = 0;
  let skipped = 0;
  const speakers = {
    hasRoom: () => hasRoom(look),
    async publish(_sensor: CitySensor, payload: string) {
      sent.push(Date.parse(JSON.parse(payload).measuredAt));
      return 1;
    },
  } as Partial<Speakers> as Speakers;
  await runLive(
    {
      city: { ...city, sensors: [only] },
      speakers,
      seed: 1,
      everyMs: EVERY,
      now: () => START + look * stepMs - setBack(look),
      mayStart() {
        look += 1;
        if (look >= looks) stopping.abort();
        return true;
      },
      onAcknowledged() {},
      onSkipped() {
        skipped += 1;
      },
    },
    stopping.signal,
  );
  return { sent, skipped };
}

const steps = (times: readonly number[]) => new Set(times.slice(1).map((at, i) => at - times[i]!));

describe("live readings", () => {
  it("come every ten seconds, none twice and none left out", async () => {
    const { sent } = await play(6, 4 * EVERY, () => true);
    expect(sent.length).toBe(24);
    expect(steps(sent)).toEqual(new Set([EVERY]));
  });

  it("wait while the connection has no room, and follow in order when it has", async () => {
    const { sent, skipped } = await play(5, EVERY, (look) => look >= 5);
    expect(sent.length).toBe(5);
    expect(steps(sent)).toEqual(new Set([EVERY]));
    expect((await play(5, EVERY, () => false)).sent).toEqual([]);
    expect(skipped).toBe(0);
  });

  it("go on at once when the clock is set back", async () => {
    const hour = 3_600_000;
    const { sent } = await play(
      8,
      EVERY,
      () => true,
      (look) => (look > 4 ? hour : 0),
    );
    // Of the four steps before it all, and of the four after it all but the one in which it happened.
    expect(sent.filter((at) => at > START)).toHaveLength(4);
    expect(sent.filter((at) => at < START)).toHaveLength(3);
  });

  it("give up what is older than an hour, and count it", async () => {
    const { sent, skipped } = await play(1, 2 * 3_600_000, () => true);
    expect(sent.length + skipped).toBe(720);
    expect(sent.length).toBeGreaterThanOrEqual(360);
    expect(sent.length).toBeLessThanOrEqual(361);
  });
});
