export type Field = {
  readonly type: "float" | "integer" | "string" | "boolean";
  readonly value: number | string | boolean;
};
export type Point = {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: readonly (readonly [string, Field])[];
  /** Milliseconds. */
  readonly time: number;
};

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1_000 };
const TIME_MS_MAX = 9_223_372_036_854;

/** The line protocol with the complaints of 2.x: one bad line and nothing of the body is taken. */
export function parseLines(body: string, precision: string): { readonly points: Point[] } | { readonly error: string } {
  const points: Point[] = [];
  for (const line of splitOutside(body, "\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const point = parseLine(line, UNITS[precision] ?? 1);
    if (typeof point === "string") return { error: `unable to parse '${line}': ${point}` };
    points.push(point);
  }
  return { points };
}

function parseLine(line: string, unit: number): Point | string {
  const [series = "", fieldText = "", timeText] = splitOutside(line, " ");
  const [measurement = "", ...tagTexts] = splitOutside(series, ",");
  const tags: Record<string, string> = {};
  for (const text of tagTexts) {
    const [key = "", value = ""] = splitOutside(text, "=");
    if (!value) return "missing tag value";
    if (key in tags) return "duplicate tags";
    tags[unescaped(key)] = unescaped(value);
  }
  if (!fieldText) return "missing fields";
  const fields: [string, Field][] = [];
  for (const text of splitOutside(fieldText, ",")) {
    const [key = "", value] = splitOutside(text, "=");
    if (value === undefined) return "invalid field format";
    const field = parseField(value);
    if (typeof field === "string") return field;
    fields.push([unescaped(key), field]);
  }
  if (timeText !== undefined && !/^-?\d{1,19}$/.test(timeText))
    return `strconv.ParseInt: parsing "${timeText}": value out of range`;
  const time = timeText === undefined ? Date.now() : Number(timeText) * unit;
  if (Math.abs(time) > TIME_MS_MAX) return "time outside range -9223372036854775806 - 9223372036854775806";
  return { measurement: unescaped(measurement), tags, fields, time };
}

function parseField(text: string): Field | string {
  if (text.startsWith('"')) return { type: "string", value: text.slice(1, -1).replaceAll('\\"', '"') };
  if (/^-?\d+i$/.test(text)) return { type: "integer", value: Number(text.slice(0, -1)) };
  if (/^(t|T|true|True|TRUE)$/.test(text)) return { type: "boolean", value: true };
  if (/^(f|F|false|False|FALSE)$/.test(text)) return { type: "boolean", value: false };
  if (/^-?(\d|\.\d)/.test(text) && Number.isFinite(Number(text))) return { type: "float", value: Number(text) };
  return /^[\d.+-]|^(NaN|Inf)/i.test(text) ? "invalid number" : "invalid boolean";
}

/** At a separator that is neither escaped nor inside quotes. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let [from, isQuoted] = [0, false];
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === '"') isQuoted = !isQuoted;
    else if (text[i] === separator && !isQuoted) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)];
}

const unescaped = (text: string) => text.replace(/\\([,= ])/g, "$1");
