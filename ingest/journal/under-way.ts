import { type Source, senderKey } from "../../model/message.ts";

/** Of one sender, between the socket and the rules; the rest waits in its socket. Single readings: some hundreds. */
const BYTES_MAX = 32 * 1024;
/** Only whoever has more than this part of all that waits is the cause of the waiting. */
const PART_MIN = 1 / 16;
/** Where the rules stand still, for whatever reason, nobody is kept from the journal: it is there for that. */
const STANDS_STILL_MS = 1_000;

type Sent = { to: number; bytes: number; messages: number };
type Sender = { bytes: number; messages: number; committed: Sent[]; open: Sent };

/**
 * How much each sender has in the journal that the rules have not taken. All of them stand in one line there: whoever
 * sends faster than readings can be judged would make everybody else wait as long as its own. `taken`: the number of
 * the first message the rules have not taken; it and the numbers of `committed` may wrap at 32 bits. `now`: monotonic
 * milliseconds.
 */
export function createUnderWay(taken: () => number, now: () => number) {
  const senders = new Map<string, Sender>();
  const opened = new Set<Sender>();
  let next = taken();
  let lastTaken = next;
  let movedAt = now();

  function took(source: Source, bytes: number): void {
    const key = senderKey(source);
    let sender = senders.get(key);
    if (!sender) {
      sender = { bytes: 0, messages: 0, committed: [], open: { to: 0, bytes: 0, messages: 0 } };
      senders.set(key, sender);
    }
    forgetTaken(sender);
    sender.bytes += bytes;
    sender.messages += 1;
    sender.open.bytes += bytes;
    sender.open.messages += 1;
    opened.add(sender);
  }

  /** The journal has everything before `to`. */
  function committed(to: number): void {
    next = to;
    for (const sender of opened) {
      sender.committed.push({ ...sender.open, to });
      sender.open = { to: 0, bytes: 0, messages: 0 };
    }
    opened.clear();
  }

  function forgetTaken(sender: Sender): void {
    const at = taken();
    if (at !== lastTaken) {
      lastTaken = at;
      movedAt = now();
    }
    const { committed } = sender;
    let done = 0;
    while (done < committed.length && ((committed[done]!.to - at) | 0) <= 0) {
      sender.bytes -= committed[done]!.bytes;
      sender.messages -= committed[done]!.messages;
      done += 1;
    }
    if (done > 0) committed.splice(0, done);
  }

  /** True while this sender (a `senderKey`) is to wait for the rules. Asked for each packet. */
  function isFull(key: string): boolean {
    const sender = senders.get(key);
    if (!sender || sender.bytes < BYTES_MAX) return false;
    forgetTaken(sender);
    if (sender.bytes < BYTES_MAX || now() - movedAt > STANDS_STILL_MS) return false;
    return sender.messages > ((next - lastTaken) | 0) * PART_MIN;
  }

  return { took, committed, isFull };
}
