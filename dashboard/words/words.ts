import { signal } from "@preact/signals";
import { metricRow } from "../../model/metrics.ts";
import { formatSpan } from "../../model/time.ts";
import { ApiProblem } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { language } from "../shell/preferences.ts";

/** A value as a person reads it: three significant digits or whole numbers, with the unit of its metric. */
export function formatValue(value: number, metric: string | undefined, unit = metricRow(metric ?? "")?.unit): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const number = new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value);
  return unit ? `${number} ${unit}` : number;
}

/** What is measured, in words: "fine particles (PM2.5)". */
export const metricLabel = (metric: string): string =>
  (messages.value.metrics as Readonly<Record<string, string>>)[metric] ?? metric;

/** What the height of a chart means: "fine particles (PM2.5), µg/m³". */
export function titleOfChart(metric: string): string {
  const unit = metricRow(metric)?.unit;
  return unit ? `${metricLabel(metric)}, ${unit}` : metricLabel(metric);
}

/** What people call districts, by id. */
export const districtNames = signal<ReadonlyMap<string, string>>(new Map());

/** As people call it; without that "centre" is "Centre", "old-town" is "Old town". */
export function districtName(id: string): string {
  const said = districtNames.value.get(id);
  if (said !== undefined) return said;
  const words = id.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "2 h 5 min"; below a minute in seconds. The units are the same in the three languages. */
export function describeMs(ms: number): string {
  return formatSpan(ms >= 60_000 ? Math.round(ms / 60_000) * 60_000 : ms);
}

/** An error in a sentence for people: the service's own words where it answered. */
export function describeProblem(error: unknown): string {
  if (error instanceof ApiProblem && error.message !== "") return error.message;
  return messages.value.shell.unreachable;
}
