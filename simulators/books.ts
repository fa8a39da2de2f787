import { setTimeout as wait } from "node:timers/promises";
import type { Query, ServiceClient } from "../client/client.ts";
import type { AlertView } from "../contract/alert.ts";
import type { LedgerView } from "../contract/ledger.ts";

/** What the service has booked for some sensors. */
export type Books = {
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly reasons: Readonly<Record<string, number>>;
  /** Of the whole service: its journal does not know sensors before it is opened. */
  readonly inJournal: number;
};

export async function readBooks(service: ServiceClient, sensors: ReadonlySet<string>): Promise<Books> {
  const sum = { stored: 0, duplicate: 0, quarantined: 0 };
  const reasons: Record<string, number> = {};
  let inJournal = 0;
  let cursor: string | undefined;
  do {
    const page: LedgerView = await service.get<LedgerView>("/api/v1/ledger", { by: "sensor", limit: 1000, cursor });
    inJournal = page.inJournal;
    cursor = page.next;
    for (const row of page.sensors ?? []) {
      if (!sensors.has(row.sensorId)) continue;
      sum.stored += row.stored;
      sum.duplicate += row.duplicate;
      sum.quarantined += row.quarantined;
      for (const [reason, count] of Object.entries(row.reasons)) reasons[reason] = (reasons[reason] ?? 0) + count;
    }
  } while (cursor !== undefined);
  return { ...sum, reasons, inJournal };
}

export function booksBetween(before: Books, after: Books): Books {
  const reasons = Object.entries(after.reasons)
    .map(([reason, count]) => [reason, count - (before.reasons[reason] ?? 0)] as const)
    .filter(([, count]) => count !== 0);
  return {
    stored: after.stored - before.stored,
    duplicate: after.duplicate - before.duplicate,
    quarantined: after.quarantined - before.quarantined,
    reasons: Object.fromEntries(reasons),
    inJournal: after.inJournal,
  };
}

export const bookedIn = (books: Books): number => books.stored + books.duplicate + books.quarantined;

export type Waiting = {
  /** Ask again after this long. */
  readonly everyMs: number;
  /** Give up when nothing has moved for this long. */
  readonly stallMs: number;
  readonly now: () => number;
  onBooked?(count: number): void;
};

/**
 * Asks until the service has booked `expected` more readings of these sensors than `before`, or until it has nothing left
 * to book, or until nothing moves any more (the store is away): the answer then says what is there.
 */
export async function waitUntilBooked(
  service: ServiceClient,
  sensors: ReadonlySet<string>,
  before: Books,
  expected: number,
  waiting: Waiting,
): Promise<Books> {
  let movedAt = waiting.now();
  let seen = "";
  let emptyTwice = false;
  for (;;) {
    const books = booksBetween(before, await readBooks(service, sensors));
    const booked = bookedIn(books);
    waiting.onBooked?.(booked);
    if (booked >= expected) return books;
    const now = `${booked} ${books.inJournal}`;
    // The journal may look empty between two questions while the last batch is on its way into the books.
    if (books.inJournal === 0 && now === seen) {
      if (emptyTwice) return books;
      emptyTwice = true;
    } else emptyTwice = false;
    if (now !== seen) movedAt = waiting.now();
    else if (waiting.now() - movedAt > waiting.stallMs) return books;
    seen = now;
    await wait(waiting.everyMs);
  }
}

const LAG = /^lamppost_consumer_lag_messages\{[^}]*consumer="alerts"[^}]*\}\s+(\S+)/m;

/** True when the rules have seen everything in the journal; undefined if the service does not say. */
export async function waitUntilRulesCaughtUp(service: ServiceClient, waiting: Waiting): Promise<boolean | undefined> {
  let movedAt = waiting.now();
  let seen = Number.POSITIVE_INFINITY;
  for (;;) {
    const found = LAG.exec(await service.text("/metrics"));
    if (!found) return undefined;
    const lag = Number(found[1]);
    if (lag === 0) return true;
    if (lag < seen) movedAt = waiting.now();
    else if (waiting.now() - movedAt > waiting.stallMs) return false;
    seen = Math.min(seen, lag);
    await wait(waiting.everyMs);
  }
}

/** The alerts of these sensors: rule by alert id. Asked by district, because a city has few of them. */
export async function alertsOf(
  service: ServiceClient,
  districts: readonly string[],
  sensors: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const district of districts) {
    const query: Query = { district, state: "firing,resolved", limit: 1000 };
    for (const alert of await service.all<AlertView>("/api/v1/alerts", query))
      if (alert.subject.sensorId !== undefined && sensors.has(alert.subject.sensorId))
        found.set(alert.id, alert.rule.id);
  }
  return found;
}
