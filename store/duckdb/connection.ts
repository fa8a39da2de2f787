import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { StoreError } from "../reading-store.ts";

/** Runs work on one connection, one piece after the other: DuckDB connections do not bear concurrent use. */
export type Lane = {
  use<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
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

export type DatabaseOptions = { readonly path: string; readonly memoryLimit: string; readonly threads: number };

/** Reads that may run at the same time; more would only queue inside DuckDB, which has two threads by default. */
const READERS = 3;

/** Opens the file, or makes it. Throws with the cause: after a failure the process must end (duckdb-node-neo#393). */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const instance = await DuckDBInstance.create(options.path, {
    memory_limit: options.memoryLimit,
    // Each checkpoint writes the last, unfinished row group again: every 16 MiB, the default, costs a quarter more CPU.
    checkpoint_threshold: "128MB",
    threads: String(options.threads),
    // Nothing is fetched from the network behind the operator's back.
    autoinstall_known_extensions: "false",
  });
  const connections: DuckDBConnection[] = [];
  for (let n = 0; n <= READERS; n += 1) connections.push(await instance.connect());
  let closed = false;
  const lanes = connections.map((connection) => createLane(connection, () => closed));
  const [writer, ...readers] = lanes as [Lane, ...Lane[]];

  return {
    writer,
    reader: () => readers.reduce((best, lane) => (lane.waiting() < best.waiting() ? lane : best)),
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all(lanes.map((lane) => lane.use(async () => {}).catch(() => {})));
      // Folds the write-ahead log into the file, so that the next start has nothing to replay.
      await connections[0]!.run("CHECKPOINT");
      for (const connection of connections) connection.closeSync();
      instance.closeSync();
    },
  };
}

function createLane(connection: DuckDBConnection, closed: () => boolean): Lane {
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  async function run<T>(work: (connection: DuckDBConnection) => Promise<T>, refuse: boolean): Promise<T> {
    if (refuse) throw new StoreError("unavailable", "the store is closed");
    try {
      return await work(connection);
    } catch (error) {
      throw toStoreError(error);
    }
  }
  return {
    use(work) {
      // Decided when the work is asked for: what was asked before the close is still done.
      const refuse = closed();
      waiting += 1;
      const result = tail.then(() => run(work, refuse)).finally(() => (waiting -= 1));
      tail = result.catch(() => {});
      return result;
    },
    waiting: () => waiting,
  };
}

/** A full disk passes; a database that declared itself invalid stays so until the process starts anew. */
function toStoreError(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const invalid = /invalidated|FATAL/.test(text);
  return new StoreError(invalid ? "misconfigured" : "unavailable", `DuckDB: ${text}`, { cause });
}
