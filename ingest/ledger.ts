import type { LedgerSums, WholeLedger } from "../contract/ledger.ts";
import { type LedgerFigure, type LedgerQuery, noValues, VALUE_OUTCOMES } from "../model/ledger.ts";
import type { Log } from "../model/log.ts";
import type { Message } from "../model/message.ts";
import { REASON_NAMES } from "../model/rejection.ts";
import { dateOf } from "../model/time.ts";
import { parseSensorTopic } from "../model/topics.ts";
import { type ReadingStore, StoreError } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import type { JournalReader } from "./journal/journal.ts";
import { checkLedger, createLedgerWatch } from "./ledger-check.ts";
import { traceReading } from "./ledger-trace.ts";

type LedgerServiceParts = {
  readonly records: Pick<Records, "ledger" | "removals" | "quarantine" | "alerts" | "audit" | "transaction"> &
    Partial<Pick<Records, "storeState" | "edits">>;
  readonly store: Pick<ReadingStore, "name" | "find" | "countBySensor"> &
    Partial<Pick<ReadingStore, "countByDay" | "limits">>;
  /** Messages committed to the journal and not booked yet. */
  pendingMessages(): number;
  /** Everything before this number of the journal is booked. */
  offset(): number;
  openReader(): JournalReader;
  /** False while a lost store is being filled again: what is missing then is on its way. */
  isWhole?(): boolean;
  readonly rawDays: number;
  readonly now: () => number;
  readonly log: Log;
};

/** All that can be asked of the books, and who looks after them. Call `tick` every `LEDGER_TICK_MS`. */
export function createLedgerService(parts: LedgerServiceParts) {
  const { records, offset } = parts;
  const reader = parts.openReader();
  const end = () => offset() + parts.pendingMessages();
  async function check(signal: AbortSignal) {
    if (parts.isWhole?.() === false) throw new StoreError("unavailable", "the reading store is being filled again");
    return checkLedger({ ...parts, end }, signal);
  }
  const watch = createLedgerWatch({ ...parts, check });
  return {
    read: createLedger({ ...parts, ledger: records.ledger, reader, end }),
    verify: watch.verify,
    trace: (sensorId: string, measuredAt: number, signal?: AbortSignal) =>
      traceReading(
        { ...parts, quarantine: records.quarantine, ...(records.edits && { edits: records.edits }), end },
        sensorId,
        measuredAt,
        signal,
      ),
    tick: watch.tick,
    health: watch.health,
    figures: watch.figures,
    close: () => reader.close(),
  };
}

type LedgerParts = {
  readonly ledger: Pick<Records["ledger"], "totals" | "byDay" | "bySensor">;
  /** Everything before this number of the journal is booked. */
  offset(): number;
  /** Everything before this number is committed to the journal. */
  end(): number;
  /** A reader of its own. */
  readonly reader: Pick<JournalReader, "read">;
  readonly now: () => number;
  /** The most messages looked at to say whose they are (200,000). */
  readonly pendingMessagesMax?: number;
};

const DAYS_SHOWN = 31;
const NOTHING: ReadonlyMap<LedgerFigure, number> = new Map();

/**
 * The books as the contract shows them, at one moment: what is booked, and what is committed to the journal and not
 * booked yet, each message in the one or the other. Answers include everything that was acknowledged before the question.
 */
export function createLedger(parts: LedgerParts) {
  const { ledger } = parts;
  const index = createPendingIndex(parts.reader, { now: parts.now, messagesMax: parts.pendingMessagesMax });

  return async function read(query: LedgerQuery = {}): Promise<WholeLedger> {
    const committed = parts.end();
    const covered = await index.cover(parts.offset(), committed);
    // From here on nothing is awaited: books and offset are those of one moment.
    const offset = parts.offset();
    const end = Math.max(committed, offset);
    const waiting: Pending = covered ? index.tally(offset, end) : new Map();
    const filtered = query.day !== undefined || query.sensorId !== undefined;
    const inJournal = filtered ? count(waiting, query) : end - offset;
    const { day, sensorId } = query;
    const outcomes = ledger.totals({ day, ...(sensorId === undefined ? {} : { sensors: [sensorId] }) });
    return {
      ...sumLedger(outcomes, inJournal),
      scope: covered ? "all" : "settled",
      days: daysOf(ledger, waiting, query),
      ...(query.bySensor ? { sensors: sensorsOf(ledger, waiting, day) } : {}),
    };
  };
}

/** What was booked and what waits, as sums that balance unless an item was opened and has no outcome, or two. */
function sumLedger(outcomes: ReadonlyMap<LedgerFigure, number>, inJournal: number): LedgerSums {
  const count = (outcome: LedgerFigure) => outcomes.get(outcome) ?? 0;
  const reasons: Record<string, number> = {};
  let quarantined = 0;
  for (const reason of REASON_NAMES) {
    if (count(reason) !== 0) reasons[reason] = count(reason);
    quarantined += count(reason);
  }
  const [stored, duplicate, shed, lost] = [count("stored"), count("duplicate"), count("shed"), count("lost")];
  const received = count("received") + shed + lost + inJournal;
  const balanced = received === stored + duplicate + quarantined + shed + lost + inJournal;
  const values = noValues();
  for (const name of VALUE_OUTCOMES) values[name] = count(`values.${name}`);
  return { received, stored, duplicate, quarantined, shed, lost, inJournal, balanced, reasons, values };
}

/** The same without a look into the journal: days show what is settled. */
export function readLedger(parts: {
  readonly ledger: Pick<Records["ledger"], "totals" | "byDay">;
  pendingMessages(): number;
}): WholeLedger {
  const days = parts.ledger.byDay(DAYS_SHOWN).map(({ day, outcomes }) => ({ day, ...sumLedger(outcomes, 0) }));
  return { ...sumLedger(parts.ledger.totals(), parts.pendingMessages()), scope: "settled", days };
}

function daysOf(ledger: LedgerParts["ledger"], waiting: Pending, query: LedgerQuery): WholeLedger["days"] {
  const { day, sensorId } = query;
  const booked = new Map<string, ReadonlyMap<LedgerFigure, number>>();
  if (day !== undefined) {
    booked.set(day, ledger.totals({ day, ...(sensorId === undefined ? {} : { sensors: [sensorId] }) }));
  } else {
    for (const one of ledger.byDay(DAYS_SHOWN, sensorId)) booked.set(one.day, one.outcomes);
    // What waits may be the first of its day; what is older than all days shown is left out like them.
    const oldest = booked.size < DAYS_SHOWN ? "" : [...booked.keys()].at(-1)!;
    for (const one of waiting.keys()) {
      if (one > oldest && !booked.has(one) && count(waiting, { day: one, sensorId }) > 0) booked.set(one, NOTHING);
    }
  }
  return [...booked]
    .map(([one, outcomes]) => ({ day: one, ...sumLedger(outcomes, count(waiting, { day: one, sensorId })) }))
    .sort((a, b) => (a.day < b.day ? 1 : -1));
}

function sensorsOf(ledger: LedgerParts["ledger"], waiting: Pending, day: string | undefined) {
  const booked = new Map(ledger.bySensor(day).map(({ sensorId, outcomes }) => [sensorId, outcomes]));
  const pending = new Map<string, number>();
  for (const [one, sensors] of waiting) {
    if (day !== undefined && one !== day) continue;
    for (const [sensorId, n] of sensors) pending.set(sensorId, (pending.get(sensorId) ?? 0) + n);
  }
  const ids = new Set([...booked.keys(), ...pending.keys()]);
  return Array.from(ids, (sensorId): LedgerSums & { sensorId: string } => {
    return { sensorId, ...sumLedger(booked.get(sensorId) ?? NOTHING, pending.get(sensorId) ?? 0) };
  });
}

function count(waiting: Pending, { day, sensorId }: LedgerQuery): number {
  let sum = 0;
  for (const [one, sensors] of waiting) {
    if (day !== undefined && one !== day) continue;
    if (sensorId !== undefined) sum += sensors.get(sensorId) ?? 0;
    else for (const n of sensors.values()) sum += n;
  }
  return sum;
}

/** Messages that wait, by day of receipt and sensor ("" where the topic has none). */
type Pending = ReadonlyMap<string, ReadonlyMap<string, number>>;

type Group = { readonly day: string; readonly sensorId: string };

const MESSAGES_MAX = 200_000;
/** Looked at in one go, while others wait. */
const READ_BYTES_MAX = 256 * 1024;

/**
 * Whose the messages are that wait in the journal: one look at each, in the files, and only when somebody asks; what was
 * looked at is remembered while it waits. The reader should be nobody else's: it goes on where it was.
 */
export function createPendingIndex(
  reader: Pick<JournalReader, "read">,
  options: { readonly now: () => number; readonly messagesMax?: number },
) {
  const messagesMax = options.messagesMax ?? MESSAGES_MAX;
  const groups = new Map<string, Group>();
  let first = 1;
  let known: Group[] = [];
  let turn: Promise<unknown> = Promise.resolve();

  function groupOf(day: string, sensorId: string): Group {
    const key = `${day} ${sensorId}`;
    const group = groups.get(key) ?? { day, sensorId };
    groups.set(key, group);
    return group;
  }

  async function look(offset: number, end: number): Promise<boolean> {
    if (offset >= first + known.length) known = [];
    else known = known.slice(Math.max(0, offset - first));
    first = offset > first || known.length === 0 ? offset : first;
    if (known.length === 0) groups.clear();
    if (end - offset > messagesMax) return false;
    for (let next = first + known.length; next < end; next = first + known.length) {
      const { to, messages } = await reader.read(next, end, READ_BYTES_MAX);
      for (const message of messages) {
        skipTo(message.seq, message.receivedAt);
        known.push(groupOf(dateOf(message.receivedAt), sensorOf(message)));
      }
      skipTo(to, messages.at(-1)?.receivedAt ?? options.now());
    }
    return true;
  }

  /** Numbers that cannot be read (any more) count as messages of no sensor, as the store writer will book them. */
  function skipTo(seq: number, receivedAt: number): void {
    while (first + known.length < seq) known.push(groupOf(dateOf(receivedAt), ""));
  }

  return {
    /** Looks at messages `offset` … `end - 1`. False if they are too many: then nothing is known of them. */
    cover(offset: number, end: number): Promise<boolean> {
      const result = turn.then(() => look(offset, end));
      turn = result.catch(() => {});
      return result;
    },
    /** Of messages `offset` … `end - 1`, which must have been covered. */
    tally(offset: number, end: number): Pending {
      const counts = new Map<Group, number>();
      for (let at = Math.max(0, offset - first); at < end - first; at += 1) {
        const group = known[at]!;
        counts.set(group, (counts.get(group) ?? 0) + 1);
      }
      const days = new Map<string, Map<string, number>>();
      for (const [{ day, sensorId }, count] of counts) {
        const sensors = days.get(day) ?? new Map();
        days.set(day, sensors.set(sensorId, count));
      }
      return days;
    },
  };
}

/** The sensor that the books will name when the message is opened. */
function sensorOf({ topic }: Pick<Message, "topic">): string {
  const parsed = parseSensorTopic(topic);
  return parsed?.channel === "readings" ? parsed.sensorId : "";
}
