import { type AccessEvent, createEventLimiter } from "../../broker/events.ts";
import type { Shed } from "../../broker/shed.ts";
import type { RecoveryReport } from "../../ingest/journal/journal.ts";
import type { Background } from "../../model/background.ts";
import type { Batch } from "../../model/batch.ts";
import { counter, type Figure, gauge, type Health } from "../../model/health.ts";
import type { LedgerRow } from "../../model/ledger.ts";
import type { Log } from "../../model/log.ts";
import type { Source } from "../../model/message.ts";
import type { Reading } from "../../model/reading.ts";
import { REASONS, type Reason, type Rejection } from "../../model/rejection.ts";
import type { SensorStatus } from "../../model/status.ts";
import { dateOf } from "../../model/time.ts";
import { readingTopic, rejectedTopic, statusTopic } from "../../model/topics.ts";
import { isWorldFault } from "../../model/world-fault.ts";
import type { Records } from "../../store/records.ts";
import type { Edge } from "./link.ts";
import type { Publication } from "./protocol.ts";

/** What the edge thread reports, put where people and machines look. */

/** What the audit cannot take on a full disk waits until it can. */
export function createBrokerNews(
  records: { readonly audit: Pick<Records["audit"], "add"> },
  background: Pick<Background, "handler">,
): (event: AccessEvent) => void {
  return background.handler("audit of the broker", (event: AccessEvent) => records.audit.add(auditEntry(event)));
}

function auditEntry(event: AccessEvent) {
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

/**
 * Books what the broker let go. What the records refuse (a full disk) waits for the next time; what waits when the
 * process is killed is in neither side of the books, as if it had not come.
 */
export function createShedBooks(
  records: { readonly ledger: Pick<Records["ledger"], "add">; readonly sensors: Pick<Records["sensors"], "get"> },
  now: () => number,
  log: Log,
): (shed: readonly Shed[]) => void {
  const waiting = new Map<string, LedgerRow>();
  let failing = false;
  return (shed) => {
    const day = dateOf(now());
    for (const { sensorId: named, count } of shed) {
      const sensorId = records.sensors.get(named) ? named : ""; // a gateway may invent names
      const key = `${day} ${sensorId}`;
      waiting.set(key, { day, sensorId, outcome: "shed", count: (waiting.get(key)?.count ?? 0) + count });
    }
    try {
      records.ledger.add(waiting.values());
      waiting.clear();
      failing = false;
    } catch (error) {
      if (!isWorldFault(error)) throw error;
      if (!failing) log.error({ err: error }, "messages let go under pressure cannot be booked; tried again");
      failing = true;
    }
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
 * What MQTT subscribers hear of the city: readings and statuses that were found good, as the service understood them, and
 * never what a device sent as it came. One end of the fan-out; what it is too slow for, it skips.
 */
export function createForwarding(
  edge: Pick<Edge, "isHeard" | "forward">,
  offset: number,
  onUnregistered: (status: SensorStatus) => void,
) {
  let skipped = 0;

  function take({ readings, statuses = [] }: Pick<Batch, "readings" | "statuses">): void {
    const publications: Publication[] = [];
    for (const status of statuses) {
      const payload = status.online ? "online" : "offline";
      if (status.unregisteredFrom) onUnregistered(status);
      else publications.push({ topic: statusTopic(status), payload, qos: 1, retain: true });
    }
    if (edge.isHeard())
      for (const reading of readings) if (!reading.imported) publications.push(publicationOf(reading));
    if (publications.length > 0 && !edge.forward(publications)) skipped += publications.length;
  }

  const figures = (): Figure[] => [
    counter(
      "lamppost_mqtt_forwards_skipped_total",
      "Readings and statuses not passed on to MQTT subscribers because too many waited.",
      skipped,
    ),
  ];
  return { consumer: { name: "mqtt", offset, durable: false, take }, figures };
}

function publicationOf(reading: Reading): Publication {
  const { measuredAt, values } = reading;
  const payload = JSON.stringify({ measuredAt: new Date(measuredAt).toISOString(), ...values });
  return { topic: readingTopic(reading), payload, qos: 1 };
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

const STATUS_AUDIT_EVERY_MS = 10_000;
const NAMES_COUNTED = 20;

/** Best effort: a device that does not listen misses nothing that the quarantine does not show. */
export function tellDevice(edge: Pick<Edge, "publish">, rejection: Rejection): void {
  const { sensorId, district, kind, reason, detail, receivedAt, index } = rejection;
  if (!sensorId || !district || !kind) return;
  const payload = JSON.stringify({
    reason,
    detail,
    meaning: REASONS[reason],
    index,
    receivedAt: new Date(receivedAt).toISOString(),
  });
  edge.publish({ topic: rejectedTopic({ district, kind, sensorId }), payload, qos: 0 }).catch(() => {});
}

export function reportRecovery({ first, next, tornBytes, gaps }: RecoveryReport, log: Log): void {
  if (tornBytes > 0)
    log.warn({ tornBytes }, "the journal's tail was torn by a crash and has been cut; nothing acknowledged was in it");
  for (const gap of gaps)
    log.error(gap, "acknowledged messages are missing from the journal; damaged segments are kept in journal/damaged");
  log.info({ first, next }, "journal is open");
}

/** Not ready while messages cannot be kept; degraded for ever after messages were found missing, until the next start. */
export function journalHealth(edge: Pick<Edge, "state" | "recovery">): Health {
  const part = "journal";
  const { state } = edge.state().journal;
  if (state === "full")
    return {
      part,
      state: "failed",
      ready: false,
      reason:
        "The disk is full: nothing is acknowledged until there is room. Free space; the service goes on by itself.",
    };
  if (state === "failed")
    return {
      part,
      state: "failed",
      ready: false,
      reason: "The journal cannot be written. The service restarts and replays.",
    };
  const { held } = edge.state();
  if (held.length > 0) {
    const more = held.length > SENDERS_SHOWN ? ` and ${held.length - SENDERS_SHOWN} more` : "";
    const reason =
      `The disk is nearly full (LAMPPOST_DISK_FREE_MIN_MIB). ${held.slice(0, SENDERS_SHOWN).join(", ")}${more} had ` +
      "their share of what was left and are not read; nobody else is held up. Free space; the service goes on by itself.";
    return { part, state: "degraded", ready: true, reason };
  }
  const missing = edge.recovery.gaps.reduce((sum, { from, to }) => sum + (to - from), 0);
  if (missing === 0) return { part, state: "ok", ready: true };
  const reason = `${missing} acknowledged messages were missing at the start: ${numbersOf(edge.recovery.gaps)}. Damaged segments are kept in journal/damaged.`;
  return { part, state: "degraded", ready: true, reason };
}

const GAPS_SHOWN = 10;
const SENDERS_SHOWN = 5;

function numbersOf(gaps: RecoveryReport["gaps"]): string {
  const shown = gaps.slice(0, GAPS_SHOWN).map(({ from, to }) => (to - from === 1 ? `${from}` : `${from} to ${to - 1}`));
  const more = gaps.length > GAPS_SHOWN ? ` and ${gaps.length - GAPS_SHOWN} more gaps` : "";
  return `numbers ${shown.join(", ")}${more}`;
}

const DURABLE = ["store", "alerts"];
const JOURNAL_END = "journal.end";

/**
 * What the journal must reach: how far the consumers have booked, and how far it went when it was last looked at. It
 * never gives these numbers again, and names the ones from the lowest on that are missing.
 */
export function bookedOffsets(offsets: Pick<Records["offsets"], "get">) {
  const booked = DURABLE.flatMap((name) => offsets.get(name) ?? []);
  const highest = Math.max(offsets.get(JOURNAL_END) ?? 0, ...booked);
  return highest === 0 ? undefined : { lowest: booked.length > 0 ? Math.min(...booked) : 1, highest };
}

/** Keeps how far the journal goes outside of it: a journal that is lost or cut short while a store lags then shows. */
export function markJournal(offsets: Records["offsets"], edge: Pick<Edge, "state">): void {
  const { next } = edge.state().journal;
  try {
    if (next > (offsets.get(JOURNAL_END) ?? 1)) offsets.set(JOURNAL_END, next);
  } catch (error) {
    // A full disk: an older mark only shows less.
    if (!isWorldFault(error)) throw error;
  }
}

export function journalFigures(edge: Pick<Edge, "state" | "recovery">): Figure[] {
  const { journal } = edge.state();
  const missing = edge.recovery.gaps.reduce((sum, { from, to }) => sum + (to - from), 0);
  return [
    gauge("lamppost_journal_next_sequence", "Sequence number the next message gets.", journal.next),
    gauge("lamppost_journal_first_sequence", "First sequence number still on disk.", journal.first),
    gauge("lamppost_journal_bytes", "Bytes of segments on disk.", journal.bytes),
    gauge("lamppost_journal_missing_messages", "Acknowledged messages found missing at the start.", missing),
    counter("lamppost_journal_commits_total", "Group commits (fsyncs) since the start.", journal.commits),
  ];
}
