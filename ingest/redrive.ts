import { type NewMessage, REFUSED_PAYLOAD_BYTES_MAX } from "../model/message.ts";
import type { QuarantineItem, Records } from "../store/records.ts";

export type RedriveParts = {
  /** Resolves when all are on disk. */
  append(messages: readonly NewMessage[]): Promise<void>;
  readonly quarantine: Pick<Records["quarantine"], "get" | "markRedriven">;
  readonly now: () => number;
};

/** Answers how many could be sent again: those whose payload was kept. */
export async function redriveItems(parts: RedriveParts, ids: readonly number[], by: string): Promise<number> {
  const found = ids.flatMap((id) => {
    const item = parts.quarantine.get(id);
    const message = item && redriveMessage(item);
    return message ? [{ id, message }] : [];
  });
  if (found.length === 0) return 0;
  await parts.append(found.map(({ message }) => message));
  const sent = found.map(({ id }) => id);
  parts.quarantine.markRedriven(sent, by, parts.now());
  return found.length;
}

/**
 * The message to append to the journal again after a fix, with its first `receivedAt`, source and topic. Of an array
 * the quarantine has only the element that was rejected: its neighbours have had their verdict. undefined if the payload
 * was not kept as it came, or if its sender had no right to the topic: that is not ours to give afterwards.
 */
export function redriveMessage({ rejection }: Pick<QuarantineItem, "rejection">): NewMessage | undefined {
  const { reason, receivedAt, source, topic, payload } = rejection;
  const isCut = reason === "too_large" && payload && payload.length <= REFUSED_PAYLOAD_BYTES_MAX;
  if (reason === "not_allowed" || isCut) return undefined;
  return payload && { receivedAt, source, topic, payload };
}
