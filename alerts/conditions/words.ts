import type { Limit } from "../../model/conditions.ts";
import { wordsOf } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import { DAY_MS, formatSpan, HOUR_MS, parseDuration } from "../../model/time.ts";
import { CLASS_NAMES } from "../derived/european-aqi.ts";
import type { WatchedSensor } from "./condition.ts";

/** "Nitrogen dioxide at Station 4". */
export function subject({ metric }: Rule, { id, name }: WatchedSensor): string {
  const { label } = wordsOf(metric!);
  return `${label.charAt(0).toUpperCase()}${label.slice(1)} at ${name ?? id}`;
}

/** "61 µg/m³"; of an index "class 4 (poor)". */
export function amount({ metric }: Rule, value: number | undefined): string {
  if (metric === "europeanAqi" && value !== undefined) {
    const name = CLASS_NAMES[value - 1];
    return `class ${numberText(value)}${name ? ` (${name})` : ""}`;
  }
  return value === undefined ? "no value" : `${numberText(value)} ${wordsOf(metric!).unit}`.trimEnd();
}

function numberText(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** "2026-11-21 14:00 UTC"; seconds only where there are some. */
export function timeText(time: number): string {
  const iso = new Date(time).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, iso.slice(17, 19) === "00" ? 16 : 19)} UTC`;
}

export const spanText = (duration: string) => formatSpan(parseDuration(duration)!);

export function windowWord(window: string): string {
  const ms = parseDuration(window)!;
  if (ms === HOUR_MS) return "hour";
  return ms === DAY_MS ? "day" : formatSpan(ms);
}

/** "hour", "day", "10 min period". */
export function windowUnit(window: string): string {
  const word = windowWord(window);
  return word === "hour" || word === "day" ? word : `${word} period`;
}

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"];

export function ordinal(count: number): string {
  if (count <= ORDINALS.length) return ORDINALS[count - 1]!;
  const last = count % 100 >= 11 && count % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${last}`;
}

/** Where the limit of this one sensor comes from. */
export function share(limit: Limit): string {
  return typeof limit === "object" ? ` (${numberText(limit.times * 100)} % of its ${limit.tag})` : "";
}
