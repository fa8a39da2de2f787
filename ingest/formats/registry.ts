import { PAYLOAD_BYTES_MAX, READINGS_PER_MESSAGE_MAX } from "../../model/message.ts";
import { fault } from "../check-reading.ts";
import { type Format, type Parsed, refuseWhole } from "./format.ts";
import { native } from "./native.ts";

/** In the order in which they are asked whether a topic is theirs. The last takes what no other does. */
const ORDER = ["native"] as const;

type FormatName = (typeof ORDER)[number];

const FORMATS = { native } satisfies { readonly [N in FormatName]: Format<N> };

export function formatOf(topic: string): Format {
  return FORMATS[ORDER.find((name) => FORMATS[name].matches(topic))!];
}

/** Opens a message with readings, in whatever format, within the limits that all share. */
export function parsePayload(payload: Uint8Array, topic: string): Parsed {
  if (payload.byteLength > PAYLOAD_BYTES_MAX) {
    const limit = `The message has ${payload.byteLength} bytes; ${PAYLOAD_BYTES_MAX} are allowed.`;
    return refuseWhole(fault("too_large", limit));
  }
  const opened = formatOf(topic).parse(payload, topic);
  const count = opened.readings.length + opened.refused.length;
  if (count <= READINGS_PER_MESSAGE_MAX) return opened;
  const limit = `There are ${count} readings in one message; ${READINGS_PER_MESSAGE_MAX} are allowed.`;
  return refuseWhole(fault("too_large", limit));
}
