import { type Message, PAYLOAD_BYTES_MAX, type Source } from "../model/message.ts";
import { explainRetired, wrongPlace } from "../model/place.ts";
import { type Fault, fault, type Rejection } from "../model/rejection.ts";
import type { ReadingTopic } from "../model/topics.ts";
import type { Sensor } from "../store/records/sensors.ts";
import { findPersonalWordInText, personalData } from "./personal-data.ts";

/** How what is refused of a message is kept, whoever decoded it; and who may speak for which sensor. */

/** The message as a whole, or its only reading, is rejected. */
export function rejectWhole(message: Message, topic: ReadingTopic | undefined, why: Fault): Rejection {
  const tooLong = message.payload.byteLength > PAYLOAD_BYTES_MAX;
  const word = tooLong || why.reason === "personal_data" ? undefined : personalWordIn(message.payload);
  const final = word ? personalData(word) : why;
  const payload = tooLong || final.reason === "personal_data" ? undefined : message.payload;
  return reject(message, topic, final, 0, payload);
}

/** May the quarantine keep this payload? Not if anything in it looks like a key to personal data, readable or not. */
export function personalWordIn(payload: Uint8Array): string | undefined {
  return findPersonalWordInText(new TextDecoder().decode(payload));
}

export function reject(
  message: Message,
  topic: ReadingTopic | undefined,
  why: Fault,
  index: number,
  payload: Uint8Array | undefined,
): Rejection {
  return {
    journalSeq: message.seq,
    index,
    reason: why.reason,
    detail: why.detail,
    receivedAt: message.receivedAt,
    source: message.source,
    topic: message.topic,
    ...(topic && { sensorId: topic.sensorId, district: topic.district, kind: topic.kind }),
    ...(payload && { payload }),
  };
}

export const TOPIC_HINT =
  "Readings go to city/<district>/<air|traffic|energy>/<sensorId>, ids in small letters, digits and -.";

export function wrongSensor(sensor: Sensor, topic: ReadingTopic, receivedAt: number): Fault | undefined {
  const detail = wrongPlace(sensor, topic, receivedAt);
  return detail === undefined ? undefined : fault("wrong_sensor", detail);
}

/** Those that speak for sensors of others; an external broker has an access rule of its own. */
export function mayEnrol({ role }: Source): boolean {
  return role === "gateway" || role === "broker";
}

/** A sensor that was taken off the register is not enrolled again because it goes on talking: people decided that. */
export const retiredSensor = (sensor: Sensor): Fault => fault("unknown_sensor", explainRetired(sensor));

export function notRegistered(id: string, retired: ((id: string) => Sensor | undefined) | undefined): Fault {
  const former = retired?.(id);
  return former ? retiredSensor(former) : unknownSensor(id);
}

export function unknownSensor(id: string): Fault {
  return fault("unknown_sensor", `${id} is not registered; add it, or publish through a gateway.`);
}
