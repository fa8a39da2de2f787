import { describe, expect, it } from "vitest";
import { createAlerts } from "../../alerts/alerts.ts";
import { createNoise } from "../../alerts/noise/noise.ts";
import type { Alert } from "../../model/alert.ts";
import type { Batch } from "../../model/batch.ts";
import { SILENT } from "../../model/log.ts";
import type { Rejection } from "../../model/rejection.ts";
import type { Rule } from "../../model/rule.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { inFull } from "../helpers/in-full.ts";
import { aReading, aRule, liveOf, MINUTE, random, T0 } from "./builders.ts";

const IDS = Array.from({ length: 8 }, (_, i) => `s-${i}`);
const DISTRICTS = ["north", "south"];
const GATEWAYS = ["gw-1", "gw-2"];

type Random = () => number;
const pick = <Value>(of: readonly Value[], next: Random): Value => of[Math.floor(next() * of.length)]!;
const some = (next: Random) => IDS.filter(() => next() < 0.6);

/** The rules of a city that keeps changing its mind: limits, whom they select, whether they are there at all. */
function rulesOf(next: Random): Rule[] {
  const select = () => (next() < 0.4 ? { select: { sensor: ["s-0", ...some(next)] } } : {});
  const by = pick(["district", "gateway"], next);
  const rules = [
    aRule({ id: "no2", metric: "no2", condition: { type: "threshold", above: pick([150, 200], next) }, ...select() }),
    aRule({ id: "hold", metric: "no2", condition: { type: "threshold", above: 120, for: "3m" }, ...select() }),
    aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" }, ...select() }),
    aRule({ id: "refused", kind: "any", condition: { type: "rejections", count: 2, within: "10m" }, ...select() }),
    aRule({ id: "many", condition: { type: "quorum", rule: "no2", by, count: 2, share: 0 }, ...select() }),
    aRule({ id: "outage", condition: { type: "quorum", rule: "silent", by: "district", count: 2, share: 0 } }),
  ];
  return rules.filter(() => next() < 0.85);
}

/** One city whose records and journal outlive the service, as long as nobody takes them away. */
function createCity(now: () => number) {
  const records = openRecords({ path: ":memory:", now, log: SILENT });
  const journal: Batch[] = [];
  let end = 1;
  let alerts: ReturnType<typeof createAlerts> | undefined;
  let noise: ReturnType<typeof createNoise>;
  let rules: readonly Rule[] = [];

  function start(given: readonly Rule[]): void {
    rules = given;
    const shared = { records, sensor: records.sensors.get, now, log: SILENT };
    noise = createNoise({ ...shared, rules: () => rules, enqueue: () => {} });
    const live = liveOf(now, journal);
    const untaken = () => end - (alerts?.position() ?? end);
    alerts = createAlerts({ ...shared, rules, first: 1, live, untaken, apply: noise.apply });
    for (const batch of journal) if (batch.to > alerts.offset) alerts.take(batch);
  }

  function tick(): void {
    alerts!.tick();
    for (let i = 0; i < 1_000 && alerts!.work() !== undefined; i++);
    noise.tick();
  }

  return {
    records,
    start,
    tick,
    rules: () => rules,
    stop: () => alerts!.close(),
    replaceRules(next: readonly Rule[]): void {
      rules = next;
      alerts!.replaceRules(next, now());
      noise.tick();
    },
    send(values: ReadonlyMap<string, number>, refused: readonly string[] = []): void {
      const known = [...values].filter(([id]) => records.sensors.get(id));
      const readings = known.map(([sensorId, no2]) => {
        const { district } = records.sensors.get(sensorId)!;
        return aReading(now(), { no2 }, { sensorId, district, receivedAt: now(), journalSeq: end++ });
      });
      const rejections = refused.flatMap((sensorId): Rejection[] => {
        const sensor = records.sensors.get(sensorId);
        if (!sensor) return [];
        const topic = `city/${sensor.district}/air/${sensorId}`;
        return [{ sensorId, topic, reason: "bad_json", detail: "", receivedAt: now(), journalSeq: end++ } as never];
      });
      if (readings.length + rejections.length === 0) return;
      const batch = { from: end - readings.length - rejections.length, to: end, readings, rejections };
      journal.push(batch);
      alerts!.take(batch);
    },
  };
}

type City = ReturnType<typeof createCity>;

/** What is open, by rule and subject: ids tell of starts that lie in the past of one of the two. */
function open({ records }: City): string[] {
  const all: Alert[] = [];
  let cursor: string | undefined;
  do {
    const page = records.alerts.list({ state: ["pending", "firing"] }, 500, cursor);
    all.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return all
    .map(({ rule, state, subject: { sensorId, district, gateway } }) => {
      return [state, rule.id, sensorId ?? `${district} ${gateway ?? ""}`].join(" ");
    })
    .sort();
}

function addSensor({ sensors }: Records, id: string, next: Random): void {
  const gateway = pick(GATEWAYS, next);
  sensors.add({ id, kind: "air", district: pick(DISTRICTS, next), gateway, intervalS: 60, tags: {}, createdAt: T0 });
}

describe("edits, removals, kills and restarts in any order", () => {
  it("end with the alerts that a service without a past comes to by what follows", () => {
    const ops = new Map<string, number>();
    let compared = 0;
    for (let seed = 1; seed <= inFull(30); seed++) {
      const next = random(seed);
      let clock = T0;
      const city = createCity(() => clock);
      for (const id of IDS) addSensor(city.records, id, next);
      city.start(rulesOf(next));

      function pass(): void {
        clock += MINUTE;
        const values = new Map(IDS.filter(() => next() < 0.8).map((id) => [id, pick([50, 130, 180, 250], next)]));
        city.send(values, next() < 0.3 ? [pick(IDS, next), pick(IDS, next)] : []);
        if (next() < 0.7) city.tick();
      }

      const deeds: Readonly<Record<string, () => void>> = {
        "time passes": () => {
          for (let i = 0; i < 5; i++) pass();
        },
        "all are silent": () => {
          clock += 40 * MINUTE;
          city.tick();
        },
        "rules change": () => city.replaceRules(rulesOf(next)),
        "a sensor is removed": () => void city.records.sensors.remove(pick(IDS, next)),
        "a sensor comes back": () => {
          const id = pick(IDS, next);
          if (!city.records.sensors.get(id)) addSensor(city.records, id, next);
        },
        "a sensor moves": () =>
          void city.records.sensors.update(pick(IDS, next), {
            district: pick(DISTRICTS, next),
            gateway: pick(GATEWAYS, next),
          }),
        "a restart": () => {
          city.stop();
          city.start(city.rules());
        },
        "a restart with other rules": () => {
          city.stop();
          city.start(rulesOf(next));
        },
        "a kill": () => city.start(city.rules()),
        "a kill and other rules": () => city.start(rulesOf(next)),
      };
      for (let i = 0; i < 25; i++) {
        const what = pick(Object.keys(deeds), next);
        ops.set(what, (ops.get(what) ?? 0) + 1);
        deeds[what]!();
        if (next() < 0.5) pass();
      }
      for (let i = 0; i < 3; i++) city.tick();

      // From here on all that there are say the same to both.
      const fresh = createCity(() => clock);
      for (const sensor of city.records.sensors.list()) fresh.records.sensors.add(sensor);
      fresh.start(city.rules());
      const high = some(next);
      const quiet = some(next);
      for (let minute = 0; minute < 90; minute++) {
        clock += MINUTE;
        const said = IDS.filter((id) => minute < 60 || !quiet.includes(id));
        const values = new Map(said.map((id) => [id, minute >= 30 && high.includes(id) ? 250 : 50]));
        for (const one of [city, fresh]) {
          one.send(values);
          one.tick();
        }
      }
      const expected = open(fresh);
      compared += expected.length;
      expect(open(city), `seed ${seed}`).toEqual(expected);
      city.stop();
      for (const { records } of [city, fresh]) records.close();
    }
    expect(ops.size).toBe(10);
    expect(compared).toBeGreaterThan(inFull(30));
  });
});
