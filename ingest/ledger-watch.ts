import { createHash } from "node:crypto";
import { saidOf, type Transition } from "../model/alert.ts";
import { type Figure, gauge, type Health } from "../model/health.ts";
import type { LedgerCheck } from "../model/ledger.ts";
import type { Log } from "../model/log.ts";
import { DAY_MS } from "../model/time.ts";
import type { Records } from "../store/records.ts";

export type WatchParts = {
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

export const LEDGER_RULE = "ledger-imbalance";
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
      evidence: [],
    };
    say(alert, at, "firing", explanation);
    open = alert;
    log.error({ reason: explanation }, "the books do not balance");
  }

  function end(alert: Open, at: number): void {
    const note = "Everything was counted again, and the books balance.";
    const ended = { ...alert, state: "resolved" as const, resolvedAt: at, explanation: `${alert.explanation} ${note}` };
    say(ended, at, "resolved", note);
    open = undefined;
    log.info({}, "the books balance again");
  }

  function say(alert: Open, at: number, what: "firing" | "resolved", note: string): void {
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
