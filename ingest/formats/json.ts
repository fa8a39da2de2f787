import { explainBareWord } from "../../model/not-json.ts";
import { type Fault, fault } from "../../model/rejection.ts";
import { findPersonalWordInText, personalData } from "../personal-data.ts";
import { fieldsOf, isRecord, valueAt } from "./fields.ts";
import { type Format, type Opened, type OpenOptions, oneFault, type Sample } from "./format.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** A payload as the JSON value that it is. */
export function openJson(payload: Uint8Array): { readonly value: unknown } | Fault {
  if (payload.byteLength === 0) return fault("malformed_json", "The payload is empty.");
  let text: string;
  try {
    text = UTF8.decode(payload);
  } catch {
    return fault("malformed_json", "The payload is not valid UTF-8.");
  }
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return notJson(text, error);
  }
}

/** Of the parser's message only the position is used: the rest quotes the payload. */
function notJson(text: string, error: unknown): Fault {
  const word = findPersonalWordInText(text);
  if (word) return personalData(word);
  const bare = explainBareWord(text);
  if (bare) return fault("malformed_json", bare);
  const position = error instanceof Error ? /in JSON at position (\d+)/.exec(error.message)?.[1] : undefined;
  return fault("malformed_json", position ? `Not valid JSON from character ${position} on.` : "Not valid JSON.");
}

/**
 * Any JSON: an object is one sample, an array is one for each element; a bare number or text is the field `value`. With
 * `rows` the elements of an array within are the samples, or, where each of them is one value, the fields of one sample.
 */
export const json: Format = {
  answer: 200,
  topics: [],
  wants: [],
  open(payload, _about, options) {
    const opened = openJson(payload);
    if ("reason" in opened) return oneFault(opened);
    return openValue(opened.value, options);
  },
};

function openValue(value: unknown, options: OpenOptions): Opened {
  if (!Array.isArray(value)) return openObject(value, options);
  if (value.length === 0) return oneFault(fault("malformed_reading", "The array has nothing in it."));
  const items: (Sample | Fault)[] = [];
  for (const element of value) items.push(...openObject(element, options).items);
  return { items };
}

function openObject(value: unknown, { rows, metricColumn, valueColumn }: OpenOptions): Opened {
  if (rows === undefined) return { items: [{ fields: fieldsOf(value) }] };
  const list = isRecord(value) ? valueAt(value, rows) : undefined;
  if (!Array.isArray(list)) return oneFault(fault("malformed_reading", `There is no array "${rows}" in it.`));
  const labels = Object.fromEntries(fieldsOf(value, rows));
  if (metricColumn === undefined || valueColumn === undefined)
    return { items: list.map((row) => ({ fields: fieldsOf(row), labels })) };
  const fields = new Map<string, unknown>();
  for (const row of list) {
    if (!isRecord(row)) continue;
    const name = row[metricColumn];
    if (typeof name === "string") fields.set(name, row[valueColumn]);
  }
  return { items: [{ fields, labels }] };
}

/** A payload that is one value and no JSON object, such as `21.5` or `ON`: the field `value`. */
export const plain: Format = {
  answer: 200,
  topics: [],
  wants: [],
  open(payload) {
    if (payload.byteLength > PLAIN_BYTES_MAX) return oneFault(fault("malformed_reading", "This is more than a value."));
    const text = new TextDecoder().decode(payload).trim();
    return { items: [{ fields: new Map([["value", text]]) }] };
  },
};

const PLAIN_BYTES_MAX = 256;
