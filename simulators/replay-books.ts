import { setTimeout as wait } from "node:timers/promises";
import type { ServiceClient } from "../client/client.ts";
import type { LedgerView } from "../contract/ledger.ts";
import { type Patience, patiently } from "./patience.ts";

/** So often a question is asked again that the service did not answer, or answered with a fault of its own. */
const TRIES_MAX = 8;
const TRY_AGAIN_MS_MAX = 15_000;

/** One slow answer is no reason to end a replay of hours; nor does one that is to stop wait for a service that is away. */
export function patienceOf({ everyMs, signal }: Pick<Waiting, "everyMs" | "signal">): Patience {
  return { waitMs: (tries) => Math.min(everyMs * 2 ** tries, TRY_AGAIN_MS_MAX), triesMax: TRIES_MAX, signal };
}

/** What the service has booked for some sensors. */
export type Books = {
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly reasons: Readonly<Record<string, number>>;
  /** Quarantined of sensors that nobody has registered, which share one line: those of other senders are among them. */
  readonly ofNobody: Pick<Books, "quarantined" | "reasons">;
  /** Of the sensors asked for, those that have a line of their own. */
  readonly known: number;
  /** Of the whole service: its journal does not know sensors before it is opened. */
  readonly inJournal: number;
};

export async function readBooks(
  service: ServiceClient,
  sensors: ReadonlySet<string>,
  waiting: Pick<Waiting, "everyMs" | "signal">,
): Promise<Books> {
  const sum = { stored: 0, duplicate: 0, quarantined: 0 };
  const reasons: Record<string, number> = {};
  let ofNobody: Books["ofNobody"] = { quarantined: 0, reasons: {} };
  let [inJournal, known] = [0, 0];
  let cursor: string | undefined;
  do {
    const query = { by: "sensor", limit: 1000, cursor } as const;
    const page: LedgerView = await patiently(() => service.get("/ledger", query), patienceOf(waiting));
    inJournal = page.inJournal;
    cursor = page.next;
    for (const row of page.sensors ?? []) {
      if (row.sensorId === "") ofNobody = { quarantined: row.quarantined, reasons: row.reasons };
      if (!sensors.has(row.sensorId)) continue;
      known += 1;
      sum.stored += row.stored;
      sum.duplicate += row.duplicate;
      sum.quarantined += row.quarantined;
      for (const [reason, count] of Object.entries(row.reasons)) reasons[reason] = (reasons[reason] ?? 0) + count;
    }
  } while (cursor !== undefined);
  return { ...sum, reasons, ofNobody, known, inJournal };
}

type Reasons = Books["reasons"];

function reasonsBetween(before: Reasons, after: Reasons): Reasons {
  const reasons = Object.entries(after).map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const);
  return Object.fromEntries(reasons.filter(([, count]) => count !== 0));
}

function booksBetween(before: Books, after: Books): Books {
  return {
    stored: after.stored - before.stored,
    duplicate: after.duplicate - before.duplicate,
    quarantined: after.quarantined - before.quarantined,
    reasons: reasonsBetween(before.reasons, after.reasons),
    ofNobody: {
      quarantined: after.ofNobody.quarantined - before.ofNobody.quarantined,
      reasons: reasonsBetween(before.ofNobody.reasons, after.ofNobody.reasons),
    },
    known: before.known,
    inJournal: after.inJournal,
  };
}

/**
 * A sensor is registered by its first good reading; what is refused before that is booked under no sensor. It fills what
 * is missing, where sensors were new; never more, for others may send for sensors that nobody knows.
 */
function withOfNobody(books: Books, sensors: number, expected: number): Books {
  const { ofNobody, known } = books;
  const missing = expected - bookedIn(books);
  if (known >= sensors || missing <= 0 || ofNobody.quarantined <= 0) return books;
  const reasons = { ...books.reasons };
  // More than is missing: which of them are ours, the books do not say.
  const own = ofNobody.quarantined <= missing ? ofNobody.reasons : { "of sensors not registered": missing };
  for (const [reason, count] of Object.entries(own)) reasons[reason] = (reasons[reason] ?? 0) + count;
  return { ...books, quarantined: books.quarantined + Math.min(missing, ofNobody.quarantined), reasons };
}

export const bookedIn = (books: Books): number => books.stored + books.duplicate + books.quarantined;

export type Waiting = {
  /** Ask again after this long. */
  readonly everyMs: number;
  /** Give up when nothing has moved for this long. */
  readonly stallMs: number;
  readonly now: () => number;
  /** To stop: a service that is away is not waited for any longer. */
  readonly signal?: AbortSignal | undefined;
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
    const own = booksBetween(before, await readBooks(service, sensors, waiting));
    const books = withOfNobody(own, sensors.size, expected);
    const booked = bookedIn(books);
    waiting.onBooked?.(booked);
    if (bookedIn(own) >= expected) return books;
    const now = `${bookedIn(own)} ${own.ofNobody.quarantined} ${books.inJournal}`;
    // What others send for unknown sensors may come before ours: all is there when nothing moves.
    if (booked >= expected && now === seen) return books;
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
