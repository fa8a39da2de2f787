import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type ServiceClient, ServiceError } from "../client/client.ts";
import type { LedgerView, StoreReportView } from "../contract/ledger.ts";
import type { Log } from "../model/log.ts";
import { READINGS_PER_MESSAGE_MAX } from "../model/message.ts";
import { LATENESS_MAX_MS } from "../model/reading.ts";
import { formatSpan, HOUR_MS } from "../model/time.ts";
import { readingTopic } from "../model/topics.ts";
import { type Mapping, RecordingError } from "./mapping.ts";
import { type Bundle, createBundler, type Publisher, startPublisher } from "./publisher.ts";
import { type Item, mergeRecordings, newCounts, readRecording, surveyRecordings } from "./recording.ts";

export type Speed = number | "max";
export type Start = "original" | "now";

type Playback = {
  /** How long it is until a reading is due; it may be past. By the clock that does not jump: a recording has one pace. */
  waitMs(at: number): number;
  /** Which time it carries. */
  stamp(at: number): number;
};

/**
 * | start    | speed | a reading carries                                    | and is sent            |
 * | original | max   | its own time                                         | at once                |
 * | original | N     | its own time                                         | N times as fast        |
 * | now      | max   | its time, shifted so that the recording ends now     | at once                |
 * | now      | N     | the moment it is sent: gaps shrink by N              | N times as fast        |
 */
export function createPlayback(
  options: { readonly start: Start; readonly speed: Speed },
  span: { readonly first: number; readonly last: number },
  now: () => number,
  uptime: () => number,
): Playback {
  const { start, speed } = options;
  const [startedAt, from] = [now(), uptime()];
  const waitMs = (at: number) => (speed === "max" ? 0 : (at - span.first) / speed - (uptime() - from));
  if (start === "original") return { waitMs, stamp: (at) => at };
  if (speed === "max") return { waitMs, stamp: (at) => at + (startedAt - span.last) };
  return { waitMs, stamp: (at) => Math.round(now() + waitMs(at)) };
}

/** Readings wait in arrays and queues on their way, so those close to the limit count as history already. */
const MARGIN_MS = HOUR_MS;

/** Older than a live topic accepts: belongs on the import topic. */
export function isHistory(stampedAt: number, now: number): boolean {
  return now - stampedAt > LATENESS_MAX_MS - MARGIN_MS;
}

type SendCounts = {
  rows: number;
  readings: number;
  messages: number;
  sent: number;
  acknowledged: number;
  /** Readings in messages that were sent again after a lost connection: the service books those twice. */
  resent: number;
};

type SendOptions = {
  readonly mapping: Mapping;
  readonly files: readonly string[];
  readonly playback: Playback;
  /** Readings a message may carry: 1 when paced, so that each comes at its moment. */
  readonly perMessage: number;
  readonly publisher: Publisher;
  readonly now: () => number;
  readonly signal?: AbortSignal;
  onProgress(counts: Readonly<SendCounts>): void;
};

/** Second pass: every row goes out. Resolves when everything sent is acknowledged; throws `PublishError`. */
async function sendRecordings(options: SendOptions): Promise<SendCounts> {
  const { publisher, signal } = options;
  const counts: SendCounts = { rows: 0, readings: 0, messages: 0, sent: 0, acknowledged: 0, resent: 0 };
  const flights = new Set<Promise<void>>();
  let failure: unknown;

  async function fly(bundle: Bundle): Promise<void> {
    const sends = await publisher.publish(bundle);
    counts.acknowledged += bundle.readings;
    counts.resent += bundle.readings * (sends - 1);
    options.onProgress(counts);
  }
  const bundler = createBundler(options.perMessage, (bundle) => {
    counts.messages += 1;
    counts.sent += bundle.readings;
    const flight = fly(bundle).catch((error: unknown) => {
      failure ??= error;
    });
    flights.add(flight);
    void flight.then(() => flights.delete(flight));
  });

  const counted = newCounts();
  const sources = options.files.map((path) => readRecording(options.mapping, path, counted));
  for await (const items of mergeRecordings(sources)) {
    if (signal?.aborted || failure) break;
    await waitUntilDue(items, options);
    counts.rows += 1;
    for (const item of items) {
      counts.readings += 1;
      addTo(bundler, item, options);
    }
    await publisher.room();
    options.onProgress(counts);
  }
  bundler.flushAll();
  await Promise.all(flights);
  if (failure) throw failure;
  return counts;
}

/** Longest sleep at a time, so that a stop is noticed soon. */
const SLEEP_MS_MAX = 500;

async function waitUntilDue(items: readonly Item[], options: SendOptions): Promise<void> {
  const at = items[0]?.at;
  if (at === undefined) return;
  const left = () => options.playback.waitMs(at);
  for (let ms = left(); ms > 0 && !options.signal?.aborted; ms = left()) await wait(Math.min(ms, SLEEP_MS_MAX));
}

function addTo(bundler: ReturnType<typeof createBundler>, item: Item, options: SendOptions) {
  const { sensorId, kind, district, at, rawTime, values } = item;
  const stamp = at === undefined ? undefined : options.playback.stamp(at);
  const imported = stamp !== undefined && isHistory(stamp, options.now());
  // A row without a usable time is sent with what it says: the service books it as bad_timestamp.
  const measuredAt = stamp === undefined ? rawTime : timeText(stamp, rawTime);
  bundler.add(readingTopic({ district, kind, sensorId, imported }), { measuredAt, ...values });
}

function timeText(stamp: number, otherwise: string): string {
  const date = new Date(stamp);
  return Number.isNaN(date.getTime()) ? otherwise : date.toISOString();
}

/** What the service has booked for some sensors. */
type Books = {
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly reasons: Readonly<Record<string, number>>;
  /** Of the whole service: its journal does not know sensors before it is opened. */
  readonly inJournal: number;
};

async function readBooks(service: ServiceClient, sensors: ReadonlySet<string>): Promise<Books> {
  const sum = { stored: 0, duplicate: 0, quarantined: 0 };
  const reasons: Record<string, number> = {};
  let inJournal = 0;
  let cursor: string | undefined;
  do {
    const page: LedgerView = await service.get("/ledger", { by: "sensor", limit: 1000, cursor });
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

function booksBetween(before: Books, after: Books): Books {
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

const bookedIn = (books: Books): number => books.stored + books.duplicate + books.quarantined;

type Waiting = {
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
async function waitUntilBooked(
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

/** What stands between a reading in the journal and its alerts in the list. */
const WAITING_FIGURES = [
  'lamppost_consumer_lag_messages{consumer="alerts"}',
  'lamppost_rules_readings_waiting{place="late"}',
  'lamppost_rules_readings_waiting{place="above_share"}',
  "lamppost_alert_transitions_waiting",
  "lamppost_rules_lag_seconds",
];

/**
 * True when the rules have seen everything in the journal and told what follows; undefined if the service does not say;
 * false if nothing has moved for too long.
 */
async function waitUntilRulesCaughtUp(service: ServiceClient, waiting: Waiting): Promise<boolean | undefined> {
  let movedAt = waiting.now();
  let seen = "";
  for (;;) {
    const lines = (await service.text("/metrics")).split("\n");
    const figures = WAITING_FIGURES.flatMap((name) => lines.filter((line) => line.startsWith(`${name} `)));
    if (figures.length === 0) return undefined;
    if (figures.every((line) => Number(line.slice(line.lastIndexOf(" "))) === 0)) return true;
    // The lag grows by itself: it is no sign of work.
    const counts = figures.filter((line) => !line.includes("_seconds ")).join("\n");
    if (counts !== seen) movedAt = waiting.now();
    else if (waiting.now() - movedAt > waiting.stallMs) return false;
    seen = counts;
    await wait(waiting.everyMs);
  }
}

/** The alerts of these sensors: rule by alert id. Asked by district, because a city has few of them. */
async function alertsOf(
  service: ServiceClient,
  districts: readonly string[],
  sensors: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const district of districts) {
    const query = { district, state: "firing,resolved", limit: 1000 };
    for (const alert of await service.all("/alerts", query))
      if (alert.subject.sensorId !== undefined && sensors.has(alert.subject.sensorId))
        found.set(alert.id, alert.rule.id);
  }
  return found;
}

export type ReplayProgress = {
  readonly phase: "reading" | "sending" | "booking" | "rules";
  readonly done: number;
  readonly total: number;
};

export type ReplayOptions = {
  readonly service: ServiceClient;
  readonly mqtt: string;
  readonly mapping: Mapping;
  readonly files: readonly string[];
  /** The name of the gateway it goes through; one of its own without. */
  readonly gateway?: string;
  readonly speed: Speed;
  readonly start: Start;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
  /** Stops early: what was sent is still booked and reported. */
  readonly signal?: AbortSignal;
  /** How often and how patiently the books are asked; the defaults suit a real service. */
  readonly waiting?: Partial<Pick<Waiting, "everyMs" | "stallMs">>;
  /** How long the broker may acknowledge nothing; a minute by default. */
  readonly patienceMs?: number;
  onProgress(progress: ReplayProgress): void;
};

export type ReplayReport = {
  readonly mapping: string;
  readonly files: readonly string[];
  readonly sensors: number;
  readonly rows: number;
  readonly blankRows: number;
  readonly unplayableRows: number;
  readonly readings: number;
  readonly messages: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly resent: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly inJournal: number;
  /** Alerts on these sensors by rule: those this replay raised, and all there are. */
  readonly alertsRaised: Readonly<Record<string, number>>;
  readonly alerts: Readonly<Record<string, number>>;
  /** Every reading sent is in exactly one of stored, duplicates and quarantined. */
  readonly balanced: boolean;
  readonly stopped: boolean;
  readonly seconds: number;
  readonly notes: readonly string[];
};

const WAITING = { everyMs: 500, stallMs: 120_000 };
/** Bounds what waits for a PUBACK: the service, not this process, is where readings are kept. */
const WINDOW = { messagesMax: 500, bytesMax: 4 * 1024 * 1024, patienceMs: 60_000 };

/**
 * Plays recordings through the broker's front door: a gateway made for the occasion, QoS 1, then the books of the service
 * for exactly these sensors. Throws `RecordingError`, `ServiceError` or `PublishError`; the gateway is removed in any case.
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const { service, mapping, files, now } = options;
  const startedAt = now();
  options.onProgress({ phase: "reading", done: 0, total: files.length });
  const survey = await surveyRecordings(mapping, files, startedAt);
  if (survey.readings === 0)
    throw new RecordingError(`no readings in ${files.map((path) => basename(path)).join(", ")}`);
  await refuseWhatWouldBeRemoved(options, survey);
  const before = await readBooks(service, survey.sensors);
  const alertsBefore = await alertsOf(service, survey.districts, survey.sensors);
  const waiting: Waiting = { ...WAITING, ...options.waiting, now };

  const counts = await throughGateway(options, survey);

  const books = await waitUntilBooked(service, survey.sensors, before, counts.sent, {
    ...waiting,
    onBooked: (done) => options.onProgress({ phase: "booking", done: Math.min(done, counts.sent), total: counts.sent }),
  });
  options.onProgress({ phase: "rules", done: 0, total: 1 });
  const caughtUp = await waitUntilRulesCaughtUp(service, waiting);
  const alerts = await alertsOf(service, survey.districts, survey.sensors);
  const raised = [...alerts].filter(([id]) => !alertsBefore.has(id));
  return {
    mapping: mapping.name,
    files: files.map((path) => basename(path)),
    ...sums(survey, counts, books),
    alertsRaised: tally(raised.map(([, rule]) => rule)),
    alerts: tally([...alerts.values()]),
    stopped: options.signal?.aborted ?? false,
    seconds: Math.round((now() - startedAt) / 100) / 10,
    notes: notesOn(survey, caughtUp),
  };
}

/** Before a message is sent: a bucket or policy with a retention of its own goes by the time measured. */
async function refuseWhatWouldBeRemoved({ service, start, now }: ReplayOptions, { span }: Survey): Promise<void> {
  if (start !== "original" || !span) return;
  const { keepsMs } = await service.get("/store").catch((error: unknown): Partial<StoreReportView> => {
    if (error instanceof ServiceError && error.status === 404) return {}; // an older service
    throw error;
  });
  if (keepsMs === undefined || span.first >= now() - keepsMs) return;
  const first = new Date(span.first).toISOString();
  throw new RecordingError(
    `the recording begins at ${first}, but the InfluxDB behind the service removes what was measured more than ${formatSpan(keepsMs)} ago: give its bucket or retention policy a longer retention, or use --start now`,
  );
}

type Survey = Awaited<ReturnType<typeof surveyRecordings>>;

function sums(survey: Survey, counts: SendCounts, books: Books) {
  // What went twice over a broken connection may be booked twice; nothing may be missing.
  const surplus = bookedIn(books) - counts.sent;
  const { rows, readings, messages, sent, acknowledged, resent } = counts;
  return {
    sensors: survey.sensors.size,
    rows,
    blankRows: survey.counts.blank,
    unplayableRows: survey.counts.unplayable,
    readings,
    messages,
    sent,
    acknowledged,
    resent,
    stored: books.stored,
    duplicates: books.duplicate,
    quarantined: books.quarantined,
    reasons: books.reasons,
    inJournal: books.inJournal,
    balanced: readings === sent && surplus >= 0 && surplus <= resent,
  };
}

async function throughGateway(options: ReplayOptions, survey: Survey): Promise<SendCounts> {
  const { service, now } = options;
  const name = options.gateway ?? `replay-${randomBytes(4).toString("hex")}`;
  const body = { name, districts: survey.districts, mayImport: true };
  const gateway = await service.post("/gateways", body);
  const publisher = startPublisher({
    url: options.mqtt,
    username: gateway.username,
    password: gateway.password,
    clientId: `${name}-1`,
    ...WINDOW,
    ...(options.patienceMs !== undefined && { patienceMs: options.patienceMs }),
    random: options.random,
    log: options.log,
  });
  const span = survey.span ?? { first: now(), last: now() };
  try {
    return await sendRecordings({
      mapping: options.mapping,
      files: options.files,
      playback: createPlayback(options, span, now, () => performance.now()),
      perMessage: options.speed === "max" ? READINGS_PER_MESSAGE_MAX : 1,
      publisher,
      now,
      ...(options.signal && { signal: options.signal }),
      onProgress: (sending) =>
        options.onProgress({ phase: "sending", done: sending.acknowledged, total: survey.readings }),
    });
  } finally {
    await publisher.close();
    await service
      .delete(`/gateways/${name}`)
      .catch((error: Error) =>
        options.log.warn({ gateway: name, error: error.message }, "the gateway was not removed"),
      );
  }
}

function notesOn(survey: Survey, caughtUp: boolean | undefined): string[] {
  const notes = [...survey.counts.unplayableLines];
  if (survey.counts.absent.size > 0) notes.push(`columns not in the files: ${[...survey.counts.absent].join(", ")}`);
  if (caughtUp === false) notes.push("the rules have not caught up: alerts may be missing");
  if (caughtUp === undefined) notes.push("the service does not say how far its rules are: alerts may be missing");
  return notes;
}

function tally(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort());
}
