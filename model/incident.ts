import { type Alert, type Audience, HANDLINGS, type Handling, SEVERITIES, type Severity } from "./alert.ts";

/** What an incident knows of one of its alerts: enough to say what it is about without reading the alerts themselves. */
export type Member = {
  readonly alert: string;
  readonly district: string;
  readonly rule: { readonly id: string; readonly title: string };
  /** What it is about: a gateway, a feeder, an air station; and which. Counted for the impact. */
  readonly thing: Thing;
  readonly thingId: string;
  /** What kind of news it is: another kind is told, also of an incident that people know. */
  readonly news: string;
  readonly isFiring: boolean;
  readonly severity: Severity;
  readonly audience: Audience;
  readonly startedAt: number;
  readonly endedAt?: number | undefined;
  readonly metric?: Alert["metric"];
  readonly value?: number | undefined;
  readonly limit?: number | undefined;
  readonly unit?: string | undefined;
  readonly handling: Handling;
  readonly assignee?: string | undefined;
};

export const THINGS = [
  "gateway",
  "district",
  "place",
  "transformer",
  "feeder",
  "cabinet",
  "air",
  "traffic",
  "energy",
] as const;
/** `place`: all with one value of a tag. The last three: sensors of that kind of which no more is known. */
export type Thing = (typeof THINGS)[number];

export const INCIDENT_STATES = ["firing", "resolved"] as const;

/** What people have heard of an alert of an incident: nothing; nothing because they knew of another; of itself. */
export const TOLD = { no: 0, quiet: 1, loud: 2 } as const;
export type Told = (typeof TOLD)[keyof typeof TOLD];

export type Impact = {
  /** "3 feeders": different ones, the most first. */
  readonly things: readonly { readonly thing: Thing; readonly count: number }[];
  /** "1,200 A": of what can be added up the sum over all of them, else the value furthest from its limit. */
  readonly measures: readonly {
    readonly metric: NonNullable<Alert["metric"]>;
    readonly value: number;
    readonly unit?: string;
    readonly of: "sum" | "worst";
  }[];
  readonly since: number;
};

/** Alerts of one cause in one district, with one lead, one impact and one handling. */
export type Incident = {
  readonly id: string;
  readonly district: string;
  /** The alert that says best what is wrong: the cause of others, else the worst, else the first. */
  readonly lead: { readonly alert: string; readonly rule: string; readonly title: string };
  readonly state: (typeof INCIDENT_STATES)[number];
  /** Of those that fire; once none does, the worst there was. */
  readonly severity: Severity;
  readonly audiences: readonly Audience[];
  /** The least that has been done about any of those that fire. */
  readonly handling: Handling;
  readonly assignee?: string;
  readonly startedAt: number;
  readonly resolvedAt?: number;
  /** How many alerts, and how many of them fire. */
  readonly alerts: number;
  readonly firing: number;
  readonly impact: Impact;
};

/** What became of an incident, as it is told: as it is now, and whose part in it changed. */
export type IncidentNews = Incident & {
  readonly joined: readonly string[];
  readonly left: readonly string[];
  /** Incidents that are part of this one from now on. */
  readonly absorbed: readonly string[];
};

/** Amounts that many meters have together. */
const ADDITIVE: ReadonlySet<string> = new Set(["current", "activePower", "reactivePower"]);
const MEASURES_MAX = 3;

const rank = (severity: Severity) => SEVERITIES.indexOf(severity);
/** What stands for several things is the cause of what they say. */
const isWide = ({ thing }: Member) => thing === "gateway" || thing === "district" || thing === "place";
const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The lead first. Total, so that the order in which members came does not matter. */
function byWeight(a: Member, b: Member): number {
  return (
    Number(b.isFiring) - Number(a.isFiring) ||
    Number(isWide(b)) - Number(isWide(a)) ||
    rank(b.severity) - rank(a.severity) ||
    a.startedAt - b.startedAt ||
    text(a.rule.id, b.rule.id) ||
    text(a.alert, b.alert)
  );
}

/** What is to be said of the incident of these alerts, at least one; the same in whatever order they are given. */
export function incidentOf(id: string, members: readonly Member[]): Incident {
  const lead = members.reduce((best, one) => (byWeight(one, best) < 0 ? one : best));
  const firing = members.filter(({ isFiring }) => isFiring);
  const about = firing.length > 0 ? firing : members;
  const { alert, rule } = lead;
  const severities = about.map(({ severity }) => rank(severity));
  const handlings = about.map(({ handling }) => HANDLINGS.indexOf(handling));
  const ends = members.map(({ endedAt = 0 }) => endedAt);
  const assignee = (lead.assignee ?? about.find((one) => one.assignee !== undefined)?.assignee) as string | undefined;
  return {
    id,
    district: lead.district,
    lead: { alert, rule: rule.id, title: rule.title },
    state: firing.length > 0 ? "firing" : "resolved",
    severity: SEVERITIES[max(severities)]!,
    audiences: [...new Set(about.map(({ audience }) => audience))].sort(),
    handling: HANDLINGS[min(handlings)]!,
    ...(assignee === undefined ? {} : { assignee }),
    startedAt: min(members.map(({ startedAt }) => startedAt)),
    ...(firing.length > 0 ? {} : { resolvedAt: max(ends) }),
    alerts: members.length,
    firing: firing.length,
    impact: impactOf(about, lead),
  };
}

// Not `Math.max(...all)`: an incident may have more members than a call may have arguments.
const max = (all: readonly number[]) => all.reduce((a, b) => (b > a ? b : a));
const min = (all: readonly number[]) => all.reduce((a, b) => (b < a ? b : a));

function impactOf(members: readonly Member[], lead: Member): Impact {
  const ids = Map.groupBy(members, ({ thing }) => thing);
  const things = [...ids].map(([thing, some]) => ({ thing, count: new Set(some.map((one) => one.thingId)).size }));
  things.sort((a, b) => b.count - a.count || THINGS.indexOf(a.thing) - THINGS.indexOf(b.thing));
  const metrics = Map.groupBy(
    members.filter(({ metric, value }) => metric !== undefined && value !== undefined),
    ({ metric, unit = "" }) => `${metric} ${unit}`,
  );
  const measures = [...metrics.values()].map(measureOf);
  measures.sort(
    (a, b) => Number(b.metric === lead.metric) - Number(a.metric === lead.metric) || text(a.metric, b.metric),
  );
  return { things, measures: measures.slice(0, MEASURES_MAX), since: min(members.map((one) => one.startedAt)) };
}

function measureOf(members: readonly Member[]): Impact["measures"][number] {
  const { metric, unit } = members[0]!;
  const about = { metric: metric!, ...(unit === undefined ? {} : { unit }) };
  const worst = [...members].sort((a, b) => beyond(b) - beyond(a) || text(a.alert, b.alert));
  if (!ADDITIVE.has(metric!)) return { ...about, value: worst[0]!.value!, of: "worst" };
  // Of several alerts about one feeder the worst counts, once.
  const ofThing = new Map(worst.toReversed().map((one) => [one.thingId, one.value!]));
  const sum = [...ofThing.keys()].sort().reduce((all, id) => all + ofThing.get(id)!, 0);
  return { ...about, value: Math.round(sum * 100) / 100, of: "sum" };
}

/** How far beyond its limit. */
const beyond = ({ value = 0, limit = 0 }: Member) => Math.abs(value - limit);
