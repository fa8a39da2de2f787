import { type Alert, NOTICES, type Notice, SEVERITIES, type Severity, type Transition } from "../../model/alert.ts";
import { byLabel, counter, type Figure, gauge, type Health } from "../../model/health.ts";
import { TOLD } from "../../model/incident.ts";
import type { Log } from "../../model/log.ts";
import type { Rule } from "../../model/rule.ts";
import type { Sentence } from "../../model/sentence.ts";
import { HOUR_MS } from "../../model/time.ts";
import type { NoiseRow } from "../../store/records/noise.ts";
import type { Records } from "../../store/records.ts";
import { createIncidents } from "../incidents/incidents.ts";
import type { PlacedSensor } from "../incidents/links.ts";
import { FLAPS, sayFirst } from "../says.ts";
import {
  calmAt,
  createJudge,
  entryOf,
  FLAPPING,
  type FlappingOptions,
  type Judge,
  type Suppression,
  seriesOf,
  traitsOf,
} from "./judge.ts";

type TellingParts = {
  readonly records: Pick<Records, "alerts" | "noise" | "incidents">;
  readonly judge: Judge;
  readonly flapping: FlappingOptions;
  readonly remindEveryMs: number;
  readonly enqueue: Enqueue;
};

/**
 * `besides`: whoever has heard of one of these alerts need not hear of this one, which is of the same cause. Answers false
 * where for that reason nobody heard.
 */
type Enqueue = (notice: Notice, besides: readonly string[]) => boolean | undefined;

/** Of one incident: those looked at again when it changes. */
const QUIET_MAX = 64;
/**
 * While others of its incident fire of which nobody was told because of it, people are not told that it is over: they would
 * think that all is well. For so long at most; then the others are told in their own names.
 */
const END_WAITS_MS = 30 * 60_000;

/**
 * Brings what people know of an alert in step with what is so: told if nothing keeps it from being told, its end if
 * people are owed one. Doing it twice changes nothing.
 */
function createTelling({ records, judge, flapping, remindEveryMs, enqueue }: TellingParts) {
  const { noise, incidents } = records;
  const counts = new Map<Notice["what"], number>(NOTICES.map((what) => [what, 0]));

  function decide(id: string, now: number): void {
    const row = noise.get(id);
    if (row) decideRow(row, now);
  }

  /** `row` as it is in the records. */
  function decideRow(row: NoiseRow, now: number): void {
    const next = row.open ? settleOpen(row, now) : settleEnded(row, now);
    if (differ(row, next)) noise.save(next, row);
  }

  function settleOpen(row: NoiseRow, now: number): NoiseRow {
    const cause = judge.cause(row, now);
    const marked = cause?.by === row.suppressedBy ? row : mark(row, cause, now);
    const said = cause ? tellFlapping(marked, cause, now) : say(marked, row.suppressedBy, now);
    return { ...said, dueAt: dueAt(said, cause, now) };
  }

  function mark(row: NoiseRow, cause: Suppression | undefined, now: number): NoiseRow {
    records.alerts.suppress(row.alert, cause?.by, entryOf(cause, now));
    // Where the cause is over, what it explained is mostly about to end, too.
    const lingers = row.suppressedBy?.startsWith("rule:");
    return { ...row, suppressedBy: cause?.by, holdUntil: lingers ? now + judge.holdMs(row.about) : row.holdUntil };
  }

  /** The first alert of a series that flaps is told as flapping; people are owed its end until the series is calm. */
  function tellFlapping(row: NoiseRow, { by }: Suppression, now: number): NoiseRow {
    const isNews = by === "flapping" && !isOwed(row) && noise.owed(row.series).length === 0;
    return isNews ? tell(row, "firing", now, FLAPS) : row;
  }

  function say(row: NoiseRow, formerly: string | undefined, now: number): NoiseRow {
    if (!isOwed(row)) {
      if (now < row.holdUntil) return row;
      for (const other of noise.owed(row.series)) if (!other.open) noise.save(tellEnd(other, now));
      return tell(row, "firing", now);
    }
    if (isWorse(row)) return tellRise(row, now);
    if (isForOthers(row) || isBare(row)) return tellOthers(row, now);
    if (formerly === "flapping") return tell(row, "reminder", now);
    if (row.saidAt !== undefined && now < row.saidAt + remindEveryMs) return row;
    const isOpen = records.alerts.get(row.alert)?.handling === "open";
    return isOpen && speaks(row) ? tell(row, "reminder", now) : { ...row, saidAt: now };
  }

  function settleEnded(row: NoiseRow, now: number): NoiseRow {
    if (!isOwed(row)) return { ...row, dueAt: undefined };
    const calm = row.suppressedBy === "flapping" ? calmAt(noise, row, flapping) : now;
    const waits = Math.max(calm, waitsForOthers(row, now));
    return waits > now ? { ...row, dueAt: waits } : tellEnd(row, now);
  }

  function tellEnd(row: NoiseRow, now: number): NoiseRow {
    const state = records.alerts.get(row.alert)?.state;
    const told = { ...tell(row, state === "resolved" ? "resolved" : "retracted", now), dueAt: undefined };
    handOver(row, now);
    return told;
  }

  /** Until when: `now` where none fires that is quiet because of it. */
  function waitsForOthers({ alert, endedKnownAt = 0 }: NoiseRow, now: number): number {
    const own = incidents.member(alert);
    if (!own?.incident || own.told !== TOLD.loud) return now;
    const isLast = incidents.quiet(own.incident, own.member.audience, 1).length === 0;
    return isLast ? now : endedKnownAt + END_WAITS_MS;
  }

  /** What was quiet because of it is told where nothing else stands for it. */
  function handOver({ alert }: NoiseRow, now: number): void {
    const own = incidents.member(alert);
    if (!own?.incident) return;
    for (const id of incidents.quiet(own.incident, own.member.audience, QUIET_MAX)) decide(id, now);
  }

  /** Nobody was told of it because of another, which stands for it no more. */
  function isBare({ alert }: NoiseRow): boolean {
    return incidents.member(alert)?.told === TOLD.quiet && incidents.coverOf(alert).length === 0;
  }

  /** One alert of an incident reminds of all of them. */
  function speaks({ alert }: NoiseRow): boolean {
    const own = incidents.member(alert);
    return !own?.incident || incidents.speaker(own.incident, own.member.audience) === alert;
  }

  /** The number makes the id of the notice: an alert that was taken back may fire again. */
  function tell(row: NoiseRow, what: Notice["what"], at: number, first?: Sentence): NoiseRow {
    const field = what === "firing" ? "told" : what === "reminder" ? "reminders" : "ended";
    const number = row[field] + 1;
    const alert = records.alerts.get(row.alert)!;
    const notice: Notice = {
      id: `${row.alert}-${what}-${number}`,
      at,
      what,
      alert: first ? sayFirst(alert, first) : alert,
    };
    if (what === "firing") tellFiring(notice);
    else enqueue(notice, []);
    if (field === "ended") incidents.setTold(row.alert, TOLD.no);
    counts.set(what, counts.get(what)! + 1);
    return { ...row, [field]: number, saidAt: at, ...(what === "firing" ? { toldAs: toldAs(row) } : {}) };
  }

  function tellFiring(notice: Notice): void {
    const { id } = notice.alert;
    const isHeard = enqueue(notice, incidents.coverOf(id)) !== false;
    incidents.setTold(id, isHeard ? TOLD.loud : TOLD.quiet);
  }

  /**
   * It became the crews' after it was told to the operators, or stands for itself now. The same id: whoever has heard of it
   * does not hear it again, and whoever hears of it now will hear of its end.
   */
  function tellOthers(row: NoiseRow, at: number): NoiseRow {
    const alert = records.alerts.get(row.alert)!;
    tellFiring({ id: `${row.alert}-firing-${row.told}`, at, what: "firing", alert });
    return { ...row, toldAs: toldAs(row, worstTold(row)) };
  }

  /** It is worse than it ever was: told once for each severity, however often it comes and goes. No fall is told. */
  function tellRise(row: NoiseRow, at: number): NoiseRow {
    const alert = records.alerts.get(row.alert)!;
    tellFiring({ id: `${row.alert}-firing-${row.told}-${alert.severity}`, at, what: "firing", alert });
    counts.set("firing", counts.get("firing")! + 1);
    return { ...row, saidAt: at, toldAs: toldAs(row) };
  }

  function dueAt(row: NoiseRow, cause: Suppression | undefined, now: number): number | undefined {
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

  return { decide, decideRow, figures };
}

function differ(a: NoiseRow, b: NoiseRow): boolean {
  return (Object.keys(b) as (keyof NoiseRow)[]).some((key) => a[key] !== b[key]);
}

const toldAs = ({ about }: NoiseRow, severity = about.severity) => `${about.audience} ${severity}`;
/** The worst that people were told of it. */
const worstTold = ({ about, toldAs: said }: NoiseRow) => (said?.split(" ")[1] ?? about.severity) as Severity;
const isWorse = (row: NoiseRow) => SEVERITIES.indexOf(row.about.severity) > SEVERITIES.indexOf(worstTold(row));
const isForOthers = (row: NoiseRow) => row.toldAs?.split(" ")[0] !== row.about.audience;
const isOwed = ({ told, ended }: NoiseRow) => told > ended;

export type NoiseOptions = {
  readonly records: Pick<Records, "alerts" | "silences" | "noise" | "incidents" | "events" | "transaction">;
  /** The rules in force; another array when they have changed. */
  readonly rules: () => readonly Rule[];
  /** The registry, from RAM. */
  readonly sensor: (id: string) => PlacedSensor | undefined;
  readonly now: () => number;
  /** Called within the transaction that records what is told: it must write there, too. */
  readonly enqueue: Enqueue;
  readonly log: Log;
  /** How long an alert that another rule may explain waits for it; up to five times as long for a quorum. */
  readonly holdMs?: number;
  readonly remindEveryMs?: number;
  readonly flapping?: FlappingOptions;
};

const HOLD_MS = 60_000;
/** docs/rules.md: what fires and nobody has acknowledged is told again after four hours. */
const REMIND_EVERY_MS = 4 * HOUR_MS;
/** Rows that are due, looked at in one tick: the rest in the next. */
const PAGE = 500;
const PAGES_MAX = 20;

type Batch = { readonly take: (alert: Alert) => void; readonly end: () => void };

/**
 * What is told of the alerts. Every decision and what was told before it are in the records, in the transaction of the
 * transitions: a firing that was told gets exactly one told end, whatever comes between, restarts included; one that was
 * not told gets none. Nothing is lost by keeping quiet: suppressed alerts are recorded, with what suppresses them.
 */
export function createNoise(options: NoiseOptions) {
  const { records, now, log, holdMs: shortHoldMs = HOLD_MS } = options;
  const { noise } = records;
  const flapping = options.flapping ?? FLAPPING;
  const judge = createJudge({ ...options, flapping, shortHoldMs });
  const telling = createTelling({
    ...options,
    judge,
    flapping,
    remindEveryMs: options.remindEveryMs ?? REMIND_EVERY_MS,
  });
  const gathering = createIncidents(options);
  let rulesSeen: readonly Rule[] | undefined;
  let silencesSeen: string | undefined;
  let problem: string | undefined;

  // Not from the rules, so nobody hands it to `apply`: alerts of the service about itself.
  records.events.onEvent((event) => {
    if (!("alert" in event)) return;
    const { alert } = event;
    if (alert.kind === "service" && isNews(alert)) records.transaction(() => notice([alert]));
  });

  function isNews({ id, state }: Alert): boolean {
    return (state === "firing") !== (noise.get(id)?.open ?? false);
  }

  /** In place of `records.alerts.apply`, within the same transaction. */
  function apply(transitions: readonly Transition[]): void {
    const at = now();
    const batch = createBatch(at);
    for (const one of transitions) {
      const transition = inItsMode(one);
      const { alert } = transition;
      // The end of what was told is told, also where the rule has become one on trial since.
      if (alert.mode !== undefined && !noise.get(alert.id)?.open) records.alerts.apply(transition);
      else applyLive(transition, batch, at);
    }
    batch.end();
  }

  /** What people were told of stays an alert of today; what began as history stays so, until it fires by a live reading. */
  function inItsMode(transition: Transition): Transition {
    const { alert, entry } = transition;
    const { mode, ...live } = alert;
    if (mode === "shadow" || (mode === undefined && entry.what === "firing")) return transition;
    const isTold = noise.get(alert.id) !== undefined;
    if (mode === "history") return isTold ? { alert: live, entry } : transition;
    const isHistory = !isTold && records.alerts.get(alert.id)?.mode === "history";
    return isHistory ? { alert: { ...alert, mode: "history" }, entry } : transition;
  }

  /** What is known to suppress a new alert is in its very first event, so that no page shows it as told for a moment. */
  function applyLive(transition: Transition, batch: Batch, at: number): void {
    const { alert, entry } = transition;
    const isNew = entry.what !== "verdict" && alert.state === "firing" && !noise.get(alert.id)?.open;
    const cause = isNew ? judge.suppressionOf(traitsOf(alert), at) : undefined;
    const applied = records.alerts.apply(transition, cause?.by);
    if (!applied) return;
    if (cause) records.alerts.suppress(alert.id, cause.by, entryOf(cause, at));
    batch.take(applied);
  }

  function notice(alerts: readonly Alert[]): void {
    const batch = createBatch(now());
    for (const alert of alerts) if (alert.mode === undefined) batch.take(alert);
    batch.end();
  }

  /**
   * What is told waits for the end of a batch: a cause that comes in the same batch as what it explains is in time. But
   * an alert that begins and ends in it is told nevertheless: how readings were cut into batches must not matter.
   */
  function createBatch(at: number): Batch {
    const waiting = new Set<string>();
    const fresh = new Set<string>();
    const gathered = gathering.open(at);

    function take(alert: Alert): void {
      const { id } = alert;
      const before = noise.get(id);
      const wasOpen = before?.open ?? false;
      if (alert.state === "firing") begin(alert, before, at);
      gathered.take(alert);
      if (alert.state !== "firing") {
        if (!wasOpen) return;
        end(alert, at, fresh.delete(id));
      }
      waiting.add(id);
      if (wasOpen === (alert.state === "firing")) return;
      if (!wasOpen) fresh.add(id);
      for (const child of judge.childrenOf(traitsOf(alert))) waiting.add(child);
    }

    return {
      take,
      end: () => {
        for (const changed of gathered.finish()) for (const id of awaiting(changed)) waiting.add(id);
        for (const id of worstFirst(waiting)) telling.decide(id, at);
      },
    };
  }

  /** Of an incident that changed: those whose end waits for others, and those that were quiet because of what has left. */
  function awaiting({ incident, isLess }: { incident: string; isLess: boolean }): readonly string[] {
    const { owedEnds, quiet } = records.incidents;
    return [...owedEnds(incident, QUIET_MAX), ...(isLess ? quiet(incident, undefined, QUIET_MAX) : [])];
  }

  /**
   * People hear of the worst of what comes together, and the others are of the same cause. What is over comes last: what
   * still fires may be quiet because of it, and it waits for that.
   */
  function worstFirst(ids: ReadonlySet<string>): readonly string[] {
    const rankOf = (row: NoiseRow | undefined) => (row?.open ? 1 + SEVERITIES.indexOf(row.about.severity) : 0);
    const rank = new Map([...ids].map((id) => [id, rankOf(noise.get(id))]));
    return [...ids].sort((a, b) => rank.get(b)! - rank.get(a)!);
  }

  function begin(alert: Alert, before: NoiseRow | undefined, at: number): void {
    const about = traitsOf(alert);
    const places = judge.branchesOf(about);
    if (before || places.length > 0) noise.place(alert.id, about.rule, places);
    if (before?.open) return noise.save({ ...before, about });
    const { id, startedAt, firedAt = startedAt, suppressedBy } = alert;
    const holdUntil = at + judge.holdMs(about);
    const { told, ended, reminders } = before ?? { told: 0, ended: 0, reminders: 0 };
    const counts = { told, ended, reminders, saidAt: before?.saidAt, toldAs: before?.toldAs };
    const times = { firedAt, firedKnownAt: at, holdUntil };
    noise.save({ alert: id, series: seriesOf(alert), about, open: true, ...times, suppressedBy, ...counts });
  }

  function end(alert: Alert, at: number, isUntold: boolean): void {
    if (isUntold) telling.decide(alert.id, at);
    noise.save({ ...noise.get(alert.id)!, open: false, endedAt: alert.resolvedAt ?? at, endedKnownAt: at });
    noise.place(alert.id, alert.rule.id, []);
  }

  /** Call it every few seconds: silences begin and end, holds run out, people are to be reminded. Never throws. */
  function tick(): void {
    try {
      const at = now();
      records.transaction(() => look(at));
      gathering.tick(at);
      if (problem !== undefined) log.info({}, "what is to be told of alerts is decided again");
      problem = undefined;
    } catch (error) {
      rulesSeen = undefined;
      if (problem === undefined)
        log.error({ err: error }, "what is to be told of alerts could not be decided; tried again");
      problem = error instanceof Error ? error.message : String(error);
    }
  }

  function look(at: number): void {
    const rules = options.rules();
    const silences = judge.silences(at);
    if (rules !== rulesSeen) {
      const alerts = noise.unnoticed().map((id) => records.alerts.get(id)!);
      if (rulesSeen === undefined) notice(alerts);
      for (const { alert, about } of noise.open()) noise.place(alert, about.rule, judge.branchesOf(about));
    }
    if (rules !== rulesSeen || silences !== silencesSeen) {
      for (const row of noise.open()) telling.decideRow(row, at);
    }
    rulesSeen = rules;
    silencesSeen = silences;
    for (let page = 0, full = true; full && page < PAGES_MAX; page++) {
      const due = noise.due(at, PAGE);
      for (const { alert } of due) telling.decide(alert, at);
      full = due.length === PAGE;
    }
  }

  function health(): Health[] {
    if (problem === undefined) return [];
    const reason = `What is to be told of alerts cannot be decided (${problem}). Check the disk of the data directory.`;
    return [{ part: "noise control", state: "failed", ready: false, reason }];
  }

  return { apply, tick, health, figures: (): readonly Figure[] => telling.figures() };
}
