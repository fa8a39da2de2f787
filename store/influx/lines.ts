import { isId } from "../../model/ids.ts";
import { metricRowOf } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { StoreError } from "../reading-store.ts";

/**
 * One reading as one line: `air,district=north,sensorId=air-1 pm25=12.5,receivedAt=…,journalSeq=17 1795255200000`.
 * Floats only, so that no field can ever change its type. Nothing needs escaping, because nothing is let in that would:
 * what is not an id, a metric of the kind or a finite number throws `StoreError` "refused".
 */
export function toLine(reading: Reading): string {
  const { kind, sensorId, district, measuredAt } = reading;
  if (!isId(sensorId) || !isId(district)) throw refused("its sensor id or district is not an id");
  if (!Number.isSafeInteger(measuredAt)) throw refused("its time is not a whole number of milliseconds");
  const fields: string[] = [];
  for (const [metric, value] of Object.entries(reading.values)) {
    if (!metricRowOf(kind, metric)) throw refused("it has a metric its kind does not have");
    fields.push(`${metric}=${toFloat(value)}`);
  }
  for (const metric of Object.keys(reading.quality ?? {})) {
    if (!metricRowOf(kind, metric)) throw refused("it flags a metric its kind does not have");
    fields.push(`${metric}Suspect=1`);
  }
  fields.push(`receivedAt=${toFloat(reading.receivedAt)}`, `journalSeq=${toFloat(reading.journalSeq)}`);
  if (reading.imported) fields.push("imported=1");
  return `${kind},district=${district},sensorId=${sensorId} ${fields.join(",")} ${measuredAt}`;
}

function toFloat(value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) throw refused("a value of it is not a finite number");
  return String(value);
}

const refused = (why: string) => new StoreError("refused", `the reading cannot be written: ${why}`);
