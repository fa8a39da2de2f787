import type { Batch } from "../model/batch.ts";
import { splitElements } from "../model/elements.ts";
import type { Message } from "../model/message.ts";
import type { Reading } from "../model/reading.ts";
import type { Reason, Rejection } from "../model/rejection.ts";
import type { SensorStatus } from "../model/status.ts";
import type { Decoded } from "./decode.ts";

/** A batch with the messages it was opened from: what a consumer needs to quarantine a reading later. */
export type OpenedBatch = Omit<Batch, "messages"> & { readonly messages: readonly Message[] };

export function openMessages(
  from: number,
  to: number,
  messages: readonly Message[],
  decode: (message: Message) => Decoded,
): OpenedBatch {
  const readings: Reading[] = [];
  const rejections: Rejection[] = [];
  const statuses: SensorStatus[] = [];
  for (const message of messages) {
    const decoded = decode(message);
    for (const reading of decoded.readings) readings.push(reading);
    for (const rejection of decoded.rejections) rejections.push(rejection);
    if (decoded.status) statuses.push(decoded.status);
  }
  return { from, to, messages, readings, rejections, statuses };
}

/** Neighbouring batches as one. */
export function mergeBatches(batches: readonly OpenedBatch[]): OpenedBatch {
  const [first] = batches;
  if (first && batches.length === 1) return first;
  return {
    from: batches[0]!.from,
    to: batches.at(-1)!.to,
    messages: batches.flatMap((batch) => batch.messages),
    readings: batches.flatMap((batch) => batch.readings),
    rejections: batches.flatMap((batch) => batch.rejections),
    statuses: batches.flatMap((batch) => batch.statuses ?? []),
  };
}

/**
 * Turns a reading of the batch (by its place in `batch.readings`) into a rejection. A reading does not carry its place
 * in its message: it follows from the order, because readings and rejections of a message share one numbering. Worked
 * out once per batch, and only for batches that need it.
 */
export function createRejector(batch: OpenedBatch): (place: number, reason: Reason, detail: string) => Rejection {
  const indexes = indexesInMessages(batch);
  const messages = new Map(batch.messages.map((message) => [message.seq, message]));
  const personal = new Set<number>();
  for (const { reason, journalSeq } of batch.rejections) if (reason === "personal_data") personal.add(journalSeq);
  const elements = new Map<number, readonly Uint8Array[] | undefined>();

  function payloadOf({ seq, payload }: Message, index: number): Uint8Array | undefined {
    if (personal.has(seq)) return undefined;
    if (!elements.has(seq)) elements.set(seq, splitElements(payload));
    const split = elements.get(seq);
    return split ? split[index] : payload;
  }

  return (place, reason, detail) => {
    const { journalSeq, receivedAt, sensorId, district, kind } = batch.readings[place]!;
    const message = messages.get(journalSeq)!;
    const index = indexes[place]!;
    const payload = payloadOf(message, index);
    const { source, topic } = message;
    const about = { journalSeq, index, reason, detail, receivedAt, source, topic, sensorId, district, kind };
    return payload ? { ...about, payload } : about;
  };
}

/** The place of each reading in its message. */
export function indexesInMessages({ readings, rejections }: OpenedBatch): number[] {
  let seq = 0;
  let next = 0;
  let r = 0;
  return readings.map((reading) => {
    if (reading.journalSeq !== seq) {
      seq = reading.journalSeq;
      next = 0;
      while (r < rejections.length && rejections[r]!.journalSeq < seq) r += 1;
    }
    while (rejections[r]?.journalSeq === seq && rejections[r]?.index === next) {
      r += 1;
      next += 1;
    }
    return next++;
  });
}
