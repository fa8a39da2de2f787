import type { DuckDBConnection } from "@duckdb/node-api";
import { type Leaving, StoreError } from "../reading-store.ts";
import { type Instance, type InstanceOptions, openInstance } from "./instance.ts";

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
