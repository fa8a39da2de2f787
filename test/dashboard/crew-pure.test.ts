import { signal } from "@preact/signals";
import { describe, expect, it, vi } from "vitest";
import type { AlertView, CrewWarningView } from "../../contract/alert.ts";
import { ApiProblem } from "../../dashboard/api/client.ts";
import {
  aheadOf,
  applyWaiting,
  type CardContext,
  cardsOf,
  daysUntil,
  deviceOf,
  distanceM,
  keepSections,
  mapLink,
  merge,
} from "../../dashboard/crew/list.ts";
import {
  createQueue,
  type Item,
  memoryStore,
  type NewItem,
  type QueuePorts,
  type SendPorts,
  send,
} from "../../dashboard/crew/queue.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const inDays = (days: number) => new Date(NOW + days * 86_400_000).toISOString();

function aWarning(id: string, fields: Partial<CrewWarningView> = {}): CrewWarningView {
  return {
    id,
    severity: "warning",
    handling: "open",
    explanation: "Low.",
    startedAt: inDays(-1),
    people: [],
    rule: { id: "battery-low", title: "Battery low" },
    subject: { sensorId: id, district: "north" },
    ...fields,
  };
}

describe("cards", () => {
  const about: CardContext = { me: "anna", now: NOW, order: "urgent" };
  const keys = (
    alerts: CrewWarningView[],
    more: Partial<CardContext> = {},
    sensors: Parameters<typeof cardsOf>[0]["sensors"] = [],
  ) =>
    cardsOf({ alerts, sensors }, { ...about, ...more }).map(({ warnings }) => warnings.map(({ id }) => id).join("+"));

  it("order by severity, then by what is wrong now, then by the days left", () => {
    const expected = (days: number) => ({ expected: { at: inDays(days), from: inDays(days), to: inDays(days) } });
    const alerts = [
      ...[aWarning("info", { severity: "info" }), aWarning("week", expected(7)), aWarning("days", expected(3))],
      ...[aWarning("now"), aWarning("worst", { severity: "critical", ...expected(20) })],
    ];
    expect(keys(alerts)).toEqual(["worst", "now", "days", "week", "info"]);
  });

  it("order by distance where it is known, by district where it is not", () => {
    const sensors = [
      { id: "far", lat: 52.7, lon: 11 },
      { id: "close", lat: 52.601, lon: 11 },
    ];
    const alerts = [
      ...[aWarning("far"), aWarning("nowhere", { subject: { sensorId: "nowhere", district: "east" } })],
      aWarning("close", { severity: "info" }),
    ];
    const position = { lat: 52.6, lon: 11 };
    expect(keys(alerts, { order: "near", position }, sensors)).toEqual(["close", "far", "nowhere"]);
    expect(keys(alerts, { position }, sensors)).toEqual(["far", "nowhere", "close"]);
    expect(keys(alerts, {}, sensors)).toEqual(["nowhere", "far", "close"]);
    expect(distanceM(position, { lat: 52.6, lon: 12 })).toBeCloseTo(67_537, -2);
  });

  it("bring together what is at one place, the worst first", () => {
    const sensors = ["a", "b"].map((id) => ({ id, lat: 52.6, lon: 11 }));
    const alerts = [aWarning("a"), aWarning("b", { severity: "critical" }), aWarning("c")];
    expect(keys(alerts, {}, sensors)).toEqual(["b+a", "c"]);
    const outage = aWarning("out", { subject: { gateway: "gw-1", district: "north" } });
    expect(keys([outage, aWarning("out2", { subject: { gateway: "gw-1" } })])).toEqual(["out+out2"]);
  });

  it("stay in the section where they were first seen", () => {
    const seen = new Map<string, "mine" | "free" | "others">();
    const whose = (fields: Partial<CrewWarningView>) =>
      keepSections(cardsOf({ alerts: [aWarning("a", fields)], sensors: [] }, about), seen)[0]?.whose;
    expect([whose({}), whose({ assignee: "ben" })]).toEqual(["free", "free"]);
    seen.clear();
    expect(whose({ assignee: "anna" })).toBe("mine");
    seen.clear();
    expect(whose({ assignee: "ben" })).toBe("others");
  });

  it("count days by the service's clock, and leave small differences of the clocks alone", () => {
    expect([daysUntil(inDays(2.9), NOW), daysUntil(inDays(-3), NOW)]).toEqual([2, 0]);
    expect([aheadOf(NOW, NOW - 4_000), aheadOf(NOW, NOW - 86_400_000)]).toEqual([0, 86_400_000]);
  });

  it("open where a device looks for places", () => {
    const at = { lat: 52.6, lon: -11 };
    expect(mapLink(at, "Quay (east)", "android")).toBe("geo:52.6,-11?q=52.6,-11(Quay%20%20east%20)");
    expect(mapLink(at, "Quay", "apple")).toBe("maps:?ll=52.6,-11&q=Quay");
    expect(mapLink(at, "Quay", "other")).toBe("https://www.openstreetmap.org/?mlat=52.6&mlon=-11#map=18/52.6/-11");
    const agents = [deviceOf("… (iPhone; CPU …", true), deviceOf("… Android 16 …", true), deviceOf("… X11 …", false)];
    expect(agents).toEqual(["apple", "android", "other"]);
  });
});

const deed = (what: string, by: string, note?: string) => ({
  at: "",
  knownAt: "",
  what,
  by,
  ...(note ? { note } : {}),
});
const anAlert = (timeline: object[] = [], fields: object = {}) =>
  ({ id: "a1", state: "firing", handling: "open", timeline, ...fields }) as unknown as AlertView;

describe("the list after a press", () => {
  const start = { alertId: "a1", action: "start", user: "anna" } as Item;
  it("shows at once what will be, and what the service says then", () => {
    expect(applyWaiting(aWarning("a1"), [start])).toMatchObject({ handling: "in-progress", assignee: "anna" });
    expect(applyWaiting(aWarning("a2"), [start]).assignee).toBeUndefined();
    const taken = anAlert([{ what: "firing" }, deed("started", "ben")], { handling: "in-progress", assignee: "ben" });
    expect(merge(aWarning("a1"), taken)).toMatchObject([{ assignee: "ben", people: [{ by: "ben" }] }]);
    expect(merge(aWarning("a1"), anAlert([], { handling: "closed" }))).toEqual([]);
    expect(merge(aWarning("a1"), anAlert([], { state: "resolved" }))).toEqual([]);
  });
});

const press = (fields: Partial<NewItem> = {}): NewItem => ({
  user: "anna",
  alertId: "a1",
  action: "close",
  title: "Battery low",
  place: "Quay",
  madeAt: 0,
  before: 0,
  ...fields,
});

/** A service with one alert, that can lose answers. */
function aService(first: AlertView) {
  const calls: string[] = [];
  const state = { alert: first, answers: true, status: 200 };
  const ports: SendPorts = {
    async look() {
      calls.push("look");
      return state.alert;
    },
    async act(_id, action, { note }) {
      calls.push(action);
      if (state.status !== 200) throw new ApiProblem(state.status, "The service says no.");
      const what = { start: "started", close: "closed", return: "returned", comment: "commented" }[action];
      state.alert = { ...state.alert, timeline: [...state.alert.timeline, deed(what, "anna", note)] } as AlertView;
      if (!state.answers) throw new ApiProblem(0, "");
      return state.alert;
    },
    async upload(_id, photo) {
      if (state.status !== 200) throw new ApiProblem(state.status, "The service says no.");
      calls.push(`photo ${photo.size}`);
      return `id of ${photo.size}`;
    },
    beforeSending: async () => {},
  };
  return { calls, state, ports };
}

describe("sending", () => {
  const item = (fields: Partial<Item> = {}): Item => ({ ...press(), key: 1, tries: 0, ...fields });

  it("goes straight when it was just pressed, and looks first when it may have arrived", async () => {
    const { calls, ports } = aService(anAlert());
    expect(await send(item(), ports, false)).toHaveProperty("done");
    expect(calls).toEqual(["close"]);
    expect(await send(item({ tries: 1 }), ports, false)).toHaveProperty("done");
    expect(calls).toEqual(["close", "look"]);
  });

  it("takes no earlier deed of one's own for this one, nor one with other words", async () => {
    const { calls, ports } = aService(anAlert([deed("closed", "anna"), deed("reopened", "ben")]));
    await send(item({ tries: 1, before: 1 }), ports, false);
    expect(calls).toEqual(["look", "close"]);
    const other = aService(anAlert([deed("closed", "anna", "One battery")]));
    other.state.status = 409;
    const sent = await send(item({ tries: 1, note: "Two batteries" }), other.ports, false);
    expect(sent).toMatchObject({ refusal: { why: "conflict", deed: { by: "anna", note: "One battery" } } });
  });

  it("says who was first, or that it ended by itself, or why it was refused", async () => {
    const taken = aService(anAlert([deed("acknowledged", "ben"), deed("commented", "ben", "Hm")]));
    taken.state.status = 409;
    expect(await send(item({ action: "start" }), taken.ports, false)).toMatchObject({
      refusal: { why: "conflict", said: "The service says no.", deed: { what: "acknowledged", by: "ben" } },
    });
    const over = aService(anAlert([], { state: "resolved", resolvedAt: "2026-11-22T09:00:00Z" }));
    expect(await send(item({ action: "start" }), over.ports, true)).toMatchObject({
      refusal: { why: "ended", at: "2026-11-22T09:00:00Z" },
    });
    expect(over.calls).toEqual(["look"]);
    expect(await send(item(), over.ports, true)).toHaveProperty("done");
    const forbidden = aService(anAlert());
    forbidden.state.status = 403;
    expect(await send(item(), forbidden.ports, false)).toMatchObject({ refusal: { why: "refused" } });
  });

  it.each([0, 401, 429, 503])("waits for another time after %d", async (status) => {
    const { state, ports } = aService(anAlert());
    state.status = status;
    expect(await send(item(), ports, false)).toHaveProperty("later");
  });
});

describe("the queue", () => {
  function aQueue(service = aService(anAlert()), changes: Partial<QueuePorts> = {}) {
    const who = signal("anna");
    const store = memoryStore();
    const ports: QueuePorts = {
      user: () => who.value,
      confirmUser: async () => who.value,
      isOnline: () => true,
      look: service.ports.look,
      act: service.ports.act,
      upload: service.ports.upload,
      onAlert: () => {},
      alone: (work) => work(),
      ...changes,
    };
    return { ...service, who, store, queue: createQueue(store, ports) };
  }

  it("sends each press once, however often it is asked to", async () => {
    const { queue, calls } = aQueue();
    await queue.add([press({ action: "start", madeAt: Date.now() }), press({ madeAt: Date.now() })]);
    await Promise.all([queue.flush(), queue.flush(), queue.flush()]);
    await queue.flush();
    expect(calls).toEqual(["start", "close"]);
    expect(queue.waiting.value).toEqual([]);
  });

  it("does not send again what arrived while its answer was lost, also after a reload", async () => {
    const { queue, state, calls, store } = aQueue();
    state.answers = false;
    await queue.add([press({ madeAt: Date.now(), note: "New" })]);
    await vi.waitFor(() => expect(queue.waiting.value).toMatchObject([{ tries: 1 }]), 30_000);
    queue.close();
    state.answers = true;
    const again = aQueue({ ...aService(state.alert), calls });
    for (const item of await store.all()) await again.store.put(item);
    await again.queue.flush();
    expect(again.queue.waiting.value).toEqual([]);
    expect(again.queue.refused.value).toEqual([]);
    expect(again.state.alert.timeline).toHaveLength(1);
  });

  it("shows what another window sent", async () => {
    const service = aService(anAlert());
    const seen: string[] = [];
    const first = aQueue(service);
    let online = false;
    const second = createQueue(first.store, {
      user: () => "anna",
      confirmUser: async () => "anna",
      isOnline: () => online,
      look: service.ports.look,
      act: service.ports.act,
      upload: service.ports.upload,
      alone: (work) => work(),
      onAlert: ({ timeline }) => void seen.push(timeline.map(({ what }) => what).join(" ")),
    });
    await second.add([press({ madeAt: Date.now() })]);
    await second.flush();
    await first.queue.flush();
    online = true;
    await second.flush();
    expect([seen, second.waiting.value, service.calls]).toEqual([["closed"], [], ["close", "look"]]);
  });

  it("sends the photos first and says their ids, also after a line that broke in between", async () => {
    const { queue, state, calls, store } = aQueue();
    state.status = 503;
    const photos = [new Blob(["one"]), new Blob(["second"])];
    await queue.add([press({ action: "return", madeAt: Date.now(), note: "No key", photos })]);
    await queue.flush();
    expect(queue.waiting.value).toMatchObject([{ tries: 0, photos }]);
    queue.close();
    state.status = 200;
    const said: unknown[] = [];
    const service = aService(state.alert);
    const act: SendPorts["act"] = (id, action, body) => {
      said.push([action, body]);
      return service.ports.act(id, action, body);
    };
    const again = aQueue({ ...service, calls }, { act, upload: async (_, photo) => `id of ${photo.size}` });
    for (const item of await store.all()) await again.store.put(item);
    await again.queue.flush();
    expect(said).toEqual([["return", { note: "No key", photos: ["id of 3", "id of 6"] }]]);
    expect(again.queue.waiting.value).toEqual([]);
  });

  it("sends nothing under another name, and keeps it for the right one", async () => {
    const signedIn = { name: "ben" };
    const { queue, who, calls, store } = aQueue(undefined, { confirmUser: async () => signedIn.name });
    await queue.add([press()]);
    await queue.flush();
    who.value = "ben";
    await queue.flush();
    expect([calls, queue.waiting.value, (await store.all()).length]).toEqual([[], [], 1]);
    who.value = "anna";
    signedIn.name = "anna";
    await queue.flush();
    expect([calls, await store.all()]).toEqual([["look", "close"], []]);
  });

  it("does not try without a connection, so that a press can be taken back", async () => {
    const { queue, calls } = aQueue(undefined, { isOnline: () => false });
    await queue.add([press()]);
    await queue.flush();
    const [{ key, tries }] = queue.waiting.value as [Item];
    expect([tries, calls]).toEqual([0, []]);
    await queue.remove(key);
    expect(queue.waiting.value).toEqual([]);
  });

  it("keeps what was refused until it is taken away, and goes on with the next", async () => {
    const { queue, state, store } = aQueue();
    state.status = 409;
    await queue.add([press({ madeAt: Date.now() })]);
    await queue.flush();
    expect(queue.refused.value).toMatchObject([{ refusal: { why: "conflict" } }]);
    state.status = 200;
    await queue.add([press({ action: "comment", note: "Hm", madeAt: Date.now() })]);
    await queue.flush();
    expect(await store.all()).toMatchObject([{ action: "close", refusal: { why: "conflict" } }]);
    await queue.remove(queue.refused.value[0]!.key);
    expect(await store.all()).toEqual([]);
  });
});
