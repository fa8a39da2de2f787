import type { IncidentView } from "../../contract/incident.ts";
import { messages } from "../messages/messages.ts";
import { clock, formatTime } from "./time.tsx";
import { formatValue, metricLabel } from "./words.ts";

/** "3 feeders, 1 transformer: 1,200 A, since 13:05". */
export function describeImpact({ things, measures, since }: IncidentView["impact"]): string {
  const t = messages.value.words;
  const what = things.map(({ thing, count }) => t.things[thing](count)).join(", ");
  const values = measures.map(({ metric, value, unit, of }, i) => {
    const text = formatValue(value, metric, unit);
    // Of the first the title says what it is.
    return i === 0 && of === "sum" ? text : `${metricLabel(metric)} ${text}`;
  });
  return [what, ...values, t.sinceTime(formatTime(Date.parse(since), clock.value))].join(", ");
}
