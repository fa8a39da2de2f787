import type { Batch, UnknownField, ValueCounts } from "../model/batch.ts";
import { calibrate } from "../model/calibration.ts";
import { type Message, PAYLOAD_BYTES_MAX, READINGS_PER_MESSAGE_MAX, type Refused } from "../model/message.ts";
import type { Reading } from "../model/reading.ts";
import type { Reason, Rejection } from "../model/rejection.ts";
import { type Fault, fault, isFault } from "../model/rejection.ts";
import { readStatus, type SensorStatus } from "../model/status.ts";
import { DAY_MS } from "../model/time.ts";
import { isForeignTopic, type ReadingTopic, readingTopic, type SensorTopic } from "../model/topics.ts";
import type { Sensor } from "../store/records/sensors.ts";
import { newNotes, type RefusedValue, readReading, type ValueNotes } from "./check-reading.ts";
import { decodeForeign, type ForeignContext, nativeText } from "./foreign.ts";
import { type Parsed, type Refusal, refuseWhole } from "./formats/format.ts";
import { native } from "./formats/native.ts";
import { mayEnrol, notRegistered, personalWordIn, reject, rejectWhole, TOPIC_HINT, wrongSensor } from "./rejections.ts";

/** What decoding needs to know of the city. */
export type DecodeContext = ForeignContext & {
  /** `parseSensorTopic`, or something that remembers its answers: most topics come again and again. */
  topic(name: string): SensorTopic | undefined;
};

/**
 * Every item of a message with readings ends in exactly one of the two lists (rejections with a `metric` are of single values of a reading that goes on); a status ends as `status` or is rejected. A message that cannot be opened as a whole is one item:
 * a rejection with index 0. Both lists are in the order of the message.
 */
export type Decoded = {
  readonly readings: readonly Reading[];
  readonly rejections: readonly Rejection[];
  readonly status?: SensorStatus;
  /** Of a message that may speak for several sensors. */
  readonly statuses?: readonly SensorStatus[];
  /** How many items hold nothing for us. */
  readonly ignored?: number;
  /** What became of the values of a registered sensor's message. */
  readonly values?: ValueNotes;
  /** The same by sensor, where there may be several. */
  readonly valuesOf?: ReadonlyMap<string, ValueNotes>;
};

const NONE: readonly never[] = Object.freeze([]);

/** The only way bytes become readings. Never throws: bad input is data, not an exception. */
export function decodeMessage(message: Message, context: DecodeContext): Decoded {
  const topic = context.topic(message.topic);
  if (!topic && !message.refused && context.mappings && isForeignTopic(message.topic))
    return decodeForeign(message, context);
  if (message.refused) return refusedAtDoor(message, message.refused, topic, context);
  if (topic?.channel === "status") return decodeStatus(message, topic, context);
  if (topic?.channel !== "readings") return whole(message, undefined, fault("unknown_topic", TOPIC_HINT));
  const sensor = context.sensor(topic.sensorId, message.receivedAt);
  if (!sensor && !mayEnrol(message.source))
    return ofNobody(whole(message, topic, notRegistered(topic.sensorId, context.retired)));
  const refusal = sensor && wrongSensor(sensor, topic, message.receivedAt);
  if (refusal) return whole(message, topic, refusal);
  const decoded = decodeItems(message, topic, parsePayload(message.payload), context, sensor);
  if (sensor) return decoded;
  // A sensor is enrolled by its first good reading, not by noise on a topic.
  if (decoded.readings.length === 0) return ofNobody(decoded);
  const enrolled = context.enrol(topic, message.source);
  if (isFault(enrolled)) return ofNobody(whole(message, topic, enrolled));
  const afterwards = wrongSensor(enrolled, topic, message.receivedAt);
  return afterwards ? whole(message, topic, afterwards) : decoded;
}

/** Nobody has registered the sensor that the topic names. */
function ofNobody({ values: _, ...decoded }: Decoded): Decoded {
  return { ...decoded, rejections: decoded.rejections.map((rejection) => ({ ...rejection, unregistered: true })) };
}

/** Opens a message of our own format, within its limits. */
export function parsePayload(payload: Uint8Array): Parsed {
  const tooLarge = (limit: string) => refuseWhole(fault("too_large", limit));
  const bytes = payload.byteLength;
  if (bytes > PAYLOAD_BYTES_MAX) return tooLarge(`The message has ${bytes} bytes; ${PAYLOAD_BYTES_MAX} are allowed.`);
  const opened = native.parse(payload);
  const count = opened.readings.length + opened.refused.length;
  if (count <= READINGS_PER_MESSAGE_MAX) return opened;
  return tooLarge(`There are ${count} readings in one message; ${READINGS_PER_MESSAGE_MAX} are allowed.`);
}

/**
 * By the same registry as readings: nobody says for a sensor of another district that it is offline. It enrols nobody,
 * and is not booked under the id it names, which anybody may invent. Who may enrol sensors often says that one is there
 * before it sends its first reading: that is no fault.
 */
function decodeStatus(message: Message, topic: SensorTopic, context: DecodeContext): Decoded {
  const { sensorId, kind, district } = topic;
  const { payload, receivedAt } = message;
  const online = readStatus(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  if (online === undefined) {
    return refusedAtDoor(message, { reason: "bad_status", bytes: payload.byteLength }, topic, context);
  }
  const sensor = context.sensor(sensorId, receivedAt);
  if (!sensor && !mayEnrol(message.source)) return whole(message, undefined, notRegistered(sensorId, context.retired));
  const refusal = sensor && wrongSensor(sensor, topic, receivedAt);
  if (refusal) return whole(message, undefined, refusal);
  const status = { sensorId, kind, district, online, receivedAt };
  if (!sensor) return { readings: NONE, rejections: NONE, status: { ...status, unregisteredFrom: message.source } };
  return { readings: NONE, rejections: NONE, status };
}

function decodeItems(
  message: Message,
  topic: ReadingTopic,
  { readings: items, ignored, refused }: Parsed,
  context: Pick<DecodeContext, "site" | "calibrations">,
  sensor: Sensor | undefined,
): Decoded {
  const site = context.site?.(sensor);
  const calibrations = context.calibrations?.(topic.sensorId) ?? NONE;
  const readings: Reading[] = [];
  const faults: Refusal[] = [];
  let partly: (PartlyRefused | Refusal)[] | undefined;
  let valuesKept = 0;
  const values = newNotes();
  const count = items.length + refused.length;
  let [item, refusal] = [0, 0];
  for (let index = 0; index < count; index++) {
    if (refused[refusal]?.index === index) {
      const one = refused[refusal++]!;
      faults.push(one);
      partly?.push(one);
      continue;
    }
    const result = readReading(topic, items[item++], message.receivedAt, message.seq, values, site);
    if (isFault(result)) {
      const one = { index, why: result };
      faults.push(one);
      partly?.push(one);
      continue;
    }
    readings.push(calibrations.length === 0 ? result : calibrate(result, calibrations, site));
    if (values.values.length === 0 || valuesKept >= VALUES_KEPT_MAX) continue;
    partly ??= [...faults];
    partly.push({ index, measuredAt: result.measuredAt, values: values.values.slice(0, VALUES_KEPT_MAX - valuesKept) });
    valuesKept += values.values.length;
  }
  if (faults.length === 0 && !partly) return { readings, rejections: NONE, ignored, values };
  if (count === 1 && faults.length === 1) return { ...whole(message, topic, faults[0]!.why), ignored, values };
  const isPersonal = faults.some(({ why }) => why.reason === "personal_data");
  const payloads = faults.length > 0 && !isPersonal ? keptPayloads(message) : undefined;
  const rejections: Rejection[] = [];
  for (const one of partly ?? faults) {
    if ("why" in one) rejections.push(reject(message, topic, one.why, one.index, payloads?.[one.index]));
    else for (const value of one.values) rejections.push(rejectValue(message, topic, one, value, !isPersonal));
  }
  return { readings, rejections, ignored, values };
}

/** A reading that goes on without some of its values. */
type PartlyRefused = { readonly index: number; readonly measuredAt: number; readonly values: readonly RefusedValue[] };

/** Of one message so many refused values are kept one by one; all are counted. */
const VALUES_KEPT_MAX = READINGS_PER_MESSAGE_MAX;

const UTF8 = new TextEncoder();

function rejectValue(
  message: Message,
  topic: ReadingTopic,
  { index, measuredAt }: PartlyRefused,
  { metric, reason, detail, raw }: RefusedValue,
  isKept: boolean,
): Rejection {
  const payload = isKept ? UTF8.encode(raw) : undefined;
  return { ...reject(message, topic, { reason, detail }, index, payload), metric, measuredAt };
}

/**
 * Booked under its sensor only if that is registered and its sender may speak for it. What was kept is searched for personal data as ever: a key stands
 * before its value, also in the beginning of a payload.
 */
function refusedAtDoor(
  message: Message,
  { reason, bytes }: Refused,
  topic: SensorTopic | undefined,
  context: DecodeContext,
): Decoded {
  const sensor = topic && reason !== "not_allowed" ? context.sensor(topic.sensorId, message.receivedAt) : undefined;
  const at = topic && sensor && !wrongSensor(sensor, topic, message.receivedAt) ? topic : undefined;
  return whole(message, at, fault(reason, REFUSAL_DETAILS[reason](message, bytes)));
}

const REFUSAL_DETAILS = {
  too_large: (_, bytes) => `The payload has ${bytes} bytes; ${PAYLOAD_BYTES_MAX} are allowed.`,
  not_allowed: ({ source }) => `${source.role} ${source.name} may not publish to this topic.`,
  unknown_topic: () => TOPIC_HINT,
  bad_status: (_, bytes) => `A status is the text online or offline, in small letters; this one has ${bytes} bytes.`,
} satisfies Record<Refused["reason"], (message: Message, bytes: number) => string>;

/** The message as a whole, or its only reading, is rejected. */
function whole(message: Message, topic: ReadingTopic | undefined, why: Fault): Decoded {
  return { readings: NONE, rejections: [rejectWhole(message, topic, why)] };
}

/**
 * Of each rejected element only its own bytes are kept, or 500 bad ones would fill the quarantine with 500 copies of the
 * message. One personal key anywhere in the array, and nothing of it is kept.
 */
function keptPayloads({ payload }: Message): readonly Uint8Array[] | undefined {
  return personalWordIn(payload) ? undefined : native.split(payload);
}

/** A batch with the messages it was opened from: what a consumer needs to quarantine a reading later. */
export type OpenedBatch = Omit<Batch, "messages"> & {
  readonly messages: readonly Message[];
  /** Items that hold nothing for us. */
  readonly ignored?: number;
};

export function openMessages(
  from: number,
  to: number,
  messages: readonly Message[],
  decode: (message: Message) => Decoded,
): OpenedBatch {
  const readings: Reading[] = [];
  const rejections: Rejection[] = [];
  const statuses: SensorStatus[] = [];
  const counts = createValueCounts();
  let ignored = 0;
  for (const message of messages) {
    const decoded = decode(message);
    ignored += decoded.ignored ?? 0;
    for (const reading of decoded.readings) readings.push(reading);
    for (const rejection of decoded.rejections) rejections.push(rejection);
    if (decoded.status) statuses.push(decoded.status);
    if (decoded.statuses) statuses.push(...decoded.statuses);
    const sensorId = decoded.readings[0]?.sensorId ?? decoded.rejections[0]?.sensorId;
    if (decoded.values && sensorId !== undefined) counts.note(sensorId, decoded.values, message.receivedAt);
    if (decoded.valuesOf) for (const [id, values] of decoded.valuesOf) counts.note(id, values, message.receivedAt);
  }
  return { from, to, messages, readings, rejections, statuses, ignored, ...counts.take() };
}

/** Unknown fields that are told of one batch: a gateway may invent names, and sensors, without end. */
const UNKNOWN_FIELDS_MAX = 1_000;

/** Sums up what became of values, by sensor and day of receipt, and which fields nobody knows. */
function createValueCounts() {
  const current = new Map<string, Writable<ValueCounts>>();
  const values: ValueCounts[] = [];
  const unknown = new Map<string, Writable<UnknownField>>();

  function note(sensorId: string, notes: ValueNotes, receivedAt: number): void {
    let own = current.get(sensorId);
    if (own === undefined || Math.floor(own.receivedAt / DAY_MS) !== Math.floor(receivedAt / DAY_MS)) {
      own = { sensorId, receivedAt, taken: 0, suspect: 0, missing: 0, refused: 0 };
      current.set(sensorId, own);
      values.push(own);
    }
    own.taken += notes.taken;
    own.suspect += notes.suspect;
    own.missing += notes.missing;
    own.refused += notes.refused;
    if (notes.unknown) noteUnknown(sensorId, notes.unknown);
  }

  function noteUnknown(sensorId: string, names: ReadonlyMap<string, number>): void {
    for (const [name, count] of names) {
      const key = `${sensorId} ${name}`;
      const own = unknown.get(key);
      if (own) own.count += count;
      else if (unknown.size < UNKNOWN_FIELDS_MAX) unknown.set(key, { sensorId, name, count });
    }
  }

  return { note, take: () => ({ values, unknownFields: unknown.size > 0 ? [...unknown.values()] : NONE }) };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

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
    values: batches.flatMap((batch) => batch.values ?? []),
    unknownFields: batches.flatMap((batch) => batch.unknownFields ?? []),
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
    if (!elements.has(seq)) elements.set(seq, native.split(payload));
    const split = elements.get(seq);
    return split ? split[index] : payload;
  }

  return (place, reason, detail) => {
    const { journalSeq, receivedAt, sensorId, district, kind } = batch.readings[place]!;
    const message = messages.get(journalSeq)!;
    const index = indexes[place]!;
    const isForeign = isForeignTopic(message.topic);
    // What a mapping has read is kept as a reading of our own: driven again, it is that and nothing else of its message.
    const payload = isForeign ? UTF8.encode(nativeText(batch.readings[place]!)) : payloadOf(message, index);
    const topic = isForeign ? readingTopic({ sensorId, district, kind }) : message.topic;
    const { source } = message;
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
    for (; rejections[r]?.journalSeq === seq; r += 1) {
      const { metric, index } = rejections[r]!;
      // A refused value is no item: the reading it was in has its own place.
      if (metric !== undefined) continue;
      if (index !== next) break;
      next += 1;
    }
    return next++;
  });
}
