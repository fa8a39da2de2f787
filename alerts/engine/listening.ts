const STARTS_MAX = 64;

/**
 * Since when the service has been listening: a start, or the end of a time in which it could take nothing. What it did
 * not hear before such a moment is no silence of the sensor. The newest 64 are kept.
 */
export function createListening() {
  let starts: number[] = [];

  return {
    add(since: number): void {
      starts = [...starts, since].sort((a, b) => a - b).slice(-STARTS_MAX);
    },
    /** The newest start after `from` and not after `to`: the service was away for a part of that time. */
    between(from: number, to: number): number | undefined {
      for (let i = starts.length - 1; i >= 0 && starts[i]! > from; i--) if (starts[i]! <= to) return starts[i];
      return undefined;
    },
    newest: () => starts.at(-1),
    toJson: () => JSON.stringify(starts),
    restore(text: string): void {
      starts = [...(JSON.parse(text) as number[]), ...starts].sort((a, b) => a - b).slice(-STARTS_MAX);
    },
  };
}
