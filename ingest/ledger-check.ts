import { createHash } from "node:crypto";
import { setImmediate as immediate } from "node:timers/promises";
import type { LedgerCheck, LedgerDifference, LedgerRecount } from "../contract/ledger.ts";
import { SERVICE_RULES, saidOf, type Transition } from "../model/alert.ts";
import { type Figure, gauge, type Health } from "../model/health.ts";
import { KINDS } from "../model/kinds.ts";
import type { LedgerFigure } from "../model/ledger.ts";
import type { Log } from "../model/log.ts";
import { REASON_NAMES } from "../model/rejection.ts";
import { asText, say, withSentences } from "../model/sentence.ts";
import { DAY_MS } from "../model/time.ts";
import { type ReadingStore, StoreError } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";

type CheckParts = {
  readonly records: Pick<Records, "removals"> & {
    readonly storeState?: Pick<Records["storeState"], "days" | "counts">;
    readonly ledger: Pick<Records["ledger"], "bySensor" | "mistakes" | "days">;
    readonly quarantine: Pick<Records["quarantine"], "countBySensor">;
  };
  readonly store: Pick<ReadingStore, "countBySensor"> & Partial<Pick<ReadingStore, "countByDay" | "limits">>;
  /** Everything before this number of the journal is booked. */
  offset(): number;
  /** Everything before this number is committed to the journal. */
  end(): number;
  readonly now: () => number;
};

type Counts = ReadonlyMap<string, number>;

const DIFFERENCES_MAX = 1_000;
const TRIES = 5;

/**
 * Counts again what is really there and compares it with the books, sensor by sensor. Right under load without stopping
 * anything: a stored reading carries the number of its message, everything before the booked offset is in the store for
 * good, and what the store has beyond it is not counted. Only retention changes the past: then it is done again. Ends
 * when `signal` aborts, with its reason.
 */
export async function checkLedger(parts: CheckParts, signal?: AbortSignal): Promise<LedgerCheck> {
  const mistakes = await findMistakes(parts, signal);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const books = readBooks(parts);
    const rows = await parts.store.countBySensor({ seqBefore: books.seqBefore, ...(signal && { signal }) });
    const gone = await goneByServer(parts, books, rows);
    if (removalsNow(parts) === books.removals) return compare({ ...books, gone }, mistakes, rows, parts.now());
  }
  throw new StoreError("unavailable", "retention is at work: the readings cannot be counted just now");
}

/** A day at a time, each of one moment: a year of a thousand sensors takes a second, and others want to be served. */
async function findMistakes({ records }: CheckParts, signal?: AbortSignal): Promise<LedgerDifference[]> {
  const mistakes: LedgerDifference[] = [];
  for (const day of records.ledger.days()) {
    mistakes.push(...records.ledger.mistakes(day, DIFFERENCES_MAX));
    await immediate();
    signal?.throwIfAborted();
  }
  return mistakes;
}

/**
 * Readings that the server has removed by itself, by sensor: a bucket's own retention goes by the time measured, and nobody
 * tells us. If all that was measured since is there, what a sensor lacks is older.
 */
async function goneByServer(
  { records, store, now }: CheckParts,
  { stored, readingsRemoved }: Pick<ReturnType<typeof readBooks>, "stored" | "readingsRemoved">,
  rows: Counts,
): Promise<Counts> {
  const gone = new Map<string, number>();
  const { storeState } = records;
  for (const [sensorId, n] of stored) {
    const less = n - (readingsRemoved.get(sensorId) ?? 0) - (rows.get(sensorId) ?? 0);
    if (less > 0) gone.set(sensorId, less);
  }
  if (gone.size === 0 || !storeState || !store.countByDay) return new Map();
  const keepsMs = (await store.limits?.ask())?.keepsMs;
  if (keepsMs === undefined) return new Map();
  // A day's margin is for the clocks.
  const from = Math.ceil((now() - keepsMs + DAY_MS) / DAY_MS) * DAY_MS;
  const days = storeState.days().filter((day) => day >= from);
  if (days.length === 0) return gone;
  for (const kind of KINDS) {
    const booked = new Map<string, number>();
    for (const day of days) for (const [sensorId, n] of storeState.counts(kind, day)) add(booked, sensorId, n);
    const found = await store.countByDay(kind, from, Math.max(...days) + DAY_MS);
    for (const [sensorId, n] of booked) {
      const there = found.get(sensorId)?.values() ?? [];
      if (Iterator.from(there).reduce((sum, one) => sum + one, 0) < n) gone.delete(sensorId);
    }
  }
  return gone;
}

/** All of one moment: nothing is awaited in between. */
function readBooks({ records, offset, end }: CheckParts) {
  const [stored, quarantined] = [new Map<string, number>(), new Map<string, number>()];
  for (const { sensorId, outcomes } of records.ledger.bySensor()) {
    stored.set(sensorId, outcomes.get("stored") ?? 0);
    quarantined.set(sensorId, sumReasons(outcomes));
  }
  const planned = new Map<string, number>();
  for (const { counts } of records.removals.plans()) for (const [sensorId, n] of counts) add(planned, sensorId, n);
  return {
    seqBefore: offset(),
    removals: removalsNow({ records }),
    stored,
    readingsRemoved: records.removals.counts("readings"),
    /** May be gone already or not. */
    planned: planned as Counts,
    quarantined,
    quarantineRemoved: records.removals.counts("quarantined"),
    inQuarantine: records.quarantine.countBySensor(),
    end: end(),
  };
}

function compare(
  books: ReturnType<typeof readBooks> & { readonly gone: Counts },
  mistakes: readonly LedgerDifference[],
  rows: Counts,
  at: number,
): LedgerCheck {
  const { seqBefore, end } = books;
  const differences = [
    ...mistakes,
    ...(seqBefore > end ? [{ what: "journal" as const, booked: seqBefore - 1, found: end - 1 }] : []),
    ...differ("readings", books.stored, union(books.readingsRemoved, books.gone), rows, books.planned),
    ...differ("quarantine", books.quarantined, books.quarantineRemoved, books.inQuarantine, new Map()),
  ];
  return {
    ok: differences.length === 0,
    at,
    seqBefore: books.seqBefore,
    readings: {
      ...recount(books.stored, books.readingsRemoved, rows),
      ...(books.gone.size > 0 && { removedByStore: sum(books.gone) }),
    },
    quarantine: recount(books.quarantined, books.quarantineRemoved, books.inQuarantine),
    differences: differences.slice(0, DIFFERENCES_MAX),
    differing: differences.length,
  };
}

function differ(
  what: "readings" | "quarantine",
  booked: Counts,
  removed: Counts,
  rows: Counts,
  planned: Counts,
): LedgerDifference[] {
  const sensors = new Set([...booked.keys(), ...removed.keys(), ...rows.keys()]);
  return [...sensors].sort().flatMap((sensorId) => {
    const due = (booked.get(sensorId) ?? 0) - (removed.get(sensorId) ?? 0);
    const found = rows.get(sensorId) ?? 0;
    const isRight = found <= due && found >= due - (planned.get(sensorId) ?? 0);
    return isRight ? [] : [{ what, sensorId, booked: due, found }];
  });
}

const recount = (booked: Counts, removed: Counts, found: Counts): LedgerRecount => ({
  booked: sum(booked),
  removed: sum(removed),
  found: sum(found),
});

function removalsNow({ records: { removals } }: Pick<CheckParts, "records">): string {
  const plans = removals.plans().map(({ kind, before }) => `${kind} ${before}`);
  return `${sum(removals.counts("readings"))} ${plans.join()}`;
}

function sumReasons(outcomes: ReadonlyMap<LedgerFigure, number>): number {
  return REASON_NAMES.reduce((total, reason) => total + (outcomes.get(reason) ?? 0), 0);
}

function add(counts: Map<string, number>, key: string, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n);
}

function union(a: Counts, b: Counts): Counts {
  const all = new Map(a);
  for (const [key, n] of b) add(all, key, n);
  return all;
}

function sum(counts: Counts): number {
  let total = 0;
  for (const n of counts.values()) total += n;
  return total;
}

type WatchParts = {
  readonly records: Pick<Records, "transaction"> & {
    readonly ledger: Pick<Records["ledger"], "imbalance">;
    readonly alerts: Pick<Records["alerts"], "apply" | "list">;
    readonly audit: Pick<Records["audit"], "add">;
  };
  /** Counts everything again, unless `signal` aborts. */
  check(signal: AbortSignal): Promise<LedgerCheck>;
  readonly now: () => number;
  readonly log: Log;
};

export const [, LEDGER_RULE] = SERVICE_RULES;
/** How often `tick` should be called. */
export const LEDGER_TICK_MS = 10_000;
const CHECK_EVERY_MS = DAY_MS;
const CHECK_AGAIN_EVERY_MS = 10 * 60_000;

type Open = Transition["alert"];

/**
 * Looks after the books: the identity at every tick, everything once a day and whenever somebody asks. What is wrong is
 * in the health, in a figure, in the audit and in an alert, which ends when a count of everything has found all right.
 */
export function createLedgerWatch({ records, check, now, log }: WatchParts) {
  let open = findOpen(records);
  let imbalance = 0;
  let failing = false;
  let found: LedgerCheck | undefined;
  // An alert of the life before is looked into at once; else the first count can wait.
  let checkedAt = open ? Number.NEGATIVE_INFINITY : now();
  let checking: { readonly result: Promise<LedgerCheck>; readonly end: AbortController; waiting: number } | undefined;

  /**
   * One count at a time: who asks while one is under way gets its answer. It ends when all who asked have left (`signal`);
   * without a signal one waits to the end.
   */
  async function verify(signal?: AbortSignal): Promise<LedgerCheck> {
    signal?.throwIfAborted();
    const count = checking ?? begin();
    count.waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = () => {
      count.waiting -= 1;
      if (count.waiting === 0) {
        if (checking === count) checking = undefined;
        count.end.abort(signal?.reason);
      }
      left.reject(signal?.reason);
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([count.result, left.promise]);
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  function begin() {
    const end = new AbortController();
    const result = check(end.signal).then((outcome) => {
      found = outcome;
      settle();
      return outcome;
    });
    const count = { result, end, waiting: 0 };
    const over = () => {
      if (checking === count) checking = undefined;
      if (!end.signal.aborted) checkedAt = now();
    };
    result.then(over, over);
    checking = count;
    return count;
  }

  function tick(): void {
    settle();
    const every = open ? CHECK_AGAIN_EVERY_MS : CHECK_EVERY_MS;
    if (checking || Math.abs(now() - checkedAt) < every) return;
    verify().catch((error: unknown) => log.warn({ reason: String(error) }, "the books could not be counted again"));
  }

  /** Says what is new; what the records do not take now is said at the next tick. */
  function settle(): void {
    try {
      imbalance = records.ledger.imbalance();
      const reason = reasonNow();
      if (reason !== undefined && !open) raise(reason);
      else if (reason === undefined && open && found && found.at >= open.startedAt) end(open, found.at);
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ reason: String(error) }, "the books could not be looked after; tried again");
      failing = true;
    }
  }

  function reasonNow(): string | undefined {
    if (imbalance > 0) return `${imbalance} items of the ledger were received and have no outcome, or two.`;
    return found && !found.ok ? explainCheck(found) : undefined;
  }

  function raise(explanation: string): void {
    const at = now();
    const alert: Open = {
      id: alertId(at),
      rule: { id: LEDGER_RULE, version: "1", title: "The books do not balance", source: "Lamppost's own promise" },
      subject: {},
      kind: "service",
      severity: "critical",
      audience: "operators",
      state: "firing",
      startedAt: at,
      firedAt: at,
      explanation: `${explanation} Run "lamppost ledger --verify" and keep the data folder as it is.`,
      says: {
        title: say("books.title", {}),
        explanation: [say("text", { text: asText(explanation) })],
        advice: say("books.advice", {}),
      },
      evidence: [],
    };
    tell(alert, at, "firing", explanation);
    open = alert;
    log.error({ reason: explanation }, "the books do not balance");
  }

  function end(alert: Open, at: number): void {
    const note = "Everything was counted again, and the books balance.";
    const { says, explanation } = alert;
    const told = says && { ...says, explanation: withSentences(says.explanation, say("books.balance", {})) };
    const ended = { ...alert, explanation: `${explanation} ${note}`, ...(told && { says: told }) };
    tell({ ...ended, state: "resolved", resolvedAt: at }, at, "resolved", note);
    open = undefined;
    log.info({}, "the books balance again");
  }

  function tell(alert: Open, at: number, what: "firing" | "resolved", note: string): void {
    records.transaction(() => {
      records.alerts.apply({ alert, entry: { at, knownAt: now(), what, note } });
      const told = what === "firing" ? "ledger.imbalance" : "ledger.balanced";
      records.audit.add({ at: now(), by: "lamppost", what: told, target: alert.id, detail: note });
    });
  }

  function health(): Health {
    const reason = reasonNow() ?? (open && "The books did not balance and have not been counted again since.");
    if (reason === undefined) return { part: "ledger", state: "ok", ready: true };
    return { part: "ledger", state: "degraded", ready: true, reason };
  }

  function figures(): Figure[] {
    const help = "Items without exactly one outcome, and rows the last count found missing or too many.";
    const value = imbalance + (found ? sizeOf(found) : 0);
    return [gauge("lamppost_ledger_imbalance", help, value)];
  }

  return { verify, tick, health, figures };
}

function findOpen(records: WatchParts["records"]): Open | undefined {
  const [alert] = records.alerts.list({ rule: LEDGER_RULE, state: ["firing"] }, 1).items;
  return alert && saidOf(alert);
}

function sizeOf({ differences }: LedgerCheck): number {
  return differences.reduce((sum, { booked, found }) => sum + Math.abs(booked - found), 0);
}

function explainCheck({ differences, differing }: LedgerCheck): string {
  const { what, sensorId, day, booked, found } = differences[0]!;
  const whose = [sensorId && `of ${sensorId}`, day && `of ${day}`].filter(Boolean).join(" ");
  const first = `${what}${whose && ` ${whose}`}: ${booked} in the books, ${found} found`;
  return `A count of everything found ${differing} ${differing === 1 ? "difference" : "differences"}; the first: ${first}.`;
}

function alertId(startedAt: number): string {
  const hash = createHash("sha256").update(`${LEDGER_RULE}\n\n${startedAt}`).digest("hex");
  return `al-${hash.slice(0, 16)}`;
}
