import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { Log } from "../../model/log.ts";
import { type Leaving, StoreError } from "../reading-store.ts";

export type InstanceOptions = {
  readonly path: string;
  readonly memoryLimit: string;
  readonly threads: number;
  /** How long the write-ahead log may become before it is folded into the file; as DuckDB spells it. */
  readonly checkpointThreshold: string;
  readonly log: Log;
};

/** The open file. Never two pieces of work at a time on the same connection: DuckDB does not bear that. */
type Instance = {
  /** Runs work on the connection with this number. Throws `StoreError`. */
  run<T>(connection: number, work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  /** No work may be running. */
  close(): void;
};

type Opened = { readonly instance: DuckDBInstance; readonly connections: readonly DuckDBConnection[] };

/**
 * Opens the file, or makes it. When DuckDB declares the instance invalid (a checkpoint met a full disk; what was
 * committed is in its log), the next piece of work opens it again. Throws with the cause: after a failure the process
 * must end (duckdb-node-neo#393).
 */
async function openInstance(options: InstanceOptions, connectionCount: number): Promise<Instance> {
  const { log } = options;
  let opened = await open(options, connectionCount);
  let state: "sound" | "invalid" | "lost" = "sound";
  let renewing: Promise<void> | undefined;
  let running = 0;
  let onIdle = () => {};

  async function run<T>(number: number, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    while (state === "invalid") {
      renewing ??= renew();
      await renewing;
    }
    if (state === "lost")
      throw new StoreError("misconfigured", "DuckDB: the file cannot be opened; restart the service");
    running += 1;
    try {
      return await work(opened.connections[number]!);
    } catch (error) {
      if (isFatal(error)) state = "invalid";
      throw toStoreError(error);
    } finally {
      running -= 1;
      if (running === 0) onIdle();
    }
  }

  async function renew(): Promise<void> {
    if (running > 0) {
      await new Promise<void>((resolve) => {
        onIdle = resolve;
      });
    }
    close(opened);
    try {
      opened = await open(options, connectionCount);
      state = "sound";
      log.warn({}, "the reading store was opened again after a failure");
    } catch (error) {
      state = "lost";
      log.error({ err: error }, "the reading store cannot be opened again: restart the service");
    }
    renewing = undefined;
  }

  return {
    run,
    close: () => {
      if (state === "sound") close(opened);
    },
  };
}

async function open(options: InstanceOptions, connectionCount: number): Promise<Opened> {
  const instance = await DuckDBInstance.create(options.path, {
    memory_limit: options.memoryLimit,
    checkpoint_threshold: options.checkpointThreshold,
    threads: String(options.threads),
    // What a checkpoint has written goes back to the system, which otherwise waits for more of it to be free.
    allocator_background_threads: "true",
    allocator_flush_threshold: "32MB",
    allocator_bulk_deallocation_flush_threshold: "32MB",
    // Nothing is fetched from the network behind the operator's back.
    autoinstall_known_extensions: "false",
  });
  const connections: DuckDBConnection[] = [];
  while (connections.length < connectionCount) connections.push(await instance.connect());
  return { instance, connections };
}

function close({ instance, connections }: Opened): void {
  for (const connection of connections) connection.closeSync();
  instance.closeSync();
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const isFatal = (error: unknown) => /invalidated|FATAL/.test(textOf(error));

/** Whatever DuckDB fails with passes: a full disk with room, an invalid instance with a new one. */
function toStoreError(cause: unknown): StoreError {
  return cause instanceof StoreError ? cause : new StoreError("unavailable", `DuckDB: ${textOf(cause)}`, { cause });
}

/** Runs work on one connection, one piece after the other: DuckDB connections do not bear concurrent use. */
type Lane = {
  use<T>(work: (connection: DuckDBConnection) => Promise<T>, signal?: Leaving): Promise<T>;
  /** Pieces of work running or waiting. */
  waiting(): number;
};

export type Database = {
  /** The only connection that changes anything. */
  readonly writer: Lane;
  /** The reading connection with the shortest queue. */
  reader(): Lane;
  close(): Promise<void>;
};

/**
 * Opens the file, or makes it. `readers`: reads that may run at the same time; more wait in line. Throws with the cause:
 * after a failure the process must end (duckdb-node-neo#393).
 */
export async function openDatabase(options: InstanceOptions, readers: number): Promise<Database> {
  const instance = await openInstance(options, readers + 1);
  let closed = false;
  const lanes = Array.from({ length: readers + 1 }, (_, number) => createLane(instance, number, () => closed));
  const [writer, ...reading] = lanes as [Lane, ...Lane[]];

  return {
    writer,
    reader: () => reading.reduce((best, lane) => (lane.waiting() < best.waiting() ? lane : best)),
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all(lanes.map((lane) => lane.use(async () => {}).catch(() => {})));
      try {
        // Folds the write-ahead log into the file, so that the next start has nothing to replay.
        await instance.run(0, (connection) => connection.run("CHECKPOINT"));
      } finally {
        instance.close();
      }
    },
  };
}

/** DuckDB forgets an interruption that comes between two statements, so it is told again until the work has ended. */
const INTERRUPT_EVERY_MS = 20;

async function interruptible<T>(
  connection: DuckDBConnection,
  work: (connection: DuckDBConnection) => Promise<T>,
  signal: Leaving,
): Promise<T> {
  let again: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    again = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
  };
  signal.addEventListener("abort", interrupt, { once: true });
  try {
    return await work(connection);
  } finally {
    clearInterval(again);
    signal.removeEventListener("abort", interrupt);
  }
}

function createLane(instance: Instance, number: number, closed: () => boolean): Lane {
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    use(work, signal) {
      // Decided when the work is asked for: what was asked before the close is still done.
      const refuse = closed();
      waiting += 1;
      const piece = async () => {
        if (refuse) throw new StoreError("unavailable", "the store is closed");
        signal?.throwIfAborted();
        try {
          return await instance.run(number, signal ? (connection) => interruptible(connection, work, signal) : work);
        } catch (error) {
          signal?.throwIfAborted();
          throw error;
        }
      };
      const result = tail.then(piece).finally(() => (waiting -= 1));
      tail = result.catch(() => {});
      return result;
    },
    waiting: () => waiting,
  };
}
