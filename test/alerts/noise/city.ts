import { createNoise, type NoiseOptions } from "../../../alerts/noise/noise.ts";
import type { Notice, Transition } from "../../../model/alert.ts";
import { SILENT } from "../../../model/log.ts";
import type { Rule } from "../../../model/rule.ts";
import type { Silence } from "../../../model/silence.ts";
import type { Sensor } from "../../../store/records/sensors.ts";
import { openRecords } from "../../../store/records.ts";
import { aRule, MINUTE, T0 } from "../builders.ts";

const anything = { metric: "temperature", condition: { type: "threshold", above: 40 } };
/** A gateway's outage explains silent sensors behind it; a feeder's fault low voltage along it; `dry` a `damp` sensor. */
export const RULES: Rule[] = [
  aRule({ id: "outage", ...anything, inhibits: [{ rule: "silent", where: "gateway" }] }),
  aRule({ id: "silent", ...anything }),
  aRule({ id: "feeder-fault", ...anything, inhibits: [{ rule: "sag", where: { tag: "feeder" } }] }),
  aRule({ id: "sag", ...anything }),
  aRule({ id: "dry", ...anything, inhibits: [{ rule: "damp", where: "sensor" }] }),
  aRule({ id: "damp", ...anything }),
  aRule({ id: "plain", ...anything }),
];

/** Sensors s-1 to s-4 behind gateway gw-1 (the first two) and gw-2; odd ones on feeder f-1. */
export const SENSORS: Sensor[] = [1, 2, 3, 4].map((n) => {
  const gateway = n <= 2 ? "gw-1" : "gw-2";
  return { id: `s-${n}`, kind: "air", district: "north", gateway, tags: { feeder: `f-${n % 2}` }, createdAt: T0 };
});

type Change = Partial<Transition["alert"]> & { readonly start?: number };

/** The noise control on real records in RAM; what it tells is in `notices`. */
export function aCity(options: Partial<NoiseOptions> = {}) {
  let now = T0;
  const records = openRecords({ path: ":memory:", now: () => now, log: SILENT });
  for (const sensor of SENSORS) records.sensors.add(sensor);
  const notices: Notice[] = [];
  let rules: readonly Rule[] = RULES;
  const start = () =>
    createNoise({
      records,
      rules: () => rules,
      sensor: records.sensors.get,
      now: () => now,
      enqueue: (notice) => void notices.push(notice),
      log: SILENT,
      ...options,
    });
  let noise = start();

  const apply = (...transitions: Transition[]) => records.transaction(() => noise.apply(transitions));

  return {
    records,
    notices,
    apply,
    now: () => now,
    noise: () => noise,
    /** A later life of the process: all that was not in the records is gone. */
    restart() {
      noise = start();
      noise.tick();
    },
    setRules(other: readonly Rule[]) {
      rules = other;
      noise.tick();
    },
    /** The service is down, or its timer late. */
    sleep(ms: number) {
      now += ms;
    },
    pass(ms: number) {
      now += ms;
      noise.tick();
    },
    silence(matchers: Silence["matchers"], fields: Partial<Silence> = {}) {
      const span = { startsAt: now, endsAt: now + 60 * MINUTE };
      const made = { kind: "silence", reason: "a test", createdAt: now, createdBy: "anna" } as const;
      const { id } = records.silences.add({ ...made, matchers, ...span, ...fields });
      noise.tick();
      return id;
    },
    up: (rule: string, sensorId: string, change: Change = {}) =>
      apply(aTransition("firing", rule, sensorId, now, change)),
    down: (rule: string, sensorId: string, start: number, change: Change = {}) =>
      apply(aTransition("resolved", rule, sensorId, now, { ...change, start })),
    alert: (rule: string, sensorId: string, start = T0) => records.alerts.get(idOf(rule, sensorId, start))!,
    /** "firing silent s-1", in the order told; `clear` forgets them. */
    told(clear = true) {
      const lines = notices.map(({ what, alert }) => `${what} ${alert.rule.id} ${nameOf(alert.subject)}`);
      if (clear) notices.length = 0;
      return lines;
    },
  };
}

const nameOf = ({ sensorId, gateway, tag }: Transition["alert"]["subject"]) => sensorId ?? gateway ?? tag?.value;
const idOf = (rule: string, name: string, start: number) => `${rule}.${name}.${start}`;

/** What the engine would say. A name such as gw-1 is a gateway, f-1 a feeder. */
export function aTransition(
  what: "firing" | "resolved" | "retracted",
  rule: string,
  name: string,
  at: number,
  { start = at, ...change }: Change = {},
): Transition {
  const subject = name.startsWith("gw")
    ? { gateway: name, district: "north" }
    : name.startsWith("f-")
      ? { tag: { name: "feeder", value: name }, district: "north" }
      : { sensorId: name, district: "north" };
  const alert: Transition["alert"] = {
    id: idOf(rule, name, start),
    rule: { id: rule, version: "1", title: rule, source: "a test" },
    subject,
    kind: "air",
    severity: "warning",
    audience: "operators",
    state: what,
    startedAt: start,
    firedAt: start,
    resolvedAt: what === "firing" ? undefined : at,
    explanation: "It is so.",
    evidence: [],
    ...change,
  };
  return { alert, entry: { at, knownAt: at, what } };
}
