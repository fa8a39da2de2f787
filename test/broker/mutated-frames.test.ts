import mqttPacket, { type Packet } from "mqtt-packet";
import { expect, it } from "vitest";
import { DEVICE, GATEWAY, OWN_TOPIC, SECRET, startTestBroker } from "./broker-fixture.ts";

const FRAMES = 5_000;
/** To play a failure again, put its seed here. */
const seed = Date.now() % 1_000_000;

/** mulberry32: small, seeded, good enough to break things. */
function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const publish = { cmd: "publish", topic: OWN_TOPIC, payload: "{}", qos: 1, messageId: 1, retain: false, dup: false };
const connect = { cmd: "connect", clientId: DEVICE.name, username: DEVICE.name, password: SECRET };
const FOUR: readonly object[] = [
  connect,
  { ...connect, will: { topic: `${OWN_TOPIC}/status`, payload: "offline", qos: 1, retain: true } },
  publish,
  { ...publish, qos: 2 },
  { cmd: "subscribe", messageId: 2, subscriptions: [{ topic: `${OWN_TOPIC}/rejected`, qos: 1 }] },
  { cmd: "unsubscribe", messageId: 3, unsubscriptions: [`${OWN_TOPIC}/rejected`] },
  { cmd: "puback", messageId: 1 },
  { cmd: "pubrec", messageId: 1 },
  { cmd: "pubrel", messageId: 1 },
  { cmd: "pubcomp", messageId: 1 },
  { cmd: "pingreq" },
  { cmd: "disconnect" },
];
const FIVE: readonly object[] = [
  {
    ...connect,
    protocolVersion: 5,
    properties: { sessionExpiryInterval: 9, receiveMaximum: 5, maximumPacketSize: 900 },
  },
  { ...publish, properties: { topicAlias: 3, messageExpiryInterval: 5, userProperties: { a: "b" }, contentType: "x" } },
  { ...publish, topic: "", messageId: 4, properties: { topicAlias: 3, payloadFormatIndicator: true } },
  { cmd: "subscribe", messageId: 5, subscriptions: [{ topic: "$share/g/city/north/#", qos: 1, rh: 1, rap: true }] },
  {
    cmd: "subscribe",
    messageId: 6,
    subscriptions: [{ topic: "city/north/#", qos: 1 }],
    properties: { subscriptionIdentifier: 300 },
  },
  { cmd: "pubrel", messageId: 1, reasonCode: 0x92, properties: { reasonString: "why" } },
  { cmd: "disconnect", reasonCode: 4, properties: { sessionExpiryInterval: 0 } },
  { cmd: "auth", reasonCode: 0x18, properties: { authenticationMethod: "x", authenticationData: Buffer.from("y") } },
];
const framesOf = (packets: readonly object[], protocolVersion: 4 | 5) =>
  packets.map((packet) => mqttPacket.generate(packet as unknown as Packet, { protocolVersion }));

function mutate(frame: Buffer, seeds: readonly Buffer[], random: (below: number) => number): Buffer {
  let bytes = Buffer.from(frame);
  for (let turns = 1 + random(4); turns > 0; turns -= 1) {
    const at = random(bytes.length || 1);
    const how = random(5);
    if (how === 0) bytes[at] = random(256);
    else if (how === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    else if (how === 2) bytes = bytes.subarray(0, at);
    else if (how === 3) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([random(256)]), bytes.subarray(at)]);
    else bytes = Buffer.concat([bytes, seeds[random(seeds.length)]!]);
  }
  return bytes;
}

it.each([4, 5] as const)(
  `survives ${FRAMES} mutated frames of version %i, serves others meanwhile (seed ${seed})`,
  async (version) => {
    const seeds = framesOf(version === 5 ? [...FOUR.slice(2), ...FIVE] : FOUR, version);
    const random = randomFrom(seed);
    const city = await startTestBroker({ rates: {}, loginFailures: { perSecond: 1e6, burst: 1e6 } });
    const witness = await city.connect(GATEWAY);
    let sent = 0;
    while (sent < FRAMES) {
      const clients = await Promise.all(Array.from({ length: 20 }, () => city.raw()));
      await Promise.all(
        clients.map(async (client, index) => {
          if (index > 4) await client.login(GATEWAY, { clientId: `gw-${index}`, protocolVersion: version });
          for (let i = 0; i < 5 && !client.isClosed(); i += 1, sent += 1) {
            client.socket.write(mutate(seeds[random(seeds.length)]!, seeds, random));
          }
          client.socket.end();
          await client.whenClosed();
        }),
      );
      await witness.publishAsync("city/harbour/air/witness", "{}", { qos: 1 });
    }
    // Frames that were still publishes may have been kept, but only under the topics of their sender, or as refused.
    const topics = new Set(city.kept.flatMap(({ topic, refused }) => (refused ? [] : [topic])));
    expect(topics).toContain(OWN_TOPIC);
    for (const topic of topics)
      expect(topic).toMatch(/^city\/(north|harbour)\/(air|traffic|energy)\/[a-z0-9][a-z0-9-]*(\/status)?$/);
    expect(city.broker.counts()).toMatchObject({ connections: 1, waitingAppends: 0 });
    await city.stop();
  },
);
