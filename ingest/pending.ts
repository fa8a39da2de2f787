import type { Message } from "../model/message.ts";
import { dateOf } from "../model/time.ts";
import { parseSensorTopic } from "../model/topics.ts";
import type { JournalReader } from "./journal/journal.ts";

/** Messages that wait, by day of receipt and sensor ("" where the topic has none). */
export type Pending = ReadonlyMap<string, ReadonlyMap<string, number>>;

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
export function sensorOf({ topic }: Pick<Message, "topic">): string {
  const parsed = parseSensorTopic(topic);
  return parsed?.channel === "readings" ? parsed.sensorId : "";
}
