import type { FiguresView, RuleChange, RuleStatsView, SpansView } from "../../contract/rule.ts";
import type { Review } from "../../model/alert.ts";
import type { RuleData } from "../../model/rule.ts";
import { percentile } from "../../model/statistics.ts";
import { DAY_MS } from "../../model/time.ts";
import type { Database } from "./database.ts";
import { pageSize, parseCursor, toPage } from "./query.ts";

type ChangeRow = {
  id: number;
  rule: string;
  at: number;
  by_whom: string;
  what: RuleChange["what"];
  reason: string;
  version: string | null;
  body: string | null;
  figures: string | null;
};

/** Every version that a rule ever had while the service ran. Nothing is ever changed or deleted here. */
export function createRuleChangeRecords(db: Database) {
  function add(change: Omit<RuleChange, "id">): RuleChange {
    const { rule, at, by, what, reason, version, data, figures } = change;
    const sql = `INSERT INTO rule_changes (rule, at, by_whom, what, reason, version, body, figures)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
    const texts = [data, figures].map((value) => (value === undefined ? null : JSON.stringify(value)));
    const said = [rule, at, by.toWellFormed(), what, reason.toWellFormed(), version ?? null];
    const { lastInsertRowid } = db.statement(sql).run(...said, ...texts);
    return { ...change, id: Number(lastInsertRowid) };
  }

  /** The newest change of each rule, by rule: what lies over the files. */
  function newest(): RuleChange[] {
    const sql = `SELECT * FROM rule_changes WHERE id IN (SELECT max(id) FROM rule_changes GROUP BY rule) ORDER BY rule`;
    return (db.statement(sql).all() as ChangeRow[]).map(changeOf);
  }

  /** Newest first. */
  function of(rule: string, limit: number, cursor?: string): { items: RuleChange[]; next?: string } {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(cursor).key;
    const size = pageSize(limit);
    const sql = "SELECT * FROM rule_changes WHERE rule = ? AND id < ? ORDER BY id DESC LIMIT ?";
    const rows = db.statement(sql).all(rule, before, size + 1) as ChangeRow[];
    return toPage(rows.map(changeOf), size, ({ id }) => ({ key: id, id: "" }));
  }

  return { add, newest, of };
}

function changeOf({ by_whom: by, version, body, figures, ...row }: ChangeRow): RuleChange {
  return {
    ...row,
    by,
    ...(version === null ? {} : { version }),
    ...(body === null ? {} : { data: JSON.parse(body) as RuleData }),
    ...(figures === null ? {} : { figures: JSON.parse(figures) as FiguresView }),
  };
}

type StateRow = { rule: string; subject: string; state: string };

const SAVE = `INSERT INTO rule_states (rule, subject, state) VALUES (?, ?, ?)
  ON CONFLICT (rule, subject) DO UPDATE SET state = excluded.state`;
const REMOVE = "DELETE FROM rule_states WHERE rule = ? AND subject = ?";

/** The engine's snapshots. */
export function createRuleStateRecords(db: Database) {
  /** State "" removes the row. */
  function save(rows: Iterable<StateRow>): void {
    db.transaction(() => {
      const write = db.statement(SAVE);
      const remove = db.statement(REMOVE);
      for (const { rule, subject, state } of rows) {
        if (state === "") remove.run(rule, subject);
        else write.run(rule, subject, state);
      }
    });
  }

  return {
    /** Every (rule, subject) with its state as JSON text, for the start. */
    load: () => db.statement("SELECT rule, subject, state FROM rule_states ORDER BY rule, subject").all() as StateRow[],
    save,
  };
}

/** Alerts that are looked at one by one, the newest: enough for a percentile, and the same work however loud a rule is. */
const SAMPLE_MAX = 1_000;

const COUNTS = `SELECT count(*) AS alerts, coalesce(sum(state = 'retracted'), 0) AS retracted,
    coalesce(sum(suppressed_by IS NOT NULL), 0) AS suppressed, coalesce(sum(suppressed_by = 'flapping'), 0) AS flaps
  FROM alerts INDEXED BY alerts_stats WHERE rule = ? AND started_at >= ? AND started_at < ? AND state <> 'pending'`;
const REVIEWS = `SELECT review ->> '$.is' AS "is", count(*) AS n FROM alerts INDEXED BY alerts_reviewed
  WHERE rule = ? AND review IS NOT NULL GROUP BY review ->> '$.is'`;
const SPANS = `SELECT
    (SELECT min(known_at) FROM timeline WHERE alert = alerts.id AND what IN ('acknowledged', 'started'))
      - (SELECT min(known_at) FROM timeline WHERE alert = alerts.id AND what <> 'pending') AS acknowledge,
    CASE state WHEN 'resolved' THEN body ->> '$.resolvedAt' - body ->> '$.firedAt' END AS resolve
  FROM alerts INDEXED BY alerts_stats WHERE rule = ? AND started_at >= ? AND started_at < ? AND state <> 'pending'
  ORDER BY started_at DESC LIMIT ?`;

type Counts = { alerts: number; retracted: number; suppressed: number; flaps: number };
type SpanRow = { acknowledge: number | null; resolve: number | null };

/** Median and 90th percentile by nearest rank (the smallest value that so many percent do not exceed). */
export function spansOf(values: readonly number[]): SpansView | undefined {
  if (values.length === 0) return undefined;
  return { count: values.length, medianMs: percentile(values, 0.5), p90Ms: percentile(values, 0.9) };
}

export function createRuleStatsRecords(db: Database) {
  function reviewsOf(rule: string): RuleStatsView["reviews"] {
    const counts = { right: 0, wrong: 0, unclear: 0 };
    for (const { is, n } of db.statement(REVIEWS).all(rule) as { is: Review["is"]; n: number }[]) counts[is] = n;
    return counts;
  }

  /** Of the days before `now`, by when the alerts began. The same work however many alerts there are, but for counting them. */
  function of(rule: string, now: number, days: number): RuleStatsView {
    const from = now - days * DAY_MS;
    const counts = { ...(db.statement(COUNTS).get(rule, from, now) as Counts) };
    const rows = db.statement(SPANS).all(rule, from, now, SAMPLE_MAX) as SpanRow[];
    const spans = (what: keyof SpanRow) =>
      spansOf(rows.map((row) => row[what]).filter((value) => value !== null && value >= 0) as number[]);
    const reviews = reviewsOf(rule);
    const judged = reviews.right + reviews.wrong;
    return {
      days,
      ...counts,
      alertsPerDay: Math.round((counts.alerts / days) * 1_000) / 1_000,
      reviews,
      precision: judged === 0 ? undefined : Math.round((reviews.right / judged) * 1_000) / 1_000,
      acknowledge: spans("acknowledge"),
      resolve: spans("resolve"),
    };
  }

  return { of };
}
