import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { Log } from "../../model/log.ts";
import { StoreError } from "../reading-store.ts";

export type InstanceOptions = {
  readonly path: string;
  readonly memoryLimit: string;
  readonly threads: number;
  /** How long the write-ahead log may become before it is folded into the file; as DuckDB spells it. */
  readonly checkpointThreshold: string;
  readonly log: Log;
};

/** The open file. Never two pieces of work at a time on the same connection: DuckDB does not bear that. */
export type Instance = {
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
export async function openInstance(options: InstanceOptions, connectionCount: number): Promise<Instance> {
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
