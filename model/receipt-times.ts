/** Further ahead of the clock than this a time of receipt is not moved: a sender that is so fast has one time for several. */
const AHEAD_MAX_MS = 1_000;
const TOPICS_MAX = 10_000;

/**
 * Times of receipt in which no two messages of one topic have the same. A message without a time of its own gets that of
 * its receipt, and two that came in one millisecond would be one moment with two values.
 */
export function createReceiptTimes(now: () => number): (topic: string) => number {
  const given = new Map<string, number>();
  let newest = Number.NEGATIVE_INFINITY;

  return (topic) => {
    const at = now();
    // Of a time that is over nothing needs to be known; a clock that was set back begins anew.
    if (at > newest || newest - at > AHEAD_MAX_MS || given.size >= TOPICS_MAX) {
      given.clear();
      newest = at;
    }
    const before = given.get(topic);
    const own = before !== undefined && before >= at ? before + 1 : at;
    if (own - at > AHEAD_MAX_MS) return before!;
    given.set(topic, own);
    if (own > newest) newest = own;
    return own;
  };
}
