import { networkOf } from "../model/address.ts";
import { byLabel, counter, type Figure, figuresOf } from "../model/health.ts";
import type { Source } from "../model/message.ts";
import type { Reason, Rejection } from "../model/rejection.ts";
import type { SensorStatus } from "../model/status.ts";
import { statusTopic } from "../model/topics.ts";
import type { AccessReason } from "./access.ts";

/** Who it was about. Strings come from outside: printable ASCII only, at most 128 characters. */
type Who = { readonly name: string; readonly clientId: string; readonly address: string };

export type PublishDenial = AccessReason | "too_large" | "bad_status";
/** A status is only found wrong by the registry, when it is decoded: then as the `Reason` of its rejection. */
export type DenialReason = PublishDenial | "too_many_subscriptions" | "will_not_allowed" | Reason;

/**
 * Something for the audit log. `repeats` counts the same event again since it was last reported; `names` how many user
 * names it was under then (at most 20 are counted).
 */
export type AccessEvent = Who & { readonly at: number; readonly repeats: number; readonly names: number } & (
    | { readonly type: "refused"; readonly reason: Refusal }
    | { readonly type: "denied-publish" | "denied-subscribe"; readonly reason: DenialReason; readonly topic: string }
    | { readonly type: "slowed"; readonly reason: Slowed }
    | { readonly type: "closed"; readonly reason: "malformed_packet" | "unreleased"; readonly detail: string }
    | { readonly type: "takeover" }
  );

export type Slowed = "over_rate" | "over_readings_rate" | "disk_share";

type WithoutCounting<E> = E extends AccessEvent ? Omit<E, "at" | "repeats" | "names"> : never;
export type AccessReport = WithoutCounting<AccessEvent>;

/** Addresses, and accounts, that are told apart at a time. */
const KEYS_MAX = 10_000;
const NAMES_MAX = 20;
/** Something that goes on and on is reported ever less often, down to once in so many times the first pause. */
const PAUSES_MAX = 64;

/** Text from outside, fit for logs and lists. */
export function safeText(text: string | undefined, charsMax = 128): string {
  return (text ?? "").slice(0, charsMax).replace(/[^\x20-\x7e]/g, "?");
}

type Burst = { report: AccessReport; saidAt: number; pauseMs: number; repeats: number; readonly names: Set<string> };

/**
 * Reports an event when it first happens, and then once per pause with the number of repeats; the pause begins with
 * `repeatMs` and doubles while it goes on. Call `tick` now and then: it forgets what was not repeated for a pause.
 *
 * Refused logins, and what is not MQTT, are the same event for an address, whatever names it tries; everything else for an account, and there
 * are only so many of those. Nothing is dropped: beyond 10,000 addresses (or accounts) at a time the others are counted
 * together, and neither of the two ever takes the place of the other.
 */
export function createEventLimiter(repeatMs: number, onEvent: (event: AccessEvent) => void, now: () => number) {
  const byAddress = new Map<string, Burst>();
  const byAccount = new Map<string, Burst>();

  function report(raw: AccessReport): void {
    const isAnonymous = raw.type === "refused" || raw.type === "closed";
    const bursts = isAnonymous ? byAddress : byAccount;
    const kind = `${raw.type} ${"reason" in raw ? raw.reason : ""}`;
    const key = `${kind} ${isAnonymous ? networkOf(raw.address) : raw.name}`;
    const known = bursts.get(key);
    if (known) return repeat(known, raw);
    if (bursts.size < KEYS_MAX) return begin(bursts, key, raw);
    const others = bursts.get(kind);
    if (others) repeat(others, { ...raw, address: "many addresses" });
    else begin(bursts, kind, { ...raw, address: "many addresses" });
  }

  function begin(bursts: Map<string, Burst>, key: string, raw: AccessReport): void {
    const at = now();
    const report = safe(raw);
    bursts.set(key, { report, saidAt: at, pauseMs: repeatMs, repeats: 0, names: new Set() });
    onEvent({ ...report, at, repeats: 0, names: 1 });
  }

  function repeat(burst: Burst, raw: AccessReport): void {
    burst.repeats += 1;
    burst.report = raw;
    if (burst.names.size < NAMES_MAX) burst.names.add(safeText(raw.name));
  }

  function tick(): void {
    const at = now();
    for (const bursts of [byAddress, byAccount]) {
      for (const [key, burst] of bursts) {
        if (Math.abs(at - burst.saidAt) < burst.pauseMs) continue;
        if (burst.repeats === 0) {
          bursts.delete(key);
          continue;
        }
        const { report, repeats, names } = burst;
        burst.pauseMs = Math.min(2 * burst.pauseMs, PAUSES_MAX * repeatMs);
        burst.saidAt = at;
        burst.repeats = 0;
        onEvent({ ...safe(report), at, repeats, names: names.size });
        names.clear();
      }
    }
  }

  return { report, tick };
}

function safe(report: AccessReport): AccessReport {
  const { name, clientId, address } = report;
  const who = { name: safeText(name), clientId: safeText(clientId), address: safeText(address) };
  return { ...report, ...who, ...("topic" in report && { topic: safeText(report.topic) }) };
}

/** Why a connection did not come about. A closed set: these are labels on `/metrics`. */
const REFUSALS = [
  "connections_max",
  "address_connections_max",
  "account_connections_max",
  "not_mqtt",
  "proxy_header",
  "protocol_version",
  "connect_timeout",
  "bad_client_id",
  "bad_credentials",
  "bad_certificate",
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

const STATUS_AUDIT_EVERY_MS = 10_000;
const NAMES_COUNTED = 20;

/** What the audit log says of an event. */
export function auditEntry(event: AccessEvent) {
  const { at, type, address, repeats, names } = event;
  const topic = "topic" in event ? ` ${event.topic}` : "";
  const reason = reasonOf(event);
  const from = address && ` from ${address}`;
  const under = names > 1 ? ` under ${names < NAMES_COUNTED ? names : `${names} or more`} user names` : "";
  const again = repeats > 0 ? `, ${repeats} more times${under}` : "";
  // Of many names the last one is not to blame.
  const [name, clientId] = names > 1 ? ["", ""] : [event.name, event.clientId];
  return {
    at,
    by: name || address,
    what: `mqtt.${type}`,
    target: clientId || name || address,
    detail: `${reason}${topic}${from}${again}`,
  };
}

/** The settings behind a limit: whoever meets it, and whoever reads of it, is told which. */
const SETTINGS: ReadonlyMap<string, string> = new Map([
  ["connections_max", "LAMPPOST_MQTT_CONNECTIONS_MAX"],
  ["address_connections_max", "LAMPPOST_MQTT_CONNECTIONS_PER_ADDRESS_MAX"],
  ["account_connections_max", "LAMPPOST_MQTT_CONNECTIONS_PER_ACCOUNT_MAX"],
  ["too_many_subscriptions", "LAMPPOST_MQTT_SUBSCRIPTIONS_PER_CLIENT_MAX, LAMPPOST_MQTT_SUBSCRIPTIONS_PER_USER_MAX"],
  ["unreleased", "LAMPPOST_MQTT_UNRELEASED_PER_ACCOUNT_MAX"],
  ["proxy_header", "LAMPPOST_PROXY_PROTOCOL_FROM"],
]);

/** A reason, with the setting behind it where it is a limit. */
export function withSetting(reason: string): string {
  const setting = SETTINGS.get(reason);
  return setting === undefined ? reason : `${reason} (${setting})`;
}

const SLOWED_BY: Readonly<Record<Extract<AccessEvent, { type: "slowed" }>["reason"], string>> = {
  over_rate: "LAMPPOST_MQTT_DEVICE_PACKETS_PER_S, LAMPPOST_MQTT_GATEWAY_PACKETS_PER_S",
  over_readings_rate: "LAMPPOST_DEVICE_READINGS_PER_S, LAMPPOST_GATEWAY_READINGS_PER_S",
  disk_share: "the disk is nearly full, see LAMPPOST_DISK_FREE_MIN_MIB",
};

function reasonOf(event: AccessEvent): string {
  switch (event.type) {
    case "takeover":
      return "same client id, newer connection";
    case "closed":
      return `${event.reason} (${[SETTINGS.get(event.reason), event.detail].filter(Boolean).join("; ")})`;
    case "slowed":
      return `${event.reason} (${SLOWED_BY[event.reason]})`;
    default:
      return withSetting(event.reason);
  }
}

/**
 * A status of a sensor that is not registered, or not there, has passed the broker's rule: it goes into the audit log
 * when it is decoded, once per burst and sender. `tick` now and then.
 */
export function createStatusAudit(onEvent: (event: AccessEvent) => void, now: () => number) {
  const { report, tick } = createEventLimiter(STATUS_AUDIT_EVERY_MS, onEvent, now);
  function tell(reason: Reason, topic: string, { name }: Source): void {
    report({ type: "denied-publish", reason, topic, name, clientId: "", address: "" });
  }
  return {
    notice({ reason, topic, source }: Rejection): void {
      const isStranger = reason === "unknown_sensor" || reason === "wrong_sensor";
      if (isStranger && topic.endsWith("/status")) tell(reason, topic, source);
    },
    noticeUnregistered: (status: SensorStatus) => tell("unknown_sensor", statusTopic(status), status.unregisteredFrom!),
    tick,
  };
}
