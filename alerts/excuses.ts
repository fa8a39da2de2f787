import type { Batch } from "../model/batch.ts";
import type { Records } from "../store/records.ts";
import { createSilencing } from "./noise/judge.ts";
import { isOfSensors, namesSensor } from "./works.ts";

type ExcusesParts = {
  readonly records: Pick<Records, "silences" | "sensors">;
  /** Of a city that reads from a broker of somebody else: whether it is away. */
  readonly brokerIsAway?: (() => boolean) | undefined;
};

/** Which sensors cannot be expected to be heard: somebody works on them, or the broker they speak through is away. */
export function createExcuses({ records: { silences, sensors }, brokerIsAway }: ExcusesParts) {
  const silencing = createSilencing(silences);
  /** Those that were last heard by a door of our own since the start. */
  const direct = new Set<string>();

  /** Everything that is taken: by which way it came. */
  function note({ messages, readings }: Pick<Batch, "messages" | "readings">): void {
    if (!brokerIsAway || !messages || messages.length === 0) return;
    let place = 0;
    for (const { sensorId, journalSeq } of readings) {
      while (messages[place]!.seq < journalSeq && place < messages.length - 1) place += 1;
      if (messages[place]!.source.role === "broker") direct.delete(sensorId);
      else direct.add(sensorId);
    }
  }

  function isExcused(sensorId: string, now: number): boolean {
    if (brokerIsAway?.() && !direct.has(sensorId)) return true;
    const windows = silencing.activeAt(now).filter(isOfSensors);
    const sensor = windows.length === 0 ? undefined : sensors.get(sensorId);
    if (!sensor) return false;
    return windows.some(({ matchers }) => namesSensor(matchers, sensor));
  }

  return { note, isExcused };
}
