import type { Message } from "./message.ts";
import type { Reading } from "./reading.ts";
import type { Rejection } from "./rejection.ts";
import type { SensorStatus } from "./status.ts";

/**
 * What became of the values of one sensor, received on one UTC day (that of `receivedAt`): each value that was judged is
 * taken (`suspect` ones are among them), missing (null or a stand-in) or refused. Values of an item that was refused for
 * something else, such as its time, are in none of them. A batch may have several of one sensor.
 */
export type ValueCounts = {
  readonly sensorId: string;
  readonly receivedAt: number;
  readonly taken: number;
  readonly suspect: number;
  readonly missing: number;
  readonly refused: number;
};

/** A field that is no metric of the sensor's kind: dropped. `name` is fit to be shown, and cut where it is long. */
export type UnknownField = { readonly sensorId: string; readonly name: string; readonly count: number };

/** Messages `from` … `to - 1` of the journal, decoded. What every consumer of the fan-out takes. */
export type Batch = {
  readonly from: number;
  /** Exclusive: the offset to go on from. */
  readonly to: number;
  readonly readings: readonly Reading[];
  /** Of whole items, and (those with a `metric`) of single values of readings that go on. */
  readonly rejections: readonly Rejection[];
  /** What it was decoded from, in the order of the journal: who sent it. */
  readonly messages?: readonly Pick<Message, "seq" | "source">[];
  /** Of registered sensors only. */
  readonly values?: readonly ValueCounts[];
  readonly unknownFields?: readonly UnknownField[];
  /** Not booked: they are no readings. */
  readonly statuses?: readonly SensorStatus[];
  /** Sensors that were registered when it was opened: each costs every consumer more than a reading does. */
  readonly newcomers?: number;
};
