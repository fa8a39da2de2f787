import type { Aedes, Client, PublishPacket } from "aedes";
import type { MqttClient } from "./aedes-internals.ts";

type Publish = (packet: PublishPacket, client: Client | null | (() => void), done?: () => void) => void;

/**
 * Most readings have no subscriber: the service takes them from the journal, not from the broker's fan-out. While no
 * filter of anyone can match a topic of readings, the fan-out (a third of aedes' work for a message) is left out.
 */
export function leaveOutUnheard(aedes: Aedes, isReadings: (client: Client, topic: string) => boolean): void {
  const listening = new Map<Client, number>();
  let listeners = 0;

  function count(client: Client): void {
    const filters = Object.keys((client as MqttClient).subscriptions).filter(mayMatchReadings).length;
    listeners += filters - (listening.get(client) ?? 0);
    if (filters > 0) listening.set(client, filters);
    else listening.delete(client);
  }

  function leave(client: Client): void {
    listeners -= listening.get(client) ?? 0;
    listening.delete(client);
  }

  aedes.on("subscribe", (_, client) => count(client));
  aedes.on("unsubscribe", (_, client) => client && count(client));
  aedes.on("clientDisconnect", leave);

  // aedes itself calls it with the client in the middle, which its types leave out.
  const publish = aedes.publish.bind(aedes) as unknown as Publish;
  const publishHeard: Publish = (packet, client, done) => {
    if (typeof client !== "object" || client === null || listeners > 0) return publish(packet, client, done);
    if (packet.retain || !isReadings(client, packet.topic)) return publish(packet, client, done);
    done?.();
  };
  aedes.publish = publishHeard as unknown as Aedes["publish"];
}

/** Topics of readings have four levels. */
export function mayMatchReadings(filter: string): boolean {
  const levels = filter.split("/");
  const rest = levels.indexOf("#");
  return rest >= 0 ? rest <= 4 : levels.length === 4;
}
