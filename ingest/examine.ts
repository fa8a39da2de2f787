import type { NewMessage } from "../model/message.ts";
import { parseSensorTopic } from "../model/topics.ts";
import type { Sensor } from "../store/records/sensors.ts";
import { type DecodeContext, decodeMessage } from "./decode.ts";

/** What will be refused of a message, as far as it shows without the register. */
export type Finding = {
  readonly reason: string;
  readonly detail: string;
  /** Readings that are refused, of all in the message; a refused value refuses none. */
  readonly refused: number;
  readonly of: number;
};

/** The same judgement that the message will have when it is taken, for whoever can be told beforehand. */
export function examineMessage(message: NewMessage): Finding | undefined {
  const topic = parseSensorTopic(message.topic);
  if (topic?.channel !== "readings") return undefined;
  const { sensorId: id, district, kind } = topic;
  // As the topic says it is: whether it is registered so is found when the message is taken.
  const sensor: Sensor = { id, district, kind, tags: {}, createdAt: 0 };
  const context: DecodeContext = { topic: () => topic, sensor: () => sensor, enrol: () => sensor };
  const { readings, rejections } = decodeMessage({ ...message, seq: 0 }, context);
  const [first] = rejections;
  if (!first) return undefined;
  const refused = rejections.filter(({ metric }) => metric === undefined).length;
  return { reason: first.reason, detail: first.detail, refused, of: readings.length + refused };
}
