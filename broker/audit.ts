import type { Source } from "../model/message.ts";
import type { Reason, Rejection } from "../model/rejection.ts";
import type { SensorStatus } from "../model/status.ts";
import { statusTopic } from "../model/topics.ts";
import { type AccessEvent, createEventLimiter } from "./events.ts";

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
      return `${event.reason} (${event.detail})`;
    case "slowed":
      return `${event.reason} (${SLOWED_BY[event.reason]})`;
    default:
      return event.reason;
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
