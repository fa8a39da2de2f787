/** Deeper, or more, than anything a device says of itself; what is beyond is left out. */
const DEPTH_MAX = 8;
const FIELDS_MAX = 1_000;
const ELEMENTS_MAX = 50;

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The fields of a JSON value by name, what is nested with dots between (`ENERGY.Power`, `phases.0.voltage`). A list of
 * plain values is one field. A bare value is the field `value`. `without`: a field that is left out.
 */
export function fieldsOf(value: unknown, without?: string): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  if (typeof value !== "object" || value === null) fields.set("value", value);
  else add(fields, "", value, DEPTH_MAX, without);
  return fields;
}

function add(fields: Map<string, unknown>, prefix: string, value: object, depth: number, without?: string): void {
  for (const key in value) {
    if (fields.size >= FIELDS_MAX) return;
    const name = prefix + key;
    if (name === without) continue;
    const one = (value as Record<string, unknown>)[key];
    if (typeof one !== "object" || one === null) fields.set(name, one);
    else if (Array.isArray(one) && one.every((element) => typeof element !== "object" || element === null))
      fields.set(name, one.slice(0, ELEMENTS_MAX));
    else if (depth > 1)
      add(fields, `${name}.`, Array.isArray(one) ? one.slice(0, ELEMENTS_MAX) : one, depth - 1, without);
  }
}

/** What stands at a path such as `data.rows`. */
export function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const step of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string, unknown>)[step];
  }
  return at;
}

/** Beyond it a number is milliseconds to whoever judges times, up to 2100; below it could be seconds. */
const [CLEAR_FROM_MS, CLEAR_TO_MS] = [4_102_444_800, 4_102_444_800_000];

/** A time in milliseconds as whoever judges times reads it; what no date can say is given back as it is, to be refused. */
export function momentOf(ms: number): string | number {
  if (ms > CLEAR_FROM_MS && ms <= CLEAR_TO_MS) return ms;
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : ms;
}
