import type { Figure } from "../model/health.ts";
import type { BrokerCounts } from "./counters.ts";

const HELP: Readonly<Record<string, string>> = {
  connections: "Open MQTT connections.",
  waitingAppends: "Messages that wait for the journal.",
  received: "Messages handed to the journal.",
  receivedBytes: "Payload bytes handed to the journal.",
  shedQos0: "QoS 0 messages dropped under pressure.",
  slowedByRate: "Times a sender was not read any further because it was above its rate.",
  heldByDiskShare: "Times a sender was not read because it has had its share of a disk that is nearly full.",
  deniedPublishes: "Publishes that can never be accepted: acknowledged and put into the quarantine.",
  deniedSubscribes: "Subscriptions the access rule refused.",
};

const GAUGES = new Set(["connections", "waitingAppends"]);

/** The counters as figures: `lamppost_mqtt_<name>[_total]`, refused connections by reason. */
export function brokerFigures(counts: BrokerCounts): Figure[] {
  return Object.entries(counts).flatMap(([name, value]): Figure[] => {
    if (typeof value === "number") return [figure(name, value)];
    return Object.entries(value).map(([reason, count]) => ({
      ...figure("refusedConnections", count as number),
      labels: { reason },
    }));
  });
}

function figure(name: string, value: number): Figure {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const type = GAUGES.has(name) ? "gauge" : "counter";
  const help = HELP[name] ?? `MQTT: ${snake.replaceAll("_", " ")}.`;
  return { name: `lamppost_mqtt_${snake}${type === "counter" ? "_total" : ""}`, help, type, value };
}
