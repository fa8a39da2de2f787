import type { IPublishPacket } from "mqtt";
import type { Figure, Health } from "../../model/health.ts";
import type { Source } from "../../model/message.ts";
import { newBucket } from "../../model/rate-limit.ts";
import { type Connection, type Ended, openConnection } from "./connection.ts";
import { createCounts, type SourceCounts, sourceFigures } from "./counts.ts";
import { type Answer, createIntake } from "./intake.ts";
import { LIMITS, type MqttSourceOptions, type MqttSourcePorts } from "./options.ts";
import { createReconnects } from "./reconnects.ts";
import { sortDelivered } from "./sort.ts";
import { explainEnd } from "./words.ts";

const READINGS_PER_S = 50_000;

export type MqttSource = {
  health(): Health;
  figures(): Figure[];
  counts(): Readonly<SourceCounts>;
  /** Takes nothing more, acknowledges what the journal still keeps within `withinMs`, and leaves; the broker keeps the session. */
  close(withinMs: number): Promise<void>;
};

/**
 * Reads from a broker of somebody else with a persistent session, and acknowledges what the journal has. Comes back by
 * itself for as long as it lives: a broker that is away is a degraded service, not a failed one.
 */
export function startMqttSource(options: MqttSourceOptions, ports: MqttSourcePorts): MqttSource {
  const { now, log } = ports;
  const limits = { ...LIMITS, ...ports.limits };
  const { readingsPerS = READINGS_PER_S } = options;
  const bucket = newBucket({ perSecond: readingsPerS, burst: 2 * readingsPerS }, now());
  const counts = createCounts();
  const reconnects = createReconnects(limits, ports.random);
  const source: Source = { via: "bridge", role: "broker", name: options.host };
  const address = `${options.host}:${options.port}`;
  let current: { connection: Connection; intake: ReturnType<typeof createIntake> } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let steadyTimer: NodeJS.Timeout | undefined;
  let closed = false;
  let hasSubscribed = false;
  let subscribedAt = 0;
  let trouble = `Connecting to ${address}.`;

  function open(): void {
    const intake = createIntake({
      append: ports.append,
      counts,
      limits,
      bucket,
      now,
      onKept(answers) {
        counts.acknowledged += answers.length;
        connection.acknowledge(answers);
      },
      onFailed: (error) => connection.drop(new Error(`the journal did not take a message: ${error.message}`)),
    });
    const connection = openConnection(options, limits, reconnects.version(), {
      onDelivered: (packet, answer, next) => intake.take(sort(packet, answer), next),
      onSubscribed,
      onEnd(end) {
        intake.abandon();
        onEnd(end);
      },
    });
    current = { connection, intake };
  }

  function sort(packet: IPublishPacket, answer: Answer | undefined) {
    counts.received += 1;
    const { topic, payload, retain } = packet;
    const sorted = sortDelivered({ topic, payload: payload as Buffer, retain }, source, now());
    if (sorted.to === "nobody") {
      counts.ignored[sorted.reason] += 1;
      return { answer };
    }
    if (topic.endsWith("/status")) counts.statuses += 1;
    return { message: sorted.message, answer };
  }

  function onSubscribed(sessionPresent: boolean): void {
    counts.connects += 1;
    counts.connected = 1;
    if (hasSubscribed && !sessionPresent) {
      counts.sessionsLost += 1;
      log.warn({ broker: address }, "the broker had forgotten the session: what came while we were away is not there");
    }
    log.info({ broker: address, mqtt: reconnects.version(), sessionPresent }, "reading from the external broker");
    hasSubscribed = true;
    subscribedAt = now();
    trouble = "";
    steadyTimer = setTimeout(reconnects.steady, limits.steadyMs).unref();
  }

  function onEnd(end: Ended): void {
    clearTimeout(steadyTimer);
    current = undefined;
    const lastedMs = counts.connected ? now() - subscribedAt : 0;
    if (end.accepted) counts.disconnects += 1;
    counts.connected = 0;
    const { waitMs, wrong, takeover } = reconnects.ended(end, lastedMs);
    if (takeover) counts.takeovers += 1;
    if (closed) return;
    timer = setTimeout(open, waitMs);
    if (!wrong) return;
    const why = `Not connected to ${address}: ${explainEnd(end)}. It is tried again.`;
    if (why !== trouble) log.warn({ broker: address, why: explainEnd(end) }, "not reading from the external broker");
    trouble = why;
  }

  function health(): Health {
    const part = "mqtt source";
    const takeover = reconnects.takeover();
    const reason = takeover ? takeoverWords(takeover, options.clientId) : trouble;
    if (!reason) return { part, state: "ok", ready: true };
    return { part, state: "degraded", ready: true, reason };
  }

  async function close(withinMs: number): Promise<void> {
    closed = true;
    clearTimeout(timer);
    if (!current) return;
    const { connection, intake } = current;
    await Promise.race([intake.drain(), after(withinMs)]);
    await connection.leave();
    clearTimeout(steadyTimer);
  }

  open();
  return { health, figures: () => sourceFigures(counts), counts: () => counts, close };
}

function takeoverWords(takeover: "sure" | "likely", clientId: string): string {
  const advice = "give each its own LAMPPOST_MQTT_SOURCE_CLIENT_ID, or stop one.";
  return takeover === "sure"
    ? `Another client takes the session of "${clientId}": ${advice}`
    : `The broker closes each connection after a short time. If another client uses the id "${clientId}", ${advice}`;
}

/** Does not keep the process alive. */
function after(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}
