import { calibrate } from "../model/calibration.ts";
import { type NewMessage, REFUSED_PAYLOAD_BYTES_MAX } from "../model/message.ts";
import type { Reading } from "../model/reading.ts";
import { REASONS, type Rejection } from "../model/rejection.ts";
import { isForeignTopic, readingTopic, rejectedTopic } from "../model/topics.ts";
import type { QuarantineItem } from "../store/records/quarantine.ts";
import type { Records } from "../store/records.ts";
import { type DecodeContext, decodeMessage } from "./decode.ts";

const EVERY_MS = 1_000;
const SENSORS_MAX = 10_000;
/** A message can have 500 readings: enough to see what is wrong. */
const OTHERS_MAX = 19;

/**
 * Tells devices what was rejected, each on its own topic: at most once per second and sensor, and nothing where nobody
 * knows which sensor it was. Best effort: who does not listen misses nothing that the quarantine does not show. `now` is
 * monotonic or wall-clock milliseconds.
 */
export function createNotices(publish: (topic: string, payload: string) => void, now: () => number) {
  const lastAt = new Map<string, number>();
  let withheld = 0;

  /** `others`: what else was refused of the same message. */
  function notice(rejection: Rejection, others: readonly Rejection[] = []): void {
    const { sensorId, district, kind, reason, detail, receivedAt, index, metric } = rejection;
    if (!sensorId || !district || !kind) return;
    const time = now();
    const last = lastAt.get(sensorId);
    if (last !== undefined && time >= last && time - last < EVERY_MS) {
      withheld += 1;
      return;
    }
    // Ids come from outside: forget the oldest rather than grow.
    if (last === undefined && lastAt.size >= SENSORS_MAX) lastAt.delete(lastAt.keys().next().value!);
    lastAt.set(sensorId, time);
    const at = new Date(receivedAt).toISOString();
    const also = others.slice(0, OTHERS_MAX).map((one) => {
      return { index: one.index, metric: one.metric, reason: one.reason, detail: one.detail };
    });
    const payload = JSON.stringify({
      reason,
      detail,
      meaning: REASONS[reason],
      index,
      metric,
      receivedAt: at,
      ...(also.length > 0 && { also }),
    });
    publish(rejectedTopic({ district, kind, sensorId }), payload);
  }

  return { notice, withheld: () => withheld };
}

export type RedriveParts = {
  /** Resolves when all are on disk. */
  append(messages: readonly NewMessage[]): Promise<void>;
  readonly quarantine: Pick<Records["quarantine"], "get" | "inOrder" | "markRedriven">;
  readonly now: () => number;
};

/** What is appended together: far less than the journal lets wait for its disk, so that others' messages have room, too. */
const PIECE_ITEMS_MAX = 500;
const PIECE_BYTES_MAX = 1024 * 1024;

/**
 * Answers how many could be sent again: those whose payload was kept. Oldest first, as the rules want them, in pieces; each
 * is marked as soon as it is on disk, so that what breaks off goes on there and sends nothing twice.
 */
export async function redriveItems(
  parts: RedriveParts,
  ids: readonly number[],
  by: string,
  /** The payload in place of the one that is kept; undefined: it is left. */
  edit?: (item: QuarantineItem) => Uint8Array | undefined,
): Promise<number> {
  let piece: { readonly id: number; readonly message: NewMessage }[] = [];
  let bytes = 0;
  let sent = 0;
  async function send(): Promise<void> {
    if (piece.length === 0) return;
    await parts.append(piece.map(({ message }) => message));
    parts.quarantine.markRedriven(
      piece.map(({ id }) => id),
      by,
      parts.now(),
    );
    sent += piece.length;
    piece = [];
    bytes = 0;
  }
  for (const id of parts.quarantine.inOrder(ids)) {
    const item = parts.quarantine.get(id);
    const message = item && (edit ? editedMessage(item, edit(item), by) : redriveMessage(item));
    if (!message) continue;
    const more = message.payload.byteLength;
    if (piece.length >= PIECE_ITEMS_MAX || bytes + more > PIECE_BYTES_MAX) await send();
    piece.push({ id, message });
    bytes += more;
  }
  await send();
  return sent;
}

/**
 * The message to append to the journal again after a fix, with its first `receivedAt`, source and topic. Of an array
 * the quarantine has only the element that was rejected: its neighbours have had their verdict. Of a refused value it is
 * a reading of nothing else at the same moment, which joins the one that went on without it. undefined if the payload
 * was not kept as it came, or if its sender had no right to the topic: that is not ours to give afterwards.
 */
export function redriveMessage({ rejection }: Pick<QuarantineItem, "rejection">): NewMessage | undefined {
  const { reason, receivedAt, source, topic, payload } = rejection;
  const isCut = reason === "too_large" && payload && payload.length <= REFUSED_PAYLOAD_BYTES_MAX;
  if (reason === "not_allowed" || isCut) return undefined;
  if (rejection.metric !== undefined) return redriveValue(rejection);
  return payload && { receivedAt, source, topic, payload };
}

/** The same of another payload, marked with who wrote it. What was not kept nobody has read: it is not edited. */
function editedMessage({ id, rejection }: QuarantineItem, payload: Uint8Array | undefined, by: string) {
  if (!payload || !rejection.payload || rejection.reason === "personal_data") return undefined;
  const message = redriveMessage({ rejection: { ...rejection, payload } });
  return message && { ...message, source: { ...message.source, edited: { by, item: id } } };
}

function redriveValue({ metric, measuredAt, payload, ...rejection }: Rejection): NewMessage | undefined {
  const text = payload && Buffer.from(payload).toString();
  // Cut, or nested too deep: then it can be read by people only.
  if (text === undefined || measuredAt === undefined || text.endsWith("…") || text === "[…") return undefined;
  const time = JSON.stringify(new Date(measuredAt).toISOString());
  const { receivedAt, source, sensorId, district, kind } = rejection;
  // What a mapping has read is a value of ours.
  const isForeign = isForeignTopic(rejection.topic) && sensorId && district && kind;
  return {
    receivedAt,
    source,
    topic: isForeign ? readingTopic({ sensorId, district, kind }) : rejection.topic,
    payload: Buffer.from(`{"measuredAt":${time},${JSON.stringify(metric)}:${text}}`),
  };
}

/** What a conflict brought, read once more as it would be stored; undefined where that cannot be told. */
export function conflictOf(
  { rejection }: Pick<QuarantineItem, "rejection">,
  context: DecodeContext,
): Pick<Reading, "sensorId" | "kind" | "measuredAt" | "values" | "raw"> | undefined {
  const { reason, sensorId, kind, district, metric, measuredAt, receivedAt, payload, index, journalSeq } = rejection;
  if (reason !== "conflict" || !payload || !sensorId || !kind) return undefined;
  if (metric !== undefined) {
    const value = Number(Buffer.from(payload).toString("utf8"));
    if (measuredAt === undefined || !Number.isFinite(value)) return undefined;
    const said = { sensorId, kind, district: district ?? "", measuredAt, receivedAt, journalSeq };
    return calibrate({ ...said, values: { [metric]: value } }, context.calibrations?.(sensorId) ?? []);
  }
  const { source, topic } = rejection;
  const { readings, rejections } = decodeMessage({ seq: journalSeq, receivedAt, source, topic, payload }, context);
  if (readings.length === 1) return readings[0];
  return rejections.length === 0 ? readings[index] : undefined;
}
