import type { Review } from "../../model/alert.ts";
import { type RuleStats, spansOf } from "../../model/rule-stats.ts";
import { DAY_MS } from "../../model/time.ts";
import type { RuleStatsRecords } from "../outbox-records.ts";
import type { Database } from "./database.ts";

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

export function createRuleStatsRecords(db: Database): RuleStatsRecords {
  function reviewsOf(rule: string): RuleStats["reviews"] {
    const counts = { right: 0, wrong: 0, unclear: 0 };
    for (const { is, n } of db.statement(REVIEWS).all(rule) as { is: Review["is"]; n: number }[]) counts[is] = n;
    return counts;
  }

  function of(rule: string, now: number, days: number): RuleStats {
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
