import { createJournalReader } from "../../ingest/journal/reader.ts";
import type { MemoryFs } from "../ingest/journal/memory-fs.ts";
import { JOURNAL_DIR } from "./disk.ts";
import type { Gap } from "./service.ts";

/** A message as the journal has it, in the words of the oracle. */
export type Kept = { readonly seq: number; readonly receivedAt: number; readonly contentKey: string };

export const contentKey = (topic: string, text: string) => `${topic} ${text}`;

/** Reads along in the journal before anything in it is deleted: what was really kept, from outside the service. */
export function createAudit() {
  const kept: Kept[] = [];
  const gaps: Gap[] = [];
  const decoder = new TextDecoder();
  let offset = 1;

  async function readTo(memory: MemoryFs, end: number): Promise<void> {
    const reader = createJournalReader({ dir: JOURNAL_DIR, fs: memory.fs, onGap: (gap) => gaps.push(gap) });
    while (offset < end) {
      const { to, messages } = await reader.read(offset, end, 1024 * 1024);
      for (const { seq, receivedAt, topic, payload } of messages) {
        kept.push({ seq, receivedAt, contentKey: contentKey(topic, decoder.decode(payload)) });
      }
      offset = to;
    }
    await reader.close();
  }

  return { kept, gaps, readTo, offset: () => offset };
}

export type Audit = ReturnType<typeof createAudit>;
