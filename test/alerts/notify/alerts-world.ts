import { seriesOf, traitsOf } from "../../../alerts/noise/judge.ts";
import type { Alert, Notice } from "../../../model/alert.ts";
import { T0 } from "../builders.ts";
import { anAlert, aTarget, createWorld } from "./world.ts";

/** With alerts in the records, as the engine and the noise control leave them there. */
export function startWithAlerts(...targets: Parameters<typeof aTarget>[0][]) {
  const world = createWorld();
  const { records } = world;
  for (const target of targets) records.targets.put(aTarget(target));
  let notifier = world.notifier;
  notifier.start();

  function say(what: Notice["what"], id: string, fields: Partial<Alert> = {}): void {
    const at = world.now();
    const { handling: _, timeline: __, ...alert } = anAlert({ id, ...fields });
    records.transaction(() => {
      const told = records.alerts.apply({ alert, entry: { at, knownAt: at, what } }) ?? records.alerts.get(id)!;
      const ended = what === "firing" ? 0 : 1;
      const about = { series: seriesOf(alert), about: traitsOf(alert), open: ended === 0 };
      const times = { firedAt: T0, firedKnownAt: T0, holdUntil: T0, reminders: 0 };
      records.noise.save({ alert: id, ...about, ...times, told: 1, ended, suppressedBy: told.suppressedBy });
      notifier.enqueue({ id: `${id}-${what}-1`, at, what, alert: told });
    });
  }

  return {
    ...world,
    up: (id = "al-1", fields: Partial<Alert> = {}) => say("firing", id, fields),
    down: (id = "al-1", what: "resolved" | "retracted" = "resolved") =>
      say(what, id, { state: what, resolvedAt: world.now() }),
    people(handling: Alert["handling"], what: string, id = "al-1"): void {
      const at = world.now();
      records.alerts.handle(id, { handling }, { at, knownAt: at, what, by: "olga" });
    },
    suppress(by: string | undefined, id = "al-1"): void {
      const at = world.now();
      records.noise.save({ ...records.noise.get(id)!, suppressedBy: by });
      records.alerts.suppress(id, by, { at, knownAt: at, what: by ? "suppressed" : "released" });
    },
    remind: (id = "al-1") =>
      world.enqueue({ id: `${id}-reminder-1`, at: world.now(), what: "reminder", alert: records.alerts.get(id)! }),
    async restart(): Promise<void> {
      await notifier.stop();
      notifier = world.life();
      notifier.start();
      await world.run();
    },
  };
}
