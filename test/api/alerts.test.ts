import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { T0 } from "../helpers/readings.ts";
import { firing, startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
  service.records.alerts.apply(firing("a1"));
  service.records.alerts.apply(
    firing("a2", { severity: "critical", audience: "crews", startedAt: T0 + 1, kind: "energy" }),
  );
  service.records.alerts.apply(firing("a3", { state: "pending", startedAt: T0 + 2 }));
  service.records.alerts.apply(firing("a4", { state: "resolved", startedAt: T0 + 3, resolvedAt: T0 + 4 }));
});
afterEach(() => service.close());

const ids = async (query: string) =>
  (await service.as("viewer", "GET", `/api/v1/alerts${query}`)).json().items.map((one: { id: string }) => one.id);
const press = (name: string, action: string, body?: object) =>
  service.as(name, "POST", `/api/v1/alerts/a1/${action}`, body);

describe("GET /alerts", () => {
  it("filters with comma lists, newest first, pending only if asked", async () => {
    expect(await ids("")).toEqual(["a4", "a2", "a1"]);
    expect(await ids("?state=pending")).toEqual(["a3"]);
    expect(await ids("?state=firing,resolved&severity=warning")).toEqual(["a4", "a1"]);
    expect(await ids("?severity=warning,critical&audience=crews")).toEqual(["a2"]);
    expect(await ids("?kind=energy")).toEqual(["a2"]);
    expect(await ids("?sensor=air-1&rule=pm25-high&district=north&handling=open")).toEqual(["a4", "a2", "a1"]);
    expect(await ids("?handling=closed,acknowledged")).toEqual([]);
  });

  it("has those of the past among the others, and those of rules being tried out only if asked", async () => {
    service.records.alerts.apply(firing("past", { mode: "history", startedAt: T0 + 60_000 }));
    service.records.alerts.apply(firing("tried", { mode: "shadow", startedAt: T0 + 70_000 }));
    expect((await ids("")).filter((id: string) => id === "past" || id === "tried")).toEqual(["past"]);
    expect(await ids("?mode=live")).toEqual(["a4", "a2", "a1"]);
    expect([await ids("?mode=history"), await ids("?mode=shadow")]).toEqual([["past"], ["tried"]]);
  });

  it("pages by cursor", async () => {
    const first = (await service.as("viewer", "GET", "/api/v1/alerts?limit=2")).json();
    expect(first.items).toHaveLength(2);
    expect(await ids(`?limit=2&cursor=${first.next}`)).toEqual(["a1"]);
  });

  it("refuses a state that is none", async () => {
    const answer = await service.as("viewer", "GET", "/api/v1/alerts?state=firing,burning");
    expect(answer.json().errors).toMatchObject([{ pointer: "#/query/state" }]);
  });

  it("shows one with what it rests on, times in ISO 8601", async () => {
    const alert = (await service.as("viewer", "GET", "/api/v1/alerts/a1")).json();
    expect(alert).toMatchObject({
      id: "a1",
      rule: { id: "pm25-high", source: "EU 2024/2881" },
      startedAt: "2026-11-21T10:00:00.000Z",
      evidence: [{ measuredAt: "2026-11-21T10:00:00.000Z", metric: "pm25", value: 60 }],
      timeline: [{ what: "firing", at: "2026-11-21T10:00:00.000Z" }],
      handling: "open",
    });
    expect((await service.as("viewer", "GET", "/api/v1/alerts/none")).statusCode).toBe(404);
  });
});

describe("GET /crew", () => {
  const crew = (headers = {}) => service.as("viewer", "GET", "/api/v1/crew", undefined, headers);
  const add = (id: string, fields: Parameters<typeof firing>[1], suppressedBy?: string) =>
    service.records.alerts.apply(firing(id, { audience: "crews", startedAt: T0 + 10, ...fields }), suppressedBy);

  it("is what crews should go to, the worst first, with the place and what people did", async () => {
    service.records.sensors.update("air-1", { lat: 52.6, lon: 11 });
    add("c1", {});
    add("hushed", {}, "rule:gateway-outage");
    add("tried", { mode: "shadow" });
    add("over", { state: "resolved", resolvedAt: T0 + 20 });
    add("c2", { severity: "critical", subject: { gateway: "gw-1" }, children: ["x", "y"], evidence: [] });
    await service.as("crew", "POST", "/api/v1/alerts/c1/start", { note: "on the way" });
    await service.as("crew", "POST", "/api/v1/alerts/a2/close");
    const { alerts, sensors, left } = (await crew()).json();
    expect(alerts).toMatchObject([
      { id: "c2", subject: { gateway: "gw-1" }, counted: 2 },
      { id: "c1", assignee: "crew", people: [{ what: "started", by: "crew", note: "on the way" }] },
    ]);
    expect(alerts).toHaveLength(2);
    expect(alerts[0]).not.toHaveProperty("evidence");
    expect({ sensors, left }).toEqual({ sensors: [{ id: "air-1", name: "Station", lat: 52.6, lon: 11 }], left: 0 });
  });

  it("is sent again only when something has changed", async () => {
    const { etag } = (await crew()).headers;
    const again = await crew({ "if-none-match": etag });
    expect([again.statusCode, again.body]).toEqual([304, ""]);
    add("c1", {});
    expect((await crew({ "if-none-match": etag })).statusCode).toBe(200);
  });

  it("sends the worst of too many, and says how many are left", async () => {
    for (let i = 0; i < 302; i += 1) add(`many-${i}`, { severity: i === 0 ? "critical" : "info" });
    const { alerts, left } = (await crew()).json();
    expect([alerts.length, left]).toEqual([300, 3]);
    expect(alerts.slice(0, 2).map(({ severity }: { severity: string }) => severity)).toEqual(["critical", "critical"]);
  });
});

describe("handling", () => {
  it("takes the same closing twice, and says so when the words are others", async () => {
    expect((await press("crew", "close", { note: "new battery" })).statusCode).toBe(200);
    const again = await press("crew", "close", { note: "new battery" });
    expect(again.json().timeline.filter(({ what }: { what: string }) => what === "closed")).toHaveLength(1);
    expect((await press("crew", "close", { note: "new modem" })).statusCode).toBe(409);
    expect((await press("operator", "close", { note: "new battery" })).statusCode).toBe(409);
  });

  it("goes the whole way, with a timeline and an audit line for each step", async () => {
    expect((await press("crew", "acknowledge")).json()).toMatchObject({ handling: "acknowledged" });
    expect((await press("operator", "assign", { assignee: "crew" })).json()).toMatchObject({ assignee: "crew" });
    expect((await press("crew", "start", { note: "on the way" })).json()).toMatchObject({ handling: "in-progress" });
    expect((await press("crew", "comment", { note: "=cmd() <b>" })).statusCode).toBe(200);
    expect((await press("crew", "close")).json()).toMatchObject({ handling: "closed" });
    const reviewed = (await press("operator", "review", { verdict: "right" })).json();
    const people = reviewed.timeline.filter((entry: { by?: string }) => entry.by);
    expect(
      people.map((entry: { what: string; by: string; note?: string }) => [entry.what, entry.by, entry.note]),
    ).toEqual([
      ["acknowledged", "crew", undefined],
      ["assigned", "operator", "to crew"],
      ["started", "crew", "on the way"],
      ["commented", "crew", "=cmd() <b>"],
      ["closed", "crew", undefined],
      ["reviewed", "operator", "right"],
    ]);
    const audit = service.records.audit.list(10).items.map(({ by, what, target }) => [by, what, target]);
    expect(audit.reverse()).toEqual(
      people.map((entry: { by: string }, i: number) => {
        const action = ["acknowledge", "assign", "start", "comment", "close", "review"][i];
        return [entry.by, `alert.${action}`, "a1"];
      }),
    );
    expect((await press("crew", "reopen")).json()).toMatchObject({ handling: "open" });
  });

  it("409 says who was first, and changes nothing", async () => {
    await press("crew", "acknowledge");
    expect((await press("crew", "acknowledge")).statusCode).toBe(200);
    const late = await press("crew-2", "acknowledge");
    expect(late.statusCode).toBe(409);
    expect(late.json().detail).toContain("by crew ");
    await press("crew", "close");
    const closed = await press("operator", "close");
    expect([closed.statusCode, closed.json().detail]).toEqual([409, expect.stringContaining("closed by crew ")]);
    expect(service.records.alerts.get("a1")?.timeline).toHaveLength(3);
    expect(service.records.audit.list(10).items).toHaveLength(2);
  });

  it("400 for a missing note, an unknown assignee, an unknown key; 404 for an unknown alert", async () => {
    expect((await press("crew", "comment", {})).json().errors).toMatchObject([{ pointer: "/note" }]);
    expect((await press("crew", "assign", { assignee: "viewer" })).json().errors).toMatchObject([
      { pointer: "/assignee" },
    ]);
    expect((await press("crew", "assign", { assignee: "nobody" })).json().errors).toMatchObject([
      { pointer: "/assignee" },
    ]);
    expect((await press("crew", "close", { because: 1 })).json().errors).toMatchObject([{ pointer: "/because" }]);
    expect((await service.as("crew", "POST", "/api/v1/alerts/none/close")).statusCode).toBe(404);
  });
});
