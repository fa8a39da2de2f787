import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createIncidents } from "../../alerts/incidents/incidents.ts";
import type { Alert } from "../../model/alert.ts";
import { aRule } from "../alerts/builders.ts";
import { T0 } from "../helpers/readings.ts";
import { firing, startService } from "./service.ts";

let service: ReturnType<typeof startService>;
const say = (...alerts: Parameters<typeof firing>[]) => {
  const { records } = service;
  const gathered = createIncidents({ records, rules: () => [], sensor: records.sensors.get }).open(T0);
  records.transaction(() => {
    for (const one of alerts) gathered.take(records.alerts.apply(firing(...one)) as Alert);
    gathered.finish();
  });
};
const other = { subject: { sensorId: "air-2", district: "north" } };

beforeEach(() => {
  service = startService();
  say(
    ["a1"],
    ["a2", { ...other, severity: "critical" as const, startedAt: T0 + 1 }],
    ["a3", { subject: { sensorId: "air-9", district: "south" } }],
  );
});
afterEach(() => service.close());

const list = async (query = "") => (await service.as("viewer", "GET", `/api/v1/incidents${query}`)).json().items;
const press = async (name: string, action: string, body?: object) => {
  const [{ id }] = await list();
  return service.as(name, "POST", `/api/v1/incidents/${id}/${action}`, body);
};

describe("incidents of one gateway in several districts", () => {
  const silent = aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } });
  const lost = (sensorId: string, district: string, startedAt: number, gateway = "gw-7"): Parameters<typeof firing> => [
    sensorId,
    {
      rule: { id: "silent", version: "abc", title: "Silent", source: "a test" },
      subject: { sensorId, district, gateway },
      metric: undefined,
      startedAt,
    },
  ];

  it("are each of their own district, and linked when one is read", async () => {
    const { records } = service;
    const gathered = createIncidents({ records, rules: () => [silent], sensor: records.sensors.get }).open(T0);
    records.transaction(() => {
      for (const [district, gateway, minutes] of [
        ["east", "gw-7", 0],
        ["west", "gw-7", 10],
        ["far", "gw-7", 40],
        ["side", "gw-8", 0],
      ] as const) {
        for (const n of [1, 2]) {
          const one = lost(`${district}-${n}`, district, T0 + minutes * 60_000, gateway);
          gathered.take(records.alerts.apply(firing(...one)) as Alert);
        }
      }
      gathered.finish();
    });
    const [east] = await list("?district=east");
    const [west] = await list("?district=west");
    expect([east.alerts, west.alerts]).toEqual([2, 2]);
    const read = async (id: string) => (await service.as("viewer", "GET", `/api/v1/incidents/${id}`)).json();
    expect((await read(east.id)).linked.map(({ id }: { id: string }) => id)).toEqual([west.id]);
    expect((await read(west.id)).linked.map(({ id }: { id: string }) => id)).toEqual([east.id]);
    // Read, never judged: what is done to one is not done to the other.
    await service.as("operator", "POST", `/api/v1/incidents/${east.id}/acknowledge`, {});
    expect([(await read(east.id)).handling, (await read(west.id)).handling]).toEqual(["acknowledged", "open"]);
  });
});

describe("incidents", () => {
  it("are listed with lead, impact and how many alerts; what stands alone is none", async () => {
    const items = await list();
    expect(items).toMatchObject([
      {
        district: "north",
        lead: { alert: "a2" },
        state: "firing",
        severity: "critical",
        handling: "open",
        alerts: 2,
        firing: 2,
        impact: { things: [{ thing: "air", count: 2 }], since: "2026-11-21T10:00:00.000Z" },
      },
    ]);
    expect(await list("?district=south")).toEqual([]);
    expect(await list("?state=firing&severity=critical&handling=open&audience=operators")).toHaveLength(1);
    const alert = (await service.as("viewer", "GET", "/api/v1/alerts/a1")).json();
    expect(alert.incident).toBe(items[0].id);
  });

  it("are handled in one go, with a line in each timeline, the incident's and the audit", async () => {
    const done = (await press("operator", "acknowledge", { note: "on my way" })).json();
    expect(done).toMatchObject({ handling: "acknowledged", timeline: [{ what: "acknowledged", note: "on my way" }] });
    expect(done.members.map(({ handling }: Alert) => handling)).toEqual(["acknowledged", "acknowledged"]);
    expect((await press("admin", "acknowledge")).statusCode).toBe(409);
    expect((await press("viewer", "close")).statusCode).toBe(403);
    expect((await press("operator", "comment")).statusCode).toBe(400);
    const commented = (await press("crew", "comment", { note: "fuse replaced" })).json();
    expect(commented.timeline.at(-1)).toMatchObject({ what: "commented", note: "fuse replaced" });
    expect((await press("operator", "close")).json().handling).toBe("closed");
    expect(service.records.alerts.get("a1")?.handling).toBe("closed");
    expect((await service.as("viewer", "GET", "/api/v1/incidents/in-none")).statusCode).toBe(404);
  });

  it("say how they are handled where only their alerts were", async () => {
    await service.as("operator", "POST", "/api/v1/alerts/a1/acknowledge", {});
    expect((await list())[0].handling).toBe("open");
    await service.as("operator", "POST", "/api/v1/alerts/a2/acknowledge", {});
    expect((await list())[0].handling).toBe("acknowledged");
  });

  it("that somebody has take in what joins, unless it is worse", async () => {
    await press("operator", "acknowledge");
    say(["a4", { subject: { sensorId: "air-3", district: "north" }, startedAt: T0 + 2 }]);
    expect(service.records.alerts.get("a4")?.handling).toBe("acknowledged");
    const crews = { subject: { sensorId: "air-4", district: "north" }, audience: "crews" as const, startedAt: T0 + 3 };
    say(["a5", crews]);
    expect(service.records.alerts.get("a5")?.handling).toBe("open");
  });
});
