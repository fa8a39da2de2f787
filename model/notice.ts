import type { Alert } from "./alert.ts";

export const NOTICES = ["firing", "resolved", "retracted", "escalated", "reminder"] as const;

/** Something that people are to be told of an alert. The noise control decides that, the notifications how and when. */
export type Notice = {
  /** The same on every attempt and after every restart: what was told and when, of which alert. */
  readonly id: string;
  readonly at: number;
  readonly what: (typeof NOTICES)[number];
  readonly alert: Alert;
};
