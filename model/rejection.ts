import type { Kind } from "./kinds.ts";
import type { Source } from "./message.ts";
import type { MetricName } from "./metrics.ts";

/**
 * Why a message or one reading of it could not become a reading. A closed set: the reasons are counter labels, ledger
 * rows and what a device maker reads, so each has its sentence.
 */
export const REASONS = {
  malformed_json: "The payload is not valid JSON in UTF-8.",
  malformed_reading: "The payload is not a reading: a JSON object, or an array of up to 500 of them, was expected.",
  unknown_topic: "The topic is not city/<district>/<kind>/<sensorId> with a known kind.",
  not_allowed: "The sender may not publish to this topic.",
  bad_status: "A status is the text online or offline.",
  unknown_metric: "A key is not a metric of this kind of sensor; today such keys are dropped, and the rest is taken.",
  unknown_sensor: "The sensor is not registered; add it first, or publish through a gateway of its district.",
  enrolment_quota:
    "The sender has brought more new sensors in an hour than it may, or the registry is full; tried again by itself.",
  wrong_sensor: "The sensor is registered under another district or kind.",
  personal_data: "A key looks like personal data (plate, MAC, IMEI, face, image); the values were not kept.",
  wrong_type: "A value is not a number.",
  out_of_range: "A value is outside what the hardware can output.",
  no_values: "No metric has a value.",
  bad_timestamp: "measuredAt is neither ISO 8601 with a zone nor epoch milliseconds.",
  future: "measuredAt is more than 5 minutes ahead of the service's clock.",
  too_late: "measuredAt is more than 7 days old; history goes to the import topic.",
  too_large: "The message is larger than 64 KiB or has more than 500 readings.",
  conflict: "Another value of the same metric, sensor and measuredAt was kept.",
  unmapped:
    "No mapping says what the message of this sender means, or for which sensor it speaks; drive it again once one does.",
  simulated: "The message says of itself that it is simulated.",
  store_refused: "The store refused this reading.",
} as const;

export type Reason = keyof typeof REASONS;

export const REASON_NAMES = Object.keys(REASONS) as readonly Reason[];

/** Why something is refused, and one sentence for the device maker. Never holds a value of a personal-data key. */
export type Fault = { readonly reason: Reason; readonly detail: string };

export function fault(reason: Reason, detail: string): Fault {
  return { reason, detail };
}

/** Readings have no `reason`, so one property tells the two apart without a wrapper object per reading. */
export function isFault(value: object): value is Fault {
  return (value as Partial<Fault>).reason !== undefined;
}

/** What goes to the quarantine. `index` is the reading's place in its message; 0 also stands for the whole message. */
export type Rejection = {
  readonly journalSeq: number;
  readonly index: number;
  readonly reason: Reason;
  /** One sentence for the device maker: which key, which limit. Never a value of a personal-data key. */
  readonly detail: string;
  readonly receivedAt: number;
  readonly source: Source;
  readonly topic: string;
  readonly sensorId?: string;
  readonly district?: string;
  readonly kind?: Kind;
  /**
   * Only the value of this metric was refused: the rest of the reading at `index` goes on, and is booked by what becomes
   * of it. `payload` is then the value as it was written. Without it the whole item is what was refused.
   */
  readonly metric?: MetricName;
  /** Where only a value was refused: the moment of its reading. */
  readonly measuredAt?: number;
  /** Nobody has registered the sensor that the topic names. */
  readonly unregistered?: true;
  /** The message's payload; absent for `personal_data`. */
  readonly payload?: Uint8Array;
};

/**
 * The sensor a rejection is booked under. Names that nobody has registered may be invented without end, so they have one
 * line of the books together, that of no sensor; the quarantine, which has its limits, knows them by name.
 */
export function bookedSensor({ sensorId, unregistered }: Pick<Rejection, "sensorId" | "unregistered">): string {
  return unregistered ? "" : (sensorId ?? "");
}
