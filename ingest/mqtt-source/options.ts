import { byLabel, counter, type Figure, figuresOf } from "../../model/health.ts";
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
  /** Filters under `city/`, and of topics that mappings read. */
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
  /** Whether messages to this topic of another format say that a device is there. */
  isStatus?(topic: string): boolean;
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

/** Why a message of the broker did not go to the journal. It is acknowledged: sending it again would not help. */
export type Ignored = "foreign_topic" | "own_rejection" | "bad_status" | "retained_without_time";

export type SourceCounts = {
  connected: number;
  waiting: number;
  received: number;
  kept: number;
  acknowledged: number;
  statuses: number;
  /** QoS 0 messages whose append failed: nobody sends them again. */
  lostQos0: number;
  /** Times it was not read any further because it was above its rate. */
  slowed: number;
  appendErrors: number;
  connects: number;
  disconnects: number;
  takeovers: number;
  /** Connects after which the broker had forgotten the session, and with it what it held for us. */
  sessionsLost: number;
  readonly ignored: Record<Ignored, number>;
};

export function createCounts(): SourceCounts {
  const numbers = { connected: 0, waiting: 0, received: 0, kept: 0, acknowledged: 0, statuses: 0, lostQos0: 0 };
  const events = { slowed: 0, appendErrors: 0, connects: 0, disconnects: 0, takeovers: 0, sessionsLost: 0 };
  const ignored = { foreign_topic: 0, own_rejection: 0, bad_status: 0, retained_without_time: 0 };
  return { ...numbers, ...events, ignored };
}

const HELP: Record<Exclude<keyof SourceCounts, "ignored">, string> = {
  connected: "1 while the external broker delivers.",
  waiting: "Messages of the external broker that wait for the journal.",
  received: "Messages the external broker delivered, repetitions included.",
  kept: "Messages of the external broker that the journal has.",
  acknowledged: "PUBACKs sent to the external broker.",
  statuses: "Status messages from the external broker.",
  lostQos0: "QoS 0 messages of the external broker that the journal did not take.",
  slowed:
    "Times the external broker was not read any further because it was above LAMPPOST_MQTT_SOURCE_READINGS_PER_S.",
  appendErrors: "Batches the journal did not take; the broker sends them again.",
  connects: "Connections the external broker accepted.",
  disconnects: "Connections to the external broker that ended.",
  takeovers: "Connections that another client with the same client id ended, or seems to have ended.",
  sessionsLost: "Reconnects after which the external broker had forgotten what it held for Lamppost.",
};

/** `lamppost_mqtt_source_<name>[_total]`; what was ignored by reason. */
export function sourceFigures({ ignored, ...numbers }: SourceCounts): Figure[] {
  const help = "Messages of the external broker that are acknowledged and not kept.";
  return [
    ...figuresOf("lamppost_mqtt_source", numbers, ["connected", "waiting"], HELP),
    ...byLabel(counter, "lamppost_mqtt_source_ignored_total", help, "reason", ignored),
  ];
}
