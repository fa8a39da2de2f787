import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aBrowser } from "../alerts/notify/push-server.ts";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
});
afterEach(() => service.close());

const PATH = "/api/v1/session/notifications";
const put = (name: string, wishes: object) => service.as(name, "PUT", PATH, wishes);
const addBrowser = (name: string, nth = 0, endpoint = `https://push.example/${name}/${nth}`) =>
  service.as(name, "POST", "/api/v1/session/browsers", { endpoint, keys: aBrowser().keys, label: `Phone ${nth}` });
const targetOf = (id: string) => service.records.targets.get(id);

describe("how somebody wants to be told", () => {
  it("is a target of their own for each way, which follows what they wish", async () => {
    expect((await service.as("crew", "GET", PATH)).json()).toMatchObject({
      wishes: { push: false, severityMin: "warning", mine: false, onCall: true },
      browsers: [],
      publicKey: expect.stringMatching(/^[\w-]{87}$/),
    });
    await put("crew", { push: true, mail: "kim@example.org", severityMin: "critical" });
    expect(targetOf("push:crew")).toBeUndefined();
    expect(targetOf("mail:crew")).toMatchObject({ type: "email", to: "kim@example.org", severityMin: "critical" });
    expect((await addBrowser("crew")).json()).toMatchObject({ label: "Phone 0", service: "push.example" });
    expect(targetOf("push:crew")).toMatchObject({ type: "push", to: "crew", enabled: true });
    await put("crew", { push: true, onCall: false, quietHours: { from: "22:00", to: "06:00" } });
    expect(targetOf("push:crew")).toMatchObject({ enabled: false, quietHours: { from: "22:00" } });
    expect(targetOf("mail:crew")).toBeUndefined();
    const { browsers } = (await service.as("crew", "GET", PATH)).json();
    expect(JSON.stringify(browsers)).not.toContain("/crew/0");
    expect((await service.as("crew-2", "DELETE", `/api/v1/session/browsers/${browsers[0].id}`)).statusCode).toBe(404);
    expect((await service.as("crew", "DELETE", `/api/v1/session/browsers/${browsers[0].id}`)).statusCode).toBe(204);
    expect(targetOf("push:crew")).toBeUndefined();
  });

  it("is nobody else's: admins neither see nor make such targets, and they go with the account", async () => {
    await put("crew", { push: true, mail: "kim@example.org" });
    await addBrowser("crew");
    expect((await service.as("admin", "GET", "/api/v1/targets")).json().items).toEqual([]);
    const made = { name: "Kim", type: "push", to: "crew" };
    expect((await service.as("admin", "POST", "/api/v1/targets", made)).statusCode).toBe(400);
    expect((await service.as("admin", "DELETE", "/api/v1/users/crew")).statusCode).toBe(204);
    expect(service.records.targets.list()).toEqual([]);
    expect(service.records.push.count()).toBe(0);
  });

  it("may be what one's crews are for, and follows them", async () => {
    await put("crew", { mail: "kim@example.org", mine: true });
    expect(targetOf("mail:crew")?.districts).toBeUndefined();
    const crew = { members: ["crew"], districts: ["north"] };
    await service.as("admin", "PUT", "/api/v1/crews/nights", crew);
    expect(targetOf("mail:crew")?.districts).toEqual(["north"]);
    await service.as("admin", "PUT", "/api/v1/crews/nights", { ...crew, members: [] });
    expect(targetOf("mail:crew")?.districts).toBeUndefined();
  });

  it("has limits: browsers, keys, addresses, tests", async () => {
    for (let i = 0; i < 5; i += 1) expect((await addBrowser("crew", i)).statusCode).toBe(201);
    expect((await addBrowser("crew", 5)).statusCode).toBe(409);
    // The same one again takes the place of the former.
    expect((await addBrowser("crew", 4)).statusCode).toBe(201);
    const keys = { p256dh: "x".repeat(87), auth: "y".repeat(8) };
    const body = { endpoint: "https://push.example/1", keys, label: "x" };
    expect((await service.as("crew", "POST", "/api/v1/session/browsers", body)).statusCode).toBe(400);
    expect((await put("crew", { mail: "no address" })).statusCode).toBe(400);
    expect((await put("crew", { districts: ["nowhere"] })).statusCode).toBe(400);
    expect((await put("crew", { quietHours: { from: "22:00", to: "22:00" } })).statusCode).toBe(400);
    for (let i = 0; i < 6; i += 1) await service.as("crew", "POST", `${PATH}/test`, {});
    expect((await service.as("crew", "POST", `${PATH}/test`, {})).statusCode).toBe(429);
  });
});
