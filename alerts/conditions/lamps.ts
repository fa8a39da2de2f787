import { DAY_MS } from "../../model/time.ts";
import type { Sample } from "./condition.ts";
import type { Spot } from "./sun.ts";

/**
 * What one cabinet of street lights, or one lamp, does night by night: when it is expected to be on, how much it draws
 * then, and what of that it does not do. A fold over its samples, the same for every rule that watches it.
 */
export type LampParams = {
  /** Where it stands, or the city; without it what is expected follows from its last nights. */
  readonly spot?: Spot;
  readonly zone: string;
  /** In the metric's unit, with all lamps at full level; learnt where it is not given. */
  readonly full?: number;
  /** A state or a level: nothing of it needs to be learnt. */
  readonly isExact?: true;
  /** From these minutes of the local day on, this share of the full level. */
  readonly dimming?: readonly (readonly [minute: number, share: number])[];
};

/** A switching. `degrees`: the sun's height; `minutes`: after sunset, or after sunrise, where there was one; `clock`: after noon. */
export type Switching = {
  readonly night: number;
  readonly clock: number;
  readonly degrees?: number;
  readonly minutes?: number;
};
export type Anchor = { readonly degrees: number; readonly minutes?: number };

/** How many minutes later than expected it went on and off. */
export type Deviation = { readonly night: number; readonly on?: number; readonly off?: number };

/** What is known of it; changes once a night. Power levels are above `off`. */
export type Learnt = {
  readonly off: number;
  /** 0 while it is not known. */
  readonly full: number;
  /** Where its nights show it to be, for one without a place. */
  readonly lon?: number;
  readonly ons: readonly Switching[];
  readonly offs: readonly Switching[];
  readonly onAt?: Anchor;
  readonly offAt?: Anchor;
  readonly deviations: readonly Deviation[];
  /** Nights in a row out of the tolerance. */
  readonly astray: number;
  /** By cell; -1 where nothing is known. */
  readonly week: readonly number[];
  readonly weekend: readonly number[];
  /** Mean relative distance of a night's cells from what was learnt. */
  readonly spread: number;
  readonly nights: number;
  /** Nights in a row that were alike, and not as learnt. */
  readonly odd?: { readonly cells: readonly number[]; readonly times: number };
  /** Since when a level holds that was taken for the new one. */
  readonly newSince?: number;
};

/** Between two samples: `slack` to both sides of `at`. */
export type Turn = { readonly at: number; readonly slack: number };

export type Span = readonly [from: number, to: number];

/** From noon to noon. */
export type Night = {
  readonly from: number;
  readonly to: number;
  readonly on?: number;
  readonly off?: number;
  /** Surely on; surely off before the one and from the other on. */
  readonly lit?: Span;
  readonly dayTo?: number;
  readonly dayFrom?: number;
  readonly basis: "sun" | "nights" | "unknown";
  readonly isWeekend: boolean;
  readonly wentOn?: Turn;
  readonly wentOff?: Turn;
  /** The first cell with a level after it went on. */
  readonly firstCell?: number;
  /** What it drew while off by day: their sum and number. */
  readonly rest: number;
  readonly rests: number;
  readonly sums: readonly number[];
  readonly counts: readonly number[];
  /** Samples in which it was off. */
  readonly zeros: readonly number[];
};

/** A fall of the power that no schedule explains, while the lamps are on. */
export type Dip = { readonly from: number; readonly since: number; readonly last: number; readonly rises: number };

export type Lamps = {
  readonly since: number;
  readonly samples: number;
  readonly at: number;
  readonly value: number;
  /** undefined while its levels are not known. */
  readonly isOn?: boolean;
  readonly isLit: boolean;
  readonly isDay: boolean;
  /** When it was switched last; between two samples. */
  readonly turnedAt?: number;
  /** Share of the expected level that is missing; undefined where nothing can be said. */
  readonly missing?: number;
  readonly expected?: number;
  /** It went off though it should be on: when it was on last, and in how many samples it has been off. */
  readonly cut?: { readonly from: number; readonly samples: number };
  readonly dip?: Dip;
  /** It has just come back with the ramp of a cold start. */
  readonly restart?: Span;
  readonly night: Night;
  readonly learnt: Learnt;
  /** Half-hour means, until the levels are known. */
  readonly blocks: readonly number[];
  readonly block: { readonly from: number; readonly sum: number; readonly count: number };
};

export type LampSample = {
  readonly at: number;
  readonly value: number;
  readonly lastAt: number | undefined;
  readonly works?: Sample["works"];
  readonly dimLevel?: number | undefined;
  readonly lampState?: number | undefined;
};

/** Half hours of the local day, then levels in tenths. */
export const CLOCK_CELLS = 48;
export const CELLS = CLOCK_CELLS + 11;
export const CELL_MS = DAY_MS / CLOCK_CELLS;
export const UNKNOWN: readonly number[] = Array<number>(CELLS).fill(-1);
export const ZEROS: readonly number[] = Array<number>(CELLS).fill(0);
/** Share of the full level above which it is on: a day burner draws 20 % of the rated power, dimmed LEDs as little. */
export const ON_SHARE = 0.15;
/** Nights after which what stays is the new usual. */
export const NEW_USUAL_NIGHTS = 28;

/** Six digits: states are kept as JSON. */
export const short = (value: number) => Number(value.toPrecision(6));
