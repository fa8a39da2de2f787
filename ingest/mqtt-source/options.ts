import type { Log } from "../../model/log.ts";
import type { NewMessage } from "../../model/message.ts";

export type MqttSourceOptions = {
  readonly host: string;
  readonly port: number;
  /** Present for mqtts; `ca` (PEM) replaces the system's list of authorities. */
  readonly tls?: { readonly ca?: string };
  readonly username?: string;
  readonly password?: string;
  readonly clientId: string;
  /** Filters under `city/`. */
  readonly topics: readonly string[];
  /** Above it the broker is not read; an array counts as many as it has elements. 50,000. */
  readonly readingsPerS?: number;
};

/** What the source needs from the rest of the service. */
export type MqttSourcePorts = {
  /** Resolves when all are on disk; rejects if one is not, also when the others are. */
  append(messages: readonly NewMessage[]): Promise<void>;
  /** Epoch milliseconds. */
  now(): number;
  /** From 0 to 1: spreads the reconnects. */
  random(): number;
  readonly log: Log;
  readonly limits?: Partial<SourceLimits>;
};

export type SourceLimits = {
  /** Messages and payload bytes that wait for the journal before the socket is no longer read. */
  readonly waitingMax: number;
  readonly waitingBytesMax: number;
  /** Reconnects wait between these, at random, growing. */
  readonly backOffMsMin: number;
  readonly backOffMsMax: number;
  /** A connection that lasted this long has worked: the back-off begins anew, a takeover is over. */
  readonly steadyMs: number;
  readonly connectTimeoutMs: number;
  readonly keepaliveS: number;
};

export const LIMITS: SourceLimits = {
  waitingMax: 4_096,
  waitingBytesMax: 8 * 1024 * 1024,
  backOffMsMin: 250,
  backOffMsMax: 15_000,
  // Longer than the longest back-off of another one with the same client id.
  steadyMs: 30_000,
  connectTimeoutMs: 10_000,
  keepaliveS: 30,
};
