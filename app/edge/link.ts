import { Worker } from "node:worker_threads";
import type { AccessEvent } from "../../broker/events.ts";
import type { Shed } from "../../broker/publish-gate.ts";
import type { JournalChunk, RecoveryReport } from "../../ingest/journal/journal.ts";
import type { Replay, SessionKeeper } from "../../model/kept-session.ts";
import type { NewMessage } from "../../model/message.ts";
import type { Credential } from "../../model/people.ts";
import type { TlsMaterial } from "../../model/tls.ts";
import { wallClock } from "../lifecycle.ts";
import {
  type Address,
  type EdgeStart,
  type EdgeState,
  FORWARD_BYTES_IN_FLIGHT_MAX,
  type FromEdge,
  type ListenOptions,
  type PlainError,
  type Publication,
  type SessionQuestion,
  SHARED,
  type ToEdge,
} from "./protocol.ts";

/** The core's side of the edge thread: plain calls in, callbacks out. */
export type Edge = {
  readonly recovery: RecoveryReport;
  /** Hears of records just committed, without their bytes when the core is too far behind. Call it before the first append. */
  onCommit(listener: (chunk: JournalChunk | { readonly to: number }) => void): void;
  /** Opens the MQTT listeners; call it when everything behind them is ready. */
  listen(options: ListenOptions, listeners: BrokerListeners): Promise<Address>;
  /** Resolves when all are fsynced; rejects with an error whose `state` says why. */
  append(messages: readonly NewMessage[]): Promise<void>;
  publish(publication: Publication): Promise<void>;
  /** Whether any MQTT connection may hear readings. */
  isHeard(): boolean;
  /** To whoever subscribes, in order. False: too much of it waits already, and it was left out. */
  forward(publications: readonly Publication[]): boolean;
  setCredential(name: string, credential: Credential | undefined): void;
  disconnect(name: string): void;
  renewTls(material: TlsMaterial): void;
  release(offset: number, heldFrom: number): void;
  /** The rules have taken everything before this message: senders may send as much more. */
  taken(to: number): void;
  state(): EdgeState;
  /** May be called again: that waits for the same end. */
  close(deadlineMs: number): Promise<void>;
};

type BrokerListeners = {
  onEvent(event: AccessEvent): void;
  /** The newer of an account's two secrets was shown: the older one is taken no more. */
  onNewSecret(name: string, secretHash: string): void;
  /** Readings let go under pressure since this was last told. */
  onShed(shed: readonly Shed[]): void;
  /** Where sessions of MQTT clients are kept. */
  readonly sessions: Pick<SessionKeeper, "forget" | "progress"> & {
    save(session: Parameters<SessionKeeper["save"]>[0]): number;
    replay(after: number): Replay;
  };
};

export class EdgeError extends Error {
  override readonly name = "EdgeError";
  readonly state: PlainError["state"];

  constructor({ message, ...error }: PlainError) {
    super(message);
    this.state = error.state;
    Object.assign(this, error);
  }
}

type Waiting = { resolve: () => void; reject: (error: Error) => void };

/**
 * Starts the thread and opens the journal; rejects if the journal cannot be opened. `onFatal`: the thread is gone or the
 * journal cannot go on; exit, and let the restart replay.
 */
export function startEdge(options: Omit<EdgeStart, "shared">, onFatal: (error: Error) => void): Promise<Edge> {
  const shared = new Int32Array(new SharedArrayBuffer(4 * Object.keys(SHARED).length));
  const worker = new Worker(new URL("./thread.ts", import.meta.url), {
    workerData: { ...options, shared: shared.buffer },
  });
  const waiting = new Map<number, Waiting>();
  const opened = Promise.withResolvers<Edge>();
  const listening = Promise.withResolvers<Address>();
  const closed = Promise.withResolvers<void>();
  listening.promise.catch(() => {}); // seen by whoever awaits listen()
  let onCommit: Parameters<Edge["onCommit"]>[0] | undefined;
  let broker: BrokerListeners | undefined;
  let nextId = 1;
  let phase: "starting" | "open" | "closing" = "starting";
  let state: EdgeState = { journal: { state: "open", first: 1, next: 1, bytes: 0, commits: 0 }, held: [], figures: [] };

  const send = (message: ToEdge) => worker.postMessage(message);
  const ask = (message: (id: number) => ToEdge): Promise<void> =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      send(message(id));
    });

  function settle(id: number, error?: PlainError): void {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new EdgeError(error));
    else asked?.resolve();
  }

  function fail(error: Error): void {
    opened.reject(error);
    listening.reject(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    closed.resolve();
    // Who starts the thread is told by the rejection; who closes it wants it gone.
    if (phase === "open") onFatal(error);
  }

  const edgeOf = (recovery: RecoveryReport): Edge => ({
    recovery,
    onCommit: (listener) => {
      onCommit = listener;
    },
    listen: (options, listeners) => {
      broker = listeners;
      send({ type: "listen", options });
      return listening.promise;
    },
    append: (messages) => ask((id) => ({ type: "append", id, messages })),
    publish: (publication) => ask((id) => ({ type: "publish", id, publication })),
    isHeard: () => Atomics.load(shared, SHARED.listeners) > 0,
    forward: (publications) => {
      if (Atomics.load(shared, SHARED.forwardBytes) > FORWARD_BYTES_IN_FLIGHT_MAX) return false;
      let bytes = 0;
      for (const { topic, payload } of publications) bytes += topic.length + payload.length;
      Atomics.add(shared, SHARED.forwardBytes, bytes);
      send({ type: "forward", publications, bytes });
      return true;
    },
    setCredential: (name, credential) => send({ type: "credential", name, credential }),
    disconnect: (name) => send({ type: "disconnect", name }),
    renewTls: (material) => send({ type: "tls", material }),
    taken: (to) => void Atomics.store(shared, SHARED.taken, to | 0),
    release: (offset, heldFrom) => send({ type: "release", offset, heldFrom }),
    state: () => state,
    close: (deadlineMs) => {
      if (phase === "open") send({ type: "close", deadline: wallClock() + deadlineMs });
      phase = "closing";
      return closed.promise;
    },
  });

  /** A full disk costs nothing here: what was acknowledged or used comes again, what was to be forgotten ends by itself. */
  function whenPossible(write: () => void): void {
    try {
      write();
    } catch {}
  }

  /** At once: what is told from here on comes behind the answer. */
  function answer(id: number, question: SessionQuestion): void {
    const { sessions } = broker!;
    try {
      const answer =
        question.what === "save" ? { cursor: sessions.save(question.session) } : sessions.replay(question.after);
      send({ type: "answer", id, answer });
    } catch (error) {
      send({ type: "answer", id, error: { message: (error as Error).message } });
    }
  }

  function receive(message: FromEdge): void {
    switch (message.type) {
      case "opened":
        phase = "open";
        return opened.resolve(edgeOf(message.recovery));
      case "listening":
        return listening.resolve(message.address);
      case "not-listening":
        return listening.reject(new EdgeError(message.error));
      case "chunk":
        Atomics.sub(shared, SHARED.chunkBytes, message.chunk.bytes.byteLength);
        return onCommit?.(message.chunk);
      case "advanced":
        return onCommit?.({ to: message.to });
      case "done":
        return settle(message.id, message.error);
      case "event":
        return broker?.onEvent(message.event);
      case "ask":
        return answer(message.id, message.question);
      case "new-secret":
        return whenPossible(() => broker?.onNewSecret(message.name, message.secretHash));
      case "session-progress":
        return whenPossible(() => broker?.sessions.progress(message.progress));
      case "session-forgotten":
        return whenPossible(() => broker?.sessions.forget(message.name, message.clientId));
      case "shed":
        return broker?.onShed(message.shed);
      case "state":
        state = message.state;
        if (state.journal.state === "failed")
          fail(new EdgeError({ message: "the journal cannot be written", state: "failed" }));
        return;
      case "failed":
        return fail(new EdgeError(message.error));
      case "closed":
        closed.resolve();
        // What a listener that could not be opened has left there ends with the thread.
        return void worker.terminate();
    }
  }

  worker.on("message", receive);
  worker.on("error", fail);
  worker.on("exit", (code) =>
    code === 0 ? closed.resolve() : fail(new Error(`the edge thread ended with code ${code}`)),
  );
  return opened.promise;
}
