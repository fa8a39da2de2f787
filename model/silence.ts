import { z } from "zod";
import { type Alert, AUDIENCES, SEVERITIES } from "./alert.ts";
import { ID_PATTERN } from "./ids.ts";
import { KINDS } from "./kinds.ts";
import { DAY_MS, WEEKDAYS, type Weekday } from "./time.ts";
import { isTimeZone } from "./zone.ts";

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

/** Silences that have not ended, at most. */
export const SILENCES_MAX = 1_000;
/** 30 days: what is silent for longer is a change of the rules. */
export const SILENCE_MAX_MS = 30 * DAY_MS;
export const SILENCE_KINDS = ["silence", "maintenance"] as const;

const id = z.string().regex(ID_PATTERN, "1 to 64 of a-z, 0-9 and -, not beginning with -");
const ids = z.union([id, z.array(id).min(1).max(100)]);
const anyOf = <const T extends readonly string[]>(names: T) => {
  const name = z.enum(names);
  return z.union([name, z.array(name).min(1).max(names.length)]);
};
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time is written as "22:00"');

/** What an alert must be: all that is given; of a list any one. */
export const matchersSchema = z
  .strictObject({
    rule: ids.optional(),
    district: ids.optional(),
    sensor: ids.optional(),
    gateway: ids.optional(),
    kind: anyOf([...KINDS, "service"]).optional(),
    severity: anyOf(SEVERITIES).optional(),
    audience: anyOf(AUDIENCES).optional(),
    tag: z
      .record(z.string().min(1).max(64), z.string().max(200))
      .refine((tags) => Object.keys(tags).length > 0, "name a tag")
      .optional(),
  })
  .refine((matchers) => Object.values(matchers).some((value) => value !== undefined), {
    message: "at least one matcher: without any, everything would be silent",
  });

export const weeklySchema = z.strictObject({
  days: z.array(z.enum(WEEKDAYS)).min(1, "name at least one day").max(7).readonly(),
  from: clock,
  to: clock,
  zone: z.string().max(64).refine(isTimeZone, "a time zone is an IANA name such as Europe/Madrid"),
});

export type SilenceMatchers = z.infer<typeof matchersSchema>;

/** While it is on, alerts that match tell nobody. They are recorded as ever. */
export type Silence = {
  readonly id: number;
  readonly kind: (typeof SILENCE_KINDS)[number];
  readonly matchers: SilenceMatchers;
  readonly startsAt: number;
  /** Only a weekly one may go on until somebody ends it. */
  readonly endsAt?: number;
  readonly weekly?: z.infer<typeof weeklySchema>;
  readonly reason: string;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Somebody ended it early. */
  readonly endedAt?: number;
  readonly endedBy?: string;
};

/** What can be said of an alert and of the sensor it is about. */
export type AlertFacts = {
  readonly rule: string;
  /** The rule that it has taken the place of: who names that means it, too. */
  readonly formerly?: string | undefined;
  readonly kind: Alert["kind"];
  readonly severity: Alert["severity"];
  readonly audience: Alert["audience"];
  readonly sensor?: string;
  readonly district?: string;
  readonly gateway?: string;
  readonly tags: Readonly<Record<string, string>>;
};

/** What silences look at in an alert, and what the registry says of its sensor. */
export type AlertTraits = Pick<Alert, "subject" | "kind" | "severity" | "audience"> & {
  readonly rule: string;
  readonly formerly?: string | undefined;
};
export type KnownSensor = {
  readonly district: string;
  readonly gateway?: string;
  readonly tags: Readonly<Record<string, string>>;
};

/** With the sensor's place in the city's trees: its gateway and its tags, as the registry has them now. */
export function factsOf(
  { rule, formerly, subject, kind, severity, audience }: AlertTraits,
  sensor: KnownSensor | undefined,
): AlertFacts {
  const { sensorId, tag } = subject;
  return {
    rule,
    formerly,
    kind,
    severity,
    audience,
    sensor: sensorId,
    district: subject.district ?? sensor?.district,
    gateway: subject.gateway ?? sensor?.gateway,
    tags: tag ? { ...sensor?.tags, [tag.name]: tag.value } : (sensor?.tags ?? {}),
  };
}

export function matches(matchers: SilenceMatchers, facts: AlertFacts): boolean {
  const { tag, rule, ...names } = matchers;
  if (!isOneOf(rule, facts.rule) && !(facts.formerly !== undefined && isOneOf(rule, facts.formerly))) return false;
  for (const key of Object.keys(names) as (keyof typeof names)[]) {
    if (!isOneOf(names[key], facts[key])) return false;
  }
  return Object.entries(tag ?? {}).every(([name, value]) => facts.tags[name] === value);
}

function isOneOf(wanted: string | readonly string[] | undefined, value: string | undefined): boolean {
  if (wanted === undefined) return true;
  if (value === undefined) return false;
  return typeof wanted === "string" ? wanted === value : wanted.includes(value);
}

/** The time it is on around `time`, else the next such time; undefined once it is over. */
export function silenceSpan(silence: Silence, time: number): Span | undefined {
  const { startsAt, endsAt = Number.POSITIVE_INFINITY, endedAt, weekly } = silence;
  if (endedAt !== undefined || endsAt <= time) return undefined;
  if (!weekly) return { from: startsAt, to: endsAt };
  for (let from = Math.max(time, startsAt); from < endsAt; ) {
    const next = windowAround(weekly, from);
    if (!next) return undefined;
    const span = { from: Math.max(next.from, startsAt), to: Math.min(next.to, endsAt) };
    if (span.to > span.from) return span;
    from = next.to;
  }
  return undefined;
}

/** All the times it was or will be on within [from, to), oldest first. What somebody ended was on until then. */
export function silenceSpans(silence: Silence, from: number, to: number): Span[] {
  const { endedAt = Number.POSITIVE_INFINITY, endedBy: _, ...begun } = silence;
  const planned: Silence = { ...begun, endedAt: undefined };
  const spans: Span[] = [];
  for (let at = from; at < Math.min(to, endedAt); ) {
    const span = silenceSpan(planned, at);
    if (!span || span.from >= Math.min(to, endedAt)) break;
    spans.push({ from: span.from, to: Math.min(span.to, endedAt) });
    at = span.to;
  }
  return spans;
}

export const SILENCE_STATES = ["active", "scheduled", "ended"] as const;

export function silenceState(silence: Silence, time: number): (typeof SILENCE_STATES)[number] {
  const span = silenceSpan(silence, time);
  if (!span) return "ended";
  return span.from <= time ? "active" : "scheduled";
}
