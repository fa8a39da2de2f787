import type { Fault } from "../../model/rejection.ts";

/**
 * What a payload holds. Readings and refused items share one numbering, that of the message; `ignored` items are no part
 * of it. What is read here is not checked yet: limits and clock rules are the same for every format.
 */
export type Parsed = {
  /** One flat object each, with our names: `{"measuredAt": …, "<metric>": number, …}`; the time as ISO 8601 text, or epoch milliseconds as a number. */
  readonly readings: readonly unknown[];
  /** How many items hold nothing for us, such as a gateway's own settings: counted, and not in the books. */
  readonly ignored: number;
  /** In order; `malformed_reading` for what is not written as it should be. A message that cannot be opened at all is one refused item, with index 0. */
  readonly refused: readonly Refusal[];
};

export type Refusal = { readonly index: number; readonly why: Fault };

/** How senders write readings down. Bad input is data: nothing here throws. */
export type Format<Name extends string = string> = {
  readonly name: Name;
  /** Whether messages to this topic are written in it. */
  matches(topic: string): boolean;
  parse(payload: Uint8Array, topic: string): Parsed;
  /**
   * The bytes of each item, by its index, so that the quarantine keeps no copy of the whole message for each; `parse` takes
   * one of them as a message. Undefined where there is only one.
   */
  split(payload: Uint8Array): readonly Uint8Array[] | undefined;
};

const NONE: readonly never[] = Object.freeze([]);

export function parsed(readings: readonly unknown[]): Parsed {
  return { readings, ignored: 0, refused: NONE };
}

/** The message as a whole is refused. */
export function refuseWhole(why: Fault): Parsed {
  return { readings: NONE, ignored: 0, refused: [{ index: 0, why }] };
}
