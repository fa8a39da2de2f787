import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Account } from "../../model/people.ts";
import {
  ACCOUNTS,
  DEVICE,
  GATEWAY,
  IMPORTER,
  OPERATOR,
  startTestBroker,
  type TestBroker,
  until,
} from "./broker-fixture.ts";

/*
 * The access rule on the wire. Every account subscribes in every way it can think of, with a session it asks to be
 * kept, and comes back; then messages go out on all topics. The oracle is a list of what each may hear, and a matcher
 * of eight lines that knows nothing of the broker's.
 */
let city: TestBroker;
beforeAll(async () => {
  city = await startTestBroker({ loginFailures: { perSecond: 1_000, burst: 1_000 } });
});
afterAll(() => city.stop());

const TOPICS = [
  "city/north/air/no2-1",
  "city/north/air/no2-1/status",
  "city/north/air/no2-1/rejected",
  "city/north/air/no2-2",
  "city/north/air/no2-2/rejected",
  "city/harbour/traffic/loop-1",
  "city/harbour/traffic/loop-1/status",
  "city/south/energy/meter-1",
  "city/south/energy/meter-1/status",
  "import/north/air/no2-1",
  "alerts/north/critical/a1",
  "alerts/south/warning/a2",
  "$SYS/x/new/clients",
  "secret/1",
];
const FILTERS = [
  ...TOPICS,
  "#",
  "+/#",
  "+/+/+/+",
  "$SYS/#",
  "city/#",
  "city/north/#",
  "city/harbour/#",
  "city/+/air/+",
  "city/north/air/no2-1/+",
  "alerts/#",
  "alerts/+/critical/+",
  "secret/#",
];
/** The widest each role may subscribe to. */
function hears(account: Account): string[] {
  if (account.role === "device") {
    const own = `city/north/air/${account.name}`;
    return [`${own}/status`, `${own}/rejected`];
  }
  return account.role === "gateway" ? ["city/north/#", "city/harbour/#"] : ["city/#", "alerts/#"];
}
function says(account: Account): string[] {
  if (account.role === "device") return [`city/north/air/${account.name}`, `city/north/air/${account.name}/status`];
  if (account.role !== "gateway") return [];
  const own = TOPICS.filter((topic) => /^city\/(north|harbour)\//.test(topic) && !topic.endsWith("rejected"));
  return account.mayImport ? [...own, "import/north/air/no2-1"] : own;
}

/** True if the filter `wide` matches all that `topic` (a topic or a narrower filter) matches. */
function covers(wide: string, topic: string): boolean {
  const [w, ...wideRest] = wide.split("/");
  const [t, ...rest] = topic.split("/");
  if (w === "#") return true;
  if (t === "#" || (w !== "+" && w !== t)) return false;
  if (rest.length === 0 || wideRest.length === 0) return rest.length === wideRest.length;
  return covers(wideRest.join("/"), rest.join("/"));
}

describe("subscribing", () => {
  for (const account of ACCOUNTS) {
    it(`${account.role} ${account.name} is granted exactly what it may hear, alone, among others, and after coming back`, async () => {
      const wrong: string[] = [];
      const granted = FILTERS.map((filter) => hears(account).some((wide) => covers(wide, filter)));
      const client = await city.raw();
      await client.login(account, { clean: false });
      for (const [index, topic] of FILTERS.entries()) {
        client.send({ cmd: "subscribe", messageId: index + 1, subscriptions: [{ topic, qos: 1 }] });
        const answer = (await client.next("suback"))?.granted[0];
        if (answer !== (granted[index] ? 1 : 0x80)) wrong.push(`alone ${topic}: ${answer}`);
      }
      const all = FILTERS.map((topic) => ({ topic, qos: 1 as const }));
      client.send({ cmd: "subscribe", messageId: 99, subscriptions: all });
      const together = (await client.next("suback"))?.granted as number[];
      for (const [index, filter] of FILTERS.entries()) {
        if (together[index] !== (granted[index] ? 1 : 0x80)) wrong.push(`together ${filter}: ${together[index]}`);
      }
      expect(wrong).toEqual([]);

      // What was sent meanwhile and after coming back: nothing it may not hear.
      client.socket.destroy();
      await client.whenClosed();
      await sayEverything();
      const back = await city.raw();
      back.send({
        cmd: "connect",
        clientId: account.name,
        username: account.name,
        password: "correct horse battery staple",
        clean: false,
      } as never);
      expect((await back.next("connack"))?.sessionPresent).toBe(false);
      back.send({ cmd: "subscribe", messageId: 1, subscriptions: all });
      await back.next("suback");
      await sayEverything();
      back.send({ cmd: "pingreq" });
      await back.next("pingresp");
      const heard = new Set(back.packets.flatMap((packet) => (packet.cmd === "publish" ? [packet.topic] : [])));
      const allowed = TOPICS.filter((topic) => hears(account).some((wide) => covers(wide, topic)));
      expect([...heard].sort()).toEqual(allowed.sort());
      back.socket.destroy();
    });
  }

  async function sayEverything(): Promise<void> {
    for (const topic of TOPICS) await city.broker.publish({ topic, payload: "x", qos: 1 });
  }
});

describe("publishing", () => {
  for (const account of ACCOUNTS) {
    it(`${account.role} ${account.name} may publish exactly what it may say, at every QoS, retained or not, and as a last will`, async () => {
      const wrong: string[] = [];
      for (const topic of TOPICS) {
        const allowed = says(account).includes(topic);
        const payload = topic.endsWith("status") ? "online" : "{}";
        for (const retain of [false, true]) {
          for (const qos of [0, 1, 2] as const) {
            const before = city.kept.length;
            const client = await city.raw();
            await client.login(account);
            client.send({ cmd: "publish", topic, payload, qos, messageId: 3, retain, dup: false });
            client.send({ cmd: "pingreq" });
            // Acknowledged either way: what may not be is kept as refused.
            if (!(await client.next("pingresp"))) wrong.push(`${topic} qos ${qos} retain ${retain}`);
            const kept = city.kept.slice(before);
            if (kept.length !== 1) wrong.push(`${topic} qos ${qos} kept ${kept.length}`);
            if ((kept[0]?.refused === undefined) !== allowed)
              wrong.push(`${topic} qos ${qos} ${kept[0]?.refused?.reason}`);
            client.socket.destroy();
            await client.whenClosed();
          }
        }
        const willing = await city.raw();
        const deniedBefore = city.broker.counts().deniedWills;
        const answer = await willing.login(account, { will: { topic, payload: "offline", qos: 1, retain: true } });
        const isTaken = city.broker.counts().deniedWills === deniedBefore;
        if (answer !== 0 || isTaken !== (allowed && topic.endsWith("status")))
          wrong.push(`${topic} as will: ${answer}`);
        const before = city.kept.length;
        willing.socket.destroy();
        await until(() => city.broker.counts().connections === 0 && (!isTaken || city.kept.length > before));
      }
      expect(wrong).toEqual([]);
    });
  }
});

describe("retained messages and takeover", () => {
  it("keeps what the service retains, nothing of what clients send", async () => {
    const device = await city.connect(DEVICE);
    await device.publishAsync("city/north/air/no2-1", "{}", { qos: 1, retain: true });
    await device.publishAsync("city/north/air/no2-1/status", "offline", { qos: 1, retain: true });
    const importer = await city.connect(IMPORTER);
    await importer.publishAsync("import/north/air/no2-1", "{}", { qos: 1, retain: true });
    const status = { topic: "city/north/air/no2-1/status", payload: "online", qos: 1, retain: true } as const;
    await city.broker.publish(status);
    const olga = await city.raw();
    await olga.login(OPERATOR);
    olga.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "city/#", qos: 1 }] });
    await olga.next("suback");
    const first = await olga.next("publish");
    olga.send({ cmd: "pingreq" });
    await olga.next("pingresp");
    expect(first).toMatchObject({ topic: status.topic, payload: Buffer.from("online"), retain: true });
    expect(olga.packets.filter((packet) => packet.cmd === "publish")).toEqual([]);
  });

  it("lets nobody take over or pretend to be someone else's client", async () => {
    const device = await city.connect(DEVICE);
    const stranger = await city.raw();
    expect(await stranger.login(GATEWAY, { clientId: DEVICE.name })).toBe(0);
    await device.publishAsync("city/north/air/no2-1", "{}", { qos: 1 });
    expect(device.connected).toBe(true);
    // With its own secret it is a takeover: reported, and the older one goes.
    const gone = new Promise<void>((resolve) => device.once("close", () => resolve()));
    await city.connect(DEVICE);
    await gone;
    await until(() => city.events.some((event) => event.type === "takeover"));
  });

  it("keeps clients of the same id apart when they belong to different accounts", async () => {
    const { secretHash } = city.credentials.get("gw")!;
    city.credentials.set("gw-2", { account: { ...GATEWAY, name: "gw-2" }, secretHash });
    const second = await city.raw();
    expect(await second.login({ ...GATEWAY, name: "gw-2" })).toBe(0);
    const first = await city.raw();
    expect(await first.login(GATEWAY, { clientId: "gw-2" })).toBe(0);
    second.send({ cmd: "pingreq" });
    expect(await second.next("pingresp")).toBeDefined();
  });
});
