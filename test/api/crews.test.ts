import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { T0 } from "../helpers/readings.ts";
import { firing, startService } from "./service.ts";

let service: ReturnType<typeof startService>;
let anna: string;
beforeEach(async () => {
  service = startService();
  service.records.alerts.apply(firing("air", { audience: "operators", startedAt: T0 }));
  service.records.alerts.apply(firing("other", { audience: "operators", startedAt: T0 }));
  for (const name of ["anna", "ben"]) {
    const { password } = (await service.as("admin", "POST", "/api/v1/users", { name, role: "crew" })).json();
    if (name === "anna") anna = password;
  }
});
afterEach(() => service.close());

const put = (id: string, body: object) => service.as("admin", "PUT", `/api/v1/crews/${id}`, body);
const act = (action: string, body: object) => service.as("operator", "POST", `/api/v1/alerts/air/${action}`, body);
const own = async (method: "GET" | "POST", url: string, payload: object = {}) =>
  (
    await service.app.inject({
      method,
      url: `/api/v1${url}`,
      headers: { authorization: `Bearer ${anna}` },
      ...(method === "POST" ? { payload } : {}),
    })
  ).json();

describe("crews", () => {
  it("have members, districts and kinds that there are", async () => {
    expect((await put("night", { members: ["anna"], districts: ["north"], kinds: ["air"] })).json()).toEqual({
      id: "night",
      members: ["anna"],
      districts: ["north"],
      kinds: ["air"],
    });
    for (const [body, pointer] of [
      [{ members: ["nobody"] }, "/members"],
      [{ members: [], districts: ["nowhere"] }, "/districts"],
    ] as const) {
      const answer = await put("day", body);
      expect([answer.statusCode, answer.json().errors[0].pointer]).toEqual([400, pointer]);
    }
    expect((await put("anna", { members: [] })).statusCode).toBe(409);
    const same = await service.as("admin", "POST", "/api/v1/users", { name: "night", role: "crew" });
    expect(same.statusCode).toBe(409);
    await service.as("admin", "DELETE", "/api/v1/users/anna");
    expect((await service.as("viewer", "GET", "/api/v1/crews")).json().items).toMatchObject([{ members: [] }]);
    expect((await service.as("admin", "DELETE", "/api/v1/crews/night")).statusCode).toBe(204);
    expect((await service.as("admin", "DELETE", "/api/v1/crews/night")).statusCode).toBe(404);
  });

  it("have in each member's list what they were given, whatever its audience, with the note; who begins has it", async () => {
    await put("night", { members: ["anna"] });
    expect((await own("GET", "/crew")).alerts).toEqual([]);
    expect((await act("assign", { assignee: "dawn" })).statusCode).toBe(400);
    expect((await act("assign", { assignee: "night", note: "bring a ladder" })).statusCode).toBe(200);
    const { alerts, crews } = await own("GET", "/crew");
    expect(crews).toEqual(["night"]);
    expect(alerts).toMatchObject([{ id: "air", assignee: "night", people: [{ note: "to night: bring a ladder" }] }]);
    expect(await own("POST", "/alerts/air/start")).toMatchObject({ assignee: "anna", handling: "in-progress" });
    expect(await own("POST", "/alerts/air/close")).toMatchObject({ handling: "closed" });
    expect((await own("GET", "/crew")).alerts).toEqual([]);
  });

  it("do not take from another crew what was given to it", async () => {
    await put("night", { members: ["ben"] });
    await act("assign", { assignee: "night" });
    expect(await own("POST", "/alerts/air/start")).toMatchObject({ status: 409 });
    expect((await own("GET", "/crew")).alerts).toEqual([]);
    await act("assign", { assignee: "anna" });
    expect((await own("GET", "/crew")).alerts).toMatchObject([{ id: "air", assignee: "anna" }]);
  });
});
