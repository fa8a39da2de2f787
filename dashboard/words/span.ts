import { formatSpan } from "../../model/time.ts";

/** "2 h 5 min"; below a minute in seconds. The units are the same in the three languages. */
export function sayMs(ms: number): string {
  return formatSpan(ms >= 60_000 ? Math.round(ms / 60_000) * 60_000 : ms);
}
