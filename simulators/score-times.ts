import type { Reading } from "../model/reading.ts";

export type Times = ReturnType<typeof createTimes>;

/** When each sensor was heard, and each of its values: to check what rules say of gaps without asking the rules. */
export function createTimes() {
  const heard = new Map<string, number[]>();
  let readings = 0;

  function note(key: string, at: number): void {
    const times = heard.get(key);
    if (times) times.push(at);
    else heard.set(key, [at]);
  }

  function add({ sensorId, measuredAt, values }: Reading): void {
    readings += 1;
    note(sensorId, measuredAt);
    for (const metric in values) note(`${sensorId} ${metric}`, measuredAt);
  }

  /** ms between the last time before `at` and the next one from then on; 0 where one of them is missing. */
  function gapAround(sensorId: string, metric: string | undefined, at: number): number {
    const times = heard.get(metric === undefined ? sensorId : `${sensorId} ${metric}`) ?? [];
    const next = times.findIndex((time) => time >= at);
    return next > 0 ? times[next]! - times[next - 1]! : 0;
  }

  const sensors = () => [...heard.keys()].filter((key) => !key.includes(" "));

  /** Sum over the sensors of the time between first and last reading. */
  function watchedMs(): number {
    return sensors().reduce((sum, id) => sum + span(heard.get(id)!), 0);
  }

  /** Every hole of `atLeastMs` or more in what a sensor says. */
  function gaps(atLeastMs: number): { sensorId: string; from: number; to: number }[] {
    return sensors().flatMap((sensorId) => {
      const times = heard.get(sensorId)!;
      return times
        .slice(1)
        .flatMap((to, i) => (to - times[i]! >= atLeastMs ? [{ sensorId, from: times[i]!, to }] : []));
    });
  }

  return { add, gapAround, sensors, watchedMs, gaps, readings: () => readings, end: () => lastOf(heard) };
}

const span = (times: readonly number[]) => Math.max(0, times.at(-1)! - times[0]!);

function lastOf(heard: ReadonlyMap<string, readonly number[]>): number {
  let last = 0;
  for (const times of heard.values()) last = Math.max(last, times.at(-1)!);
  return last;
}
