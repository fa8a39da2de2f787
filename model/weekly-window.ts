/** A window that comes back every week, in the local time of a place. */
export type WeeklyWindow = {
  /** The days on which it begins. */
  readonly days: readonly Weekday[];
  /** "22:00", local time. */
  readonly from: string;
  /** "04:00": at or before `from` means on the next day. */
  readonly to: string;
  /** An IANA name such as Europe/Madrid. */
  readonly zone: string;
};

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** `[from, to)`, epoch milliseconds. */
export type Span = { readonly from: number; readonly to: number };

const DAYS_AHEAD = 8;

/** The window that is on at `time`, else the next one. */
export function windowAround({ days, from, to, zone }: WeeklyWindow, time: number): Span | undefined {
  const today = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(zone).toPlainDate();
  // Yesterday's may go on beyond midnight; in a week's time each day has been, unless the clocks leave no time for it.
  for (let ahead = -1; ahead <= DAYS_AHEAD; ahead++) {
    const day = today.add({ days: ahead });
    if (!days.includes(WEEKDAYS[day.dayOfWeek - 1]!)) continue;
    const span = { from: begin(day, from, zone), to: end(to > from ? day : day.add({ days: 1 }), to, zone) };
    if (span.to > time && span.to > span.from) return span;
  }
  return undefined;
}

export function isTimeZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

/** An hour that comes twice belongs to the window both times: it begins with the first and ends with the second. */
const begin = (day: Temporal.PlainDate, time: string, zone: string) => instantOf(day, time, zone, "earlier");
const end = (day: Temporal.PlainDate, time: string, zone: string) => instantOf(day, time, zone, "later");

function instantOf(day: Temporal.PlainDate, time: string, zone: string, which: "earlier" | "later"): number {
  const local = day.toPlainDateTime(time);
  const found = local.toZonedDateTime(zone, { disambiguation: which });
  if (found.toPlainDateTime().equals(local)) return found.epochMilliseconds;
  // No clock shows this time on that day: it is the moment at which the clocks are put forward.
  const before = local.toZonedDateTime(zone, { disambiguation: "earlier" });
  return before.getTimeZoneTransition("next")!.epochMilliseconds;
}
