import type { Kind } from "../../model/kinds.ts";
import type { ReadingView } from "../../model/reading.ts";

/** As `GET /sensors` shows it. */
export type SensorView = {
  readonly id: string;
  readonly kind: Kind;
  readonly district: string;
  readonly name?: string;
  readonly lat?: number;
  readonly lon?: number;
  readonly online?: boolean;
  readonly lastSeen?: string;
  readonly latest?: ReadingView;
};
