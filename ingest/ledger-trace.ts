import { setImmediate as immediate } from "node:timers/promises";
import type { LedgerTrace, TraceCopy } from "../contract/ledger.ts";
import { KINDS } from "../model/kinds.ts";
import type { Message } from "../model/message.ts";
import type { Reading } from "../model/reading.ts";
import { DAY_MS, startOfDay } from "../model/time.ts";
import { parseSensorTopic } from "../model/topics.ts";
import type { ReadingStore, StoredReading } from "../store/reading-store.ts";
import type { QuarantineItem } from "../store/records/quarantine.ts";
import type { Records } from "../store/records.ts";
import { parsePayload } from "./decode.ts";
import type { JournalReader } from "./journal/journal.ts";
import { parseTime, readMeasuredAt } from "./reading-time.ts";

type TraceParts = {
  readonly store: Pick<ReadingStore, "name" | "find">;
  readonly quarantine: Pick<Records["quarantine"], "list" | "get">;
  readonly edits?: Pick<Records["edits"], "get">;
  /** Opened for one question, closed afterwards. */
  openReader(): JournalReader;
  /** Everything before this number of the journal is booked. */
  offset(): number;
  /** Everything before this number is committed to the journal. */
  end(): number;
  readonly rawDays: number;
  readonly now: () => number;
  readonly journalMessagesMax?: number;
  readonly quarantineItemsMax?: number;
};

const JOURNAL_MESSAGES_MAX = 200_000;
const QUARANTINE_ITEMS_MAX = 5_000;
const QUARANTINE_PAGE = 50;
const READ_BYTES_MAX = 1024 * 1024;

/**
 * Where the reading of this sensor and moment is: in the store, in quarantine, still in the journal, past its time, or
 * nowhere. The journal is looked through as far as it is on disk, the newest 200,000 messages of it. Ends when `signal`
 * aborts, with its reason.
 */
export async function traceReading(
  parts: TraceParts,
  sensorId: string,
  measuredAt: number,
  signal?: AbortSignal,
): Promise<LedgerTrace> {
  // The journal first: what is booked while it is read is then found in the store.
  const [offset, end] = [parts.offset(), parts.end()];
  const begin = Math.max(1, end - (parts.journalMessagesMax ?? JOURNAL_MESSAGES_MAX));
  const copies = await findCopies(parts, begin, end, sensorId, measuredAt, signal);
  const booked = parts.offset();
  const stored = await findStored(parts.store, sensorId, measuredAt);
  const { items, all } = await findQuarantined(parts, sensorId, measuredAt, signal);
  const waiting = copies.filter(({ journalSeq }) => journalSeq >= booked && journalSeq !== stored?.journalSeq);
  const isPast = measuredAt < startOfDay(parts.now()) - parts.rawDays * DAY_MS;
  const found = stored ? "stored" : items.length > 0 ? "quarantined" : isPast ? "removed" : "unseen";
  const trace = {
    sensorId,
    measuredAt,
    found: waiting.length > 0 && !stored && items.length === 0 ? ("in the journal" as const) : found,
    ...(stored && {
      stored: {
        ...withEdit(parts, copyOf(stored)),
        store: parts.store.name,
        ...(stored.parts && {
          alsoFrom: stored.parts.filter(({ part }) => part !== undefined).map((one) => withEdit(parts, copyOf(one))),
        }),
      },
    }),
    quarantined: items,
    waiting,
    settled: copies.filter((copy) => copy.journalSeq < booked).map((copy) => withEdit(parts, copy)),
    notSearched: [
      // Settled messages that are deleted are no loss; those that wait must be looked at.
      ...(begin > offset ? (["journal"] as const) : []),
      ...(all ? [] : (["quarantine"] as const)),
    ],
  } satisfies Omit<LedgerTrace, "sentence">;
  return { ...trace, sentence: describeTrace(trace, parts.rawDays) };
}

/** With who edited it, if it is not as it came. */
function withEdit({ edits }: Pick<TraceParts, "edits">, copy: TraceCopy): TraceCopy {
  const edit = edits?.get(copy.journalSeq);
  return edit ? { ...copy, edited: { by: edit.by, item: edit.item } } : copy;
}

const copyOf = ({ journalSeq, receivedAt }: Reading): TraceCopy => ({ journalSeq, receivedAt });

async function findStored(
  store: TraceParts["store"],
  sensorId: string,
  measuredAt: number,
): Promise<StoredReading | undefined> {
  for (const kind of KINDS) {
    const [reading] = await store.find(kind, [{ sensorId, measuredAt }]);
    if (reading) return reading;
  }
  return undefined;
}

async function findCopies(
  parts: TraceParts,
  begin: number,
  end: number,
  sensorId: string,
  measuredAt: number,
  signal: AbortSignal | undefined,
): Promise<TraceCopy[]> {
  const copies: TraceCopy[] = [];
  const reader = parts.openReader();
  try {
    for (let next = begin; next < end; ) {
      const { to, messages } = await reader.read(next, end, READ_BYTES_MAX);
      signal?.throwIfAborted();
      for (const { seq, receivedAt, topic, payload, source } of messages) {
        if (parseSensorTopic(topic)?.sensorId !== sensorId) continue;
        if (hasMoment(payload, receivedAt, measuredAt))
          copies.push({ journalSeq: seq, receivedAt, ...(source.edited && { edited: source.edited }) });
      }
      next = to;
    }
  } finally {
    await reader.close();
  }
  return copies;
}

/** The quarantine knows sensors, not moments: those are in the payloads, so that a page at a time is looked at. */
async function findQuarantined(
  { quarantine, ...parts }: TraceParts,
  sensorId: string,
  measuredAt: number,
  signal: AbortSignal | undefined,
) {
  const items: LedgerTrace["quarantined"][number][] = [];
  let looked = 0;
  let cursor: string | undefined;
  do {
    const page = quarantine.list({ sensorId }, QUARANTINE_PAGE, cursor);
    for (const { id } of page.items) {
      const item = quarantine.get(id);
      if (item && item.rejection.metric === undefined && isAbout(item, measuredAt)) items.push(viewItem(item));
    }
    looked += page.items.length;
    await immediate();
    signal?.throwIfAborted();
    cursor = page.next;
  } while (cursor !== undefined && looked < (parts.quarantineItemsMax ?? QUARANTINE_ITEMS_MAX));
  return { items, all: cursor === undefined };
}

function isAbout({ rejection }: QuarantineItem, measuredAt: number): boolean {
  const { payload, receivedAt } = rejection;
  return payload !== undefined && hasMoment(payload, receivedAt, measuredAt);
}

function viewItem({ id, rejection }: QuarantineItem): LedgerTrace["quarantined"][number] {
  const { reason, detail, journalSeq, receivedAt } = rejection;
  return { id, reason, detail, journalSeq, receivedAt };
}

/** Has the message a reading of this moment, whatever else is wrong with it? */
function hasMoment(payload: Message["payload"], receivedAt: number, measuredAt: number): boolean {
  return parsePayload(payload).readings.some((item) => {
    if (typeof item !== "object" || item === null) return false;
    const { measuredAt: raw } = item as { measuredAt?: unknown };
    const time = readMeasuredAt(raw, receivedAt, false);
    // What was refused for its time is looked for by what it said.
    return measuredAt === (typeof time !== "number" ? parseTime(raw) : Number.isNaN(time) ? receivedAt : time);
  });
}

const iso = (time: number) => new Date(time).toISOString();
/** 0: it came with a message that this journal never had, before the folder was restored from a backup. */
const message = ({ journalSeq, receivedAt, edited }: TraceCopy) =>
  `${journalSeq === 0 ? "a message of before the restore" : `message ${journalSeq}`}, received at ${iso(receivedAt)}${
    edited ? `, edited by ${edited.by} from item ${edited.item} of the quarantine` : ""
  }`;

/** What a person wants to hear, in plain words. */
function describeTrace(trace: Omit<LedgerTrace, "sentence">, rawDays: number): string {
  const { sensorId, measuredAt, stored } = trace;
  const what = `The reading of ${sensorId} of ${iso(measuredAt)}`;
  const rest = [describeCopies(trace), describeGaps(trace)].filter((text) => text !== "");
  if (stored) {
    const also = stored.alsoFrom ?? [];
    const more = also.length > 0 ? `; other metrics of it came with ${also.map(message).join("; and with ")}` : "";
    return [`${what} is stored in ${stored.store} (${message(stored)}${more}).`, describeQuarantined(trace), ...rest]
      .filter((text) => text !== "")
      .join(" ");
  }
  switch (trace.found) {
    case "quarantined":
      return [`${what} is not stored.`, describeQuarantined(trace), ...rest].join(" ");
    case "in the journal":
      return [`${what} is kept in the journal (${message(trace.waiting[0]!)}) and waits to be stored.`, ...rest].join(
        " ",
      );
    case "removed":
      return [
        `${what} is not here: it is older than the ${rawDays} days that readings are kept, so if it was stored it has been removed.`,
        ...rest,
      ].join(" ");
    default:
      return [describeUnseen(trace, what), ...rest].join(" ");
  }
}

function describeUnseen({ settled }: Omit<LedgerTrace, "sentence">, what: string): string {
  const [copy] = settled;
  if (!copy) return `${what} was never seen: it is in no store, no quarantine, and not in the journal.`;
  return `${what} came (${message(copy)}) and was settled, but is neither in the store nor in quarantine.`;
}

function describeQuarantined({ quarantined, stored }: Omit<LedgerTrace, "sentence">): string {
  if (quarantined.length === 0) return "";
  const items = quarantined.map(({ id, reason, ...copy }) => `item ${id} (${reason}; ${message(copy)})`);
  return `${stored ? "Another one" : "It"} is in quarantine: ${items.join(", ")}.`;
}

function describeCopies({ settled, waiting, stored, quarantined, found }: Omit<LedgerTrace, "sentence">): string {
  const also = stored?.alsoFrom?.map(({ journalSeq }) => journalSeq) ?? [];
  const named = new Set([stored?.journalSeq, ...also, ...quarantined.map(({ journalSeq }) => journalSeq)]);
  const duplicates = stored ? settled.filter(({ journalSeq }) => !named.has(journalSeq)).length : 0;
  const later = found === "in the journal" ? waiting.length - 1 : waiting.length;
  const parts = [
    duplicates > 0 ? `It came ${times(duplicates)} more (duplicates, as far as the journal is still on disk).` : "",
    later > 0 ? `${later === 1 ? "One more copy waits" : `${later} more copies wait`} in the journal.` : "",
  ];
  return parts.filter((text) => text !== "").join(" ");
}

function describeGaps({ notSearched }: Omit<LedgerTrace, "sentence">): string {
  if (notSearched.length === 0) return "";
  return `Not looked through to the end, because there is too much: ${notSearched.join(", ")}.`;
}

const times = (n: number) => (n === 1 ? "once" : n === 2 ? "twice" : `${n} times`);
