import type { Batch } from "../model/batch.ts";
import { counter, type Figure } from "../model/health.ts";
import type { Reading } from "../model/reading.ts";
import type { SensorStatus } from "../model/status.ts";
import { readingTopic, statusTopic } from "../model/topics.ts";

type Publication = { readonly topic: string; readonly payload: string; readonly qos: 0 | 1; readonly retain?: boolean };

export type ForwardingPorts = {
  /** Whether any MQTT connection may hear readings. */
  isHeard(): boolean;
  /** False: too much of it waits already, and it was left out. */
  forward(publications: readonly Publication[]): boolean;
  /** A status of a sensor that is not registered: it is not passed on. */
  onUnregistered(status: SensorStatus): void;
};

/**
 * What MQTT subscribers hear of the city: readings and statuses that were found good, as the service understood them, and
 * never what a device sent as it came. One end of the fan-out; what it is too slow for, it skips.
 */
export function createForwarding({ isHeard, forward, onUnregistered }: ForwardingPorts, offset: number) {
  let skipped = 0;

  function take({ readings, statuses = [] }: Pick<Batch, "readings" | "statuses">): void {
    const publications: Publication[] = [];
    for (const status of statuses) {
      const payload = status.online ? "online" : "offline";
      if (status.unregisteredFrom) onUnregistered(status);
      else publications.push({ topic: statusTopic(status), payload, qos: 1, retain: true });
    }
    if (isHeard()) for (const reading of readings) if (!reading.imported) publications.push(publicationOf(reading));
    if (publications.length > 0 && !forward(publications)) skipped += publications.length;
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
