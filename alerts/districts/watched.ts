/**
 * How many sensors are watched in one place, and since when: a sensor counts from its first reading on. So the answer
 * for a moment of event time does not depend on whose readings came first.
 */
export function createWatched() {
  const since: number[] = [];

  /** How many began before or at `at`. */
  function countAt(at: number): number {
    let low = 0;
    let high = since.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (since[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    countAt,
    add(firstAt: number): void {
      since.splice(countAt(firstAt), 0, firstAt);
    },
    remove(firstAt: number): void {
      const index = countAt(firstAt) - 1;
      if (index >= 0 && since[index] === firstAt) since.splice(index, 1);
    },
    size: () => since.length,
  };
}
