import { once } from "node:events";
import { Readable } from "node:stream";
import type { Aedes, AedesPublishPacket, Client } from "aedes";
import type { KeptSession, KeptSubscription, Replay, SessionKeeper } from "../model/kept-session.ts";
import type { Log } from "../model/log.ts";
import { filterMatches } from "../model/topic-filter.ts";
import { mayUse } from "./access.ts";
import type { MqttClient } from "./aedes-internals.ts";
import type { BrokerOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** Where a subscriber hears that changes of alerts are not kept any more. */
const GAP_TOPIC = "alerts/gap";
/** A client that has so many unacknowledged is sent the next ones when it has taken some. */
const UNACKNOWLEDGED_MAX = 200;
/** The same of what happens while it is there. */
const OPEN_MAX = 1_000;

type Kept = {
  readonly name: string;
  readonly clientId: string;
  readonly subscriptions: Map<string, KeptSubscription>;
  expiryS: number;
  endsAt: number | undefined;
  /** The change of an alert that was sent last; changes up to it are not sent again on this connection. */
  sentTo: number;
  /** Sent and not acknowledged, oldest first. */
  readonly open: Set<number>;
  readonly byMessageId: Map<number, number>;
  /** Its connection, while there is one. */
  client: MqttClient | undefined;
  /** It is given what it has missed; what happens meanwhile comes behind that. */
  isCatchingUp: boolean;
  /** What `keeper` knows. */
  toldCursor: number;
};

type Ports = {
  readonly options: Pick<BrokerOptions, "sessionsPerAccountMax" | "sessionExpiryMaxS">;
  readonly keeper: SessionKeeper | undefined;
  readonly sessionOf: (client: object | null) => Session | undefined;
  readonly now: () => number;
  readonly log: Log;
};

/** What a message of aedes carries for us: the number of the change it tells, and whether it is told again to this client. */
export type Told = { readonly event?: number; readonly isReplay?: boolean };
const toldBy = (packet: object): Told => (packet as { properties?: Told }).properties ?? {};

/**
 * Sessions of users that outlive their connections. No message is kept for them: changes of alerts are numbered and kept
 * by the service anyway, so a session is its subscriptions and how far it has had the changes. When its client is back it
 * is given those it has missed, and the same when it is too slow for what happens. In the place of aedes' own queues,
 * which are in RAM and without a bound.
 */
export function createKeptSessions(given: readonly KeptSession[], { options, keeper, sessionOf, now, log }: Ports) {
  const byId = new Map<string, Kept>();
  const idOf = (name: string, clientId: string) => `${name}/${clientId}`;
  const saving = new WeakMap<readonly unknown[], Promise<void>>();

  for (const { name, clientId, subscriptions, cursor, expiryS, endsAt } of given) {
    const kept = newKept(name, clientId, expiryS, cursor);
    for (const subscription of subscriptions) kept.subscriptions.set(subscription.topic, subscription);
    // One that was connected when the service ended has been away since.
    kept.endsAt = endsAt ?? now() + expiryS * 1_000;
    byId.set(idOf(name, clientId), kept);
  }

  /**
   * Decides what becomes of the session of a client that has just logged in: whether it is one that is kept, in
   * `keptForS` for how long once its client is away.
   */
  function begin(session: Session): { readonly isKept: boolean; readonly keptForS: number } {
    if (session.asked!.clean) discard(session);
    const keptForS = expiryFor(session);
    // Of MQTT 5 also one that is only gone on with, and ends then.
    const isGoneOnWith = session.mqtt5 !== undefined && keptOf(session) !== undefined;
    return { isKept: keptForS > 0 || isGoneOnWith, keptForS };
  }

  function expiryFor(session: Session): number {
    const { asked, account, mqtt5 } = session;
    if (!keeper || !asked?.clientId || !account || account.role === "device" || account.role === "gateway") return 0;
    const wanted = mqtt5 ? mqtt5.sessionExpiryS() : asked.clean ? 0 : options.sessionExpiryMaxS;
    const isKnown = byId.has(idOf(asked.name, asked.clientId));
    if (wanted > 0 && !isKnown && !makeRoom(asked.name)) return 0;
    return Math.min(wanted, options.sessionExpiryMaxS);
  }

  /** The one that has been away longest makes room for the next of its account. */
  function makeRoom(name: string): boolean {
    const own = [...byId.values()].filter((kept) => kept.name === name);
    if (own.length < options.sessionsPerAccountMax) return true;
    const [oldest] = own.filter(({ client }) => !client).sort((a, b) => (a.endsAt ?? 0) - (b.endsAt ?? 0));
    if (oldest) forget(oldest);
    return oldest !== undefined;
  }

  const keptOf = ({ asked }: Session) => asked && byId.get(idOf(asked.name, asked.clientId));
  const ofClient = (client: Client) => {
    const session = sessionOf(client);
    return session && !session.client.clean ? keptOf(session) : undefined;
  };

  function forget(kept: Kept): void {
    byId.delete(idOf(kept.name, kept.clientId));
    keeper?.forget(kept.name, kept.clientId);
  }

  function cursorOf({ open, sentTo }: Kept): number {
    const [oldest] = open;
    return oldest === undefined ? sentTo : oldest - 1;
  }

  function report(kept: Kept): void {
    const { name, clientId, endsAt } = kept;
    kept.toldCursor = cursorOf(kept);
    keeper?.progress({ name, clientId, cursor: kept.toldCursor, endsAt });
  }

  /** With a clean start: what was kept under its id ends. */
  function discard(session: Session): void {
    const kept = keptOf(session);
    if (kept) forget(kept);
  }

  async function save(client: Client, change: (kept: Kept) => void): Promise<void> {
    const session = sessionOf(client);
    if (!session?.asked || !keeper) return;
    const { name, clientId } = session.asked;
    const known = byId.get(idOf(name, clientId));
    const kept = known ?? newKept(name, clientId, session.keptForS ?? 0, 0);
    change(kept);
    if (kept.subscriptions.size === 0) return known && forget(known);
    byId.set(idOf(name, clientId), kept);
    kept.client = session.client;
    const { subscriptions, expiryS } = kept;
    const cursor = await keeper.save({ name, clientId, subscriptions: [...subscriptions.values()], expiryS });
    if (!known) Object.assign(kept, { sentTo: cursor, toldCursor: cursor });
  }

  /** Parts of aedes' persistence. */
  const persistence = {
    subscriptionsByClient: async ({ id }: { id: string }) =>
      [...(byId.get(id)?.subscriptions.values() ?? [])].map((one) => ({ ...one })),
    /** Asked once for each filter of a packet, with all of them, those that were denied as well. */
    addSubscriptions(client: Client, subscriptions: readonly KeptSubscription[]): Promise<void> {
      const before = saving.get(subscriptions);
      if (before) return before;
      const { account } = sessionOf(client) ?? {};
      const saved = save(client, (kept) => {
        for (const { topic, qos, nl, rap, identifier } of subscriptions)
          if (account && mayUse(account, "subscribe", topic).allowed)
            kept.subscriptions.set(topic, { topic, qos, nl, rap, identifier });
      });
      saving.set(subscriptions, saved);
      return saved;
    },
    removeSubscriptions: (client: Client, topics: readonly string[]) =>
      save(client, ({ subscriptions }) => {
        for (const topic of topics) subscriptions.delete(topic);
      }),
    cleanSubscriptions: async () => {}, // by `begin`, before
    subscriptionsByTopic: async () => [],
    outgoingEnqueue: async () => {},
    outgoingEnqueueCombi: async () => {},
    async outgoingUpdate(client: Client, packet: AedesPublishPacket & { messageId?: number }) {
      const { event } = toldBy(packet);
      if (event !== undefined && packet.messageId !== undefined)
        ofClient(client)?.byMessageId.set(packet.messageId, event);
    },
    async outgoingClearMessageId(client: Client, { messageId }: { messageId: number }) {
      const kept = ofClient(client);
      const event = kept?.byMessageId.get(messageId);
      if (!kept || event === undefined) return;
      kept.byMessageId.delete(messageId);
      kept.open.delete(event);
      client.emit("taken");
    },
    outgoingStream: () => Readable.from([]),
  };

  /** Whether this client is sent this message now. `isFull`: it has too much unread. */
  function mayForward(client: Client, packet: AedesPublishPacket, isFull: () => boolean): boolean {
    const { event, isReplay } = toldBy(packet);
    const kept = event === undefined ? undefined : ofClient(client);
    if (!kept || event === undefined || kept.client !== client) return !isFull();
    if (!isReplay) {
      if (kept.isCatchingUp || event <= kept.sentTo) return false;
      if (isFull() || kept.open.size > OPEN_MAX) {
        void catchUp(kept); // nothing of it is lost: it comes when there is room
        return false;
      }
      kept.sentTo = event;
    }
    kept.open.add(event);
    // A subscription of QoS 0 is answered by nobody. Two turns later aedes has given it a number, or never will.
    setImmediate(setImmediate, () => {
      if (![...kept.byMessageId.values()].includes(event)) kept.open.delete(event);
    });
    return true;
  }

  function attach(client: MqttClient): void {
    const kept = ofClient(client);
    if (!kept) return;
    const { keptForS, mqtt5 } = sessionOf(client)!;
    Object.assign(kept, { client, endsAt: undefined, expiryS: keptForS ?? 0 });
    for (const { topic, identifier } of kept.subscriptions.values()) mqtt5?.identify(topic, identifier);
    report(kept);
    void catchUp(kept);
  }

  function detach(client: MqttClient): void {
    const kept = ofClient(client);
    if (kept?.client !== client) return;
    const session = sessionOf(client)!;
    const expiryS = session.mqtt5 ? Math.min(session.mqtt5.sessionExpiryS(), options.sessionExpiryMaxS) : kept.expiryS;
    kept.sentTo = cursorOf(kept); // what was not acknowledged comes again
    Object.assign(kept, { client: undefined, isCatchingUp: false, endsAt: now() + expiryS * 1_000 });
    kept.open.clear();
    kept.byMessageId.clear();
    if (expiryS === 0) forget(kept);
    else report(kept);
  }

  async function catchUp(kept: Kept): Promise<void> {
    if (kept.isCatchingUp || !kept.client || !keeper) return;
    const { client } = kept;
    const isGone = () => client.closed || kept.client !== client;
    kept.isCatchingUp = true;
    try {
      for (;;) {
        while (!isGone() && (kept.open.size > UNACKNOWLEDGED_MAX || client.conn.writableNeedDrain)) await room(client);
        if (isGone()) return;
        const page = await keeper.replay(kept.sentTo);
        if (isGone()) return;
        give(kept, client, page);
        if (!page.isLast) continue;
        // What is told from here on came behind the page.
        kept.isCatchingUp = false;
        return;
      }
    } catch (error) {
      log.error({ err: error }, "what a subscriber has missed cannot be read");
      if (!isGone()) client.close();
    }
  }

  function give(kept: Kept, client: MqttClient, { publications, to, missed }: Replay): void {
    if (missed > 0) {
      const payload = JSON.stringify({ missed, why: "more, larger or older changes than are kept" });
      client.deliverQoS(packetOf(GAP_TOPIC, payload, { isReplay: true }), () => {});
    }
    for (const { topic, payload, event } of publications) {
      const matching = [...kept.subscriptions.values()].filter((one) => one.qos > 0 && filterMatches(one.topic, topic));
      if (matching.length > 0) client.deliverQoS(packetOf(topic, payload, { event, isReplay: true }), () => {});
    }
    kept.sentTo = Math.max(kept.sentTo, to);
  }

  /** Tells how far they are, and lets those go that have been away for too long. */
  function tick(): void {
    for (const kept of byId.values()) {
      if (kept.endsAt !== undefined && kept.endsAt <= now()) forget(kept);
      else if (kept.client && cursorOf(kept) !== kept.toldCursor) report(kept);
    }
  }

  /** Its account is gone. */
  function forgetAll(name: string): void {
    for (const kept of byId.values()) if (kept.name === name) forget(kept);
  }

  return {
    persistence,
    begin,
    mayForward,
    tick,
    forgetAll,
    size: () => byId.size,
    listenTo(aedes: Aedes): void {
      aedes.on("clientReady", (client) => attach(client as MqttClient));
      aedes.on("clientDisconnect", (client) => {
        detach(client as MqttClient);
        // Halves of what it sent with QoS 2: not kept for anyone.
        const { persistence } = aedes as unknown as { persistence: { cleanIncoming(of: Client): Promise<void> } };
        if (!(client as MqttClient).clean) persistence.cleanIncoming(client).catch(() => {});
      });
    },
  };
}

export type KeptSessions = ReturnType<typeof createKeptSessions>;

const newKept = (name: string, clientId: string, expiryS: number, cursor: number): Kept => ({
  name,
  clientId,
  subscriptions: new Map(),
  expiryS,
  endsAt: undefined,
  sentTo: cursor,
  open: new Set(),
  byMessageId: new Map(),
  client: undefined,
  isCatchingUp: false,
  toldCursor: cursor,
});

/** Without the broker's number, by which aedes would take it for one that this client has had. */
function packetOf(topic: string, payload: string, properties: Told) {
  const packet = { cmd: "publish", topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false } as const;
  return { ...packet, brokerId: null, brokerCounter: 0, properties } as unknown as AedesPublishPacket;
}

/** The client has acknowledged something, has read, or is gone. */
function room(client: MqttClient): Promise<unknown> {
  const stop = new AbortController();
  const { signal } = stop;
  return Promise.race([
    once(client, "taken", { signal }),
    once(client.conn, "drain", { signal }),
    once(client.conn, "close", { signal }),
  ]).finally(() => stop.abort());
}
