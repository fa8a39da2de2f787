import { type AlertsOptions, createAlerts, TICK_EVERY_MS } from "./alerts/alerts.ts";
import { createAlertPublisher, type PublisherOptions } from "./alerts/publisher.ts";
import type { StopStack } from "./lifecycle.ts";
import type { Figure } from "./model/health.ts";
import type { Records } from "./store/records.ts";

export type AlertsStart = Omit<AlertsOptions, "records"> & {
  readonly records: Records;
  readonly publish: PublisherOptions["publish"];
};

/** What `app.ts` wires of the rules, so that it stays one straight function: the engine, and all who tell of its alerts. */
export function startAlerts(options: AlertsStart, onStop: StopStack["onStop"]) {
  const { records, publish, log } = options;
  const alerts = createAlerts(options);
  const publisher = createAlertPublisher({ records, publish, log });

  return {
    /** Takes the readings: one of the consumers of the journal. */
    consumer: alerts,
    close: alerts.close,
    health: () => [alerts.health()],
    figures: (): readonly Figure[] => [...alerts.figures(), ...publisher.figures()],
    /** The clock's part. */
    tickEveryMs: TICK_EVERY_MS,
    tick: alerts.tick,
    /** Once the listeners are up: what is said goes out from here on. */
    tell(): void {
      publisher.start();
      onStop("alert publisher", () => publisher.stop());
    },
  };
}
