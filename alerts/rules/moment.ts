import { parseDuration } from "../../model/time.ts";

const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** "+3h", "+1d6h", "+0s" from `start`, or ISO 8601 with its zone (a day alone is its midnight UTC); else undefined. */
export function parseMoment(text: string, start: number): number | undefined {
  if (/^\+0[smhd]?$/.test(text)) return start;
  if (/^\+(?:\d+[smhd])+$/.test(text)) {
    const parts = (text.match(/\d+[smhd]/g) ?? []).map(parseDuration);
    return parts.every((part) => part !== undefined) ? parts.reduce((sum, part) => sum + part, start) : undefined;
  }
  const at = ISO.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
