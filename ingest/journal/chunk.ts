import type { Message } from "../../model/message.ts";
import type { JournalChunk } from "./journal.ts";
import { decodeRecord, recordLength, type Senders, slabOf } from "./record.ts";

/**
 * The messages of a committed chunk, in order. Payloads are views into the chunk's buffer. Checksums are not looked at:
 * these bytes came from memory, not from a disk.
 */
export function decodeChunk(chunk: JournalChunk): Message[] {
  const slab = slabOf(chunk.bytes);
  const messages: Message[] = [];
  const senders: Senders = new Map();
  for (let at = 0; at < slab.bytes.length; at += recordLength(slab.view, at)) {
    messages.push(decodeRecord(slab, at, senders));
  }
  return messages;
}
