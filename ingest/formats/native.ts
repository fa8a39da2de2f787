import { PAYLOAD_BYTES_MAX, READINGS_PER_MESSAGE_MAX } from "../../model/message.ts";
import { type Fault, fault, findPersonalWordInText, personalData } from "../check-reading.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Our own format: one reading as a JSON object in UTF-8, or an array of up to 500. Answers the readings still unchecked,
 * in their order, or why the message as a whole cannot be opened. Never throws.
 */
export function parseNative(payload: Uint8Array): readonly unknown[] | Fault {
  if (payload.byteLength > PAYLOAD_BYTES_MAX) {
    return fault("too_large", `The message has ${payload.byteLength} bytes; ${PAYLOAD_BYTES_MAX} are allowed.`);
  }
  if (payload.byteLength === 0) return fault("malformed_json", "The payload is empty.");
  const text = decodeUtf8(payload);
  if (text === undefined) return fault("malformed_json", "The payload is not valid UTF-8.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return notJson(text, error);
  }
  if (!Array.isArray(value)) return [value];
  if (value.length === 0) return fault("malformed_reading", "The array has no reading in it.");
  if (value.length <= READINGS_PER_MESSAGE_MAX) return value;
  const limit = `${value.length} readings in one message; ${READINGS_PER_MESSAGE_MAX} are allowed`;
  return fault("too_large", `There are ${limit}.`);
}

/** May the quarantine keep this payload? Not if anything in it looks like a key to personal data, readable or not. */
export function personalWordIn(payload: Uint8Array): string | undefined {
  return findPersonalWordInText(new TextDecoder().decode(payload));
}

function decodeUtf8(payload: Uint8Array): string | undefined {
  try {
    return UTF8.decode(payload);
  } catch {
    return undefined;
  }
}

/** Of the parser's message only the position is used: the rest quotes the payload. */
function notJson(text: string, error: unknown): Fault {
  const word = findPersonalWordInText(text);
  if (word) return personalData(word);
  const position = error instanceof Error ? /in JSON at position (\d+)/.exec(error.message)?.[1] : undefined;
  return fault("malformed_json", position ? `Not valid JSON from character ${position} on.` : "Not valid JSON.");
}
