import type { Records } from "../records.ts";
import type { Database } from "./database.ts";

/**
 * What is due at a time of the clock, when the clock is set back: without this it would wait for as long as it was set
 * back, besides. What was due is due, and what was still to come is as far away as before. Quiet hours end when the clock
 * of the wall says so, and stay.
 */
const MOVED = (time: string) =>
  `CASE WHEN ${time} > $before THEN ${time} - ($before - $now) ELSE min(${time}, $now) END`;

const OUTBOX = `UPDATE outbox SET due_at = ${MOVED("due_at")}, first_due_at = min(first_due_at, $now)
  WHERE state = 'pending' AND due_at > $now AND (due_at <= $before OR refusals > 0 OR group_key IS NULL OR group_key NOT LIKE 'quiet %')`;
const ESCALATIONS = `UPDATE escalations SET due_at = ${MOVED("due_at")} WHERE due_at > $now`;
const field = (name: string) => `body ->> '$.${name}'`;
const clamped = (name: string) => `'$.${name}', min(${field(name)}, $now)`;
// `json_replace` leaves out what a row does not have.
const NOISE = `UPDATE noise SET due = CASE WHEN due > $now THEN ${MOVED("due")} ELSE due END, known = min(known, $now),
  body = json_replace(body, ${["firedKnownAt", "endedKnownAt", "saidAt"].map(clamped).join(", ")},
    '$.dueAt', ${MOVED(field("dueAt"))}, '$.holdUntil', ${MOVED(field("holdUntil"))})
  WHERE due > $now OR known > $now`;

export function createDueTimes(db: Database): Records["dueTimes"] {
  return {
    clockSetBack(before, now) {
      db.transaction(() => {
        for (const sql of [OUTBOX, ESCALATIONS, NOISE]) db.statement(sql).run({ $before: before, $now: now });
      });
    },
  };
}
