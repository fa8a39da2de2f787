import "../../model/city-metrics-of-thread.ts";

import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import pino from "pino";
import { type Broker, startBroker } from "../../broker/broker.ts";
import { brokerFigures } from "../../broker/events.ts";
import { examineMessage } from "../../ingest/examine.ts";
import type { JournalChunk, JournalWriter } from "../../ingest/journal/journal.ts";
import { createShares, createUnderWay } from "../../ingest/journal/shares.ts";
import { openJournalWriter } from "../../ingest/journal/writer.ts";
import type { Replay, SessionKeeper } from "../../model/kept-session.ts";
import { type NewMessage, senderKey } from "../../model/message.ts";
import type { Credential } from "../../model/people.ts";
import { createSettledClock } from "../../model/time.ts";
import { createFaultPoint, isGateOff, logLines, wallClock } from "../lifecycle.ts";
import {
  CHUNK_BYTES_IN_FLIGHT_MAX,
  type EdgeStart,
  type FromEdge,
  type ListenOptions,
  type PlainError,
  type Publication,
  type SessionAnswer,
  type SessionQuestion,
  SHARED,
  type ToEdge,
} from "./protocol.ts";

/**
 * Composition root of the edge thread: sockets and the journal live together here, because the PUBACK waits for the
 * journal and nothing else. Everything slower (decoding, stores, rules, HTTP) is on the core thread, see `app.ts`.
 */
const port = parentPort!;
const start = workerData as EdgeStart;
// To stderr, like the core's: stdout belongs to the line that says where the service is.
const log = pino({ level: start.logLevel, base: undefined }, logLines).child({ module: "edge" });
const shared = new Int32Array(start.shared);
const credentials = new Map<string, Credential>();
const at = createFaultPoint(start.faultAt);
/** As much again as is kept free. */
const shares = createShares(start.diskFreeBytesMin);
const underWay = createUnderWay(
  () => Atomics.load(shared, SHARED.taken),
  () => performance.now(),
);
let broker: Broker | undefined;

const post = (message: FromEdge, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
const plain = (error: Error): PlainError => {
  const { message, state, code, syscall, path, port } = error as PlainError;
  return { message, state, code, syscall, path, port };
};

const REPORT_EVERY_MS = 500;

function main(writer: JournalWriter): void {
  writer.onCommit((chunk) => {
    underWay.committed(chunk.to);
    handOver(chunk);
    if (at) queueMicrotask(() => void at("after-answer"));
  });
  const report = setInterval(() => {
    tell(writer);
    // A disk that cannot be asked is the journal's to complain of.
    writer.room().then(shares.look, () => {});
  }, REPORT_EVERY_MS);
  port.on("message", (message: ToEdge) => {
    if (message.type === "close") clearInterval(report);
    handle(writer, message).catch((error: Error) => {
      log.error({ err: error }, "the edge thread failed");
      post({ type: "failed", error: plain(error) });
    });
  });
}

/** The bytes go over while the core keeps up; otherwise it reads them from the segments. */
function handOver(chunk: JournalChunk): void {
  if (Atomics.load(shared, SHARED.chunkBytes) > CHUNK_BYTES_IN_FLIGHT_MAX)
    return post({ type: "advanced", to: chunk.to });
  Atomics.add(shared, SHARED.chunkBytes, chunk.bytes.byteLength);
  post({ type: "chunk", chunk }, [chunk.bytes.buffer]);
}

async function handle(writer: JournalWriter, message: ToEdge): Promise<void> {
  switch (message.type) {
    case "listen":
      return listen(writer, message.options).catch((error) => post({ type: "not-listening", error: plain(error) }));
    case "credential":
      if (message.credential) replaceCredential(message.name, message.credential);
      else {
        credentials.delete(message.name);
        broker?.forgetSessions(message.name);
      }
      return;
    case "answer":
      return settle(message.id, message.answer, message.error);
    case "tls":
      return broker?.renewTls(message.material);
    case "disconnect":
      return void broker?.disconnect(message.name);
    case "append":
      return appendAll(writer, message.id, message.messages);
    case "publish":
      return broker
        ?.publish(message.publication)
        .then(() => post({ type: "done", id: message.id }))
        .catch((error: Error) => post({ type: "done", id: message.id, error: plain(error) }));
    case "forward":
      return forwardToListeners(message.publications, message.bytes);
    case "release":
      return writer.release(message.offset, message.heldFrom);
    case "close":
      return close(writer, message.deadline);
  }
}

/** Who is connected by a secret that is not taken any more, connects again or stays away. */
function replaceCredential(name: string, credential: Credential): void {
  const { secretHash, former } = credential;
  const known = credentials.get(name);
  credentials.set(name, credential);
  if (known && (known.secretHash !== secretHash || known.former?.secretHash !== former?.secretHash))
    broker?.disconnect(name, [secretHash, ...(former ? [former.secretHash] : [])]);
}

async function listen(writer: JournalWriter, options: ListenOptions): Promise<void> {
  for (const credential of options.credentials) credentials.set(credential.account.name, credential);
  broker = await startBroker(
    { host: options.host, port: options.port, webSocket: options.webSocket, tls: options.tls, ...options.limits },
    {
      credential: (name) => credentials.get(name),
      onNewSecret: (name, secretHash) => post({ type: "new-secret", name, secretHash }),
      append: appendFor(writer),
      keeper,
      keptSessions: options.keptSessions,
      examine: examineMessage,
      isHeld: shares.isHeld,
      isAhead: underWay.isFull,
      onListeners: (count) => Atomics.store(shared, SHARED.listeners, count),
      onEvent: (event) => post({ type: "event", event }),
      now: wallClock,
      log: log.child({ module: "broker" }),
    },
  );
  post({ type: "listening", address: broker.address });
}

const asked = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
let questions = 0;

function ask<Answer extends SessionAnswer>(question: SessionQuestion): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const id = ++questions;
    asked.set(id, { resolve, reject });
    post({ type: "ask", id, question });
  });
}

function settle(id: number, answer: SessionAnswer | undefined, error: PlainError | undefined): void {
  const one = asked.get(id);
  asked.delete(id);
  if (error) one?.reject(Object.assign(new Error(error.message), error));
  else one?.resolve(answer as never);
}

/** Kept by the core. */
const keeper: SessionKeeper = {
  save: async (session) => (await ask<{ cursor: number }>({ what: "save", session })).cursor,
  replay: (after) => ask<Replay>({ what: "replay", after }),
  forget: (name, clientId) => post({ type: "session-forgotten", name, clientId }),
  progress: (progress) => post({ type: "session-progress", progress }),
};

/** Written to subscribers in one turn of the loop: sockets and the journal have theirs in between. */
const DELIVERIES_PER_TURN = 128;
/** After a turn it rests for so many times as long, at most this: listeners, however many, take no more than a part of the thread. */
const REST_TIMES = 2;
const REST_MS_MAX = 100;
let forwarding = Promise.resolve();

/** In order, a few at a time. */
function forwardToListeners(publications: readonly Publication[], bytes: number): void {
  forwarding = forwarding.then(async () => {
    for (let at = 0; at < publications.length; ) {
      const begun = performance.now();
      const perTurn = Math.ceil(DELIVERIES_PER_TURN / Math.max(1, Atomics.load(shared, SHARED.listeners)));
      const some = publications.slice(at, at + perTurn);
      await Promise.all(some.map((publication) => broker?.publish(publication).catch(() => {}))); // closed meanwhile
      at += perTurn;
      const restMs = Math.min(REST_MS_MAX, REST_TIMES * (performance.now() - begun));
      await (restMs >= 1 ? sleep(restMs) : immediate());
    }
    Atomics.sub(shared, SHARED.forwardBytes, bytes);
  });
}

/** The gate. Switched off only by the harness, to show that its test can fail. */
function appendFor(writer: JournalWriter): JournalWriter["append"] {
  if (!isGateOff(start.faultAt)) {
    return (message, done) => {
      charge(message);
      writer.append(message, done);
    };
  }
  return (message, done) => {
    done();
    writer.append(message, () => {});
  };
}

/** All or nothing is not promised: an error means "send again", and what was kept already becomes duplicates. */
function appendAll(writer: JournalWriter, id: number, messages: readonly NewMessage[]): void {
  const held = messages.find(({ source }) => shares.isHeld(senderKey(source)));
  if (held)
    return post({ type: "done", id, error: { message: `${held.source.name}: ${OVER_SHARE}`, state: "over_share" } });
  let waiting = messages.length;
  let failed: Error | undefined;
  for (const message of messages) {
    charge(message);
    writer.append(message, (error) => {
      failed ??= error;
      waiting -= 1;
      if (waiting === 0) post({ type: "done", id, ...(failed ? { error: plain(failed) } : {}) });
    });
  }
}

const OVER_SHARE = "the disk is nearly full, and this sender has had its share of what is left";

function charge({ source, topic, payload }: NewMessage): void {
  const bytes = topic.length + payload.length;
  shares.took(source, bytes);
  underWay.took(source, bytes);
}

function tell(writer: JournalWriter): void {
  post({ type: "state", state: state(writer) });
  const shed = broker?.takeShed() ?? [];
  if (shed.length > 0) post({ type: "shed", shed });
}

function state(writer: JournalWriter) {
  return { journal: writer.state(), held: shares.held(), figures: broker ? brokerFigures(broker.counts()) : [] };
}

/** Listeners first, then the appends in flight and their PUBACKs, then the file. */
async function close(writer: JournalWriter, deadline: number): Promise<void> {
  await broker?.close({ deadline });
  await writer.close();
  tell(writer);
  post({ type: "closed" });
  port.close();
}

try {
  const { writer, recovery } = await openJournalWriter(
    {
      dir: start.journalDir,
      freeBytesMin: start.diskFreeBytesMin,
      booked: start.booked,
      segmentBytes: start.segmentBytes,
      keepForMs: start.journalKeep.forMs,
      keepBytesMax: start.journalKeep.bytesMax,
    },
    // What is kept for a time is not let go of because of a clock that leaps.
    { now: createSettledClock(wallClock, () => performance.now()).now, log: log.child({ module: "journal" }), at },
  );
  main(writer);
  post({ type: "opened", recovery });
} catch (error) {
  post({ type: "failed", error: plain(error as Error) });
}
