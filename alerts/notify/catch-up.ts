import type { Notice } from "../../model/alert.ts";
import { TOLD } from "../../model/incident.ts";
import type { Log } from "../../model/log.ts";
import type { Target } from "../../model/target.ts";
import type { NoiseRow } from "../../store/records/noise.ts";
import type { Records } from "../../store/records.ts";
import type { Later } from "./lane.ts";
import { isAbout, isFor, isKeptQuiet } from "./routing.ts";

type CatchUpParts = {
  readonly records: Pick<
    Records,
    "targets" | "recipients" | "alerts" | "incidents" | "noise" | "events" | "transaction"
  >;
  readonly now: () => number;
  readonly later: Later;
  readonly log: Log;
  /** Puts a notice into the outbox of this target, with others of this key in one message. */
  readonly tell: (target: Target, notice: Notice, groupKey: string) => void;
};

/** Open alerts that are looked at in one piece. */
const PAGE = 100;
const BETWEEN_MS = 1;
const RETRY_MS = 5_000;
/** The longest wait of a timer: it looks again then. The clock may have been set meanwhile. */
const WAIT_MAX_MS = 60_000;

/**
 * Tells what is open to whoever has not heard of it: to a target that is new or was changed, and to one that was not told
 * because the alert was closed or kept quiet while its notice waited, once that is over. The recipients in the records
 * say who has heard of what, so that nobody is told twice, whatever comes between.
 */
export function createCatchUp({ records, now, later, log, tell }: CatchUpParts) {
  const { recipients, targets, alerts, incidents, noise, events } = records;
  /** Targets that are to hear of all that is open, and how far one has got with them. */
  const hearing = new Set<string>();
  let after = 0;
  /** Alerts to look at again, and when. */
  const due = new Map<string, number>();
  let callOff = () => {};
  let isRunning = false;

  events.onEvent((event) => {
    const { what } = event;
    if (!isRunning || !("alert" in event) || (what !== "released" && what !== "reopened")) return;
    due.set(event.alert.id, now());
    workIn(0);
  });

  function workIn(ms: number): void {
    callOff();
    if (isRunning) callOff = later(ms, work);
  }

  function work(): void {
    try {
      records.transaction(hearing.size > 0 ? lookOn : lookAgain);
    } catch (error) {
      log.error({ err: error }, "what is open could not be told to who has not heard of it; it is tried again");
      return workIn(RETRY_MS);
    }
    if (hearing.size > 0) return workIn(BETWEEN_MS);
    if (due.size === 0) return;
    const next = Math.min(...due.values());
    workIn(Math.min(WAIT_MAX_MS, Math.max(BETWEEN_MS, next - now())));
  }

  /** A page of all that is open, for those who are to hear of it. */
  function lookOn(): void {
    const page = noise.toldOpen(after, PAGE);
    const key = `open ${now()}`;
    for (const { noise: row } of page) look(row, hearing, key);
    if (page.length < PAGE) hearing.clear();
    else after = page.at(-1)!.row;
  }

  function lookAgain(): void {
    const ids = [...due].flatMap(([id, at]) => (at <= now() ? [id] : [])).slice(0, PAGE);
    const all = targets.list().map(({ id }) => id);
    const key = `open ${now()}`;
    for (const id of ids) {
      due.delete(id);
      const row = noise.get(id);
      if (row?.open) look(row, all, key);
    }
  }

  function look(row: NoiseRow, wanted: Iterable<string>, groupKey: string): void {
    const { alert: id, about, told, ended, holdUntil } = row;
    // What was not told to anybody is the noise control's.
    if (told <= ended || isKeptQuiet(row)) return;
    const has = new Set(recipients.ofBeginning(id));
    const missing = [...wanted].flatMap((one) => {
      const target = has.has(one) ? undefined : targets.get(one);
      return target && isAbout(target, about) ? [target] : [];
    });
    if (missing.length === 0) return;
    // What kept it quiet is over, and so is mostly what it explained, in a moment.
    if (holdUntil > now()) return void due.set(id, holdUntil);
    const alert = alerts.get(id);
    if (alert?.state !== "firing" || alert.handling === "closed") return;
    const at = now();
    const known = incidents.coverOf(id).flatMap((one) => alerts.get(one) ?? []);
    for (const target of missing) {
      // Whoever knows of its incident by another alert, or is about to hear of that one.
      if (!isFor(target, alert) || known.some((one) => isFor(target, one))) continue;
      tell(target, { id: `${id}-open-${at}`, at, what: "firing", alert }, groupKey);
      incidents.setTold(id, TOLD.loud);
    }
  }

  function hear(target: string): void {
    hearing.add(target);
    after = 0;
    workIn(0);
  }

  return {
    /** Any target may have missed something in the last life. */
    start(): void {
      isRunning = true;
      for (const { id } of targets.list()) hear(id);
    },
    hear,
    stop(): void {
      isRunning = false;
      callOff();
    },
  };
}
