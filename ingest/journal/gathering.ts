import type { NewMessage } from "../../model/message.ts";
import { formatSender } from "../../model/message.ts";
import type { JournalError } from "./journal.ts";
import { createSlab, encodeRecord, recordBytesAtMost, type Slab } from "./record.ts";

export type Done = (error?: JournalError) => void;

/** Records `from` … `to - 1`, encoded one after the other in the first `used` bytes of the slab. */
export type GatheredBatch = { slab: Slab; used: number; from: number; to: number; dones: Done[] };

const SLAB_BYTES_FIRST = 64 * 1024;
/** One is written, one gathers; the others are for bursts. */
const SPARES_MAX = 4;

/**
 * Where messages wait for the disk, already encoded: an append costs its bytes and one callback, nothing else. A batch
 * is closed when it has `batchBytesMax`; all that wait together stay under `waitingBytesMax`.
 */
export function createGathering(options: { batchBytesMax: number; waitingBytesMax: number }, salt: number) {
  const waiting: GatheredBatch[] = [];
  const spares: Slab[] = [];
  let waitingBytes = 0;

  /** False: nothing was taken, too much is waiting already. */
  function add(seq: number, message: NewMessage, done: Done): boolean {
    const source = formatSender(message);
    const needed = recordBytesAtMost(message, source);
    if (waitingBytes + needed > options.waitingBytesMax) return false;
    let batch = waiting.at(-1);
    if (!batch || batch.used >= options.batchBytesMax) {
      batch = { slab: spares.pop() ?? createSlab(SLAB_BYTES_FIRST), used: 0, from: seq, to: seq, dones: [] };
      waiting.push(batch);
    }
    if (batch.used + needed > batch.slab.bytes.length) batch.slab = grow(batch.slab, batch.used, needed);
    const length = encodeRecord(batch.slab, batch.used, seq, message, source, salt);
    batch.used += length;
    batch.to = seq + 1;
    batch.dones.push(done);
    waitingBytes += length;
    return true;
  }

  function take(): GatheredBatch | undefined {
    const batch = waiting.shift();
    if (batch) waitingBytes -= batch.used;
    return batch;
  }

  /** Gives the slab of a batch back for the next one. */
  function reuse(batch: GatheredBatch): void {
    if (spares.length < SPARES_MAX) spares.push(batch.slab);
  }

  return { add, take, reuse };
}

function grow(slab: Slab, used: number, needed: number): Slab {
  const larger = createSlab(Math.max(slab.bytes.length * 2, used + needed));
  slab.bytes.copy(larger.bytes, 0, 0, used);
  return larger;
}
