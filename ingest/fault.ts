import type { Reason } from "../model/rejection.ts";

/** Why a value is not a reading, and one sentence for the device maker. Never holds a value of a personal-data key. */
export type Fault = { readonly reason: Reason; readonly detail: string };

export function fault(reason: Reason, detail: string): Fault {
  return { reason, detail };
}

/** Readings have no `reason`, so one property tells the two apart without a wrapper object per reading. */
export function isFault(value: object): value is Fault {
  return (value as Partial<Fault>).reason !== undefined;
}
