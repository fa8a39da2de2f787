import type { Message } from "../../model/message.ts";
import type { JournalChunk } from "./journal.ts";
import { decodeRecord, recordLength, type Senders, slabOf } from "./record.ts";

/** So much is worked on without a look at what else waits: a commit may hold thousands of messages. */
const PIECE_MESSAGES_MAX = 250;
const PIECE_BYTES_MAX = 128 * 1024;

/** The same records in chunks of at most 250 messages and about 128 KiB, which share its bytes. */
export function splitChunk(chunk: JournalChunk): JournalChunk[] {
  const { view, bytes } = slabOf(chunk.bytes);
  const pieces: JournalChunk[] = [];
  let [from, start, count, at] = [chunk.from, 0, 0, 0];
  const cut = () => {
    const to = from + count;
    pieces.push({ from, to, bytes: chunk.bytes.subarray(start, at) });
    [from, start, count] = [to, at, 0];
  };
  while (at < bytes.length) {
    at += recordLength(view, at);
    count += 1;
    if (count >= PIECE_MESSAGES_MAX || at - start >= PIECE_BYTES_MAX) cut();
  }
  if (count > 0) cut();
  return pieces;
}

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
