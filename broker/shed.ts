/** Of one sensor: so many messages of QoS 0 were let go since this was last asked. */
export type Shed = { readonly sensorId: string; readonly count: number };

/** A gateway could name sensors until the memory is full; beyond this many they are counted together, under "". */
const SENSORS_MAX = 10_000;

/** What was let go, by sensor, for the books. */
export function createShedTally() {
  let counts = new Map<string, number>();

  return {
    add(sensorId: string): void {
      const key = counts.has(sensorId) || counts.size < SENSORS_MAX ? sensorId : "";
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    /** What was added since the last call. */
    take(): Shed[] {
      if (counts.size === 0) return [];
      const taken = [...counts].map(([sensorId, count]) => ({ sensorId, count }));
      counts = new Map();
      return taken;
    },
  };
}
