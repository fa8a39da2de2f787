import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SessionKeeper } from "../../model/kept-session.ts";
import { sharedFilterOf } from "../../model/topic-filter.ts";
import { DEVICE, OPERATOR, OWN_TOPIC, startTestBroker, type TestBroker, until, VIEWER } from "./broker-fixture.ts";

const keeper: SessionKeeper = {
  save: async () => 0,
  replay: async () => ({ publications: [], to: 0, missed: 0, isLast: true }),
  forget() {},
  progress() {},
};
let city: TestBroker;
beforeEach(async () => {
  city = await startTestBroker({ sharedGroupsPerAccountMax: 4 }, { keeper });
});
afterEach(() => city.stop());

type Listener = { readonly client: MqttClient; readonly heard: string[] };
async function listener(filters: string | string[], more: object = {}, account = OPERATOR): Promise<Listener> {
  const client = await city.connect(account, { clientId: `c${Math.random()}`, ...more });
  const heard: string[] = [];
  client.on("message", (_, payload) => heard.push(String(payload)));
  await client.subscribeAsync(filters, { qos: 1 });
  return { client, heard };
}

async function tell(from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1)
    await city.broker.publish({ topic: `alerts/north/info/${n}`, payload: String(n), qos: 1, retain: true, event: n });
}
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
const sorted = (...lists: string[][]) => lists.flat().sort((a, b) => Number(a) - Number(b));

it("gives each message to one of the group, in turn, whatever version each speaks", async () => {
  await tell(1, 2); // retained: not for shared subscriptions [MQTT5-4.8.2]
  const first = await listener("$share/desk/alerts/#");
  const second = await listener("$share/desk/alerts/#", { protocolVersion: 5 });
  const other = await listener("$share/other/alerts/north/#");
  const alone = await listener("$share/desk/alerts/#", {}, VIEWER);
  const plain = await listener(["$share/plain/alerts/#", "alerts/#"]);
  await tell(3, 12);
  await until(() => [other, alone].every(({ heard }) => heard.length === 10) && plain.heard.length === 22);
  expect(sorted(first.heard, second.heard)).toEqual(numbers(3, 12));
  expect([first.heard.length, second.heard.length]).toEqual([5, 5]);
  expect([other.heard, alone.heard]).toEqual([numbers(3, 12), numbers(3, 12)]);
  await first.client.unsubscribeAsync("$share/desk/alerts/#");
  second.heard.length = 0;
  await tell(13, 16);
  await until(() => second.heard.length === 4);
  await city.broker.publish({ topic: "alerts/north/info/3", payload: "", qos: 1, retain: true });
  await tell(17, 17);
  await until(() => second.heard.length === 5);
  expect(second.heard).toEqual(numbers(13, 17));
  expect(first.heard.length).toBe(5);
});

it("gives what one did not acknowledge before it left to another", async () => {
  const stuck = await city.raw();
  await stuck.login(OPERATOR, { clientId: "stuck" });
  stuck.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "$share/desk/alerts/#", qos: 1 }] });
  await stuck.next("suback");
  const second = await listener("$share/desk/alerts/#");
  await tell(1, 4);
  const [one, three] = [await stuck.next("publish"), await stuck.next("publish")];
  expect([String(one!.payload), String(three!.payload)]).toEqual(["1", "3"]);
  stuck.send({ cmd: "puback", messageId: one!.messageId! });
  stuck.send({ cmd: "pingreq" });
  await stuck.next("pingresp");
  stuck.socket.destroy();
  await until(() => second.heard.length === 3);
  expect(second.heard).toEqual(["2", "4", "3"]);
});

it("is part of a session that is kept, and ends with one that is not", async () => {
  const kept = { clientId: "kept", clean: false };
  const first = await listener("$share/desk/alerts/#", kept);
  await first.client.endAsync();
  const back = await city.connect(OPERATOR, kept);
  const heard: string[] = [];
  back.on("message", (_, payload) => heard.push(String(payload)));
  await tell(1, 2);
  await until(() => heard.length === 2);
  await back.endAsync();
  const again = await city.connect(OPERATOR, { clientId: "kept" });
  again.on("message", (_, payload) => heard.push(String(payload)));
  await tell(3, 3);
  const last = await listener("$share/desk/alerts/#");
  await tell(4, 4);
  await until(() => last.heard.length === 1);
  expect(heard).toEqual(["1", "2"]);
});

it("follows the right to what is shared, and has a limit", async () => {
  const client = await city.raw();
  await client.login(OPERATOR);
  const filters = ["$share/g/#", "$share/g/$SYS/#", "$share//alerts/#", "$share/g/", "$share/g", "$share/g/import/#"];
  const subscriptions = filters.map((topic) => ({ topic, qos: 0 as const }));
  client.send({ cmd: "subscribe", messageId: 1, subscriptions });
  expect((await client.next("suback"))?.granted).toEqual(filters.map(() => 0x80));
  const groups = [1, 2, 3, 4, 5].map((n) => ({ topic: `$share/g${n}/alerts/#`, qos: 1 as const }));
  for (const [at, one] of groups.entries()) client.send({ cmd: "subscribe", messageId: at + 2, subscriptions: [one] });
  const granted: unknown[] = [];
  for (const _ of groups) granted.push((await client.next("suback"))?.granted[0]);
  expect(granted.sort()).toEqual([1, 0x80, 1, 1, 1].sort());
  const device = await city.raw();
  await device.login(DEVICE);
  const own = ["$share/g/alerts/#", `$share/g/${OWN_TOPIC}/rejected`].map((topic) => ({ topic, qos: 0 as const }));
  device.send({ cmd: "subscribe", messageId: 1, subscriptions: own });
  expect((await device.next("suback"))?.granted).toEqual([0x80, 0]);
});

it("counts as listening to readings", async () => {
  const { heard, client } = await listener("$share/g/city/#");
  expect(city.listeners).toEqual([1]);
  await city.broker.publish({ topic: OWN_TOPIC, payload: "reading", qos: 1 });
  await until(() => heard.length === 1);
  await client.endAsync();
  await until(() => city.listeners.length === 2);
  expect(city.listeners).toEqual([1, 0]);
});

it("reads what is shared from the filter", () => {
  expect(["$share/g/a/b", "$share/g//a", "$share/g/+/#"].map(sharedFilterOf)).toEqual(["a/b", "/a", "+/#"]);
  for (const wrong of ["$share/g", "$share/g/", "$share//a", "$share/a+/b", "$share/#/b", "$share/", "a/b"])
    expect(sharedFilterOf(wrong), wrong).toBeUndefined();
});
