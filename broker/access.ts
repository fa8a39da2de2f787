import { TOPIC_BYTES_MAX } from "../model/message.ts";
import type { Account } from "../model/people.ts";
import { filterMatches, isFilter, isShared, sharedFilterOf } from "../model/topic-filter.ts";
import { parseSensorTopic, type SensorTopic } from "../model/topics.ts";

type Action = "publish" | "subscribe" | "forward";
export type AccessReason = "topic_too_long" | "reserved_topic" | "unknown_topic" | "not_yours" | "read_only";
type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: AccessReason };

const ALLOWED: Decision = { allowed: true };
const deny = (reason: AccessReason): Decision => ({ allowed: false, reason });

/**
 * The one rule of who may use which topic over MQTT; whatever is not named here is denied.
 *
 * | account  | publish                                              | subscribe and forward                    |
 * |----------|------------------------------------------------------|------------------------------------------|
 * | device   | its own topic and its own `/status`, also of districts it stood in | its own `/rejected` and `/status`        |
 * | gateway  | readings, status and, if it may, `import/` of its districts; the topics of other formats that it may speak | anything under `city/<its district>/` |
 * | a person | nothing                                              | anything under `alerts/`, `city/`, `homeassistant/` |
 *
 * `topic` is a filter for "subscribe", also a shared one, and a topic without wildcards otherwise. Nothing under `$` and no filter whose
 * first level is a wildcard is ever allowed.
 */
export function mayUse(account: Account, action: Action, topic: string): Decision {
  if (topic.length > TOPIC_BYTES_MAX) return deny("topic_too_long");
  if (action === "subscribe" && isShared(topic)) {
    const filter = sharedFilterOf(topic);
    return filter === undefined ? deny("unknown_topic") : mayUse(account, action, filter);
  }
  const first = topic.charCodeAt(0);
  // '$' belongs to the broker (aedes would let a client kick others by $SYS topics); '#' and '+' first means everything.
  if (first === 36 || first === 35 || first === 43) return deny("reserved_topic");
  if (!isFilter(topic)) return deny("unknown_topic");
  return action === "publish" ? mayPublish(account, topic) : mayReceive(account, topic);
}

function mayPublish(account: Account, topic: string): Decision {
  const at = parseSensorTopic(topic);
  if (!at) return maySpeak(account, topic) ? ALLOWED : deny("unknown_topic");
  if (at.channel === "rejected") return deny("unknown_topic");
  switch (account.role) {
    case "device":
      return !at.imported && isOwn(account, at) ? ALLOWED : deny("not_yours");
    case "gateway":
      return (!at.imported || account.mayImport) && account.districts.includes(at.district)
        ? ALLOWED
        : deny("not_yours");
    default:
      return deny("read_only");
  }
}

/** A topic of another format, which a mapping reads: of a gateway that was given it. */
export function maySpeak(account: Account, topic: string): boolean {
  if (account.role !== "gateway" || !account.accepts) return false;
  return account.accepts.some(({ topics }) => topics.some((filter) => filterMatches(filter, topic)));
}

/** The last: what Home Assistant looks for, if the service tells it. */
const PEOPLES = ["alerts/", "city/", "homeassistant/"];

/** A topic is received by the same rule as a filter is subscribed to: it is the narrowest filter there is. */
function mayReceive(account: Account, filter: string): Decision {
  switch (account.role) {
    case "device": {
      const at = parseSensorTopic(filter);
      if (!at || at.channel === "readings") return deny("unknown_topic");
      return isOwn(account, at) ? ALLOWED : deny("not_yours");
    }
    case "gateway": {
      const [root, district, ...rest] = filter.split("/");
      if (root !== "city" || rest.length === 0) return deny("unknown_topic");
      return district !== undefined && account.districts.includes(district) ? ALLOWED : deny("not_yours");
    }
    case "viewer":
    case "crew":
    case "operator":
    case "admin":
      return PEOPLES.some((root) => filter.startsWith(root)) ? ALLOWED : deny("unknown_topic");
    default:
      return deny("not_yours");
  }
}

/** Also where it stood before: behind the door it is told, on the `/rejected` of that topic, where to go. */
function isOwn(account: Account & { role: "device" }, at: SensorTopic): boolean {
  if (at.sensorId !== account.sensorId || at.kind !== account.kind) return false;
  return at.district === account.district || account.former?.includes(at.district) === true;
}

/** What MQTT forbids or discourages in text (section 1.5.3), and U+FFFD, which is what bad UTF-8 was decoded to. */
const UNFIT = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\ufffd]/u;

/** What MQTT forbids in a topic: U+0000, and what was decoded from bad UTF-8. The rest is not a topic of ours either, but can be answered. */
export function isText(text: string): boolean {
  return !text.includes("\u0000") && !text.includes("\ufffd");
}

export function isCleanText(text: string): boolean {
  return !UNFIT.test(text);
}
