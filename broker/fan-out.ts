import type { Aedes, Client, PublishPacket } from "aedes";
import type { MqttClient } from "./aedes-internals.ts";

type Publish = (packet: PublishPacket, client: Client | null | (() => void), done?: () => void) => void;

/**
 * Nothing a client publishes is passed on as it came: what subscribers hear of the city comes from the service, after
 * the message was decoded and found good (`Broker.publish`). Of aedes' work for a PUBLISH this also leaves out the third
 * that looks for subscribers. `onListeners` hears how many clients have a filter that may match a topic of readings.
 */
export function leaveFanOutToService(aedes: Aedes, onListeners: (count: number) => void): void {
  const listening = new Set<Client>();

  function look(client: Client): void {
    const filters = Object.keys((client as MqttClient).subscriptions);
    update(client, filters.some(mayMatchReadings));
  }

  function update(client: Client, isListening: boolean): void {
    const before = listening.size;
    if (isListening) listening.add(client);
    else listening.delete(client);
    if (listening.size !== before) onListeners(listening.size);
  }

  aedes.on("subscribe", (_, client) => look(client));
  aedes.on("unsubscribe", (_, client) => client && look(client));
  aedes.on("clientDisconnect", (client) => update(client, false));

  // aedes itself calls it with the client in the middle, which its types leave out.
  const publish = aedes.publish.bind(aedes) as unknown as Publish;
  const publishOwn: Publish = (packet, client, done) => {
    if (typeof client !== "object" || client === null) return publish(packet, client, done);
    done?.();
  };
  aedes.publish = publishOwn as unknown as Aedes["publish"];
}

/** Topics of readings have four levels and begin with `city`. */
export function mayMatchReadings(filter: string): boolean {
  const levels = filter.split("/");
  if (levels[0] !== "city") return false;
  const rest = levels.indexOf("#");
  return rest >= 0 ? rest <= 4 : levels.length === 4;
}
