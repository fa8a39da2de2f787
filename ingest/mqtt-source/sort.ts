import { type NewMessage, PAYLOAD_BYTES_MAX, type Source } from "../../model/message.ts";
import { readStatus } from "../../model/status.ts";
import { cutTopic, parseSensorTopic } from "../../model/topics.ts";
import type { Ignored } from "./counts.ts";

/** A PUBLISH as the external broker sent it. */
export type Delivered = { readonly topic: string; readonly payload: Buffer; readonly retain: boolean };

export type Sorted =
  | { readonly to: "journal"; readonly message: NewMessage }
  | { readonly to: "nobody"; readonly reason: Ignored };

/** What becomes of a message of the external broker. Everything under `city/` is kept, also what is not a reading. */
export function sortDelivered({ topic, payload, retain }: Delivered, source: Source, now: number): Sorted {
  if (!topic.startsWith("city/")) return { to: "nobody", reason: "foreign_topic" };
  const at = parseSensorTopic(topic);
  if (at?.channel === "rejected") return { to: "nobody", reason: "own_rejection" };
  const isStatus = at?.channel === "status";
  if (isStatus && readStatus(payload) === undefined) return { to: "nobody", reason: "bad_status" };
  // Comes with every subscribe, however old it is: without a time of its own it would look like a new reading each time.
  if (!isStatus && retain && !payload.includes(MEASURED_AT)) return { to: "nobody", reason: "retained_without_time" };
  const message = { receivedAt: now, source, topic: cutTopic(topic), payload: cutPayload(payload) };
  return { to: "journal", message };
}

const MEASURED_AT = '"measuredAt"';

/**
 * MQTT allows far more than our doors. What is too long is cut just beyond the limit: it ends in the quarantine, counted
 * and with its reason. It cannot be refused (the broker would send it again for ever) and should not vanish.
 */
function cutPayload(payload: Buffer): Uint8Array {
  // A copy: a view would keep, and take to the other thread, all of it.
  return payload.length > PAYLOAD_BYTES_MAX ? new Uint8Array(payload.subarray(0, PAYLOAD_BYTES_MAX + 1)) : payload;
}
