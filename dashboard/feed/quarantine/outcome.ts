import { type PageOf, request } from "../../api/client.ts";
import type { QuarantineView } from "./quarantine-state.ts";

const LOOKED_THROUGH = 1_000;
const ASK_EVERY_MS = 300;
const PATIENCE_MS = 10_000;

/** Waits, within reason, until nothing is in the journal that was not opened. */
export async function untilOpened(signal: AbortSignal): Promise<void> {
  for (let left = PATIENCE_MS; left > 0; left -= ASK_EVERY_MS) {
    const { inJournal } = await request<{ inJournal: number }>("GET", "/ledger", undefined, signal);
    if (inJournal === 0) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

/**
 * Of these messages, those that came back: a message that is sent again keeps its topic and when it was first received,
 * and gets a new place. By the id of the old one, the id of the newest new one.
 */
export async function cameBack(
  sent: readonly QuarantineView[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  const address = `/quarantine?limit=${LOOKED_THROUGH}`;
  const { items } = await request<PageOf<QuarantineView>>("GET", address, undefined, signal);
  const found = new Map<number, number>();
  for (const { id, topic, receivedAt, source, index } of sent) {
    const again = items.find(
      (one) =>
        one.id > id &&
        one.topic === topic &&
        one.receivedAt === receivedAt &&
        one.source === source &&
        // Of an array only the wrong ones are sent again, each as a message of its own.
        (one.index === 0 || one.index === index),
    );
    if (again) found.set(id, again.id);
  }
  return found;
}
