import type { Packet } from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KeptSession, SessionKeeper } from "../../model/kept-session.ts";
import type { Account } from "../../model/people.ts";
import {
  DEVICE,
  GATEWAY,
  OPERATOR,
  SECRET,
  startTestBroker,
  type TestBroker,
  until,
  VIEWER,
} from "./broker-fixture.ts";

/** The changes of alerts as the service keeps them, and the sessions as its records do. */
function createRecords() {
  const events: { topic: string; payload: string; event: number }[] = [];
  const sessions = new Map<string, KeptSession>();
  let forgotten = 0;
  const keyOf = ({ name, clientId }: Pick<KeptSession, "name" | "clientId">) => `${name}/${clientId}`;
  const keeper: SessionKeeper = {
    async save(session) {
      const { cursor = events.length } = sessions.get(keyOf(session)) ?? {};
      sessions.set(keyOf(session), { ...session, cursor });
      return cursor;
    },
    forget: (name, clientId) => void sessions.delete(`${name}/${clientId}`),
    progress(progress) {
      const known = sessions.get(keyOf(progress));
      if (known) sessions.set(keyOf(progress), { ...known, ...progress });
    },
    async replay(after) {
      const start = Math.max(after, forgotten);
      const page = events.slice(start, start + 100);
      return { publications: page, to: start + page.length, isLast: page.length < 100, missed: start - after };
    },
  };
  return {
    events,
    sessions,
    keeper,
    forget: (count: number) => {
      forgotten = count;
    },
  };
}

let records: ReturnType<typeof createRecords>;
let city: TestBroker;
beforeEach(async () => {
  records = createRecords();
  city = await startTestBroker({ sessionsPerAccountMax: 2 }, { keeper: records.keeper });
});
afterEach(() => city.stop());

/** As after a kill: only what the records hold is left. */
async function restart(): Promise<void> {
  await city.stop();
  city = await startTestBroker({}, { keeper: records.keeper, keptSessions: [...records.sessions.values()] });
}

async function change(payload: string, topic = "alerts/north/warning/a"): Promise<void> {
  const event = records.events.length + 1;
  records.events.push({ topic, payload, event });
  await city.broker.publish({ topic, payload, qos: 1, event });
}

/** A client of 3.1.1 that acknowledges what it is sent, unless it is `silent`. */
async function listen(account: Account, more: { clientId?: string; clean?: boolean; silent?: boolean } = {}) {
  const { clientId = "desk", clean = false, silent = false } = more;
  const client = await city.raw();
  const heard: string[] = [];
  const looking = setInterval(() => {
    for (const packet of client.packets.splice(0)) others.push(packet);
    for (const packet of others.splice(0)) {
      if (packet.cmd !== "publish") {
        kept.push(packet);
        continue;
      }
      heard.push(`${packet.topic.split("/").length > 2 ? "" : `${packet.topic} `}${packet.payload}`);
      if (packet.qos === 1 && !silent) client.send({ cmd: "puback", messageId: packet.messageId! });
    }
  }, 2);
  const others: Packet[] = [];
  const kept: Packet[] = [];
  client.socket.once("close", () => clearInterval(looking));
  async function answer<Cmd extends Packet["cmd"]>(cmd: Cmd): Promise<Extract<Packet, { cmd: Cmd }>> {
    await until(() => kept.some((packet) => packet.cmd === cmd));
    return kept.splice(
      kept.findIndex((packet) => packet.cmd === cmd),
      1,
    )[0] as Extract<Packet, { cmd: Cmd }>;
  }
  const password = Buffer.from(SECRET);
  client.send({ cmd: "connect", clientId, username: account.name, password, clean, keepalive: 60 } as Packet);
  const { sessionPresent } = await answer("connack");
  async function subscribe(...filters: string[]): Promise<number[]> {
    const subscriptions = filters.map((topic) => ({ topic, qos: 1 as const }));
    client.send({ cmd: "subscribe", messageId: 1, subscriptions } as Packet);
    return (await answer("suback")).granted as number[];
  }
  async function leave(): Promise<void> {
    const { connections } = city.broker.counts();
    client.socket.destroy();
    await until(() => city.broker.counts().connections < connections);
  }
  return { client, heard, sessionPresent, subscribe, leave };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);

describe("a user's session that is not clean", () => {
  it("hears what happened while its client was away, in order, once, also after a kill", async () => {
    const before = await listen(OPERATOR);
    expect(before.sessionPresent).toBe(false);
    expect(await before.subscribe("alerts/#")).toEqual([1]);
    await change("1");
    await until(() => before.heard.length === 1);
    await before.leave();
    for (const payload of numbers(2, 250)) await change(payload);
    await restart();
    const after = await listen(OPERATOR);
    expect(after.sessionPresent).toBe(true);
    await until(() => after.heard.length >= 249);
    await change("251");
    await until(() => after.heard.includes("251"));
    // What it acknowledged last may come twice after a kill: nobody had written it down.
    expect(after.heard.filter((one) => one !== "1")).toEqual(numbers(2, 251));
    await after.leave();
    const third = await listen(OPERATOR);
    await change("252");
    await until(() => third.heard.length > 0);
    expect(third.heard).toEqual(["252"]);
  });

  it("hears again what it has not acknowledged, and loses nothing that happens while it catches up", async () => {
    const silent = await listen(OPERATOR, { silent: true });
    await silent.subscribe("alerts/#");
    for (const payload of numbers(1, 3)) await change(payload);
    await until(() => silent.heard.length === 3);
    await silent.leave();
    for (const payload of numbers(4, 500)) await change(payload);
    const back = await listen(OPERATOR);
    for (const payload of numbers(501, 600)) await change(payload);
    await until(() => back.heard.length >= 600);
    expect(back.heard).toEqual(numbers(1, 600));
  });

  it("is not sent ever more while it acknowledges nothing, and gets the rest when it does", async () => {
    const silent = await listen(OPERATOR, { silent: true });
    await silent.subscribe("alerts/#");
    for (const payload of numbers(1, 1_500)) await change(payload);
    await until(() => silent.heard.length >= 1_000);
    expect(silent.heard.length).toBeLessThan(1_100);
    await silent.leave();
    const back = await listen(OPERATOR);
    await until(() => back.heard.length >= 1_500);
    expect(back.heard).toEqual(numbers(1, 1_500));
  });

  it("is told of a gap", async () => {
    const before = await listen(OPERATOR);
    await before.subscribe("alerts/#");
    await before.leave();
    for (const payload of numbers(1, 10)) await change(payload);
    records.forget(7);
    const back = await listen(OPERATOR);
    await until(() => back.heard.length >= 4);
    expect(back.heard[0]).toMatch(/^alerts\/gap {"missed":7,/);
    expect(back.heard.slice(1)).toEqual(["8", "9", "10"]);
  });

  it("hears only what it subscribed to, and only while it may", async () => {
    const before = await listen(VIEWER);
    expect(await before.subscribe("alerts/north/+/+", "secret/#", "alerts/south/#")).toEqual([1, 0x80, 1]);
    expect(records.sessions.get("vera/desk")?.subscriptions.map(({ topic }) => topic)).toEqual([
      "alerts/north/+/+",
      "alerts/south/#",
    ]);
    before.client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["alerts/south/#"] });
    await until(() => records.sessions.get("vera/desk")?.subscriptions.length === 1);
    await before.leave();
    await change("1", "alerts/north/warning/a");
    await change("2", "alerts/south/warning/b");
    await change("3", "alerts/north/critical/a");
    const back = await listen(VIEWER);
    await until(() => back.heard.length >= 2);
    expect(back.heard).toEqual(["1", "3"]);
    city.broker.forgetSessions("vera");
    expect(records.sessions.size).toBe(0);
  });

  it("ends with a clean start, or without a subscription", async () => {
    const first = await listen(OPERATOR);
    await first.subscribe("alerts/#");
    await first.leave();
    const clean = await listen(OPERATOR, { clean: true });
    expect(clean.sessionPresent).toBe(false);
    expect(records.sessions.size).toBe(0);
    await clean.leave();
    const again = await listen(OPERATOR);
    expect(again.sessionPresent).toBe(false);
    await again.subscribe("alerts/#");
    again.client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["alerts/#"] });
    await until(() => records.sessions.size === 0);
  });

  it("makes room for the next one of its account when it has been away longest", async () => {
    for (const clientId of ["a", "b", "c"]) {
      const client = await listen(OPERATOR, { clientId });
      await client.subscribe("alerts/#");
      await client.leave();
    }
    expect([...records.sessions.keys()]).toEqual(["olga/b", "olga/c"]);
    const other = await listen(VIEWER, { clientId: "a" });
    await other.subscribe("alerts/#");
    expect(records.sessions.size).toBe(3);
  });

  it("is not kept for devices and gateways: session present is 0", async () => {
    for (const account of [DEVICE, GATEWAY]) {
      const before = await listen(account);
      expect(await before.subscribe("city/north/air/no2-1/status")).toEqual([1]);
      await before.leave();
      expect((await listen(account)).sessionPresent).toBe(false);
    }
    expect(records.sessions.size).toBe(0);
  });
});
