import type { Alert, Handling, Review, TimelineEntry, Transition } from "../../model/alert.ts";
import type { AlertFilter, AlertRecords } from "../records.ts";
import { type AlertRow, countAlertsByRule, countOpenAlerts, listAlertRows, listTouched } from "./alert-lists.ts";
import { pageSize, toPage } from "./cursor.ts";
import type { Database } from "./database.ts";
import type { WriteEvent } from "./events.ts";
import { createTimeline } from "./timeline.ts";

type ChangeByPeople = { handling?: Handling; assignee?: string | null; review?: Review };

// Handling and assignee are people's: a transition of the engine does not touch them.
const SAVE = `INSERT INTO alerts (id, rule, sensor, district, kind, severity, audience, state, mode, started_at, body)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET rule = excluded.rule, sensor = excluded.sensor, district = excluded.district,
    kind = excluded.kind, severity = excluded.severity, audience = excluded.audience, state = excluded.state,
    mode = excluded.mode, started_at = excluded.started_at, body = excluded.body`;

/** `now` stamps the events: they are deleted by age, whatever moment of the past an alert is about. */
export function createAlertRecords(db: Database, writeEvent: WriteEvent, now: () => number): AlertRecords {
  const timeline = createTimeline(db);

  function save(alert: Transition["alert"]): void {
    const { id, rule, subject, kind, severity, audience, state, mode = "live", startedAt } = alert;
    const about = [rule.id, subject.sensorId ?? null, subject.district ?? null, kind];
    db.statement(SAVE).run(id, ...about, severity, audience, state, mode, startedAt, JSON.stringify(alert));
  }

  function addEntry(id: string, entry: TimelineEntry, from: "engine" | "people"): Alert {
    timeline.add(id, entry, from);
    const alert = get(id)!;
    // Events are what is told, live and on MQTT: nobody is told of a rule that is being tried out.
    if (alert.mode !== "shadow") writeEvent(now(), entry.what, alert);
    return alert;
  }

  function apply({ alert, entry }: Transition, suppressedBy?: string): Alert | undefined {
    return db.transaction(() => {
      if (timeline.said(alert.id, entry)) return undefined;
      save(alert);
      if (suppressedBy !== undefined) setSuppressed(alert.id, suppressedBy);
      return addEntry(alert.id, entry, "engine");
    });
  }

  function setSuppressed(id: string, by: string | undefined): void {
    db.statement("UPDATE alerts SET suppressed_by = ? WHERE id = ?").run(by ?? null, id);
  }

  function suppress(id: string, by: string | undefined, entry: TimelineEntry): void {
    db.transaction(() => {
      setSuppressed(id, by);
      addEntry(id, entry, "people");
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
      return addEntry(id, entry, "people");
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
    return rows.map(({ id, handling, assignee, suppressed_by, review, body }) => ({
      ...(JSON.parse(body) as Transition["alert"]),
      handling,
      assignee: assignee ?? undefined,
      suppressedBy: suppressed_by ?? undefined,
      review: review === null ? undefined : (JSON.parse(review) as Review),
      timeline: timelines.get(id) ?? [],
    }));
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
