import { splitElements } from "../../model/message.ts";
import { explainBareWord } from "../../model/not-json.ts";
import { type Fault, fault } from "../../model/rejection.ts";
import { findPersonalWordInText, personalData } from "../personal-data.ts";
import { type Format, parsed, refuseWhole } from "./format.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Our own: one reading as a JSON object in UTF-8, or an array of them. Takes whatever no other format does. */
export const native: Format<"native"> = {
  name: "native",
  matches: () => true,
  parse(payload) {
    if (payload.byteLength === 0) return refuseWhole(fault("malformed_json", "The payload is empty."));
    const text = decodeUtf8(payload);
    if (text === undefined) return refuseWhole(fault("malformed_json", "The payload is not valid UTF-8."));
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return refuseWhole(notJson(text, error));
    }
    if (!Array.isArray(value)) return parsed([value]);
    if (value.length > 0) return parsed(value);
    return refuseWhole(fault("malformed_reading", "The array has no reading in it."));
  },
  split: splitElements,
};

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
  const bare = explainBareWord(text);
  if (bare) return fault("malformed_json", bare);
  const position = error instanceof Error ? /in JSON at position (\d+)/.exec(error.message)?.[1] : undefined;
  return fault("malformed_json", position ? `Not valid JSON from character ${position} on.` : "Not valid JSON.");
}
