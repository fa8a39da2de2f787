import type { NewMessage } from "../model/message.ts";
import type { QuarantineItem } from "../store/records.ts";

/**
 * The message to append to the journal again after a fix, with its first `receivedAt`, source and topic. Of an array
 * the quarantine has only the element that was rejected: its neighbours have had their verdict. undefined if the payload
 * was not kept.
 */
export function redriveMessage({ rejection }: Pick<QuarantineItem, "rejection">): NewMessage | undefined {
  const { receivedAt, source, topic, payload } = rejection;
  return payload && { receivedAt, source, topic, payload };
}
