import { byLabel, counter, type Figure, gauge } from "../../model/health.ts";
import { NOTICES, type Notice } from "../../model/notice.ts";
import type { NoiseRow, Records } from "../../store/records.ts";
import { calmAt, type FlappingOptions } from "./flapping.ts";
import { type Cause, entryOf, type Judge } from "./judge.ts";

type TellingParts = {
  readonly records: Pick<Records, "alerts" | "noise">;
  readonly judge: Judge;
  readonly flapping: FlappingOptions;
  readonly remindEveryMs: number;
  readonly enqueue: (notice: Notice) => void;
};

/**
 * Brings what people know of an alert in step with what is so: told if nothing keeps it from being told, its end if
 * people are owed one. Doing it twice changes nothing.
 */
export function createTelling({ records, judge, flapping, remindEveryMs, enqueue }: TellingParts) {
  const { noise } = records;
  const counts = new Map<Notice["what"], number>(NOTICES.map((what) => [what, 0]));

  function settle(id: string, now: number): void {
    const row = noise.get(id);
    if (row) settleRow(row, now);
  }

  /** `row` as it is in the records. */
  function settleRow(row: NoiseRow, now: number): void {
    const next = row.open ? settleOpen(row, now) : settleEnded(row, now);
    if (differ(row, next)) noise.save(next, row);
  }

  function settleOpen(row: NoiseRow, now: number): NoiseRow {
    const cause = judge.cause(row, now);
    const marked = cause?.by === row.suppressedBy ? row : mark(row, cause, now);
    const said = cause ? tellFlapping(marked, cause, now) : say(marked, row.suppressedBy, now);
    return { ...said, dueAt: dueAt(said, cause, now) };
  }

  function mark(row: NoiseRow, cause: Cause | undefined, now: number): NoiseRow {
    records.alerts.suppress(row.alert, cause?.by, entryOf(cause, now));
    // Where the cause is over, what it explained is mostly about to end, too.
    const lingers = row.suppressedBy?.startsWith("rule:");
    return { ...row, suppressedBy: cause?.by, holdUntil: lingers ? now + judge.holdMs(row.about) : row.holdUntil };
  }

  /** The first alert of a series that flaps is told as flapping; people are owed its end until the series is calm. */
  function tellFlapping(row: NoiseRow, { by }: Cause, now: number): NoiseRow {
    const isNews = by === "flapping" && !isOwed(row) && noise.owed(row.series).length === 0;
    return isNews ? tell(row, "firing", now, `${FLAPS} `) : row;
  }

  function say(row: NoiseRow, formerly: string | undefined, now: number): NoiseRow {
    if (!isOwed(row)) {
      if (now < row.holdUntil) return row;
      for (const other of noise.owed(row.series)) if (!other.open) noise.save(tellEnd(other, now));
      return tell(row, "firing", now);
    }
    if (row.toldAs !== toldAs(row)) return tellOthers(row, now);
    if (formerly === "flapping") return tell(row, "reminder", now);
    if (row.saidAt !== undefined && now < row.saidAt + remindEveryMs) return row;
    const isOpen = records.alerts.get(row.alert)?.handling === "open";
    return isOpen ? tell(row, "reminder", now) : { ...row, saidAt: now };
  }

  function settleEnded(row: NoiseRow, now: number): NoiseRow {
    if (!isOwed(row)) return { ...row, dueAt: undefined };
    const calm = row.suppressedBy === "flapping" ? calmAt(noise, row, flapping) : now;
    return calm > now ? { ...row, dueAt: calm } : tellEnd(row, now);
  }

  function tellEnd(row: NoiseRow, now: number): NoiseRow {
    const state = records.alerts.get(row.alert)?.state;
    return { ...tell(row, state === "resolved" ? "resolved" : "retracted", now), dueAt: undefined };
  }

  /** The number makes the id of the notice: an alert that was taken back may fire again. */
  function tell(row: NoiseRow, what: Notice["what"], at: number, first = ""): NoiseRow {
    const field = what === "firing" ? "told" : what === "reminder" ? "reminders" : "ended";
    const number = row[field] + 1;
    const alert = records.alerts.get(row.alert)!;
    const told = { ...alert, explanation: `${first}${alert.explanation}` };
    enqueue({ id: `${row.alert}-${what}-${number}`, at, what, alert: told });
    counts.set(what, counts.get(what)! + 1);
    return { ...row, [field]: number, saidAt: at, ...(what === "firing" ? { toldAs: toldAs(row) } : {}) };
  }

  /**
   * It became the crews' after it was told to the operators, or critical. The same id: whoever has heard of it does not
   * hear it again, and whoever hears of it now will hear of its end.
   */
  function tellOthers(row: NoiseRow, at: number): NoiseRow {
    const alert = records.alerts.get(row.alert)!;
    enqueue({ id: `${row.alert}-firing-${row.told}`, at, what: "firing", alert });
    return { ...row, toldAs: toldAs(row) };
  }

  function dueAt(row: NoiseRow, cause: Cause | undefined, now: number): number | undefined {
    if (cause) return cause.until;
    return isOwed(row) ? (row.saidAt ?? now) + remindEveryMs : row.holdUntil;
  }

  function figures(): Figure[] {
    const { suppressed, held } = noise.counts();
    const by = { silence: 0, maintenance: 0, rule: 0, flapping: 0, ...Object.fromEntries(suppressed) };
    return [
      ...byLabel(gauge, "lamppost_alerts_suppressed", "Firing alerts kept from being told, by what.", "by", by),
      gauge("lamppost_alerts_held", "Firing alerts that wait a moment for one that explains them.", held),
      ...byLabel(
        counter,
        "lamppost_notices_total",
        "Notices of alerts handed to the notifications.",
        "what",
        Object.fromEntries(counts),
      ),
    ];
  }

  return { settle, settleRow, figures };
}

/** Before what the alert says of itself, in the one notice about it. */
const FLAPS = "It flaps: it comes and goes, and is told again once it is calm.";

function differ(a: NoiseRow, b: NoiseRow): boolean {
  return (Object.keys(b) as (keyof NoiseRow)[]).some((key) => a[key] !== b[key]);
}

const toldAs = ({ about }: NoiseRow) => `${about.audience} ${about.severity}`;
const isOwed = ({ told, ended }: NoiseRow) => told > ended;
