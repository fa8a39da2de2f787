import { viewAlert } from "../contract/alert.ts";
import type { Alert } from "../model/alert.ts";
import { counter, type Figure } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import { alertTopic } from "../model/topics.ts";
import type { Records } from "../store/records.ts";

export type PublisherOptions = {
  readonly records: Pick<Records, "events" | "offsets" | "relaxed">;
  /** Resolves when the broker has taken it. */
  publish(message: AlertMessage): Promise<void>;
  readonly log: Log;
  readonly retryAfterMs?: number;
};

const OFFSET = "mqtt-alerts";
const PAGE = 100;

/**
 * Tells every change of an alert on MQTT, in order and at least once: the events are the outbox, the offset of the last
 * one told is kept beside them. `start` goes on where the last run stopped.
 */
export function createAlertPublisher(options: PublisherOptions) {
  const { records, publish, log, retryAfterMs = 1_000 } = options;
  let told = records.offsets.get(OFFSET) ?? 0;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const counts = { published: 0, failed: 0 };

  async function run(): Promise<void> {
    do {
      again = false;
      for (let page = next(); page.length > 0 && !stopped; page = next()) await tell(page);
    } while (again && !stopped);
  }

  const next = () => records.events.after(told, PAGE);

  async function tell(page: ReturnType<typeof next>): Promise<void> {
    for (const event of page) {
      const message = alertMessage(event.alert);
      if (message) {
        await publish(message);
        counts.published += 1;
      }
      told = event.id;
    }
    // At least once: after a power cut some are told again.
    records.relaxed(() => records.offsets.set(OFFSET, told));
  }

  function wake(): void {
    again = true;
    if (stopped || running) return;
    running = run()
      .catch((error: Error) => {
        counts.failed += 1;
        log.warn({ err: error }, "alerts could not be published on MQTT; they are tried again");
        again = false;
        clearTimeout(timer);
        timer = setTimeout(wake, retryAfterMs);
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

export type AlertMessage = { readonly topic: string; readonly payload: string };

/**
 * An alert as the service publishes it on MQTT: `alerts/<district>/<severity>/<alertId>`, JSON as in the API.
 * undefined for what lists leave out as well: alerts that are pending, or that ended without ever having fired.
 */
export function alertMessage(alert: Alert): AlertMessage | undefined {
  const { district } = alert.subject;
  if (district === undefined || alert.firedAt === undefined) return undefined;
  const { id, severity } = alert;
  return { topic: alertTopic({ district, severity, id }), payload: JSON.stringify(viewAlert(alert)) };
}
