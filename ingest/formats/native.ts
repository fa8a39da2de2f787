import { splitElements } from "../../model/message.ts";
import { fault } from "../../model/rejection.ts";
import { type Parsed, parsed, refuseWhole } from "./format.ts";
import { openJson } from "./json.ts";

/** Our own: one reading as a JSON object in UTF-8, or an array of them. What comes to our own topics. */
export const native = {
  parse(payload: Uint8Array): Parsed {
    const opened = openJson(payload);
    if ("reason" in opened) return refuseWhole(opened);
    const { value } = opened;
    if (!Array.isArray(value)) return parsed([value]);
    if (value.length > 0) return parsed(value);
    return refuseWhole(fault("malformed_reading", "The array has no reading in it."));
  },
  /**
   * The bytes of each item, by its index, so that the quarantine keeps no copy of the whole message for each; `parse` takes
   * one of them as a message. Undefined where there is only one.
   */
  split: splitElements,
};
