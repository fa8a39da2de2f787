import type { Message } from "./message.ts";
import type { Reading } from "./reading.ts";
import type { Rejection } from "./rejection.ts";
import type { SensorStatus } from "./status.ts";

/** Messages `from` … `to - 1` of the journal, decoded. What every consumer of the fan-out takes. */
export type Batch = {
  readonly from: number;
  /** Exclusive: the offset to go on from. */
  readonly to: number;
  readonly readings: readonly Reading[];
  readonly rejections: readonly Rejection[];
  /** What it was decoded from, in the order of the journal: who sent it. */
  readonly messages?: readonly Pick<Message, "seq" | "source">[];
  /** Not booked: they are no readings. */
  readonly statuses?: readonly SensorStatus[];
  /** Sensors that were registered when it was opened: each costs every consumer more than a reading does. */
  readonly newcomers?: number;
};
