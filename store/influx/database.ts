import type { Log } from "../../model/log.ts";
import { StoreError } from "../reading-store.ts";
import type { InfluxFlavour, Requests } from "./client.ts";

/**
 * Makes the database of a 1.x server at the first call that reaches it; on 2.x the bucket is the operator's. An account
 * that may not create one may still use one: then the first write tells.
 */
export function createDatabaseMaker(client: Requests, flavour: InfluxFlavour, log: Log): () => Promise<void> {
  if ("token" in flavour) return async () => {};
  const { database } = flavour;
  let making: Promise<void> | undefined;

  async function make(): Promise<void> {
    try {
      // Creating one that is there already changes nothing.
      for await (const _ of client.query(`CREATE DATABASE ${quoteName(database)}`));
      log.info({ database }, "reading store is open");
    } catch (error) {
      if (error instanceof StoreError && error.kind === "unavailable") {
        making = undefined;
        throw error;
      }
      log.warn({ database, reason: String(error) }, "the database could not be created; it may exist already");
    }
  }

  return () => {
    making ??= make();
    return making;
  };
}

/** Names cannot be bound; inside double quotes only these three need care (InfluxQL, "identifiers"). */
function quoteName(name: string): string {
  return `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
