import type { LedgerOutcome } from "../../model/ledger.ts";
import { FUTURE_MAX_MS, LATENESS_MAX_MS } from "../../model/reading.ts";
import type { Reason } from "../../model/rejection.ts";
import { DAY_MS } from "../../model/time.ts";
import type { Records } from "../../store/records.ts";
import { contentKey, type Kept } from "./audit.ts";
import type { Gap } from "./service.ts";
import type { StoreServer } from "./store-server.ts";
import { type Content, HOT_SENSOR, type Item } from "./traffic.ts";
import type { World } from "./world.ts";

/**
 * What should be, worked out from the acknowledged messages and the journal's own content by a few plain rules, and
 * compared with the store, the quarantine and the books. Shares no code with the service but the reader of the journal.
 */
export type Verdict = {
  readonly acknowledged: number;
  readonly stored: number;
  readonly lost: number;
  readonly doubled: number;
  readonly balanced: boolean;
  /** Acknowledged messages that are gone and that the service has named as missing. */
  readonly named: number;
  readonly problems: readonly string[];
};

type Outcome = "stored" | "duplicate" | Reason;
type Expected = {
  readonly rows: Map<string, { readonly value: number; readonly seq: number }>;
  readonly quarantine: Set<string>;
  readonly outcomes: Map<Outcome, number>;
  readonly received: number;
};

function expectedOf(kept: readonly Kept[], contents: ReadonlyMap<string, Content>): Expected {
  const rows: Expected["rows"] = new Map();
  const quarantine = new Set<string>();
  const outcomes = new Map<Outcome, number>();
  let received = 0;
  for (const { seq, receivedAt, contentKey } of kept) {
    contents.get(contentKey)!.items.forEach((item, index) => {
      const outcome = outcomeOf(item, receivedAt, rows);
      received += 1;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (outcome === "stored") rows.set(item.key, { value: item.value, seq });
      else if (outcome !== "duplicate") quarantine.add(`${seq}/${index} ${outcome}`);
    });
  }
  return { rows, quarantine, outcomes, received };
}

/** Content first, then the clock, then what is there already: the first of a moment stays. */
function outcomeOf(item: Item, receivedAt: number, rows: Expected["rows"]): Outcome {
  const { fate } = item;
  if (fate !== "good" && fate !== "store_refused" && fate !== "no_values") return fate;
  if (item.measuredAt - receivedAt > FUTURE_MAX_MS) return "future";
  if (receivedAt - item.measuredAt > LATENESS_MAX_MS) return "too_late";
  if (fate !== "good") return fate;
  const there = rows.get(item.key);
  if (!there) return "stored";
  return there.value === item.value ? "duplicate" : "conflict";
}

export function judge(world: World, records: Records, expectsAlerts: boolean): Verdict {
  const contents = new Map<string, Content>();
  for (const { messages } of world.plans) {
    for (const { content } of messages) contents.set(contentKey(content.topic, content.text), content);
  }
  const problems = [...world.problems];
  const { read, skipped } = partKept(world);
  if (read.some(({ contentKey }) => !contents.has(contentKey))) {
    problems.push("the journal has what nobody sent");
    return { ...hopeless(world), problems };
  }

  const expected = expectedOf(read, contents);
  const found = new Set(read.map((one) => one.contentKey));
  const gone = [...world.acked].filter((one) => !found.has(contentKey(one.topic, one.text)));
  const named = gone.filter((one) => skipped.has(contentKey(one.topic, one.text))).length;
  const { missing, doubled, strange } = compareRows(world.store, expected);
  const quarantine = quarantineOf(records);
  const unquarantined = [...expected.quarantine].filter((one) => !quarantine.has(one)).length;
  const unexpected = [...quarantine].filter((one) => !expected.quarantine.has(one));
  if (strange > 0) problems.push(`${strange} rows of the store are not what was sent first`);
  if (unexpected.length > 0) problems.push(`quarantined, but should not be: ${unexpected.slice(0, 3).join(", ")}`);
  const wrong = wrongBooks(world, records, expected);
  if (expectsAlerts) problems.push(...wrongAlerts(world, records, expected));
  return {
    acknowledged: world.acked.size,
    stored: world.store.rows.size,
    lost: gone.length - named + missing + unquarantined,
    doubled,
    balanced: wrong.length === 0,
    named,
    problems: [...problems, ...wrong],
  };
}

/** Nothing can be said but that it went wrong. */
export function hopeless({ acked, store, problems }: World): Verdict {
  const { size } = acked;
  return { acknowledged: size, stored: store.rows.size, lost: size, doubled: 0, balanced: false, named: 0, problems };
}

/** What the store's consumer could read, and what was damaged before it could. */
function partKept({ audit, missing }: World): { read: Kept[]; skipped: Set<string>; holes: Gap[] } {
  const holes: Gap[] = missing.map(({ gap, storeOffset }) => ({ from: Math.max(gap.from, storeOffset), to: gap.to }));
  const isHole = (seq: number) => holes.some(({ from, to }) => seq >= from && seq < to);
  const read = audit.kept.filter(({ seq }) => !isHole(seq));
  return { read, holes, skipped: new Set(audit.kept.filter(({ seq }) => isHole(seq)).map((one) => one.contentKey)) };
}

function compareRows({ rows }: StoreServer, expected: Expected) {
  let [missing, doubled, strange] = [0, 0, 0];
  for (const [key, { value, seq }] of expected.rows) {
    const there = rows.get(key);
    if (!there) missing += 1;
    else if (Object.values(there[0]!.values)[0] !== value || there[0]!.journalSeq !== seq) strange += 1;
  }
  for (const [key, there] of rows) {
    doubled += there.length - 1;
    if (!expected.rows.has(key)) strange += 1;
  }
  return { missing, doubled, strange };
}

function quarantineOf({ quarantine }: Records): Set<string> {
  const all = new Set<string>();
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = quarantine.list({}, 100, cursor);
    for (const { rejection } of page.items) all.add(`${rejection.journalSeq}/${rejection.index} ${rejection.reason}`);
    cursor = page.next;
  }
  return all;
}

/** The identity, the rows it speaks of, and each line against what the journal holds. */
function wrongBooks(world: World, records: Records, expected: Expected): string[] {
  const totals = records.ledger.totals();
  const get = (outcome: LedgerOutcome) => totals.get(outcome) ?? 0;
  const wrong: string[] = [];
  const differ = (what: string, booked: number, is: number) => {
    if (booked !== is) wrong.push(`${what}: booked ${booked}, should be ${is}`);
  };
  differ("received", get("received"), expected.received);
  differ("stored rows", get("stored"), world.store.rows.size);
  differ("quarantined", quarantineOf(records).size, expected.quarantine.size);
  for (const outcome of new Set([...totals.keys(), ...expected.outcomes.keys()])) {
    if (outcome === "received" || outcome === "lost" || outcome === "shed" || outcome.startsWith("values.")) continue;
    differ(outcome, get(outcome as LedgerOutcome), expected.outcomes.get(outcome as Outcome) ?? 0);
  }
  const unread = partKept(world).holes.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0);
  const unreadKept = partKept(world).skipped.size;
  if (unread === 0) differ("lost", get("lost"), 0);
  else if (get("lost") < unreadKept) wrong.push(`lost: booked ${get("lost")}, should be at least ${unreadKept}`);
  const ledger = world.service()?.ledger();
  if (ledger && !ledger.balanced) wrong.push("the ledger says itself that it does not balance");
  return wrong;
}

/** What may be said of an alert beside its beginning and its end. */
const MORE = new Set(["verdict", "late-confirmed"]);

/** Known beforehand, unless a clock or damage kept a reading of theirs out. */
function wrongAlerts(world: World, records: Records, expected: Expected): string[] {
  const plan = world.plans.find(({ name }) => name === HOT_SENSOR)!;
  if (plan.messages.some(({ content }) => !expected.rows.has(content.items[0]!.key))) return [];
  const wrong: string[] = [];
  // A life that begins while the clock is a day ahead takes readings of a day ago for history, and what they say.
  const mode = world.aheadMs() >= DAY_MS ? (["live", "history"] as const) : undefined;
  const { items } = records.alerts.list({ mode }, 100);
  const { incidents } = world.traffic;
  if (items.length !== incidents) wrong.push(`alerts: ${items.length}, should be ${incidents}`);
  for (const { id } of items) {
    const alert = records.alerts.get(id)!;
    // In which order it was known does not matter: with a clock that jumps a late reading may tell of the end.
    const whats = alert.timeline.map(({ what }) => what).filter((what) => !MORE.has(what));
    const course = whats.toSorted().join(" ");
    const ended = /^(corrected )*firing( resolved)?$/.test(course) && course !== "firing";
    if (alert.state !== "resolved" || !ended) wrong.push(`alert ${alert.state}: ${course}`);
  }
  return wrong;
}
