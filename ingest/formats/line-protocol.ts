import { type Fault, fault } from "../../model/rejection.ts";
import { momentOf } from "./fields.ts";
import type { Format, Sample } from "./format.ts";

const [BACKSLASH, QUOTE, NEWLINE, HASH, EQUALS] = [0x5c, 0x22, 0x0a, 0x23, 0x3d];
const UTF8 = new TextDecoder("utf-8", { fatal: true });
const WHITE = /^[\s\0]*$/;
const SHOWN_CHARS_MAX = 60;

/**
 * InfluxDB's line protocol: `measurement,tag=… field=…,… time`. Tags and the measurement are labels. One line is one
 * sample, and a bad line is no reason to refuse the next.
 */
export const lineProtocol: Format = {
  answer: 204,
  topics: [],
  wants: ["query.precision"],
  open(payload, { params }) {
    const unit = UNITS_MS[params.get("query.precision") ?? "ns"] ?? UNITS_MS.ns!;
    const items = linesOf(payload).flatMap((bytes) => readLine(bytes, unit) ?? []);
    return { items };
  },
  cut(payload, bytesMax, itemsMax) {
    const pieces: Uint8Array[] = [];
    let [start, end, count] = [0, 0, 0];
    for (const line of linesOf(payload)) {
      if (line.byteLength >= bytesMax) return undefined;
      const to = line.byteOffset - payload.byteOffset + line.byteLength;
      if (count > 0 && (count >= itemsMax || to - start > bytesMax)) {
        pieces.push(payload.subarray(start, end));
        [start, count] = [line.byteOffset - payload.byteOffset, 0];
      }
      end = to;
      count += 1;
    }
    if (count > 0) pieces.push(payload.subarray(start, end));
    return pieces;
  },
};

/** Milliseconds of one tick: exact where it is whole, else how many ticks a millisecond has. */
type Precision = { readonly ms: bigint } | { readonly perMs: bigint };
const UNITS_MS: Readonly<Record<string, Precision>> = {
  ns: { perMs: 1_000_000n },
  n: { perMs: 1_000_000n },
  us: { perMs: 1_000n },
  µs: { perMs: 1_000n },
  u: { perMs: 1_000n },
  ms: { ms: 1n },
  s: { ms: 1_000n },
  m: { ms: 60_000n },
  h: { ms: 3_600_000n },
};
export const PRECISIONS: ReadonlySet<string> = new Set(Object.keys(UNITS_MS));

/** A line feed within a quoted text belongs to it. */
function linesOf(payload: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  let isText = false;
  const end = (at: number) => {
    if (at > start) lines.push(payload.subarray(start, at));
    start = at + 1;
    isText = false;
  };
  for (let at = 0; at < payload.length; at++) {
    const byte = payload[at];
    if (byte === BACKSLASH) at += 1;
    // A text begins behind the sign of its field; a quote elsewhere is a letter like others.
    else if (byte === QUOTE) isText = !isText && payload[at - 1] === EQUALS;
    else if (byte === NEWLINE && !isText) end(at);
  }
  end(payload.length);
  return lines;
}

function readLine(bytes: Uint8Array, precision: Precision): Sample | Fault | undefined {
  let line: string;
  try {
    line = UTF8.decode(bytes);
  } catch {
    return fault("malformed_reading", "A line is not valid UTF-8.");
  }
  if (bytes[0] === HASH || WHITE.test(line)) return undefined;
  const refuse = (why: string) => fault("malformed_reading", `unable to parse '${shown(line)}': ${why}`);
  const [head, body, stamp, ...more] = split(line.trim(), " ");
  if (more.length > 0) return refuse("bad timestamp");
  const [measurement, ...tags] = split(head ?? "", ",");
  if (!measurement) return refuse("missing measurement");
  if (!body) return refuse("missing fields");
  const labels: Record<string, unknown> = { measurement: unescaped(measurement) };
  for (const tag of tags) {
    const [key, value, ...rest] = split(tag, "=");
    if (!key || !value || rest.length > 0) return refuse("missing tag value");
    labels[unescaped(key)] = unescaped(value);
  }
  const fields = new Map<string, unknown>();
  for (const field of split(body, ",")) {
    const [key, raw, ...rest] = split(field, "=");
    if (!key || raw === undefined || rest.length > 0) return refuse("invalid field format");
    const value = fieldValue(raw);
    if (value === undefined) return refuse("invalid number");
    fields.set(unescaped(key), value);
  }
  if (stamp === undefined) return { fields, labels, bytes };
  if (!/^-?\d{1,19}$/.test(stamp)) return refuse("bad timestamp");
  const ticks = BigInt(stamp);
  const ms = "ms" in precision ? ticks * precision.ms : ticks / precision.perMs;
  return { fields, labels, time: momentOf(Number(ms)), bytes };
}

const shown = (line: string) => line.slice(0, SHOWN_CHARS_MAX).replace(/[^\x20-\x7e\u00a1-\u024f]/g, "?");

/** Where it stands, nearly every line has neither: then a sign is only a sign. */
const MARKS = /["\\]/;

/** At each sign that no backslash stands before and that is in no text. */
function split(line: string, sign: string): string[] {
  if (!MARKS.test(line)) {
    const plain = line.split(sign);
    return sign === " " && plain.includes("") ? plain.filter((part) => part !== "") : plain;
  }
  const parts: string[] = [];
  let start = 0;
  let isText = false;
  for (let at = 0; at < line.length; at++) {
    const one = line[at];
    if (one === "\\") at += 1;
    else if (one === '"') isText = isText ? false : line[at - 1] === "=" || (at === start && sign === "=");
    else if (one === sign && !isText) {
      if (sign !== " " || at > start) parts.push(line.slice(start, at));
      start = at + 1;
    }
  }
  if (start < line.length || sign !== " ") parts.push(line.slice(start));
  return parts;
}

const unescaped = (text: string) => (text.includes("\\") ? text.replace(/\\([,= \\])/g, "$1") : text);

const [DIGIT_0, DIGIT_9] = [0x30, 0x39];
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...["t", "T", "true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["f", "F", "false", "False", "FALSE"].map((word) => [word, false] as const),
]);

function fieldValue(raw: string): unknown {
  if (raw.startsWith('"')) {
    return raw.length > 1 && raw.endsWith('"') ? raw.slice(1, -1).replace(/\\(["\\])/g, "$1") : undefined;
  }
  const last = raw.charCodeAt(raw.length - 1);
  if (last >= DIGIT_0 && last <= DIGIT_9) return NUMBER.test(raw) ? Number(raw) : undefined;
  const word = WORDS.get(raw);
  if (word !== undefined) return word;
  const number = /^-?\d+[iu]$/.test(raw) ? raw.slice(0, -1) : raw;
  return NUMBER.test(number) ? Number(number) : undefined;
}
