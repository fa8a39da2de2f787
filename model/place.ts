import type { Kind } from "./kinds.ts";
import { readingTopic } from "./topics.ts";

/** Where a sensor stood from a time on. */
export type Place = {
  readonly district: string;
  readonly lat?: number;
  readonly lon?: number;
  readonly from: number;
};

/** What the register knows of where a sensor belongs. */
type Registered = {
  readonly id: string;
  readonly kind: Kind;
  readonly district: string;
  readonly places?: readonly Place[];
  readonly replacedBy?: string;
  readonly retiredAt?: number;
};

type At = { readonly district: string; readonly kind: Kind };

/**
 * Why a message of this sensor does not belong under this topic, in a sentence that says what to do; undefined if it
 * does. Where the sensor stood when the message came is right as well: a message is read again after a crash, or later
 * by a store that was away, and was acknowledged under that topic.
 */
export function wrongPlace(sensor: Registered, { district, kind }: At, receivedAt: number): string | undefined {
  if (sensor.kind === kind && sensor.district === district) return undefined;
  const { id, places = [] } = sensor;
  const isFormer = sensor.kind === kind && places.some((place) => place.district === district);
  if (!isFormer) return `${id} is registered as ${sensor.kind} in ${sensor.district}, not as ${kind} in ${district}.`;
  const stood = places.findLast(({ from }) => from <= receivedAt) ?? places[0]!;
  if (stood.district === district) return undefined;
  const since = new Date(places.at(-1)!.from).toISOString();
  const topic = readingTopic({ ...sensor, sensorId: id });
  return `${id} has stood in ${sensor.district} since ${since}, no longer in ${district}: publish to ${topic}.`;
}

/** What somebody is told who sends for a sensor that was taken off the register: going on to talk does not undo that. */
export function explainRetired({ id, retiredAt, replacedBy }: Registered): string {
  const when = new Date(retiredAt!).toISOString();
  const why = replacedBy ? `, when ${replacedBy} took its place` : "";
  return `${id} was taken off the register on ${when}${why}: switch it off, or put it back with "lamppost sensor restore ${id}".`;
}
