import { describe, expect, it } from "vitest";
import { inFull } from "../../helpers/in-full.ts";
import { random } from "../builders.ts";
import { startWithAlerts } from "./alerts-world.ts";
import { aTarget } from "./world.ts";

const RUNS = inFull(40);
const HOUR = 3_600_000;
const IDS = ["a", "b", "c", "d"];
const urlOf = (id: string) => `https://hooks.example/${id}`;

/** Alerts that people close, open, silence and release while their notices wait; targets that fail, come and change; restarts. */
describe("what is told of alerts that change while their notices wait", () => {
  const first = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  it(`seed ${first}: who heard of a beginning hears of its end once, and of what is open everybody has heard`, async () => {
    for (let seed = first; seed < first + RUNS; seed += 1) await play(seed);
  });
});

async function play(seed: number): Promise<void> {
  const chance = random(seed);
  const upTo = (n: number) => Math.floor(chance() * n);
  const one = <T>(all: readonly T[]) => all[upTo(all.length)];
  const world = startWithAlerts();
  const { records } = world;
  const heard = new Map<string, string[]>(IDS.map((id) => [id, []]));
  const seen = new Set<string>();
  /** Arrived, and the service does not know it. */
  const lost = new Set<string>();
  let isWell = false;

  function putTarget(id: string, enabled = true): void {
    const groupBy = upTo(2) === 0 ? ("rule" as const) : undefined;
    const quietHours = upTo(3) === 0 ? { timeZone: "UTC", from: "00:00", to: "02:00" } : undefined;
    const target = aTarget({ id, url: urlOf(id), groupBy, quietHours, enabled });
    records.transaction(() => {
      records.targets.put(target);
      if (!enabled) records.outbox.giveUpBefore(id, Number.MAX_SAFE_INTEGER, "switched off", world.now());
    });
  }

  for (const id of IDS)
    world.play(urlOf(id), ({ body, headers }) => {
      const fate = isWell ? 9 : upTo(10);
      if (fate < 2) return 503;
      if (fate < 3) return new Error("connection lost");
      const message = `${id} ${headers["webhook-id"]}`;
      const { data, type } = JSON.parse(body);
      for (const { type: what, data: alert } of Array.isArray(data) ? data : [{ type, data }]) {
        if (fate >= 3 && fate < 5) lost.add(`${id} ${what.replace("alert.", "")} ${alert.id}`);
        if (!seen.has(`${message} ${alert.id} ${what}`)) {
          seen.add(`${message} ${alert.id} ${what}`);
          heard.get(id)!.push(`${what.replace("alert.", "")} ${alert.id}`);
        }
      }
      return fate < 5 ? new Error("the answer was lost") : 200;
    });
  putTarget("a");
  putTarget("b");

  const open = new Set<string>();
  const ended = new Set<string>();
  for (let step = 0; step < 70; step += 1) {
    const choice = upTo(14);
    const alert = one([...open]);
    const now = alert === undefined ? undefined : records.alerts.get(alert)!;
    if (choice < 4) {
      const id = `al-${seed}-${step}`;
      world.up(id, { severity: upTo(4) === 0 ? "critical" : "warning" });
      open.add(id);
    } else if (choice === 4 && alert) {
      world.down(alert, upTo(4) === 0 ? "retracted" : "resolved");
      open.delete(alert);
      ended.add(alert);
    } else if (choice === 5 && now) {
      if (now.handling === "closed") world.people("open", "reopened", alert);
      else world.people("closed", "closed", alert);
    } else if (choice === 6 && now) world.suppress(now.suppressedBy ? undefined : "silence:1", alert);
    else if (choice === 7) putTarget(one(IDS)!);
    else if (choice === 8 && upTo(3) === 0) await world.restart();
    else await world.run(upTo(40 * 60_000));
  }
  isWell = true;
  await world.run(6 * HOUR);

  for (const { id } of records.targets.list()) {
    const lines = heard.get(id)!;
    const count = (line: string) => lines.filter((other) => other === line).length;
    const about = `seed ${seed}, target ${id}`;
    for (const alert of ended) {
      const ends = count(`resolved ${alert}`) + count(`retracted ${alert}`);
      expect(ends, `${about}: ends of ${alert}`).toBeLessThanOrEqual(1);
      if (count(`firing ${alert}`) > 0) expect(ends, `${about}: end of ${alert}`).toBe(1);
      const end = lines.findIndex((line) => /^(resolved|retracted)/.test(line) && line.endsWith(` ${alert}`));
      if (end >= 0) expect(lines.lastIndexOf(`firing ${alert}`), `${about}: order of ${alert}`).toBeLessThan(end);
    }
    for (const alert of open) {
      const { handling, suppressedBy } = records.alerts.get(alert)!;
      const isTold = handling !== "closed" && suppressedBy === undefined;
      if (isTold) expect(count(`firing ${alert}`), `${about}: ${alert}`).toBeGreaterThan(0);
      // A beginning that nobody knows to have arrived, and that was dropped meanwhile, is told again.
      const most = lost.has(`${id} firing ${alert}`) ? 2 : 1;
      expect(count(`firing ${alert}`), `${about}: ${alert}, once`).toBeLessThanOrEqual(most);
    }
  }
  expect(records.outbox.pending().size, `seed ${seed}`).toBe(0);
}
