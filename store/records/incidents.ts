import type { Audience, Handling, Severity, TimelineEntry } from "../../model/alert.ts";
import { SEVERITIES } from "../../model/alert.ts";
import { type Incident, type IncidentNews, incidentOf, type Member, TOLD, type Told } from "../../model/incident.ts";
import type { Database } from "./database.ts";
import { allOf, type Condition, equal, oneOf, pageSize, parseCursor, toPage } from "./query.ts";

/** One of the ways in which an alert is near others: all with this key that hold at one time are of one cause. */
export type LinkRow = {
  readonly key: string;
  readonly alert: string;
  readonly start: number;
  /** Whatever begins by then is near. */
  readonly reach: number;
};

export type MemberRow = { readonly incident?: string; readonly told: Told; readonly member: Member };
type Row = { incident: string | null; told: Told; body: string };

export type IncidentFilter = {
  readonly state?: readonly Incident["state"][];
  readonly handling?: readonly Handling[];
  readonly severity?: readonly Severity[];
  readonly audience?: Audience;
  readonly district?: string;
};

const SAVE_MEMBER = `INSERT INTO incident_members (alert, firing, told, audience, severity, news, body)
  VALUES (?, ?, 0, ?, ?, ?, ?)
  ON CONFLICT (alert) DO UPDATE SET firing = excluded.firing, audience = excluded.audience, severity = excluded.severity,
    news = excluded.news, body = excluded.body`;
// Of those that hold when it begins one is enough: they are near each other, too.
const BEFORE = `SELECT incident, alert FROM incident_members WHERE alert = (SELECT alert FROM incident_links
  WHERE key = ?1 AND start BETWEEN ?2 AND ?3 AND reach >= ?3 AND alert <> ?4 ORDER BY start DESC LIMIT 1)`;
const AFTER = `SELECT DISTINCT incident, CASE WHEN incident IS NULL THEN alert END AS alert FROM incident_members
  WHERE alert IN (SELECT alert FROM incident_links WHERE key = ?1 AND start > ?2 AND start <= ?3)`;
/** Alerts that people know an incident by, of which the first so many are looked at. */
const COVER_MAX = 100;
// Both values are named so that the index finds the few that were told.
const COVER = `SELECT alert FROM incident_members WHERE incident = ? AND firing IN (0, 1) AND told = ${TOLD.loud} AND audience = ? AND severity >= ?
    AND news = ? AND alert <> ? LIMIT ?`;
const SAVE_INCIDENT = `INSERT INTO incidents (id, district, started_at, state, handling, severity, body)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, state = excluded.state, handling = excluded.handling,
    severity = excluded.severity, body = excluded.body, part_of = NULL`;

export type IncidentRecords = ReturnType<typeof createIncidentRecords>;

/**
 * Which alerts are of one cause. Everything that decides it is in these rows, and changes with the transaction that changes
 * the alerts: a restart finds the incidents as they were.
 */
export function createIncidentRecords(
  db: Database,
  writeEvent: (at: number, what: string, news: IncidentNews) => void,
) {
  const member = (id: string): MemberRow | undefined => {
    const row = db.statement("SELECT incident, told, body FROM incident_members WHERE alert = ?").get(id);
    return row && rowOf(row as Row);
  };

  function saveMember(one: Member): void {
    const { alert, isFiring, audience, severity, news } = one;
    const about = [audience, SEVERITIES.indexOf(severity), news, JSON.stringify(one)];
    db.statement(SAVE_MEMBER).run(alert, Number(isFiring), ...about);
  }

  /** Nothing is near it any more, and it belongs to no incident. */
  function forgetMember(alert: string): void {
    unlink(alert);
    db.statement("DELETE FROM incident_members WHERE alert = ?").run(alert);
  }

  function link({ key, alert, start, reach }: LinkRow): void {
    const sql = `INSERT INTO incident_links (key, start, alert, reach) VALUES (?, ?, ?, ?)
      ON CONFLICT (key, start, alert) DO UPDATE SET reach = excluded.reach`;
    db.statement(sql).run(key, start, alert, reach);
  }

  const unlink = (alert: string) => void db.statement("DELETE FROM incident_links WHERE alert = ?").run(alert);

  const linksOf = (alert: string) =>
    (db.statement("SELECT key, start, alert, reach FROM incident_links WHERE alert = ?").all(alert) as LinkRow[]).map(
      (row) => ({ ...row }),
    );

  /** Of all members of an incident, those of a key in the order of their start. */
  function linksWithin(incident: string): LinkRow[] {
    const sql = `SELECT key, start, alert, reach FROM incident_links
      WHERE alert IN (SELECT alert FROM incident_members WHERE incident = ?) ORDER BY key, start, alert`;
    return db.statement(sql).all(incident) as LinkRow[];
  }

  /** The incidents near it, and the alerts near it that are in none. `longestMs`: the longest reach of any. */
  function peers({ key, start, reach, alert }: LinkRow, longestMs: number): { incident?: string; alert?: string }[] {
    const found = [
      ...db.statement(BEFORE).all(key, start - longestMs, start, alert),
      ...db.statement(AFTER).all(key, start, reach),
    ];
    return (found as { incident: string | null; alert: string | null }[]).map((row) =>
      row.incident === null ? { alert: row.alert! } : { incident: row.incident },
    );
  }

  /** Whether others of this key begin after `from` and by `to`. */
  function isAnyWithin(key: string, from: number, to: number): boolean {
    return (
      db.statement("SELECT 1 FROM incident_links WHERE key = ? AND start > ? AND start <= ?").get(key, from, to) !==
      undefined
    );
  }

  /** Alerts into an incident, out of what they were in. */
  function assign(alerts: readonly string[], incident: string | undefined): void {
    const sql = "UPDATE incident_members SET incident = ? WHERE alert IN (SELECT value FROM json_each(?))";
    db.statement(sql).run(incident ?? null, JSON.stringify(alerts));
  }

  /** All of one incident becomes part of the other, with what was written down of it. */
  function merge(from: string, into: string): void {
    db.statement("UPDATE incident_members SET incident = ? WHERE incident = ?").run(into, from);
    db.statement("UPDATE incident_notes SET incident = ? WHERE incident = ?").run(into, from);
    const sql = "UPDATE incidents SET part_of = ? WHERE id = ? OR part_of = ?";
    db.statement(sql).run(into, from, from);
  }

  /** In one text: thousands of them are parsed in a fifth of the time. */
  function members(incident: string): Member[] {
    const sql = "SELECT group_concat(body, ',') AS bodies FROM incident_members WHERE incident = ?";
    const { bodies } = db.statement(sql).get(incident) as { bodies: string | null };
    return JSON.parse(`[${bodies ?? ""}]`) as Member[];
  }

  function countOf(incident: string): number {
    const row = db.statement("SELECT count(*) AS n FROM incident_members WHERE incident = ?").get(incident);
    return (row as { n: number }).n;
  }

  /** The one that has been known for longest. */
  function oldest(ids: readonly string[]): string | undefined {
    const sql = `SELECT id FROM incidents WHERE id IN (SELECT value FROM json_each(?)) ORDER BY rowid LIMIT 1`;
    return (db.statement(sql).get(JSON.stringify(ids)) as { id: string } | undefined)?.id;
  }

  function save(incident: Incident): void {
    const { id, district, startedAt, state, handling, severity } = incident;
    db.statement(SAVE_INCIDENT).run(id, district, startedAt, state, handling, severity, JSON.stringify(incident));
  }

  /** Whether there is one of this name that is not part of another. */
  const isNamed = (id: string) =>
    db.statement("SELECT 1 FROM incidents WHERE id = ? AND part_of IS NULL").get(id) !== undefined;

  const remove = (id: string) => void db.statement("DELETE FROM incidents WHERE id = ?").run(id);

  /** As it was last said; one that became part of another is that one. */
  function get(id: string): Incident | undefined {
    const sql = `SELECT body FROM incidents WHERE id = coalesce((SELECT part_of FROM incidents WHERE id = ?1), ?1)`;
    const row = db.statement(sql).get(id) as { body: string } | undefined;
    return row && (JSON.parse(row.body) as Incident);
  }

  /** Newest start first; those that became part of another are left out. */
  function list(filter: IncidentFilter, limit: number, cursor?: string): { items: Incident[]; next?: string } {
    const { state, handling, severity, audience, district } = filter;
    const size = pageSize(limit);
    const { sql, values } = allOf([
      { sql: "part_of IS NULL", values: [] },
      ...oneOf("state", state),
      ...oneOf("handling", handling),
      ...oneOf("severity", severity),
      ...equal("district", district),
      ...(audience ? [{ sql: "instr(body ->> '$.audiences', ?) > 0", values: [audience] }] : []),
      ...before(cursor),
    ]);
    const found = db.statement(`SELECT body FROM incidents WHERE ${sql} ORDER BY started_at DESC, id DESC LIMIT ?`);
    const items = (found.all(...values, size + 1) as { body: string }[]).map(
      ({ body }) => JSON.parse(body) as Incident,
    );
    return toPage(items, size, ({ startedAt, id }) => ({ key: startedAt, id }));
  }

  /** Ids of its alerts: those that fire first, then as they began. */
  function alertsOf(incident: string, limit: number): string[] {
    const sql = `SELECT alert FROM incident_members WHERE incident = ?
      ORDER BY firing DESC, body ->> '$.startedAt', alert LIMIT ?`;
    return (db.statement(sql).all(incident, limit) as { alert: string }[]).map(({ alert }) => alert);
  }

  /** Other incidents with an alert of this key, begun within that time of each other. */
  function linked(incident: string, prefix: string, withinMs: number): string[] {
    const sql = `SELECT DISTINCT other.incident FROM incident_links AS link JOIN incident_members AS own ON own.alert = link.alert
      JOIN incident_links AS near ON near.key = link.key AND near.start BETWEEN link.start - ?3 AND link.start + ?3
      JOIN incident_members AS other ON other.alert = near.alert
      WHERE own.incident = ?1 AND link.key GLOB ?2 AND other.incident <> ?1 ORDER BY 1 LIMIT 20`;
    return (db.statement(sql).all(incident, `${prefix}*`, withinMs) as { incident: string }[]).map(
      (row) => row.incident,
    );
  }

  /** What happened to the alert by people: the incident follows. Answers its incident. */
  function handled(alert: string, handling: Handling, assignee: string | undefined): string | undefined {
    const row = member(alert);
    if (row) saveMember({ ...row.member, handling, assignee });
    return row?.incident;
  }

  const setTold = (alert: string, told: Told) =>
    void db.statement("UPDATE incident_members SET told = ? WHERE alert = ? AND told <> ?").run(told, alert, told);

  /** Whoever has heard of one of these knows of it already: of its incident, as bad, for the same people, such things. */
  function coverOf(alert: string): readonly string[] {
    const own = member(alert);
    if (!own?.incident) return [];
    const { audience, severity, news } = own.member;
    const about = [audience, SEVERITIES.indexOf(severity), news, alert, COVER_MAX];
    return (db.statement(COVER).all(own.incident, ...about) as { alert: string }[]).map((row) => row.alert);
  }

  /** Those that fire and that nobody was told of because the incident was known, the worst first. */
  function quiet(incident: string, audience: Audience | undefined, limit: number): string[] {
    const sql = `SELECT alert FROM incident_members WHERE incident = ?1 AND firing = 1 AND told = ${TOLD.quiet}
      AND (?2 IS NULL OR audience = ?2) ORDER BY severity DESC, alert LIMIT ?3`;
    return (db.statement(sql).all(incident, audience ?? null, limit) as { alert: string }[]).map(({ alert }) => alert);
  }

  /** Those that are over and whose end people are owed. */
  function owedEnds(incident: string, limit: number): string[] {
    const sql = `SELECT alert FROM incident_members WHERE incident = ? AND firing = 0 AND told = ${TOLD.loud} ORDER BY alert LIMIT ?`;
    return (db.statement(sql).all(incident, limit) as { alert: string }[]).map(({ alert }) => alert);
  }

  /** The one that speaks for the incident: the worst that fires and was told, to these people. */
  function speaker(incident: string, audience: Audience): string | undefined {
    const sql = `SELECT alert FROM incident_members WHERE incident = ? AND firing = 1 AND told = ${TOLD.loud} AND audience = ?
      ORDER BY severity DESC, alert LIMIT 1`;
    return (db.statement(sql).get(incident, audience) as { alert: string } | undefined)?.alert;
  }

  function note(incident: string, { at, what, by, note: words }: Omit<TimelineEntry, "knownAt">): void {
    const sql = "INSERT INTO incident_notes (incident, at, what, by_whom, note) VALUES (?, ?, ?, ?, ?)";
    db.statement(sql).run(incident, at, what, by ?? null, words ?? null);
  }

  /** The newest of them, oldest first. */
  function notes(incident: string, limit: number): TimelineEntry[] {
    const sql = "SELECT at, what, by_whom, note FROM incident_notes WHERE incident = ? ORDER BY id DESC LIMIT ?";
    const rows = db.statement(sql).all(incident, limit) as {
      at: number;
      what: string;
      by_whom: string | null;
      note: string | null;
    }[];
    return rows.reverse().map(({ at, what, by_whom, note: words }) => {
      return { at, knownAt: at, what, by: by_whom ?? undefined, note: words ?? undefined };
    });
  }

  /** What is over and too old for anything to be near it: who was a member stays known. */
  function forgetLinks(before: number, limit: number): number {
    const sql = `DELETE FROM incident_links WHERE (key, start, alert) IN
      (SELECT key, start, alert FROM incident_links WHERE reach < ? LIMIT ?)`;
    return Number(db.statement(sql).run(before, limit).changes);
  }

  /** From its members; undefined where it has none. */
  function workOut(id: string): Incident | undefined {
    const all = members(id);
    return all.length === 0 ? undefined : incidentOf(id, all);
  }

  /** After people did something to its alerts. */
  function refresh(id: string, at: number, what: string): void {
    const now = workOut(id);
    if (!now) return;
    save(now);
    tell(at, what, { ...now, joined: [], left: [], absorbed: [] });
  }

  const tell = (at: number, what: string, news: IncidentNews) => writeEvent(at, what, news);

  return {
    member,
    saveMember,
    forgetMember,
    link,
    unlink,
    linksOf,
    linksWithin,
    peers,
    isAnyWithin,
    assign,
    merge,
    members,
    countOf,
    oldest,
    save,
    remove,
    get,
    list,
    alertsOf,
    linked,
    handled,
    setTold,
    coverOf,
    isNamed,
    quiet,
    owedEnds,
    speaker,
    note,
    notes,
    forgetLinks,
    /** Worked out anew from its members; undefined where it has none. */
    workOut,
    refresh,
    tell,
    count: () =>
      (
        db.statement("SELECT count(*) AS n FROM incidents WHERE state = 'firing' AND part_of IS NULL").get() as {
          n: number;
        }
      ).n,
  };
}

const rowOf = ({ incident, told, body }: Row): MemberRow => ({
  ...(incident === null ? {} : { incident }),
  told,
  member: JSON.parse(body) as Member,
});

function before(cursor: string | undefined): Condition[] {
  if (cursor === undefined) return [];
  const { key, id } = parseCursor(cursor);
  return [{ sql: "(started_at, id) < (?, ?)", values: [key, id] }];
}
