import { viewAlert } from "../contract/alert.ts";
import type { Alert } from "../model/alert.ts";
import { counter, type Figure } from "../model/health.ts";
import type { Replay } from "../model/kept-session.ts";
import type { Log } from "../model/log.ts";
import { DAY_MS } from "../model/time.ts";
import { alertTopic, WHOLE_CITY } from "../model/topics.ts";
import type { Records } from "../store/records.ts";

export type PublisherOptions = {
  readonly records: Pick<Records, "alerts" | "events" | "offsets" | "relaxed">;
  /** Resolves when the broker has taken it. */
  publish(message: AlertMessage & { readonly event?: number }): Promise<void>;
  readonly log: Log;
  /** Nobody may be told of anything now: the events wait. */
  readonly isMuted?: () => boolean;
  readonly mutedLookMs?: number;
  readonly retryAfterMs?: number;
  /** What is kept for subscribers that are away. */
  readonly replayLimits?: { readonly messages: number; readonly bytes: number; readonly ageMs: number };
  readonly now?: () => number;
};

const OFFSET = "mqtt-alerts";
const PAGE = 100;
const REPLAY_LIMITS = { messages: 10_000, bytes: 16_777_216, ageMs: 7 * DAY_MS };

/**
 * Tells every change of an alert on MQTT, in order and at least once: the events are the outbox, the offset of the last
 * one told is kept beside them. `start` goes on where the last run stopped. The broker keeps (retains) what fires, so that
 * who subscribes knows at once what is open; after a restart it has nothing, and `start` tells it again.
 */
export function createAlertPublisher(options: PublisherOptions) {
  const { records, publish, log, isMuted = () => false, mutedLookMs = 5_000, retryAfterMs = 1_000 } = options;
  const { replayLimits = REPLAY_LIMITS, now = () => 0 } = options;
  let told = records.offsets.get(OFFSET) ?? 0;
  /** The newest event that has gone to the broker, if it has taken it or not. */
  let handedOver = told;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const counts = { published: 0, failed: 0 };
  /** The topic at which the broker keeps an alert, by its id. */
  const kept = new Map<string, string>();
  /** Where the open alerts have been told again up to; undefined when all have. */
  let retelling: { readonly cursor: string | undefined } | undefined = { cursor: undefined };

  async function run(): Promise<void> {
    do {
      again = false;
      for (let page = next(); page.length > 0 && !stopped; page = next()) await tell(page);
      if (retelling && !stopped) await tellOpen(retelling.cursor);
    } while ((again || retelling) && !stopped);
  }

  const next = () => records.events.after(told, PAGE);

  /** A page of those that were open when this life began. What has changed meanwhile is told by its event. */
  async function tellOpen(cursor: string | undefined): Promise<void> {
    const page = records.alerts.list({ state: ["firing"] }, PAGE, cursor);
    for (const alert of page.items) {
      const message = alertMessage(alert);
      if (!message?.retain || kept.has(alert.id)) continue;
      await publish(message);
      kept.set(alert.id, message.topic);
    }
    retelling = page.next === undefined ? undefined : { cursor: page.next };
  }

  async function tell(page: ReturnType<typeof next>): Promise<void> {
    for (const event of page) {
      // Incidents are not published: their alerts are.
      if ("alert" in event) await tellAlert(event.id, event.alert);
      handedOver = Math.max(handedOver, event.id);
      told = event.id;
    }
    // At least once: after a power cut some are told again.
    records.relaxed(() => records.offsets.set(OFFSET, told));
  }

  async function tellAlert(event: number, alert: Alert): Promise<void> {
    const message = alertMessage(alert);
    if (!message) return;
    await tellChange(event, alert.id, message);
    counts.published += 1;
  }

  /** What is over, or has moved to another topic, the broker forgets before it hears of that. */
  async function tellChange(event: number, id: string, message: AlertMessage): Promise<void> {
    const before = kept.get(id);
    if (before !== undefined && (!message.retain || before !== message.topic)) {
      await publish({ topic: before, payload: "", retain: true });
      kept.delete(id);
    }
    handedOver = Math.max(handedOver, event);
    await publish({ ...message, event });
    if (message.retain) kept.set(id, message.topic);
  }

  /** What has gone to the broker after an event, a page of it: for a subscriber that was away, or too slow. */
  function replay(after: number): Replay {
    const { messages, bytes, ageMs } = replayLimits;
    const limits = { messages, bytes, since: now() - ageMs };
    const start = after < handedOver ? records.events.startWithin(after, handedOver, limits) : after;
    const page = records.events.after(start, PAGE).filter(({ id }) => id <= handedOver);
    const publications = page.flatMap((event) => {
      const message = "alert" in event ? alertMessage(event.alert) : undefined;
      return message ? [{ topic: message.topic, payload: message.payload, event: event.id }] : [];
    });
    const isLast = page.length < PAGE;
    const to = isLast ? Math.max(handedOver, after) : page.at(-1)!.id;
    return { publications, to, isLast, missed: start - after };
  }

  function wakeIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(wake, ms);
  }

  function wake(): void {
    again = true;
    if (stopped || running) return;
    if (isMuted()) return wakeIn(mutedLookMs);
    running = run()
      .catch((error: Error) => {
        counts.failed += 1;
        log.warn({ err: error }, "alerts could not be published on MQTT; they are tried again");
        again = false;
        wakeIn(retryAfterMs);
      })
      .finally(() => {
        running = undefined;
        // What came after the last look and before this line has found the run still running.
        if (again) wake();
      });
  }

  return {
    start(): void {
      records.events.onEvent(wake);
      wake();
    },
    replay,
    handedOver: () => handedOver,
    figures: (): readonly Figure[] => [
      counter("lamppost_alerts_published_total", "Changes of alerts told on MQTT since the start.", counts.published),
      counter(
        "lamppost_alerts_publish_failures_total",
        "Attempts to tell alerts on MQTT that failed and were repeated.",
        counts.failed,
      ),
    ],
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** `retain`: the broker keeps it for those who subscribe later. */
export type AlertMessage = { readonly topic: string; readonly payload: string; readonly retain: boolean };

/**
 * An alert as the service publishes it on MQTT: `alerts/<district>/<severity>/<alertId>`, JSON as in the API; those of no
 * district, the service's own among them, stand under `city`. undefined for what lists leave out as well: alerts that are
 * pending, or that ended without ever having fired.
 */
export function alertMessage(alert: Alert): AlertMessage | undefined {
  const { id, severity, subject, firedAt, state, mode } = alert;
  if (firedAt === undefined) return undefined;
  const topic = alertTopic({ district: subject.district ?? WHOLE_CITY, severity, id });
  return { topic, payload: JSON.stringify(viewAlert(alert)), retain: state === "firing" && mode === undefined };
}
