import { byLabel, counter, type Figure, figuresOf } from "../model/health.ts";

/** Why a connection did not come about. A closed set: these are labels on `/metrics`. */
export const REFUSALS = [
  "connections_max",
  "address_connections_max",
  "account_connections_max",
  "not_mqtt",
  "connect_timeout",
  "bad_client_id",
  "bad_credentials",
  "client_id_not_yours",
  "unavailable",
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Plain numbers since the start; `connections` and `waitingAppends` are as of now. */
export type BrokerCounts = {
  connections: number;
  accepted: number;
  refused: Record<Refusal, number>;
  takeovers: number;
  malformedPackets: number;
  /** Messages handed to `append`, and their payload bytes. */
  received: number;
  receivedBytes: number;
  /** Kept for the quarantine, and acknowledged. */
  deniedPublishes: number;
  deniedWills: number;
  deniedSubscribes: number;
  deniedForwards: number;
  shedQos0: number;
  /** Times a sender was not read any further because it was above its rate. */
  slowedByRate: number;
  /** Times a sender was not read because it has had its share of a disk that is nearly full. */
  heldByDiskShare: number;
  appendErrors: number;
  hookTimeouts: number;
  waitingAppends: number;
  /** Messages not forwarded because the subscriber did not take them. */
  subscriberDrops: number;
  retainedRefused: number;
  /** Retained messages that were compared with the filter of a SUBSCRIBE. */
  retainedLookedAt: number;
};

export function createCounts(): BrokerCounts {
  return {
    connections: 0,
    accepted: 0,
    refused: Object.fromEntries(REFUSALS.map((reason) => [reason, 0])) as Record<Refusal, number>,
    takeovers: 0,
    malformedPackets: 0,
    received: 0,
    receivedBytes: 0,
    deniedPublishes: 0,
    deniedWills: 0,
    deniedSubscribes: 0,
    deniedForwards: 0,
    shedQos0: 0,
    slowedByRate: 0,
    heldByDiskShare: 0,
    appendErrors: 0,
    hookTimeouts: 0,
    waitingAppends: 0,
    subscriberDrops: 0,
    retainedRefused: 0,
    retainedLookedAt: 0,
  };
}

const HELP: Record<Exclude<keyof BrokerCounts, "refused">, string> = {
  connections: "Open MQTT connections.",
  accepted: "MQTT connections that were accepted.",
  takeovers: "MQTT connections that another one with the same client id ended.",
  malformedPackets: "MQTT connections that ended with a packet that is not MQTT.",
  received: "Messages handed to the journal.",
  receivedBytes: "Payload bytes handed to the journal.",
  deniedPublishes: "Publishes that can never be accepted: acknowledged and put into the quarantine.",
  deniedWills: "Last wills the access rule refused.",
  deniedSubscribes: "Subscriptions the access rule refused.",
  deniedForwards: "Messages not forwarded to a subscriber without the right to them.",
  shedQos0: "QoS 0 messages dropped under pressure.",
  slowedByRate: "Times a sender was not read any further because it was above its rate.",
  heldByDiskShare: "Times a sender was not read because it has had its share of a disk that is nearly full.",
  appendErrors: "Messages the journal did not take.",
  hookTimeouts: "Connections closed because the journal did not answer in time.",
  waitingAppends: "Messages that wait for the journal.",
  subscriberDrops: "Messages not forwarded because the subscriber did not take them.",
  retainedRefused: "Retained messages refused because there were too many.",
  retainedLookedAt: "Retained messages that were compared with the filter of a subscription.",
};

/** The counters as figures: `lamppost_mqtt_<name>[_total]`, refused connections by reason. */
export function brokerFigures({ refused, ...counts }: BrokerCounts): Figure[] {
  return [
    ...figuresOf("lamppost_mqtt", counts, ["connections", "waitingAppends"], HELP),
    ...byLabel(counter, "lamppost_mqtt_refused_connections_total", "MQTT connections refused.", "reason", refused),
  ];
}
