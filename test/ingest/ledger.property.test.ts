import fc from "fast-check";
import { expect, it } from "vitest";
import type { LedgerSums } from "../../contract/ledger.ts";
import { dateOf } from "../../model/time.ts";
import { inFull } from "../helpers/in-full.ts";
import { T0 } from "./helpers.ts";
import { ledgerWorld } from "./ledger-world.ts";

const DAY_MS = 86_400_000;

const reading = fc.record({ second: fc.nat(5), value: fc.nat(1) });
const toItem = ({ second, value }: { second: number; value: number }) => ({
  measuredAt: T0 - 60_000 + second,
  pm25: value,
});
const message = fc.record({
  topic: fc.constantFrom("city/north/air/air-1", "city/north/air/air-2", "city/north/air/stranger", "nowhere"),
  payload: fc.oneof(
    reading.map(toItem),
    fc.array(reading, { minLength: 1, maxLength: 3 }).map((all) => all.map(toItem)),
    fc.constantFrom<unknown>("noise", { plate: "x" }, [{ pm25: 1 }, { pm25: "x" }]),
  ),
});
const step = fc.oneof(
  { weight: 6, arbitrary: message.map((one) => ({ do: "append" as const, ...one })) },
  { weight: 3, arbitrary: fc.nat(4).map((messages) => ({ do: "take" as const, messages: messages + 1 })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("before-write", "after-write", "after-booking")
      .map((point) => ({ do: "crash" as const, point })),
  },
  { weight: 1, arbitrary: fc.constant({ do: "next day" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "shed" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "release" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "damage" as const }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type World = ReturnType<typeof ledgerWorld>;

async function play(world: World, one: Step): Promise<void> {
  const { state, records } = world;
  if (one.do === "append") world.append(one.payload, { topic: one.topic });
  if (one.do === "take") await world.take(one.messages);
  if (one.do === "crash") await world.take(5, one.point);
  if (one.do === "next day" && state.now < T0 + 2 * DAY_MS) state.now += DAY_MS;
  if (one.do === "release") state.first = world.offset();
  // Never what was looked at before: the books are told of damage by those who read.
  if (one.do === "damage") state.unreadable.add(world.end());
  if (one.do === "shed") records.ledger.add([{ day: dateOf(state.now), sensorId: "air-1", outcome: "shed", count: 1 }]);
}

/** What was booked of whom, from the messages themselves. */
function expectedPending(world: World): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { seq, topic, receivedAt } of world.journal) {
    if (seq < world.offset() || world.state.unreadable.has(seq)) continue;
    const sensorId = topic === "nowhere" ? "" : topic.split("/")[3]!;
    const key = `${dateOf(receivedAt)} ${sensorId}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

const NAMES = ["received", "stored", "duplicate", "quarantined", "shed", "lost", "inJournal"] as const;

function add(all: readonly LedgerSums[]) {
  return Object.fromEntries(NAMES.map((name) => [name, all.reduce((sum, one) => sum + one[name], 0)]));
}

async function checkBooks(world: World, ledger: ReturnType<World["service"]>): Promise<void> {
  const whole = await ledger.read();
  expect(whole).toMatchObject({ balanced: true, scope: "all", inJournal: world.end() - world.offset() });
  expect(add(whole.days)).toEqual(add([whole]));
  const pending = expectedPending(world);
  let damaged = 0;
  for (const { day, ...sums } of whole.days) {
    const { sensors = [], ...ofDay } = await ledger.read({ day, bySensor: true });
    expect(add([ofDay])).toEqual(add([sums]));
    expect(add(sensors)).toEqual(add([sums]));
    for (const { sensorId, ...ofSensor } of sensors) {
      expect(ofSensor.balanced).toBe(true);
      const due = pending.get(`${day} ${sensorId}`) ?? 0;
      if (sensorId === "") damaged += ofSensor.inJournal - due;
      else expect([day, sensorId, ofSensor.inJournal]).toEqual([day, sensorId, due]);
      const alone = sensorId === "" ? undefined : await ledger.read({ day, sensorId });
      if (alone) expect(add([alone])).toEqual(add([ofSensor]));
    }
  }
  const waiting = [...world.state.unreadable].filter((seq) => seq >= world.offset() && seq < world.end());
  expect(damaged).toBe(waiting.length);
  const check = await ledger.verify();
  expect(check.differences).toEqual([]);
}

const RUNS = inFull(400);

it("adds up at every step, in total, by day and by day and sensor, whatever comes, dies or is damaged", async () => {
  let [pendingSeen, lostSeen] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const world = ledgerWorld();
      const ledger = world.service();
      for (const one of steps) {
        await play(world, one);
        // Both who has looked before and who looks at many messages at once must see the same.
        await checkBooks(world, world.service());
        if (one.do !== "append") await checkBooks(world, ledger);
        pendingSeen += Math.sign(world.end() - world.offset());
      }
      await world.take();
      await checkBooks(world, ledger);
      const { received, lost, shed } = await ledger.read();
      lostSeen += lost;
      expect(received - lost - shed).toBe(itemsOf(world));
      world.records.close();
    }),
    { numRuns: RUNS },
  );
  expect(pendingSeen).toBeGreaterThan(inFull(200));
  // A damage that takes what nobody has read yet is drawn seldom.
  if (RUNS >= 400) expect(lostSeen).toBeGreaterThan(0);
});

/** Items of all messages that could be read, as the decoder counts them. */
function itemsOf({ journal, state }: World): number {
  const items = ({ topic, payload }: World["journal"][number]) => {
    const text = Buffer.from(payload).toString();
    if (!text.startsWith("[") || topic === "nowhere" || topic.endsWith("stranger")) return 1;
    return (JSON.parse(text) as unknown[]).length;
  };
  return journal.reduce((sum, one) => sum + (state.unreadable.has(one.seq) ? 0 : items(one)), 0);
}
