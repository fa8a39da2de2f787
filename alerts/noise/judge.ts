import { recordText } from "../../messages/messages.ts";
import type { Alert, TimelineEntry } from "../../model/alert.ts";
import type { Rule } from "../../model/rule.ts";
import { asText, type Sentence, say } from "../../model/sentence.ts";
import {
  type AlertFacts,
  type AlertTraits,
  factsOf,
  type KnownSensor,
  matches,
  type Silence,
  silenceSpan,
} from "../../model/silence.ts";
import { HOUR_MS, parseDuration } from "../../model/time.ts";
import type { NoiseRow } from "../../store/records/noise.ts";
import type { Records } from "../../store/records.ts";

export function traitsOf({
  rule,
  subject,
  kind,
  severity,
  audience,
}: Omit<Alert, "handling" | "timeline">): AlertTraits {
  return { rule: rule.id, formerly: rule.formerly, subject, kind, severity, audience };
}

/** One rule and one subject: what can flap. Alerts about the service itself have no subject but their title. */
export function seriesOf({
  rule,
  subject: { sensorId, gateway, district, tag },
}: Pick<Alert, "rule" | "subject">): string {
  const what = sensorId ?? gateway ?? (tag ? `${district ?? ""} ${tag.name}=${tag.value}` : (district ?? rule.title));
  return `${rule.id}\n${what}`;
}

type Where = NonNullable<Rule["inhibits"]>[number]["where"];
/** `rule` is the other end of it. `countsWithinMs`: the parent is a quorum over just these alerts, begun within that time. */
type Link = { readonly rule: string; readonly where: Where; readonly countsWithinMs?: number };

type Inhibition = ReturnType<typeof inhibitionOf>;

const NONE: readonly Link[] = [];
/** A quorum needs its count together: sensors that report every few minutes are missed one by one. */
const COUNTED_TIMES = 5;

/** Which rules keep which others quiet. Shadow rules keep nobody quiet. */
function inhibitionOf(rules: readonly Rule[]) {
  const children = new Map<string, Link[]>();
  const parents = new Map<string, Link[]>();
  for (const { id, mode, condition, inhibits = [] } of rules) {
    if (mode === "shadow") continue;
    for (const { rule, where } of inhibits) {
      // A rule that named itself would keep all of its own alerts quiet.
      if (rule === id) continue;
      add(children, id, { rule, where });
      const counts = condition.type === "quorum" && condition.rule === rule;
      const countsWithinMs = counts ? parseDuration(condition.within ?? "1d") : undefined;
      add(parents, rule, { rule: id, where, countsWithinMs });
    }
  }
  const childrenOf = (rule: string) => children.get(rule) ?? NONE;
  const parentsOf = (rule: string) => parents.get(rule) ?? NONE;

  /** The places by which an alert of this rule is found, as a parent or as a child. */
  function branchesOf(facts: AlertFacts): readonly string[] {
    const links = [...childrenOf(facts.rule), ...parentsOf(facts.rule)];
    const places = links.map(({ where }) => branchOf(where, facts));
    return [...new Set(places.filter((place) => place !== undefined))];
  }

  /**
   * How long such an alert waits for a cause that may still come, because a gateway or a feeder falls silent sensor by
   * sensor: `shortMs`, up to five times that where a quorum counts it, never longer than that for operators' critical ones.
   */
  function holdMs(facts: AlertFacts, shortMs: number): number {
    const wide = parentsOf(facts.rule).filter(
      ({ where }) => where !== "sensor" && branchOf(where, facts) !== undefined,
    );
    if (wide.length === 0) return 0;
    if (facts.severity === "critical" && facts.audience === "operators") return shortMs;
    const counted = wide.map(({ countsWithinMs = 0 }) => Math.min(countsWithinMs, COUNTED_TIMES * shortMs));
    return Math.max(shortMs, ...counted);
  }

  return { childrenOf, parentsOf, branchesOf, holdMs };
}

/** "gateway:gw-1", "tag:feeder=f-12": two alerts with the same place are in the same branch of the tree. */
export function branchOf(where: Where, { sensor, district, gateway, tags }: AlertFacts): string | undefined {
  if (typeof where === "object") {
    const value = Object.hasOwn(tags, where.tag) ? tags[where.tag] : undefined;
    return value === undefined ? undefined : `tag:${where.tag}=${value}`;
  }
  const value = { sensor, district, gateway }[where];
  return value === undefined ? undefined : `${where}:${value}`;
}

function add(map: Map<string, Link[]>, key: string, link: Link): void {
  const links = map.get(key);
  if (links) links.push(link);
  else map.set(key, [link]);
}

/** Which silences are on. Looked up anew only when one was added or ended, or when one begins or is over by itself. */
export function createSilencing(records: Pick<Records["silences"], "current">) {
  let looked: { readonly all: string; readonly from: number; readonly to: number } | undefined;
  let active: readonly Silence[] = [];

  function activeAt(now: number): readonly Silence[] {
    const current = records.current();
    const all = current.map(({ id }) => id).join();
    if (looked && looked.all === all && now >= looked.from && now < looked.to) return active;
    const spans = current.map((silence) => ({ silence, span: silenceSpan(silence, now) }));
    active = spans.filter(({ span }) => span && span.from <= now).map(({ silence }) => silence);
    const borders = spans.flatMap(({ span }) => (span ? [span.from, span.to] : []));
    looked = { all, from: now, to: Math.min(...borders.filter((time) => time > now)) };
    return active;
  }

  /** "silence:12" or "maintenance:12": the oldest that matches. */
  function silencedBy(facts: AlertFacts, now: number): Silence | undefined {
    return activeAt(now).find(({ matchers }) => matches(matchers, facts));
  }

  /** Changes when a silence begins or ends. */
  const sign = (now: number) =>
    activeAt(now)
      .map(({ id }) => id)
      .join();

  return { silencedBy, activeAt, sign };
}

export type FlappingOptions = {
  /** So many changes within `withinMs` (event time) are too many. */
  readonly changesMin: number;
  readonly withinMs: number;
  /** Calm again after so long without a change (service's clock). */
  readonly calmAfterMs: number;
};

/** Four changes an hour (docs/rules.md): at that pace nobody can follow what is told. */
export const FLAPPING: FlappingOptions = { changesMin: 4, withinMs: HOUR_MS, calmAfterMs: 30 * 60_000 };

type Series = Pick<Records["noise"], "changedSince" | "newestChange">;

/** Until when this rule and subject count as flapping; undefined if they do not. `row` is the newest of them. */
function flapsUntil(records: Series, row: NoiseRow, options: FlappingOptions): number | undefined {
  const to = Math.max(row.firedAt, row.endedAt ?? row.firedAt);
  // Each of them that has changed by then counts once at least, and of those after it only the first may have begun
  // by then: a few say as much as the thousands of a series that flaps all the time.
  const changes = records
    .changedSince(row.series, to - options.withinMs, options.changesMin + 1)
    .flatMap(({ firedAt, endedAt }) => (endedAt === undefined ? [firedAt] : [firedAt, endedAt]))
    .filter((at) => at > to - options.withinMs && at <= to);
  return changes.length < options.changesMin ? undefined : calmAt(records, row, options);
}

/** When this rule and subject will have been without a change for long enough. */
export function calmAt(records: Series, row: NoiseRow, { calmAfterMs }: FlappingOptions): number {
  return (records.newestChange(row.series) ?? row.firedKnownAt) + calmAfterMs;
}

/** Why an alert is not told: what the alert then shows, a sentence for its timeline, and until when if that is known. */
export type Suppression = { readonly by: string; readonly says: Sentence; readonly until?: number };

type JudgeParts = {
  readonly records: Pick<Records, "silences" | "noise">;
  readonly rules: () => readonly Rule[];
  readonly sensor: (id: string) => KnownSensor | undefined;
  readonly flapping: FlappingOptions;
  readonly shortHoldMs: number;
};

export type Judge = ReturnType<typeof createJudge>;

/** What keeps an alert from being told now. It decides from what is recorded alone, so that a restart changes nothing. */
export function createJudge({ records: { silences, noise }, rules, sensor, flapping, shortHoldMs }: JudgeParts) {
  const silencing = createSilencing(silences);
  let known: { readonly rules: readonly Rule[]; readonly tree: Inhibition } | undefined;

  function tree(): Inhibition {
    const now = rules();
    if (known?.rules !== now) known = { rules: now, tree: inhibitionOf(now) };
    return known.tree;
  }

  const facts = (about: AlertTraits) =>
    factsOf(about, about.subject.sensorId ? sensor(about.subject.sensorId) : undefined);

  /** A silence or maintenance window, else a firing alert that explains it. What people said comes first. */
  function suppressionOf(about: AlertTraits, now: number): Suppression | undefined {
    const silence = silencing.silencedBy(facts(about), now);
    if (!silence) return parent(about);
    const { kind, id, reason, createdBy } = silence;
    return {
      by: `${kind}:${id}`,
      says: say("suppressed.silence", { kind, id, reason: asText(reason), by: createdBy }),
    };
  }

  function parent(about: AlertTraits): Suppression | undefined {
    for (const { rule, where } of tree().parentsOf(about.rule)) {
      const place = branchOf(where, facts(about));
      const alert = place === undefined ? undefined : noise.at(rule, place)[0];
      if (place !== undefined && alert !== undefined)
        return { by: `rule:${rule}`, says: say("suppressed.rule", { alert, place }) };
    }
    return undefined;
  }

  function cause(row: NoiseRow, now: number): Suppression | undefined {
    const found = suppressionOf(row.about, now);
    if (found) return found;
    const until = flapsUntil(noise, row, flapping);
    if (until === undefined || until <= now) return undefined;
    const { changesMin, withinMs } = flapping;
    return { by: "flapping", says: say("suppressed.flapping", { changes: changesMin, within: withinMs }), until };
  }

  function childrenOf(about: AlertTraits): readonly string[] {
    return tree()
      .childrenOf(about.rule)
      .flatMap(({ rule, where }) => {
        const place = branchOf(where, facts(about));
        return place === undefined ? [] : noise.at(rule, place);
      });
  }

  return {
    suppressionOf,
    cause,
    childrenOf,
    branchesOf: (about: AlertTraits) => tree().branchesOf(facts(about)),
    /** How long it waits for an alert of another rule that explains it. */
    holdMs: (about: AlertTraits) => tree().holdMs(facts(about), shortHoldMs),
    /** Another text when a silence has begun or ended. */
    silences: silencing.sign,
  };
}

/** The timeline's line about it: `cause` is what suppresses the alert from now on. */
export function entryOf(cause: Suppression | undefined, at: number): TimelineEntry {
  if (!cause) return { at, knownAt: at, what: "released" };
  return { at, knownAt: at, what: "suppressed", note: `${cause.by}: ${recordText([cause.says])}`, says: cause.says };
}
