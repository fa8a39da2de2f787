import { Readable } from "node:stream";
import { setImmediate as immediate } from "node:timers/promises";
import type { Aedes, AedesPublishPacket, Client, PublishPacket, Subscription } from "aedes";
import type { Batch } from "../model/batch.ts";
import { counter, type Figure } from "../model/health.ts";
import type { Account } from "../model/people.ts";
import type { Reading } from "../model/reading.ts";
import type { SensorStatus } from "../model/status.ts";
import { filterMatches, isShared, sharedFilterOf } from "../model/topic-filter.ts";
import { readingTopic, statusTopic } from "../model/topics.ts";
import { mayUse } from "./access.ts";
import type { MqttClient } from "./aedes-internals.ts";
import type { DenialReason } from "./events.ts";
import { charge, owe } from "./pace.ts";
import { type Context, type Session, whoIs } from "./session.ts";

/** Who may receive what: asked at SUBSCRIBE, and again for every message, by the same rule. */
export function createSubscribeGate(context: Context) {
  const { options, counts } = context;

  function authorizeSubscribe(
    client: Client,
    subscription: Subscription,
    done: (error: Error | null, subscription?: Subscription | null) => void,
  ): void {
    const session = context.sessionOf(client);
    const reason = session ? reasonAgainst(session, subscription) : "not_yours";
    if (!reason) return done(null, subscription);
    counts.deniedSubscribes += 1;
    if (session) {
      session.mqtt5?.deny(subscription.topic, reason);
      context.report({ type: "denied-subscribe", reason, topic: subscription.topic, ...whoIs(session) });
    }
    done(null, null); // answered with 0x80 [MQTT-3.9.3-2]
  }

  function reasonAgainst(session: Session, { topic: filter, qos }: Subscription): DenialReason | undefined {
    if (!session.account || session.revoked) return "not_yours";
    const { subscriptions } = session.client;
    if (!(filter in subscriptions) && Object.keys(subscriptions).length >= subscriptionsMax(session.account)) {
      return "too_many_subscriptions";
    }
    const decision = mayUse(session.account, "subscribe", filter);
    if (!decision.allowed) return decision.reason;
    if (!isShared(filter) || context.shared().join(session.client, filter, qos)) return undefined;
    return "too_many_subscriptions";
  }

  const subscriptionsMax = ({ role }: Account) =>
    role === "device" || role === "gateway" ? options.subscriptionsPerClientMax : options.subscriptionsPerUserMax;

  function authorizeForward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    const session = context.sessionOf(client);
    if (!session?.account || session.revoked || !mayUse(session.account, "forward", packet.topic).allowed) {
      counts.deniedForwards += 1;
      return null;
    }
    if (!context.kept.mayForward(client, packet, () => isFull(session))) return null;
    if (packet.qos > 0) {
      session.sent += 1;
      owe(session, packet.qos);
    }
    return packet;
  }

  function isFull(session: Session): boolean {
    if (!hasTooMuchUnread(session, context)) return false;
    counts.subscriberDrops += 1;
    return true;
  }

  return { authorizeSubscribe, authorizeForward };
}

/** It does not take what it has been sent. */
export function hasTooMuchUnread(
  { client, account, mqtt5 }: Session,
  { options, sessionsNamed }: Pick<Context, "options" | "sessionsNamed">,
): boolean {
  const share = options.accountBufferBytesMax / sessionsNamed(account!.name).size;
  const unread = client.conn.writableLength + (mqtt5?.waitingBytes() ?? 0);
  return unread > Math.min(options.subscriberBufferBytesMax, share);
}

/**
 * aedes lets whoever published wait until the sockets of all subscribers have drained, so one that reads nothing
 * stalls everybody for `drainTimeout`. Here nobody waits: the slow one is still closed by the
 * drain timeout, and what its socket may hold is limited in `authorizeForward`.
 */
export function freePublishersFrom(client: MqttClient): void {
  const waitForDrain = client.waitForDrain.bind(client);
  let waiting = false;
  client.waitForDrain = (done) => {
    if (!waiting) {
      waiting = true;
      waitForDrain(() => {
        waiting = false;
      });
    }
    setImmediate(done, null, client);
  };
}

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
  aedes.on("clientReady", look); // with the subscriptions of a session that was kept
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
  const levels = (sharedFilterOf(filter) ?? filter).split("/");
  if (levels[0] !== "city") return false;
  const rest = levels.indexOf("#");
  return rest >= 0 ? rest <= 4 : levels.length === 4;
}

/** Looked at in one turn of the loop: nobody else waits behind more than these. */
const LOOKED_AT_PER_TURN = 256;
/** So many that are looked at cost the subscriber as much as a packet of its own. */
const LOOKED_AT_PER_TOKEN = 100;
/** A subscriber with more than this unread in its socket is given the next one when it has read them. */
const UNREAD_BYTES_MAX = 65_536;

const WILDCARD = /[+#]/;

type Branch = Map<string, AedesPublishPacket>;

/**
 * The retained messages (the status of each sensor), in the place of aedes' own, which looks at all of them for every
 * SUBSCRIBE without a pause and writes them to a subscriber that does not read. Here they lie by their first two levels,
 * `city/<district>`; a filter that names these looks no further. Answers `mayRetain`: whether there is room for a topic.
 */
export function keepRetained(aedes: Aedes, { options, counts, sessionOf }: Context): (topic: string) => boolean {
  const places = new Map<string, Branch>();
  let size = 0;
  let subscriber: Client | undefined;

  const placeOf = (topic: string): Branch | undefined => places.get(placeName(topic));

  function store(packet: AedesPublishPacket): void {
    const { topic } = packet;
    const place = placeOf(topic) ?? new Map();
    size -= place.size;
    if (packet.payload.length > 0) place.set(topic, { ...packet });
    else place.delete(topic);
    size += place.size;
    if (place.size > 0) places.set(placeName(topic), place);
    else places.delete(placeName(topic));
  }

  async function* matching(client: MqttClient, filters: readonly string[]) {
    const session = sessionOf(client);
    let lookedAt = 0;
    for (const filter of filters) {
      if (client.subscriptions[filter]?.rh === 2) continue; // asked for none [MQTT-3.3.1-11]
      for (const place of candidates(filter)) {
        for (const topic of place.keys()) {
          counts.retainedLookedAt += 1;
          lookedAt += 1;
          if (lookedAt % LOOKED_AT_PER_TURN === 0) {
            if (session) charge(session, LOOKED_AT_PER_TURN / LOOKED_AT_PER_TOKEN);
            await immediate();
          }
          if (client.closed) return;
          if (!filterMatches(filter, topic)) continue;
          while (client.conn.writableLength > UNREAD_BYTES_MAX && !client.closed) await drained(client);
          yield upToDate(place, topic, client.subscriptions[filter]?.qos ?? 0);
        }
      }
    }
  }

  /** Where there may be any that match. */
  function candidates(filter: string): Branch[] {
    const name = placeName(filter);
    const place = places.get(name);
    if (WILDCARD.test(name)) return [...places].flatMap(([at, other]) => (filterMatches(name, at) ? [other] : []));
    if (!place || WILDCARD.test(filter)) return place ? [place] : [];
    const exact = place.get(filter);
    return exact ? [new Map([[filter, exact]])] : [];
  }

  aedes.on("subscribe", (_, client) => {
    subscriber = client; // aedes asks for its retained messages in the same breath
  });
  const { persistence } = aedes as unknown as { persistence: object }; // there, though its types say otherwise
  Object.assign(persistence, {
    storeRetained: async (packet: AedesPublishPacket) => store(packet),
    createRetainedStreamCombi: (filters: readonly string[]) =>
      Readable.from(subscriber ? matching(subscriber as MqttClient, filters) : []),
    // aedes sends the wills of brokers that have not been heard of for three minutes. There is none but this one, and it
    // has not heard of itself after a leap of the clock: every client would be said to be offline.
    streamWill: () => Readable.from([]),
  });

  return (topic) => {
    if (placeOf(topic)?.has(topic) || size < options.retainedMax) return true;
    counts.retainedRefused += 1;
    return false;
  };
}

/** The first two levels. */
function placeName(topic: string): string {
  const end = topic.indexOf("/", topic.indexOf("/") + 1);
  return end < 0 ? topic : topic.slice(0, end);
}

/** What is retained when it is sent, not when it was found: a newer one may have been sent in between. */
function upToDate(place: Branch, topic: string, qosMax: number) {
  const found = place.get(topic)!;
  const now = () => place.get(topic) ?? found;
  return {
    cmd: "publish",
    topic,
    get qos() {
      return Math.min(now().qos, qosMax);
    },
    get payload() {
      return now().payload;
    },
  };
}

/** aedes says "drain" when it closes a client, too. */
function drained({ conn }: Client): Promise<void> {
  return new Promise((resolve) => void conn.once("drain", () => resolve()));
}

type Publication = { readonly topic: string; readonly payload: string; readonly qos: 0 | 1; readonly retain?: boolean };

type ForwardingPorts = {
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
