import { createHash } from "node:crypto";
import type { Alert, Subject } from "../../model/alert.ts";
import { type Incident, incidentOf, type Member, type Thing } from "../../model/incident.ts";
import type { Rule } from "../../model/rule.ts";
import { DAY_MS, MINUTE_MS } from "../../model/time.ts";
import type { LinkRow } from "../../store/records/incidents.ts";
import type { Records } from "../../store/records.ts";
import { isNaming, isSilence, linksOf, type PlacedSensor, type Trees, treesOf } from "./links.ts";

export type IncidentsOptions = {
  readonly records: Pick<Records, "incidents" | "alerts">;
  readonly rules: () => readonly Rule[];
  readonly sensor: (id: string) => PlacedSensor | undefined;
};

/** What begins so soon after the end of another may still be of its cause. */
const AFTERWARDS_MS = 15 * MINUTE_MS;
/** Parting an incident costs a look at all of its links: a larger one only lets go of what was taken back. */
const PARTED_MAX = 2_000;
/** Long enough for all that may come late. */
const LINKS_KEPT_MS = 2 * DAY_MS;
const LINKS_A_TICK = 2_000;

type Change = {
  /** It was there before these changes. */
  readonly before: Incident | undefined;
  readonly joined: Set<string>;
  readonly left: Set<string>;
  readonly absorbed: Set<string>;
};

/**
 * Gathers alerts of one cause. Two alerts are near if they have a link in common and one begins while the other holds; an
 * incident is all that hang together that way. That follows from the alerts alone, so in whatever order they come and however
 * often the service is restarted, the same alerts are together. Its name is from the first two: it does not change
 * when something joins.
 */
export function createIncidents({ records, rules, sensor }: IncidentsOptions) {
  const { incidents, alerts } = records;
  let known: { readonly rules: readonly Rule[]; readonly trees: Trees } | undefined;

  function trees(): Trees {
    const now = rules();
    if (known?.rules !== now) known = { rules: now, trees: treesOf(now) };
    return known.trees;
  }

  const sensorOf = ({ sensorId }: Subject) => (sensorId === undefined ? undefined : sensor(sensorId));

  /** For the changes of one transaction, which end with `finish`. */
  function open(at: number) {
    const changes = new Map<string, Change>();

    function touch(incident: string): Change {
      const known = changes.get(incident);
      if (known) return known;
      const before = incidents.get(incident);
      const change = { before, joined: new Set<string>(), left: new Set<string>(), absorbed: new Set<string>() };
      changes.set(incident, change);
      return change;
    }

    /** As the records have it now. */
    function take(alert: Alert): void {
      const district = districtOf(alert);
      if (district === undefined || alert.mode !== undefined || alert.kind === "service") return;
      if (alert.state === "firing") begin(alert);
      else if (alert.state === "resolved") end(alert);
      else leave(alert.id);
    }

    function begin(alert: Alert): void {
      const row = incidents.member(alert.id);
      incidents.saveMember(memberOf(alert));
      if (row?.incident) touch(row.incident);
      const isAgain = row?.member.isFiring === true;
      const links = linksOf(alert, sensorOf(alert.subject), trees());
      // Whom a quorum counts may change while it fires; nothing else does.
      for (const { key, withinMs } of links)
        if (!isAgain || isNaming(key)) {
          const link: LinkRow = { key, alert: alert.id, start: alert.startedAt, reach: alert.startedAt + withinMs };
          incidents.link(link);
          if (withinMs > 0) join(alert.id, incidents.peers(link, withinMs));
        }
    }

    function end(alert: Alert): void {
      const row = incidents.member(alert.id);
      if (!row) return;
      incidents.saveMember(memberOf(alert));
      const parts = shorten(alert.id, (alert.resolvedAt ?? at) + AFTERWARDS_MS);
      if (!row.incident) return;
      touch(row.incident);
      if (parts) part(row.incident);
    }

    /** Whether something had joined that began after it was over. */
    function shorten(id: string, until: number): boolean {
      let parts = false;
      for (const link of incidents.linksOf(id)) {
        if (isNaming(link.key) || link.reach <= until) continue;
        const reach = Math.max(link.start, until);
        parts ||= incidents.isAnyWithin(link.key, reach, link.reach);
        incidents.link({ ...link, reach });
      }
      return parts;
    }

    /** It was not so. */
    function leave(id: string): void {
      const row = incidents.member(id);
      if (!row) return;
      incidents.forgetMember(id);
      if (!row.incident) return;
      touch(row.incident).left.add(id);
      part(row.incident);
    }

    function join(alert: string, peers: readonly { incident?: string; alert?: string }[]): void {
      const own = incidents.member(alert)!.incident;
      const ids = [...new Set(peers.flatMap(({ incident }) => incident ?? []).concat(own ?? []))];
      const lone = peers.flatMap((peer) => peer.alert ?? []);
      if (ids.length === 0 && lone.length === 0) return;
      const into = ids.length === 1 ? ids[0]! : (incidents.oldest(ids) ?? nameFor([...lone, alert]));
      const change = touch(into);
      for (const other of ids) if (other !== into) absorb(other, into, change);
      const news = own === undefined ? [alert, ...lone] : lone;
      if (news.length > 0) incidents.assign(news, into);
      for (const id of news) change.joined.add(id);
      // So that it is known which of two is older, also within these changes.
      if (ids.length === 0) incidents.save(incidents.workOut(into)!);
    }

    function absorb(other: string, into: string, change: Change): void {
      const former = changes.get(other);
      for (const id of former?.joined ?? []) change.joined.add(id);
      for (const id of former?.absorbed ?? []) change.absorbed.add(id);
      changes.delete(other);
      change.absorbed.add(other);
      incidents.merge(other, into);
    }

    /** Parts that do not hang together any more are incidents of their own, or single alerts. */
    function part(incident: string): void {
      if (incidents.countOf(incident) > PARTED_MAX) return;
      const ids = incidents.members(incident).map(({ alert }) => alert);
      const links = incidents.linksWithin(incident);
      // Of an old one the first links are forgotten: nothing says any more what held it together.
      if (new Set(links.map((one) => one.alert)).size < ids.length) return;
      // The name stays with the alert it is from; if that is gone, with most.
      const isNamed = (part: readonly string[]) => Number(part.some((id) => nameOf(id) === incident));
      const [first, ...others] = partsOf(ids, links).sort(
        (a, b) => isNamed(b) - isNamed(a) || b.length - a.length || (a[0]! < b[0]! ? -1 : 1),
      );
      if (!first) return;
      for (const some of others) {
        const change = touch(incident);
        for (const id of some) {
          change.left.add(id);
          change.joined.delete(id);
        }
        if (some.length === 1) incidents.assign(some, undefined);
        else {
          const name = nameFor(some);
          incidents.assign(some, name);
          for (const id of some) touch(name).joined.add(id);
          incidents.save(incidents.workOut(name)!);
        }
      }
      if (first.length > 1) return;
      incidents.assign(first, undefined);
      touch(incident).left.add(first[0]!);
    }

    /** After the first that began; another name where that is still one's which it has left. */
    function nameFor(ids: readonly string[]): string {
      const begun = (id: string) => incidents.member(id)!.member.startedAt;
      const sorted = [...ids].sort((a, b) => begun(a) - begun(b) || (a < b ? -1 : 1));
      return sorted.map(nameOf).find((name) => !incidents.isNamed(name)) ?? nameOf(sorted.join());
    }

    /** What is said of those that changed; answers them. `isLess`: something has left it. */
    function finish(): readonly { readonly incident: string; readonly isLess: boolean }[] {
      for (const [id, change] of changes) {
        const members = incidents.members(id);
        const taken = takeOver(id, change, members);
        const now = members.length === 0 ? undefined : incidentOf(id, taken);
        if (now) incidents.save(now);
        else incidents.remove(id);
        tell(change, now);
      }
      // Of what parted, both sides have less.
      const isLess = [...changes.values()].some(({ left }) => left.size > 0);
      return [...changes.keys()].map((incident) => ({ incident, isLess }));
    }

    /** Whoever has taken the incident has what joins it, unless that is worse or about others. The members as they are then. */
    function takeOver(id: string, { joined }: Change, members: readonly Member[]): readonly Member[] {
      if (joined.size === 0) return members;
      const others = members.filter((one) => one.isFiring && !joined.has(one.alert));
      const before = others.length > 0 ? incidentOf(id, others) : undefined;
      if (before?.handling !== "acknowledged" && before?.handling !== "in-progress") return members;
      return members.map((one) => {
        if (!joined.has(one.alert) || !one.isFiring || one.handling !== "open") return one;
        const isKnown = others.some(
          (other) => other.news === one.news && other.audience === one.audience && isAsBad(other, one),
        );
        if (!isKnown) return one;
        const { handling, assignee } = before;
        const what = handling === "acknowledged" ? "acknowledged" : "started";
        const by = others.find((other) => other.handling === handling);
        const who = by && alerts.get(by.alert)?.timeline.findLast((entry) => entry.what === what)?.by;
        const entry = { at, knownAt: at, what, note: `with incident ${id}`, ...(who ? { by: who } : {}) };
        alerts.handle(one.alert, { handling, ...(assignee ? { assignee } : {}) }, entry, false);
        return { ...one, handling, ...(assignee ? { assignee } : {}) };
      });
    }

    function tell({ before, joined, left, absorbed }: Change, now: Incident | undefined): void {
      const about = now ?? before;
      const moved = joined.size + left.size + absorbed.size > 0;
      if (!about || (!moved && JSON.stringify(before) === JSON.stringify(now))) return;
      const what = !now ? "dissolved" : !before ? "began" : now.state !== before.state ? now.state : "changed";
      const news = { joined: [...joined], left: [...left], absorbed: [...absorbed] };
      incidents.tell(at, what === "firing" ? "began" : what, { ...about, ...news });
    }

    return { take, finish };
  }

  function memberOf(alert: Alert): Member {
    const { id, rule, severity, audience, startedAt, resolvedAt, metric, value, limit, unit, handling, assignee } =
      alert;
    const [thing, thingId] = thingOf(alert, sensorOf(alert.subject));
    return {
      alert: id,
      district: districtOf(alert)!,
      rule: { id: rule.id, title: rule.title },
      thing,
      thingId,
      // What has no power is one piece of news, whatever it measures.
      news: isSilence(rule.id, trees()) ? "silent" : thing,
      isFiring: alert.state === "firing",
      ...{ severity, audience, startedAt, metric, value, limit, unit, handling, assignee },
      ...(alert.state === "firing" ? {} : { endedAt: resolvedAt }),
    };
  }

  const districtOf = ({ subject }: Pick<Alert, "subject">) => subject.district ?? sensorOf(subject)?.district;

  /** Call it now and then: links too old for anything to come near them. */
  const tick = (now: number) => void incidents.forgetLinks(now - LINKS_KEPT_MS, LINKS_A_TICK);

  return { open, tick };
}

const isAsBad = (a: Member, b: Member) => RANK[a.severity] >= RANK[b.severity];
const RANK = { info: 0, warning: 1, critical: 2 };

/** "in-" and 16 hex digits of the alert it began with. */
export function nameOf(alert: string): string {
  return `in-${createHash("sha256").update(alert).digest("hex").slice(0, 16)}`;
}

function thingOf(
  { subject, kind }: Pick<Alert, "subject" | "kind">,
  sensor: PlacedSensor | undefined,
): [Thing, string] {
  const { sensorId, gateway, tag, district } = subject;
  if (sensorId !== undefined) return thingOfSensor(sensorId, kind, sensor?.tags ?? {});
  if (gateway !== undefined) return ["gateway", gateway];
  if (tag === undefined) return ["district", district!];
  const named = (["feeder", "transformer", "cabinet"] as const).find((name) => name === tag.name);
  return [named ?? "place", tag.value];
}

function thingOfSensor(id: string, kind: Alert["kind"], tags: Readonly<Record<string, string>>): [Thing, string] {
  if (kind === "service") return ["place", id];
  if (kind !== "energy") return [kind, id];
  if (tags.feeder !== undefined) return ["feeder", tags.feeder];
  if (tags.cabinet !== undefined) return ["cabinet", tags.cabinet];
  return [tags.ratedCurrent === undefined ? "energy" : "transformer", id];
}

/** Who hangs together, of the members of one incident; each part in the order of the ids. `links`: by key and start. */
export function partsOf(ids: readonly string[], links: readonly LinkRow[]): string[][] {
  const parent = new Map(ids.map((id) => [id, id]));
  function root(id: string): string {
    let top = id;
    while (parent.get(top) !== top) top = parent.get(top)!;
    for (let at = id; at !== top; ) {
      const next = parent.get(at)!;
      parent.set(at, top);
      at = next;
    }
    return top;
  }
  let furthest: LinkRow | undefined;
  for (const link of links) {
    if (link.key.startsWith("~")) continue;
    if (furthest?.key !== link.key) furthest = link;
    else {
      if (link.start <= furthest.reach) parent.set(root(link.alert), root(furthest.alert));
      if (link.reach > furthest.reach) furthest = link;
    }
  }
  return [...Map.groupBy(ids, root).values()].map((part) => part.sort());
}
