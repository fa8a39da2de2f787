import { type Calibration, calibrate } from "../model/calibration.ts";
import { type Message, PAYLOAD_BYTES_MAX, READINGS_PER_MESSAGE_MAX, type Source } from "../model/message.ts";
import type { Reading } from "../model/reading.ts";
import { type Fault, fault, isFault, type Rejection } from "../model/rejection.ts";
import type { Site } from "../model/site.ts";
import type { SensorStatus } from "../model/status.ts";
import type { ReadingTopic } from "../model/topics.ts";
import type { Sensor } from "../store/records/sensors.ts";
import { newNotes, noteUnknown, type RefusedValue, readReading, type ValueNotes } from "./check-reading.ts";
import type { About } from "./formats/format.ts";
import type { CompiledMapping, MappedItem } from "./mappings/compile.ts";
import { findPersonalWord } from "./personal-data.ts";
import { mayEnrol, notRegistered, reject, wrongSensor } from "./rejections.ts";

/** What decoding the formats of others needs to know of the city. */
export type ForeignContext = {
  /** As it was on the register at this time: one that was taken off it since is still known by what came before. */
  sensor(id: string, receivedAt: number): Sensor | undefined;
  /** What is usual where a sensor stands; of one that is not registered yet, what is usual in the city. */
  site?(sensor: Sensor | undefined): Site;
  /** How its values are made right; from RAM, asked for every message. */
  calibrations?(sensorId: string): readonly Calibration[];
  /** One that was taken off the register. */
  retired?(id: string): Sensor | undefined;
  /** Registers a sensor first seen through a gateway or an external broker, or says why not. Asked again, changes nothing. */
  enrol(topic: ReadingTopic, source: Source): Sensor | Fault;
  /** Mappings of formats of others; without them there are only our own topics. */
  mappings?: {
    /** The one that was in force when this message was kept, or why there is none. */
    find(message: Pick<Message, "topic" | "source" | "seq">): CompiledMapping | Fault;
    /** Why the sender may not speak for this sensor; undefined if it may. */
    refusal(source: Source, at: ReadingTopic): Fault | undefined;
    /** Hears of senders that nobody has mapped, with what may be shown of their message. */
    unmapped?(message: Message, mapping: string, device: string): void;
    /** Hears of a message that a mapping has read. */
    read?(message: Message, mapping: string): void;
  };
};

type ForeignDecoded = {
  readonly readings: readonly Reading[];
  readonly rejections: readonly Rejection[];
  readonly statuses: readonly SensorStatus[];
  readonly ignored: number;
  readonly valuesOf: ReadonlyMap<string, ValueNotes>;
};

/** What a topic says beside its levels: over HTTP it is `in/<mapping>?header.x-pin=1&…`, written by the door. */
export function aboutMessage({ topic, receivedAt }: Pick<Message, "topic" | "receivedAt">): About {
  if (!topic.startsWith("in/")) return { levels: topic.split("/"), params: NO_PARAMS, receivedAt };
  const at = topic.indexOf("?");
  return { levels: [], params: at < 0 ? NO_PARAMS : new Map(new URLSearchParams(topic.slice(at + 1))), receivedAt };
}

const NO_PARAMS: ReadonlyMap<string, string> = new Map();

/** A message of another maker's format: by its mapping, and then judged as any other reading. Never throws. */
export function decodeForeign(message: Message, context: ForeignContext): ForeignDecoded {
  const { mappings } = context;
  const mapping = mappings ? mappings.find(message) : fault("unmapped", "There are no mappings here.");
  if (isFault(mapping)) {
    const answer = refused(message, mapping);
    if (mapping.reason === "unmapped")
      mappings?.unmapped?.(shown(message, answer.rejections[0]!.payload), "", message.topic);
    return answer;
  }
  const bytes = message.payload.byteLength;
  const named = (why: Fault) => fault(why.reason, `Mapping ${mapping.id}: ${why.detail}`);
  if (bytes > PAYLOAD_BYTES_MAX)
    return refused(
      message,
      named(fault("too_large", `The message has ${bytes} bytes; ${PAYLOAD_BYTES_MAX} are allowed.`)),
    );
  const { items, statuses, ignored } = mapping.apply(message.payload, aboutMessage(message));
  if (items.length > READINGS_PER_MESSAGE_MAX) {
    const much = `There are ${items.length} readings in one message; ${READINGS_PER_MESSAGE_MAX} are allowed.`;
    return refused(message, named(fault("too_large", much)));
  }
  const judge = createJudge(message, context, mapping.id, named);
  for (const [index, item] of items.entries()) judge.take(item, index);
  const { readings, rejections } = judge.outcome();
  if (readings.length > 0 && rejections.length === 0) mappings?.read?.(message, mapping.id);
  const said = statuses.flatMap(({ sensorId, online }) => statusOf(message, context, sensorId, online) ?? []);
  return { ...judge.outcome(), statuses: said, ignored };
}

function refused(message: Message, why: Fault): ForeignDecoded {
  const payload = keptPayload(message, why);
  const rejections = [reject(message, undefined, why, 0, payload)];
  return { readings: [], rejections, statuses: [], ignored: 0, valuesOf: new Map() };
}

const NOTHING = new Uint8Array(0);
/** The message with as much of its payload as may be kept. */
const shown = (message: Message, payload: Uint8Array = NOTHING): Message => ({ ...message, payload });

/** Names of fields are looked at as in messages of our own; what is no JSON has none that stand before a value. */
function keptPayload({ payload }: Message, why: Fault): Uint8Array | undefined {
  if (why.reason === "personal_data" || payload.byteLength > PAYLOAD_BYTES_MAX) return undefined;
  const first = payload[0];
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) return payload;
  try {
    return findPersonalWord(JSON.parse(new TextDecoder().decode(payload))) === undefined ? payload : undefined;
  } catch {
    return payload;
  }
}

const [OPEN_OBJECT, OPEN_ARRAY] = [0x7b, 0x5b];
const UTF8 = new TextEncoder();

/**
 * Judges the items of a message one after the other. Of what is refused its own part of the payload is kept, where the
 * format tells it; else the whole message is, once, with the first that was refused.
 */
function createJudge(message: Message, context: ForeignContext, mappingId: string, named: (why: Fault) => Fault) {
  const readings: Reading[] = [];
  const rejections: Rejection[] = [];
  const valuesOf = new Map<string, ValueNotes>();
  /** Looked through once, however much of it is refused. */
  let whole: { readonly payload: Uint8Array | undefined } | undefined;

  function refuse(item: MappedItem, index: number, why: Fault, at?: ReadingTopic, unregistered?: true): void {
    const isFirst = whole === undefined;
    if (!item.bytes) whole ??= { payload: keptPayload(message, why) };
    const payload = item.bytes ?? (isFirst ? whole?.payload : undefined);
    if (why.reason === "unmapped" && item.device !== undefined)
      context.mappings?.unmapped?.(shown(message, item.bytes ?? whole?.payload), mappingId, item.device);
    const rejection = reject(message, at, named(why), index, payload);
    rejections.push(unregistered ? { ...rejection, unregistered } : rejection);
  }

  function take(item: MappedItem, index: number): void {
    if ("why" in item) return refuse(item, index, item.why, item.at, isKnown(item.at) ? undefined : true);
    const { at, value, unused } = item;
    const { source, receivedAt } = message;
    const denied = context.mappings?.refusal(source, at);
    if (denied) return refuse(item, index, denied);
    let sensor = context.sensor(at.sensorId, receivedAt);
    if (!sensor && !mayEnrol(source)) return refuse(item, index, notRegistered(at.sensorId, context.retired), at, true);
    const misplaced = sensor && wrongSensor(sensor, at, receivedAt);
    if (misplaced) return refuse(item, index, misplaced, at);
    const notes = valuesOf.get(at.sensorId) ?? newNotes();
    const site = context.site?.(sensor);
    const reading = readReading(at, value, receivedAt, message.seq, notes, site);
    if (isFault(reading)) return refuse(item, index, reading, at, sensor ? undefined : true);
    if (!sensor) {
      // By its first good reading, as over our own topics.
      const enrolled = context.enrol(at, source);
      if (isFault(enrolled)) return refuse(item, index, enrolled, at, true);
      sensor = enrolled;
      const elsewhere = wrongSensor(sensor, at, receivedAt);
      if (elsewhere) return refuse(item, index, elsewhere, at);
    }
    if (unused.length > 0) noteUnknown(notes, unused);
    valuesOf.set(at.sensorId, notes);
    const calibrations = context.calibrations?.(at.sensorId) ?? [];
    readings.push(calibrations.length === 0 ? reading : calibrate(reading, calibrations, site));
    for (const one of notes.values) rejections.push(rejectValue(index, at, reading.measuredAt, one));
  }

  const isKnown = (at: ReadingTopic | undefined) =>
    at === undefined || context.sensor(at.sensorId, message.receivedAt) !== undefined;

  function rejectValue(index: number, at: ReadingTopic, measuredAt: number, one: RefusedValue): Rejection {
    const { metric, reason, detail, raw } = one;
    return { ...reject(message, at, named({ reason, detail }), index, UTF8.encode(raw)), metric, measuredAt };
  }

  return { take, outcome: () => ({ readings, rejections, valuesOf }) };
}

function statusOf(
  message: Message,
  context: ForeignContext,
  sensorId: string,
  online: boolean,
): SensorStatus | undefined {
  const { source, receivedAt } = message;
  const sensor = context.sensor(sensorId, receivedAt);
  if (!sensor) return undefined;
  const { kind, district } = sensor;
  const denied = context.mappings?.refusal(source, { sensorId, kind, district, imported: false });
  return denied ? undefined : { sensorId, kind, district, online, receivedAt };
}

/** A reading as its device would have sent it to a topic of ours. */
export function nativeText({ measuredAt, seq, values, raw }: Reading): string {
  return JSON.stringify({
    measuredAt: new Date(measuredAt).toISOString(),
    ...(seq !== undefined && { seq }),
    ...values,
    ...raw,
  });
}
