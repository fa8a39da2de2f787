import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type ServiceClient, ServiceError } from "../client/client.ts";
import type { StoreReportView } from "../contract/ledger.ts";
import type { Log } from "../model/log.ts";
import { READINGS_PER_MESSAGE_MAX } from "../model/message.ts";
import { formatSpan } from "../model/time.ts";
import { readingTopic } from "../model/topics.ts";
import { createGapWatch, type Gaps } from "./gaps.ts";
import { type Mapping, RecordingError } from "./mapping.ts";
import { patiently } from "./patience.ts";
import { type Bundle, createBundler, type Publisher, startPublisher } from "./publisher.ts";
import type { Item } from "./recording.ts";
import { type Books, bookedIn, patienceOf, readBooks, type Waiting, waitUntilBooked } from "./replay-books.ts";
import { type FileOrder, openRecordings, type Recordings } from "./timeline.ts";

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
  readonly recordings: Recordings;
  readonly playback: Playback;
  /** To the topic of history: the rules run on it, and nobody is told. */
  readonly imported: boolean;
  readonly gaps: ReturnType<typeof createGapWatch>;
  /** Readings a message may carry: 1 when paced, so that each comes at its moment. */
  readonly perMessage: number;
  readonly publisher: Publisher;
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

  let topic = "";
  for await (const { items, rows } of options.recordings.moments()) {
    if (signal?.aborted || failure) break;
    await waitUntilDue(items, options);
    counts.rows += rows;
    for (const item of items) {
      counts.readings += 1;
      options.gaps.take(item);
      const outgoing = toMessage(item, options);
      // What several sensors say together depends on the order: only readings that follow each other share a message.
      if (outgoing.topic !== topic) bundler.flushAll();
      topic = outgoing.topic;
      bundler.add(topic, outgoing.reading);
      await publisher.room();
    }
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

function toMessage({ sensorId, kind, district, at, rawTime, values }: Item, { playback, imported }: SendOptions) {
  const stamp = at === undefined ? undefined : playback.stamp(at);
  // A row without a usable time is sent with what it says: the service books it as bad_timestamp.
  const measuredAt = stamp === undefined ? rawTime : timeText(stamp, rawTime);
  return { topic: readingTopic({ district, kind, sensorId, imported }), reading: { measuredAt, ...values } };
}

function timeText(stamp: number, otherwise: string): string {
  const date = new Date(stamp);
  return Number.isNaN(date.getTime()) ? otherwise : date.toISOString();
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
    const lines = await readMetrics(service, waiting);
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

async function readMetrics(service: ServiceClient, waiting: Pick<Waiting, "everyMs" | "signal">): Promise<string[]> {
  return (await patiently(() => service.text("/metrics"), patienceOf(waiting))).split("\n");
}

/** Readings the rules could not take any more, because what they would have changed was past; of the whole service. */
async function tooLateForRules(
  service: ServiceClient,
  waiting: Pick<Waiting, "everyMs" | "signal">,
): Promise<number | undefined> {
  const name = 'lamppost_rules_places_total{place="too_late"} ';
  const line = (await readMetrics(service, waiting)).find((one) => one.startsWith(name));
  return line === undefined ? undefined : Number(line.slice(name.length));
}

/** Alerts people are told of, and those of the past. */
const MODES = ["live", "history"] as const;
type Raised = { readonly rule: string; readonly mode: (typeof MODES)[number] };

/** The alerts of these sensors by their ids. Asked by district, because a city has few of them. */
async function alertsOf(
  service: ServiceClient,
  { districts, sensors }: Survey,
  waiting: Pick<Waiting, "everyMs" | "signal">,
): Promise<ReadonlyMap<string, Raised>> {
  const found = new Map<string, Raised>();
  for (const district of districts) {
    for (const mode of MODES) {
      let cursor: string | undefined;
      do {
        const query = { district, state: "firing,resolved", mode, limit: 1000, cursor };
        const page = await patiently(() => service.get("/alerts", query), patienceOf(waiting));
        for (const { id, rule, subject } of page.items)
          if (subject.sensorId !== undefined && sensors.has(subject.sensorId)) found.set(id, { rule: rule.id, mode });
        cursor = page.next;
      } while (cursor !== undefined);
    }
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
  /** The rules run, and nobody is told. What keeps its times is played so in any case: it is the past. */
  readonly quiet?: boolean;
  /** Where files that are not in order are sorted; the system's folder for temporary files without. */
  readonly tempDir?: string;
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
  /** Of those this replay raised, the ones that are of today: people may have been told. */
  readonly alertsTold: number;
  readonly alerts: Readonly<Record<string, number>>;
  /** Readings that were too late for any rule, of all sensors of the service, while this ran; undefined if the service does not say. */
  readonly tooLateForRules?: number;
  /** Files that were not in the order of time, and were sorted. */
  readonly sorted: readonly FileOrder[];
  readonly gaps: Gaps;
  /** Rows in hours that autumn repeats, by hour on the wall, and those taken as its second pass. */
  readonly doubledHours: Readonly<Record<string, { readonly rows: number; readonly second: number }>>;
  /** Rows in hours that spring skips: moved to the hour after. */
  readonly skippedHourRows: number;
  /** Names that an id does not tell any more, and the ids that were made of them. */
  readonly changedNames: Readonly<Record<string, string>>;
  /** Every reading sent is in exactly one of stored, duplicates and quarantined. */
  readonly balanced: boolean;
  readonly stopped: boolean;
  readonly seconds: number;
  readonly notes: readonly string[];
};

/** LAMPPOST_NEW_SENSORS_PER_HOUR as it is by default; what the service is set to, it does not say. */
const NEWCOMERS_MAX = 2_000;

const WAITING = { everyMs: 500, stallMs: 120_000 };
/** Bounds what waits for a PUBACK: the service, not this process, is where readings are kept. */
const WINDOW = { messagesMax: 500, bytesMax: 4 * 1024 * 1024, patienceMs: 60_000 };

/**
 * Plays recordings through the broker's front door: a gateway made for the occasion, QoS 1, then the books of the service
 * for exactly these sensors. Throws `RecordingError`, `ServiceError` or `PublishError`; the gateway is removed in any case.
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const { mapping, files, now, signal, tempDir } = options;
  const startedAt = now();
  options.onProgress({ phase: "reading", done: 0, total: files.length });
  const recordings = await openRecordings(mapping, files, {
    now: startedAt,
    ...(signal && { signal }),
    ...(tempDir !== undefined && { tempDir }),
  });
  try {
    return await playRecordings(options, recordings, startedAt);
  } finally {
    recordings.close();
  }
}

async function playRecordings(
  options: ReplayOptions,
  recordings: Recordings,
  startedAt: number,
): Promise<ReplayReport> {
  const { service, mapping, files, now } = options;
  const { survey } = recordings;
  if (survey.readings === 0 && !options.signal?.aborted)
    throw new RecordingError(`no readings in ${files.map((path) => basename(path)).join(", ")}`);
  await refuseWhatWouldBeRemoved(options, survey);
  const waiting: Waiting = { ...WAITING, ...options.waiting, now, signal: options.signal };
  const before = await readBooks(service, survey.sensors, waiting);
  const newcomers = survey.sensors.size - before.known;
  if (newcomers > NEWCOMERS_MAX) {
    const [most, first] = [NEWCOMERS_MAX.toLocaleString("en"), [...survey.sensors].slice(0, 3).join(", ")];
    options.log.warn(
      { newcomers },
      `${newcomers} of the sensors may be new (${first}, …): unless set otherwise a gateway registers ${most} in an hour, and what the others send waits in quarantine until then`,
    );
  }
  const alertsBefore = await alertsOf(service, survey, waiting);
  const tooLateBefore = await tooLateForRules(service, waiting);
  const gaps = createGapWatch();

  const counts = await throughGateway(options, recordings, gaps);

  const books = await waitUntilBooked(service, survey.sensors, before, counts.sent, {
    ...waiting,
    onBooked: (done) => options.onProgress({ phase: "booking", done: Math.min(done, counts.sent), total: counts.sent }),
  });
  options.onProgress({ phase: "rules", done: 0, total: 1 });
  const caughtUp = await waitUntilRulesCaughtUp(service, waiting);
  const alerts = await alertsOf(service, survey, waiting);
  const raised = [...alerts].filter(([id]) => !alertsBefore.has(id));
  const tooLate = await tooLateForRules(service, waiting);
  return {
    mapping: mapping.name,
    files: files.map((path) => basename(path)),
    ...sums(survey, counts, books),
    alertsRaised: tally(raised.map(([, { rule }]) => rule)),
    alertsTold: raised.filter(([, { mode }]) => mode === "live").length,
    alerts: tally([...alerts.values()].map(({ rule }) => rule)),
    // A service that was started again counts anew.
    ...(tooLate !== undefined && { tooLateForRules: Math.max(0, tooLate - Math.min(tooLate, tooLateBefore ?? 0)) }),
    sorted: survey.orders.filter(({ order }) => order !== "forward"),
    gaps: gaps.result(),
    doubledHours: Object.fromEntries(survey.counts.doubled),
    skippedHourRows: survey.counts.skipped,
    changedNames: Object.fromEntries(survey.changedNames),
    stopped: options.signal?.aborted ?? false,
    seconds: Math.round((now() - startedAt) / 100) / 10,
    notes: notesOn(survey, caughtUp),
  };
}

/** Before a message is sent: a bucket or policy with a retention of its own goes by the time measured. */
async function refuseWhatWouldBeRemoved(
  { service, start, now, signal }: ReplayOptions,
  { span }: Survey,
): Promise<void> {
  if (start !== "original" || !span) return;
  const ask = () => service.get("/store");
  const { keepsMs } = await patiently(ask, patienceOf({ ...WAITING, signal })).catch(
    (error: unknown): Partial<StoreReportView> => {
      if (error instanceof ServiceError && error.status === 404) return {}; // an older service
      throw error;
    },
  );
  if (keepsMs === undefined || span.first >= now() - keepsMs) return;
  const first = new Date(span.first).toISOString();
  throw new RecordingError(
    `the recording begins at ${first}, but the InfluxDB behind the service removes what was measured more than ${formatSpan(keepsMs)} ago: give its bucket or retention policy a longer retention, or use --start now`,
  );
}

type Survey = Recordings["survey"];

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

async function throughGateway(
  options: ReplayOptions,
  recordings: Recordings,
  gaps: ReturnType<typeof createGapWatch>,
): Promise<SendCounts> {
  const { service, now } = options;
  const { survey } = recordings;
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
      recordings,
      gaps,
      imported: options.start === "original" || options.quiet === true,
      playback: createPlayback(options, span, now, () => performance.now()),
      perMessage: options.speed === "max" ? READINGS_PER_MESSAGE_MAX : 1,
      publisher,
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

function notesOn({ counts }: Survey, caughtUp: boolean | undefined): string[] {
  const notes = [...counts.unplayableLines];
  if (counts.absent.size > 0) notes.push(`columns not in the files: ${[...counts.absent].join(", ")}`);
  const notTaken = [...counts.notTaken].map(([name, rows]) => `${name || '""'} (${rows} rows)`);
  if (notTaken.length > 0)
    notes.push(`not taken, for the mapping names no metric: ${notTaken.slice(0, 20).join(", ")}`);
  if (counts.zoneless > 0)
    notes.push(`${counts.zoneless} times say no zone, and the mapping names none: give "zone" in "time"`);
  for (const [file, { stepMs, isFound }] of counts.ends) {
    const told = isFound ? ", the most frequent step" : "";
    notes.push(
      `${file}: times are the ends of intervals of ${formatSpan(stepMs)}${told}; readings carry their beginning`,
    );
  }
  if (caughtUp === false) notes.push("the rules have not caught up: alerts may be missing");
  if (caughtUp === undefined) notes.push("the service does not say how far its rules are: alerts may be missing");
  return notes;
}

function tally(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort());
}
