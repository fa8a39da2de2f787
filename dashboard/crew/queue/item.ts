import type { Deed } from "../list/crew-list.ts";

export const ACTIONS = ["start", "close", "comment"] as const;
export type Action = (typeof ACTIONS)[number];

/** Why something was not done, to be read by the one who pressed: it stays until they have. */
export type Refusal =
  /** Someone else was first: their last deed, where it is known. */
  | { readonly why: "conflict"; readonly deed?: Deed; readonly said: string }
  /** The trouble ended by itself: nobody need go. */
  | { readonly why: "ended"; readonly at?: string }
  | { readonly why: "refused"; readonly said: string };

/** One press of a button, until the service has taken it. */
export type Item = {
  /** Given by the store, in the order of pressing. */
  readonly key: number;
  /** Only sent while this person is signed in. */
  readonly user: string;
  readonly alertId: string;
  readonly action: Action;
  readonly note?: string;
  /** What and where, so that it can be told when the list knows it no more. */
  readonly title: string;
  readonly place: string;
  readonly madeAt: number;
  /** How many deeds of this kind the alert had from this person when they pressed: one more, and it has arrived. */
  readonly before: number;
  /** How often it was sent; after the first time nobody knows whether it arrived until the alert is looked at. */
  readonly tries: number;
  readonly refusal?: Refusal;
};

export type NewItem = Omit<Item, "key" | "tries" | "refusal">;

const DEED: Readonly<Record<Action, string>> = { start: "started", close: "closed", comment: "commented" };

/** Counted rather than compared by time: the clocks of the phone and of the service may differ. */
export function deedsOf(deeds: readonly Deed[], user: string, action: Action): Deed[] {
  return deeds.filter(({ what, by }) => what === DEED[action] && by === user);
}

/** Whether the press has arrived: there is a deed more than before, and it says the same. */
export function hasArrived({ user, action, note, before }: Item, deeds: readonly Deed[]): boolean {
  return deedsOf(deeds, user, action)
    .slice(before)
    .some((deed) => action === "start" || deed.note === note);
}

/** What someone did last that stands in the way. */
export function lastDeed(deeds: readonly Deed[]): Deed | undefined {
  return deeds.findLast(
    ({ what, by }) => by !== undefined && /^(closed|started|assigned|acknowledged|reopened)$/.test(what),
  );
}
