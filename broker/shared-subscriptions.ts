import type { Aedes, AedesPublishPacket, Client } from "aedes";
import { sharedFilterOf } from "../model/topic-filter.ts";
import { mayUse } from "./access.ts";
import type { MqttClient } from "./aedes-internals.ts";
import type { BrokerCounts } from "./events.ts";
import type { Session } from "./session.ts";

/** Sent to one client of a group and not acknowledged; one that has so many is passed over. */
const OPEN_MAX = 1_000;
/** Of QoS 1, while none of a group can take more; beyond it they are left out. */
const WAITING_MAX = 1_000;

type Member = { readonly client: MqttClient; readonly session: Session; qos: number };
type Group = {
  readonly filter: string;
  /** In turn: who was sent a message goes to the end. */
  readonly members: Map<MqttClient, Member>;
  readonly waiting: AedesPublishPacket[];
  /** What aedes calls with each message that matches. */
  readonly listen: (packet: AedesPublishPacket, done: () => void) => void;
};
/** By its number: a message of QoS 1 and the group it was sent for. */
type Open = Map<number, { readonly packet: AedesPublishPacket; readonly group: Group }>;

type Ports = {
  readonly sessionOf: (client: object | null) => Session | undefined;
  readonly isFull: (session: Session) => boolean;
  readonly counts: BrokerCounts;
  readonly groupsPerAccountMax: number;
};

/**
 * Shared subscriptions, `$share/<group>/<filter>` (MQTT 5 section 4.8.2; clients of 3.1.1 may have them too): of the
 * connections of an account that have the same one, each message goes to one. aedes takes such a filter for one that nothing
 * matches; what it means is done here. A group is of one account, so that nobody takes messages away from somebody else.
 */
export function createSharedSubscriptions(aedes: Aedes, { sessionOf, isFull, counts, groupsPerAccountMax }: Ports) {
  /** By account, then by the subscription as it was asked for. */
  const groups = new Map<string, Map<string, Group>>();
  const topicsOf = new WeakMap<MqttClient, Set<string>>();
  const openOf = new WeakMap<MqttClient, Open>();

  /** False if the account has as many groups as it may. Asked before the SUBACK, also for a session that was kept. */
  function join(client: MqttClient, topic: string, qos: number): boolean {
    const session = sessionOf(client);
    const filter = sharedFilterOf(topic);
    if (!session?.account || filter === undefined) return false;
    const { name } = session.account;
    const ofAccount = groups.get(name) ?? new Map<string, Group>();
    if (!ofAccount.has(topic) && ofAccount.size >= groupsPerAccountMax) return false;
    groups.set(name, ofAccount);
    const group = ofAccount.get(topic) ?? open(ofAccount, topic, filter);
    group.members.set(client, { client, session, qos });
    topicsOf.set(client, (topicsOf.get(client) ?? new Set()).add(topic));
    return true;
  }

  function open(ofAccount: Map<string, Group>, topic: string, filter: string): Group {
    const group: Group = {
      filter,
      members: new Map(),
      waiting: [],
      listen(packet, done) {
        hand(group, packet);
        setImmediate(done);
      },
    };
    ofAccount.set(topic, group);
    aedes.subscribe(filter, group.listen as never, () => {});
    return group;
  }

  function leave(client: MqttClient, topic: string): void {
    const name = sessionOf(client)?.account?.name ?? "";
    const ofAccount = groups.get(name);
    const group = ofAccount?.get(topic);
    topicsOf.get(client)?.delete(topic);
    if (!ofAccount || !group?.members.delete(client) || group.members.size > 0) return;
    ofAccount.delete(topic);
    if (ofAccount.size === 0) groups.delete(name);
    aedes.unsubscribe(group.filter, group.listen as never, () => {});
  }

  /** To the next in turn that takes it. */
  function hand(group: Group, packet: AedesPublishPacket): void {
    if (packet.retain && packet.payload.length === 0) return; // a topic is emptied: of retained messages it hears none
    const member = nextOf(group, packet.topic);
    if (!member) {
      if (packet.qos > 0 && group.waiting.length < WAITING_MAX) group.waiting.push(packet);
      else counts.subscriberDrops += 1;
      return;
    }
    const { client, qos } = member;
    group.members.delete(client);
    group.members.set(client, member);
    if (packet.qos === 0 || qos === 0) return client.deliver0(own(packet, { qos: 0 }), () => {});
    const messageId = nextIdOf(client);
    opensOf(client).set(messageId, { packet, group });
    client.deliverQoS(own(packet, { qos: 1, messageId }), () => {});
  }

  function nextOf({ members }: Group, topic: string): Member | undefined {
    for (const member of members.values()) if (canTake(member, topic)) return member;
    return undefined;
  }

  function canTake({ client, session }: Member, topic: string): boolean {
    return (
      client.connackSent &&
      !client.closed &&
      opensOf(client).size < OPEN_MAX &&
      mayUse(session.account!, "forward", topic).allowed &&
      !isFull(session)
    );
  }

  /** This client may take more than before. */
  function resume(client: MqttClient): void {
    for (const topic of topicsOf.get(client) ?? []) {
      const group = groups.get(sessionOf(client)?.account?.name ?? "")?.get(topic);
      while (group?.waiting[0] && nextOf(group, group.waiting[0].topic)) hand(group, group.waiting.shift()!);
    }
  }

  function opensOf(client: MqttClient): Open {
    const open = openOf.get(client) ?? new Map();
    openOf.set(client, open);
    return open;
  }

  /** What one that has left did not acknowledge goes to another. */
  function gone(client: MqttClient): void {
    const topics = [...(topicsOf.get(client) ?? [])];
    const open = openOf.get(client);
    openOf.delete(client);
    for (const topic of topics) leave(client, topic);
    for (const { packet, group } of open?.values() ?? []) if (group.members.size > 0) hand(group, packet);
  }

  aedes.on("unsubscribe", (topics, client) => {
    for (const topic of client ? topics : []) leave(client as MqttClient, topic);
  });
  aedes.on("clientReady", (client) => resume(client as MqttClient));
  aedes.on("clientDisconnect", (client) => gone(client as MqttClient));

  return {
    join,
    acknowledged(client: Client, messageId: number): void {
      if (openOf.get(client as MqttClient)?.delete(messageId)) resume(client as MqttClient);
    },
  };
}

export type SharedSubscriptions = ReturnType<typeof createSharedSubscriptions>;

/** Without the broker's number, by which aedes would take it for one that this client has had by another subscription. */
const own = (packet: AedesPublishPacket, more: { qos: 0 | 1; messageId?: number }) =>
  ({
    ...{ cmd: "publish", topic: packet.topic, payload: packet.payload, dup: false, retain: false },
    ...more,
    ...{ brokerId: null, brokerCounter: 0 },
  }) as unknown as AedesPublishPacket;

/** As aedes numbers what it sends. */
function nextIdOf(client: MqttClient): number {
  const id = client._nextId;
  client._nextId = id >= 65_535 ? 1 : id + 1;
  return id;
}
