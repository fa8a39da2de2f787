import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WallView } from "../../contract/wall.ts";
import { firing, startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
});
afterEach(() => service.close());

async function makeDisplay(id = "hall", districts: string[] = []): Promise<string> {
  const answer = await service.as("admin", "POST", "/api/v1/wall-displays", { id, name: "The hall", districts });
  expect(answer.statusCode).toBe(201);
  return answer.json().token;
}
const asWall = (token: string, url: string, method = "GET") =>
  service.app.inject({ method: method as "GET", url, headers: { authorization: `Bearer ${token}` } });

describe("wall displays", () => {
  it("have a token that reads the wall and nothing else", async () => {
    const token = await makeDisplay();
    expect((await asWall(token, "/api/v1/wall")).statusCode).toBe(200);
    for (const path of ["/alerts", "/events", "/sensors", "/wall-displays", "/handover", "/report"])
      expect((await asWall(token, `/api/v1${path}`)).statusCode, path).toBe(401);
    expect((await asWall(token, "/api/v1/readings", "POST")).statusCode).toBe(401);
    expect((await service.as(undefined, "GET", "/api/v1/wall")).statusCode).toBe(401);
    expect((await service.as("air-1", "GET", "/api/v1/wall")).statusCode).toBe(403);
    expect((await service.as("viewer", "GET", "/api/v1/wall")).statusCode).toBe(200);
  });

  it("are listed without their tokens, audited, and dark once they are revoked", async () => {
    const token = await makeDisplay();
    await asWall(token, "/api/v1/wall");
    const listed = await service.as("admin", "GET", "/api/v1/wall-displays");
    expect(listed.json().items).toMatchObject([
      { id: "hall", createdBy: "admin", usedAt: expect.any(String), open: 0 },
    ]);
    expect(listed.body).not.toContain(token);
    expect((await service.as("admin", "DELETE", "/api/v1/wall-displays/hall")).statusCode).toBe(204);
    expect((await asWall(token, "/api/v1/wall")).statusCode).toBe(401);
    const audit = (await service.as("admin", "GET", "/api/v1/audit")).json().items;
    expect(audit.map(({ what }: { what: string }) => what)).toEqual(
      expect.arrayContaining(["wall.add", "wall.remove"]),
    );
    expect(JSON.stringify(audit)).not.toContain(token);
  });

  it("show the worst first, what is open by district, and only their districts", async () => {
    const { records } = service;
    records.sensors.add({ id: "air-2", kind: "air", district: "south", tags: {}, createdAt: 0 });
    const south = { sensorId: "air-2", district: "south" };
    records.alerts.apply(firing("a"));
    records.alerts.apply(firing("b", { severity: "critical", subject: south }));
    records.alerts.apply(firing("c", { severity: "info", subject: south }), "maintenance:1");
    records.alerts.apply(firing("d", { subject: south }), "rule:gateway-outage");
    const whole: WallView = (await asWall(await makeDisplay(), "/api/v1/wall")).json();
    expect(whole).toMatchObject({
      counts: { info: 0, warning: 1, critical: 1 },
      quieted: 1,
      unacknowledged: 2,
      districts: [
        { district: "north", worst: "warning" },
        { district: "south", worst: "critical" },
      ],
    });
    expect(whole.alerts.map(({ id }) => id)).toEqual(["b", "a"]);
    expect(JSON.stringify(whole)).not.toContain("timeline");
    const north: WallView = (await asWall(await makeDisplay("north", ["north"]), "/api/v1/wall")).json();
    expect(north.alerts.map(({ id }) => id)).toEqual(["a"]);
    expect(north).toMatchObject({ counts: { critical: 0, warning: 1 }, districts: [{ district: "north" }] });
    const wrong = { id: "x", name: "X", districts: ["nowhere"] };
    expect((await service.as("admin", "POST", "/api/v1/wall-displays", wrong)).statusCode).toBe(400);
  });

  it("are told by their stream, which ends when they are revoked", async () => {
    await service.app.listen({ port: 0, host: "127.0.0.1" });
    const token = await makeDisplay();
    const { port } = service.app.server.address() as AddressInfo;
    const headers = { authorization: `Bearer ${token}` };
    const request = get({ port, host: "127.0.0.1", path: "/api/v1/wall/events", headers });
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    let heard = "";
    const until = async (text: string) => {
      while (!heard.includes(text)) heard += String((await once(answer, "data"))[0]);
    };
    await until("event: wall");
    expect((await service.as("admin", "GET", "/api/v1/wall-displays")).json().items[0].open).toBe(1);
    service.records.alerts.apply(firing("late"));
    await until('"id":"late"');
    const ended = once(answer, "end");
    answer.resume();
    await service.as("admin", "DELETE", "/api/v1/wall-displays/hall");
    await ended;
  });
});
