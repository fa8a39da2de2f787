import { describe, expect, it } from "vitest";
import { random } from "../builders.ts";
import { aNotice, aTarget, createWorld } from "./world.ts";

const RUNS = 10;
const HOUR = 3_600_000;
const TARGETS = ["a", "b", "c"].map((id) => ({ id, url: `https://hooks.example/${id}` }));

/** Targets that fail at random, alerts that come and go, restarts: whatever happens, this holds. */
describe("notifications under random trouble", () => {
  const first = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  it(`seed ${first}: each is told at least once, with one id, in order for each alert`, async () => {
    for (let seed = first; seed < first + RUNS; seed += 1) await play(seed);
  });
});

async function play(seed: number): Promise<void> {
  const chance = random(seed);
  const upTo = (n: number) => Math.floor(chance() * n);
  const world = createWorld({ random: chance });
  const received = new Map<string, { id: string; what: string; alert: string }[]>();
  const refusals = new Map<string, number>();
  let isWell = false;
  for (const { id, url } of TARGETS) {
    received.set(id, []);
    const groupBy = upTo(2) === 0 ? ("rule" as const) : undefined;
    const quietHours = upTo(2) === 0 ? { timeZone: "UTC", from: "00:00", to: "01:00" } : undefined;
    world.records.targets.put(aTarget({ id, url, groupBy, quietHours }));
    world.play(url, ({ body, headers }) => {
      const fate = isWell ? 9 : upTo(10);
      if (fate < 2) return 503;
      if (fate < 3) return new Error("connection lost");
      const message = headers["webhook-id"]!;
      // Few enough that nothing is given up.
      const refused = refusals.get(`${id} ${message}`) ?? 0;
      if (fate < 5 && refused < 4) {
        refusals.set(`${id} ${message}`, refused + 1);
        return 400;
      }
      const { data, type } = JSON.parse(body);
      for (const one of Array.isArray(data) ? data : [{ type, data }])
        received.get(id)!.push({ id: message, what: one.type, alert: one.data.id });
      return fate < 6 ? new Error("the answer was lost") : 200;
    });
  }

  let notifier = world.notifier;
  notifier.start();
  const alive = new Set<string>();
  const told: string[] = [];
  for (let step = 0; step < 60; step += 1) {
    const severity = upTo(4) === 0 ? ("critical" as const) : ("warning" as const);
    const choice = upTo(10);
    const ending = [...alive][upTo(alive.size)];
    if (choice < 4) {
      const id = `al-${seed}-${step}`;
      world.records.transaction(() => notifier.enqueue(aNotice({ id, severity }, "firing", world.now())));
      alive.add(id);
      told.push(`alert.firing ${id}`);
    } else if (choice < 7 && ending !== undefined) {
      world.records.transaction(() => notifier.enqueue(aNotice({ id: ending }, "resolved", world.now())));
      alive.delete(ending);
      told.push(`alert.resolved ${ending}`);
    } else if (choice < 8) {
      await notifier.stop();
      notifier = world.life();
      notifier.start();
    } else await world.run(upTo(10 * 60_000));
  }
  isWell = true;
  await world.run(6 * HOUR);
  await notifier.stop();

  expect(world.records.outbox.pending().size, `seed ${seed}`).toBe(0);
  for (const { id } of TARGETS) {
    const list = received.get(id)!;
    const lines = list.map(({ what, alert }) => `${what} ${alert}`);
    expect([...new Set(lines)].sort(), `seed ${seed}, target ${id}`).toEqual([...told].sort());
    for (const line of told) {
      const ids = new Set(list.filter(({ what, alert }) => `${what} ${alert}` === line).map((one) => one.id));
      expect(ids.size, `seed ${seed}, target ${id}: ${line}`).toBe(1);
    }
    for (const alert of new Set(list.map((one) => one.alert))) {
      const end = lines.indexOf(`alert.resolved ${alert}`);
      const last = lines.lastIndexOf(`alert.firing ${alert}`);
      const isDone = end < 0 || end > lines.indexOf(`alert.firing ${alert}`);
      expect(isDone && (end < 0 || last < end || sameMessage(list, last, end)), `seed ${seed}: ${alert}`).toBe(true);
    }
  }
}

/** A group that is sent again begins from the front again. */
function sameMessage(list: readonly { id: string }[], a: number, b: number): boolean {
  return list[a]!.id === list[b]!.id;
}
