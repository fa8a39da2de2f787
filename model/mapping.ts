import { z } from "zod";
import { localMs, localTimeReader, readIso } from "./local-time.ts";
import { isMetricName, type MetricName } from "./metrics.ts";
import { conversion } from "./units.ts";
import { isTimeZone } from "./zone.ts";

/**
 * What a mapping says of one value and of one time, whatever they come in: a column of a file, a field of a message.
 */

export const timeZone = z.string().refine(isTimeZone, {
  error: 'neither an IANA time zone such as "Europe/Paris" nor an offset such as "+01:00"',
});

const metric = z.custom<MetricName>((name) => typeof name === "string" && isMetricName(name), {
  error: "not a metric",
});

/** Texts that stand for "no value"; a number here also matches its other spellings. */
export const missing = z.array(z.coerce.string()).default([]);

/** Which metric, and in which unit it comes. */
export const quantity = { metric, unit: z.string(), missing };

/** How numbers are written: "1.234,5" has a decimal "," and thousands ".". */
export const numbers = {
  decimal: z.enum([".", ","]).default("."),
  thousands: z.enum([",", ".", " ", "'"]).optional(),
};

/** What a time says of an interval: when it began, or when it ended. Readings carry the beginning. */
export const stamp = z.enum(["start", "end"]).default("start");

const EPOCHS: Readonly<Record<string, number>> = { "epoch-s": 1000, "epoch-ms": 1, "epoch-us": 1e-3, "epoch-ns": 1e-6 };

/** Days as spreadsheets count them, 1 being the first of 1900; 25569 is 1970-01-01. By the clock on the wall. */
const EXCEL = "excel-days";
const EXCEL_1970 = 25_569;

/** Patterns of times that say their zone themselves; of "iso" those may that say none. */
const ZONED = ["iso", ...Object.keys(EPOCHS)];
const PARTS = "YYYY YY MMM MM M DD D HH H mm ss A";

const pattern = z
  .string()
  .refine((text) => ZONED.includes(text) || text === EXCEL || (/YY/.test(text) && /D/.test(text)), {
    error: `neither one of ${[...ZONED, EXCEL].join(", ")} nor made of a year, a month and a day (${PARTS})`,
  });

/** The parts of a time, joined by a space, in one of these patterns. */
export const writtenTime = z
  .strictObject({
    columns: z.array(z.string()).min(1),
    patterns: z.array(pattern).min(1),
    /** Of times that do not say theirs. */
    zone: timeZone.optional(),
    stamp,
    /** How long an interval is: for `stamp: end` (without it the most frequent step is taken) and units for each interval. */
    stepS: z.number().positive().optional(),
  })
  .refine(({ patterns, zone }) => zone !== undefined || patterns.every((one) => ZONED.includes(one)), {
    path: ["zone"],
    error: "is missing: times in these patterns do not say theirs",
  });

type Numbers = {
  readonly decimal: "." | ",";
  readonly thousands?: string | undefined;
  readonly missing: readonly string[];
};
type Quantity = { readonly metric: MetricName; readonly unit: string; readonly missing: readonly string[] };

const TEXT_CHARS_MAX = 64;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a text is; undefined for what is none. */
export function readNumber(text: string, { decimal, thousands }: Omit<Numbers, "missing">): number | undefined {
  let plain = text;
  if (thousands !== undefined) {
    // Groups of three only: "1.5" with thousands "." is no 15.
    const groups =
      decimal === "," ? /^([+-]?\d{1,3}(?:[. ']\d{3})+)(,\d*)?$/ : /^([+-]?\d{1,3}(?:[, ']\d{3})+)(\.\d*)?$/;
    const found = groups.exec(plain.replace(/[\u00a0\u202f]/g, " "));
    if (found) plain = found[1]!.replaceAll(thousands, "") + (found[2] ?? "");
    else if (plain.includes(thousands)) return undefined;
  }
  if (decimal === ",") plain = plain.includes(".") ? "" : plain.replace(",", ".");
  const value = NUMBER.test(plain) ? Number(plain) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/**
 * A text as the value of a metric, in its unit; null: missing. A text that is no number comes back as it is, so that
 * whoever takes it refuses it, with its reason. Throws for a unit that cannot be converted: check it before.
 */
export function createValueReader(writing: Numbers, quantity: Quantity, intervalS?: number) {
  const none = [...writing.missing, ...quantity.missing];
  const texts = new Set(["", ...none]);
  const numbers = new Set(none.flatMap((text) => readNumber(text, { decimal: "." }) ?? []));
  const convert = conversion(quantity.unit, quantity.metric, intervalS);
  if (!convert) throw new Error(`no conversion from ${quantity.unit} for ${quantity.metric}`);
  return (cell: string): number | string | null => {
    const text = cell.trim();
    if (texts.has(text)) return null;
    const value = readNumber(text, writing);
    if (value === undefined) return text.slice(0, TEXT_CHARS_MAX);
    return numbers.has(value) ? null : convert(value);
  };
}

/** A time as a text says it: of a clock on the wall (as if in UTC), or (`isInstant`) of the whole world. */
export type Said = { readonly ms: number; readonly isInstant: boolean };

/** Reads times in one of some patterns; undefined for what is in none of them. */
export function createTimeReader(patterns: readonly string[]): (text: string) => Said | undefined {
  const readers = patterns.map(readerOf);
  return (given) => {
    // Spreadsheets are kept from making dates of their own by a quote: '01.03.2024'.
    const text = given.includes("'") ? given.replaceAll("'", "") : given;
    for (const reader of readers) {
      const said = reader(text);
      if (said !== undefined) return said;
    }
    return undefined;
  };
}

function readerOf(pattern: string): (text: string) => Said | undefined {
  if (pattern === "iso")
    return (text) => {
      const found = readIso(text);
      const local = found && localMs(found.time);
      if (!found || local === undefined) return undefined;
      return { ms: local - (found.offsetMs ?? 0), isInstant: found.offsetMs !== undefined };
    };
  const unit = EPOCHS[pattern];
  if (unit !== undefined)
    return (text) => {
      const value = readNumber(text, { decimal: "." });
      return value === undefined ? undefined : { ms: Math.floor(value * unit), isInstant: true };
    };
  if (pattern === EXCEL)
    return (text) => {
      const days = readNumber(text.replace(",", "."), { decimal: "." });
      // Fractions of a day are cut somewhere: nobody meant milliseconds.
      return days === undefined ? undefined : { ms: Math.round((days - EXCEL_1970) * 86_400) * 1000, isInstant: false };
    };
  const read = localTimeReader(pattern);
  return (text) => {
    const time = read(text);
    const local = time && localMs(time);
    return local === undefined ? undefined : { ms: local, isInstant: false };
  };
}
