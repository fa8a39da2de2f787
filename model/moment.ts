import type { Reading } from "./reading.ts";

/** What two messages said of one moment, as one reading: the first says what both say. */
export function joinReadings(one: Reading, two: Reading): Reading {
  const [first, later] = (one.part ?? 0) <= (two.part ?? 0) ? [one, two] : [two, one];
  const { quality, raw, ...base } = whole(first);
  const flags = { ...later.quality, ...quality };
  // What a later message flags of a metric that the first has is not what is kept.
  for (const metric in flags) {
    const name = metric as keyof typeof flags;
    if (name in first.values && quality?.[name] === undefined) delete flags[name];
  }
  const told = { ...later.raw, ...raw };
  return {
    ...base,
    values: { ...later.values, ...first.values },
    ...(Object.keys(flags).length > 0 && { quality: flags }),
    ...(Object.keys(told).length > 0 && { raw: told }),
  };
}

/** Without its place among the messages of its moment. */
export function whole(reading: Reading): Reading {
  if (reading.part === undefined) return reading;
  const { part: _, ...rest } = reading;
  return rest;
}
