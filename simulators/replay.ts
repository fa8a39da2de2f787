import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { type ServiceClient, ServiceError } from "../client/client.ts";
import type { CredentialView } from "../contract/account.ts";
import type { StoreReportView } from "../contract/ledger.ts";
import type { Log } from "../model/log.ts";
import { READINGS_PER_MESSAGE_MAX } from "../model/message.ts";
import { formatSpan } from "../model/time.ts";
import {
  alertsOf,
  type Books,
  bookedIn,
  readBooks,
  type Waiting,
  waitUntilBooked,
  waitUntilRulesCaughtUp,
} from "./books.ts";
import { type Mapping, RecordingError } from "./mapping.ts";
import { createPlayback, type Speed, type Start } from "./playback.ts";
import { startPublisher } from "./publisher.ts";
import { surveyRecordings } from "./recording.ts";
import { type SendCounts, sendRecordings } from "./replay-send.ts";

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
  const { keepsMs } = await service
    .get<StoreReportView>("/api/v1/store")
    .catch((error: unknown): Partial<StoreReportView> => {
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
    ...{ rows, blankRows: survey.counts.blank, unplayableRows: survey.counts.unplayable },
    ...{ readings, messages, sent, acknowledged, resent },
    ...{ stored: books.stored, duplicates: books.duplicate, quarantined: books.quarantined },
    ...{ reasons: books.reasons, inJournal: books.inJournal },
    balanced: readings === sent && surplus >= 0 && surplus <= resent,
  };
}

async function throughGateway(options: ReplayOptions, survey: Survey): Promise<SendCounts> {
  const { service, now } = options;
  const name = options.gateway ?? `replay-${randomBytes(4).toString("hex")}`;
  const body = { name, districts: survey.districts, mayImport: true };
  const gateway = await service.post<CredentialView>("/api/v1/gateways", body);
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
      .delete(`/api/v1/gateways/${name}`)
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
