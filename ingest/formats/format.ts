import type { Fault } from "../../model/rejection.ts";

/**
 * What a payload of our own holds. Readings and refused items share one numbering, that of the message; `ignored` items are no part
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

const NONE: readonly never[] = Object.freeze([]);

export function parsed(readings: readonly unknown[]): Parsed {
  return { readings, ignored: 0, refused: NONE };
}

/** The message as a whole is refused. */
export function refuseWhole(why: Fault): Parsed {
  return { readings: NONE, ignored: 0, refused: [{ index: 0, why }] };
}

// ---- formats of other makers ---------------------------------------------------------------------------------------

/** What is known of a message beside its bytes. */
export type About = {
  /** The levels of its MQTT topic; none over HTTP. */
  readonly levels: readonly string[];
  /** Over HTTP, of its request: `header.x-pin`, `query.precision`, `path`. */
  readonly params: ReadonlyMap<string, string>;
  readonly receivedAt: number;
};

/** A value whose unit the message says, as `model/units.ts` spells it. */
export class Quantified {
  readonly value: unknown;
  readonly unit: string;
  constructor(value: unknown, unit: string) {
    this.value = value;
    this.unit = unit;
  }
}

/** What one device said of one moment, in its maker's words. A mapping makes a reading of it. */
export type Sample = {
  /** Who says it, as the format tells it; a mapping may find it elsewhere. */
  readonly device?: string | undefined;
  /** By name, what is nested with dots between; what no mapping uses is told as not taken. */
  readonly fields: ReadonlyMap<string, unknown>;
  /** The same of what is said about it: tags, ports, types. Nobody wonders what became of these. */
  readonly labels?: Readonly<Record<string, unknown>>;
  /** ISO 8601 with a zone; without it the time of receipt counts. */
  readonly time?: unknown;
  /** The device's own counter. */
  readonly seq?: number | undefined;
  /** What the values are sums over, for units for each interval. */
  readonly intervalS?: number | undefined;
  /** Why there is nothing in it, where the format knows. */
  readonly empty?: string | undefined;
  /** Its part of the payload, which may be read as a message of its own. */
  readonly bytes?: Uint8Array;
};

/** Items in the order of the message: what became of each is numbered so. */
export type Opened = {
  readonly items: readonly (Sample | Fault)[];
  /** Things that hold no reading, such as a join of a device: counted only. */
  readonly ignored?: number;
  /** `below`: also of those whose names begin with its, and a `/`. */
  readonly statuses?: readonly { readonly device: string; readonly online: boolean; readonly below?: true }[];
};

/** What a mapping says to its format. */
export type OpenOptions = {
  /** An array in the message whose elements are rows. */
  readonly rows?: string | undefined;
  /** Each row is one value: where its name stands, and where the value. */
  readonly metricColumn?: string | undefined;
  readonly valueColumn?: string | undefined;
};

/** How the devices of others write readings down. Bad input is data: nothing here throws, and nothing knows the clock. */
export type Format = {
  /** What a sender is told over HTTP when its message is kept. */
  readonly answer: 200 | 201 | 202 | 204;
  /** MQTT topics that are written in it, as filters. */
  readonly topics: readonly string[];
  /** What it needs to know of a request: `header.<name>`, `query.<name>`, `path`. */
  readonly wants: readonly string[];
  open(payload: Uint8Array, about: About, options: OpenOptions): Opened;
  /** Cuts what is too much for one message into messages; undefined where that cannot be done. */
  cut?(payload: Uint8Array, bytesMax: number, itemsMax: number): readonly Uint8Array[] | undefined;
};

export const oneFault = (why: Fault): Opened => ({ items: [why] });
export const nothing = (count = 1): Opened => ({ items: NONE, ignored: count });
