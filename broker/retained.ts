import { Readable } from "node:stream";
import { setImmediate as immediate } from "node:timers/promises";
import type { Aedes, AedesPublishPacket, Client } from "aedes";
import type { MqttClient } from "./aedes-internals.ts";
import { filterMatches } from "./filters.ts";
import { charge } from "./pace.ts";
import type { Context } from "./session.ts";

/** Looked at in one turn of the loop: nobody else waits behind more than these. */
const LOOKED_AT_PER_TURN = 256;
/** So many that are looked at cost the subscriber as much as a packet of its own. */
const LOOKED_AT_PER_TOKEN = 100;
/** A subscriber with more than this unread in its socket is given the next one when it has read them. */
const UNREAD_BYTES_MAX = 65_536;

const WILDCARD = /[+#]/;

type Place = Map<string, AedesPublishPacket>;

/**
 * The retained messages (the status of each sensor), in the place of aedes' own, which looks at all of them for every
 * SUBSCRIBE without a pause and writes them to a subscriber that does not read. Here they lie by their first two levels,
 * `city/<district>`; a filter that names these looks no further. Answers `mayRetain`: whether there is room for a topic.
 */
export function keepRetained(aedes: Aedes, { options, counts, sessionOf }: Context): (topic: string) => boolean {
  const places = new Map<string, Place>();
  let size = 0;
  let subscriber: Client | undefined;

  const placeOf = (topic: string): Place | undefined => places.get(placeName(topic));

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
  function candidates(filter: string): Place[] {
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
function upToDate(place: Place, topic: string, qosMax: number) {
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
