import type { Alert, Handling, Review, TimelineEntry, Transition } from "../../model/alert.ts";
import type { AlertFilter, AlertRecords } from "../records.ts";
import { type AlertRow, countAlertsByRule, countOpenAlerts, listAlertRows, listTouched } from "./alert-lists.ts";
import { pageSize, toPage } from "./cursor.ts";
import type { Database } from "./database.ts";
import type { WriteEvent } from "./events.ts";
import { createTimeline } from "./timeline.ts";

type ChangeByPeople = { handling?: Handling; assignee?: string | null; review?: Review };

// Handling and assignee are people's: a transition of the engine does not touch them. Nor does it touch what makes the id
// (rule, subject, start): each column that is set is written to all of its indexes.
const SAVE = `INSERT INTO alerts (id, rule, sensor, district, kind, severity, audience, state, mode, started_at, body)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET district = excluded.district, kind = excluded.kind, severity = excluded.severity,
    audience = excluded.audience, state = excluded.state, mode = excluded.mode, body = excluded.body
  RETURNING handling, assignee, suppressed_by, review`;

/** `now` stamps the events: they are deleted by age, whatever moment of the past an alert is about. */
export function createAlertRecords(db: Database, writeEvent: WriteEvent, now: () => number): AlertRecords {
  const timeline = createTimeline(db);

  /** Answers what people and the noise control have added to it. */
  function save(alert: Transition["alert"]): Omit<AlertRow, "id" | "body"> {
    const { id, rule, subject, kind, severity, audience, state, mode = "live", startedAt } = alert;
    const about = [rule.id, subject.sensorId ?? null, subject.district ?? null, kind];
    const insert = db.statement(SAVE);
    const row = insert.get(id, ...about, severity, audience, state, mode, startedAt, JSON.stringify(alert));
    return row as Omit<AlertRow, "id" | "body">;
  }

  function addEntry(id: string, entry: TimelineEntry): Alert {
    timeline.add(id, entry, "people");
    const alert = get(id)!;
    tell(alert, entry);
    return alert;
  }

  /** Events are what is told, live and on MQTT: nobody is told of a rule that is being tried out. */
  function tell(alert: Alert, { what }: TimelineEntry): void {
    if (alert.mode !== "shadow") writeEvent(now(), what, alert);
  }

  function apply({ alert, entry }: Transition, suppressedBy?: string): Alert | undefined {
    return db.transaction(() => {
      const { entries, isSaid } = timeline.before(alert.id, entry);
      if (isSaid) return undefined;
      const row = save(alert);
      if (suppressedBy !== undefined) setSuppressed(alert.id, suppressedBy);
      timeline.add(alert.id, entry, "engine");
      const { at, knownAt, what, by, note } = entry;
      const all = [...entries, { at, knownAt, what, by, note }];
      const applied = alertOf(alert, { ...row, suppressed_by: suppressedBy ?? row.suppressed_by }, all);
      tell(applied, entry);
      return applied;
    });
  }

  function setSuppressed(id: string, by: string | undefined): void {
    db.statement("UPDATE alerts SET suppressed_by = ? WHERE id = ?").run(by ?? null, id);
  }

  function suppress(id: string, by: string | undefined, entry: TimelineEntry): void {
    db.transaction(() => {
      setSuppressed(id, by);
      addEntry(id, entry);
    });
  }

  function handle(id: string, change: ChangeByPeople, entry: TimelineEntry): Alert | undefined {
    return db.transaction(() => {
      const row = find(id);
      if (!row) return undefined;
      const handling = change.handling ?? row.handling;
      const assignee = change.assignee === undefined ? row.assignee : change.assignee;
      const review = change.review === undefined ? row.review : JSON.stringify(change.review);
      const sql = "UPDATE alerts SET handling = ?, assignee = ?, review = ? WHERE id = ?";
      db.statement(sql).run(handling, assignee, review, id);
      return addEntry(id, entry);
    });
  }

  function find(id: string): AlertRow | undefined {
    const row = db
      .statement("SELECT id, handling, assignee, suppressed_by, review, body FROM alerts WHERE id = ?")
      .get(id);
    return row as AlertRow | undefined;
  }

  function get(id: string): Alert | undefined {
    const row = find(id);
    return row && withTimelines([row])[0];
  }

  function list(filter: AlertFilter, limit: number, cursor?: string): { items: Alert[]; next?: string } {
    const size = pageSize(limit);
    const items = withTimelines(listAlertRows(db, filter, size + 1, cursor));
    return toPage(items, size, ({ startedAt, id }) => ({ key: startedAt, id }));
  }

  function withTimelines(rows: readonly AlertRow[]): Alert[] {
    const timelines = timeline.of(rows.map((row) => row.id));
    return rows.map((row) => alertOf(JSON.parse(row.body) as Transition["alert"], row, timelines.get(row.id) ?? []));
  }

  return {
    apply,
    suppress,
    handle,
    get,
    list,
    touched: (range, limit) => withTimelines(listTouched(db, range, limit)),
    countsByRule: (filter = {}) => countAlertsByRule(db, filter),
    openCounts: () => countOpenAlerts(db),
  };
}

function alertOf(
  said: Transition["alert"],
  { handling, assignee, suppressed_by, review }: Omit<AlertRow, "id" | "body">,
  timeline: readonly TimelineEntry[],
): Alert {
  return {
    ...said,
    handling,
    assignee: assignee ?? undefined,
    suppressedBy: suppressed_by ?? undefined,
    review: review === null ? undefined : (JSON.parse(review) as Review),
    timeline,
  };
}
