import { computed } from "@preact/signals";
import { language } from "../shell/preferences.ts";
import { session } from "../shell/session.ts";

/** Where this browser is. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Whose times the page shows: the city's, wherever the reader is. The browser's, until the service has said it. */
export const zone = computed(() => session.value?.timeZone || ownZone());

let parts: { readonly zone: string; readonly format: Intl.DateTimeFormat } | undefined;

/** "2026-11-21T10:00:00" on the city's clocks. */
function wallOf(at: number): string {
  if (parts?.zone !== zone.value) {
    const fields = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
    const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
    const format = new Intl.DateTimeFormat("en-CA", { ...fields, ...time, timeZone: zone.value });
    parts = { zone: zone.value, format };
  }
  return parts.format.format(at).replace(", ", "T");
}

/** The city's day, as "2026-11-21". */
export const dayOf = (at: number): string => wallOf(at).slice(0, 10);

/** Midnight, or close enough to it for the label of an axis. */
export const isMidnight = (at: number): boolean => wallOf(at).slice(11, 16) === "00:00";

/** When the city's days begin in this time; of more than `max` none. */
export function midnightsIn(from: number, to: number, max: number): number[] {
  const found: number[] = [];
  if (!(to - from < (max + 1) * DAY_MS)) return found;
  for (let at = from; ; ) {
    const tomorrow = new Date(Date.parse(dayOf(at)) + DAY_MS).toISOString().slice(0, 10);
    at = fromLocalInput(`${tomorrow}T00:00`);
    if (!(at < to)) return found;
    found.push(at);
  }
}

/** For `<input type="datetime-local">`, which knows no zone: the city's own. */
export const toLocalInput = (at: number): string => wallOf(at).slice(0, 16);

/** What such a field says. Of an hour that comes twice, the first; NaN for what is no time. */
export function fromLocalInput(text: string): number {
  const wall = Date.parse(`${text}Z`);
  if (Number.isNaN(wall)) return wall;
  const offset = (at: number) => Date.parse(`${wallOf(at)}Z`) - at;
  // Clocks move by less than a day: the offsets before and after any change nearby.
  const tried = [wall - offset(wall - DAY_MS), wall - offset(wall + DAY_MS)].sort((a, b) => a - b);
  return tried.find((at) => at + offset(at) === wall) ?? tried[0]!;
}

const DAY_MS = 86_400_000;

/** For the address of a CSV file: as a spreadsheet of the reader's language wants it, with the city's times. */
export const csvStyle = (): string => `zone=${encodeURIComponent(zone.value)}&locale=${language.value}`;
