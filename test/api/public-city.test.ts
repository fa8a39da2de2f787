import { afterAll, describe, expect, it } from "vitest";
import { T0 } from "../helpers/readings.ts";
import { firing, startService } from "./service.ts";

const page = { dir: "/nowhere", isPublic: true };
const service = startService({ options: { page } });
afterAll(() => service.close());
const ask = () => service.as(undefined, "GET", "/api/v1/city");

describe("the public city page", () => {
  it("is off unless switched on", async () => {
    const closed = startService();
    expect((await closed.as(undefined, "GET", "/api/v1/city")).statusCode).toBe(404);
    await closed.close();
  });

  it("shows what concerns the city, and neither people nor crews' warnings", async () => {
    const add = (id: string, fields: Parameters<typeof firing>[1] = {}) =>
      service.records.alerts.apply(firing(id, { startedAt: T0, ...fields }));
    add("seen", { severity: "critical" });
    add("crews", { audience: "crews" });
    add("service", { kind: "service" });
    add("tried", { mode: "shadow" });
    add("broken", { verdict: { is: "sensor-fault", why: "Its neighbours say otherwise." } });
    add("over", { state: "resolved" });
    service.records.alerts.handle("seen", { assignee: "anna" }, { at: T0, knownAt: T0, what: "assigned", by: "bob" });
    const { statusCode, body } = await ask();
    expect(statusCode).toBe(200);
    expect(body).not.toMatch(/anna|bob|timeline|assignee/);
    expect(JSON.parse(body)).toEqual({
      at: expect.any(String),
      districts: [{ district: "north", sensors: 1, alerts: { info: 0, warning: 0, critical: 1 } }],
      alerts: [expect.objectContaining({ title: "PM2.5 is high", district: "north", explanation: "60 is above 50." })],
    });
  });

  it("begins with the worst, whatever came last", async () => {
    const { records, as, close } = startService({ options: { page } });
    records.alerts.apply(firing("worst", { severity: "critical", startedAt: T0 }));
    records.alerts.apply(firing("mild", { severity: "info", startedAt: T0 + 1 }));
    records.alerts.apply(firing("bad", { severity: "warning", startedAt: T0 + 2 }));
    const { alerts } = (await as(undefined, "GET", "/api/v1/city")).json();
    expect(alerts.map(({ severity }: { severity: string }) => severity)).toEqual(["critical", "warning", "info"]);
    await close();
  });

  it("is read from the records at most every ten seconds", async () => {
    await ask();
    service.records.alerts.apply(firing("later"));
    expect((await ask()).json().alerts).toHaveLength(1);
    service.tick(10_000);
    expect((await ask()).json().alerts).toHaveLength(2);
  });
});
