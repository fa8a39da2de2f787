import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
});
afterEach(() => service.close());

const asJson = async (...asked: Parameters<typeof service.as>) => (await service.as(...asked)).json();

describe("saved filters", () => {
  const view = { page: "desk", name: "My night", query: "severity=critical&district=north" };

  it("belong to one account, replace one of the same name, and go with the account", async () => {
    const saved = await service.as("operator", "POST", "/api/v1/views", view);
    expect(saved.statusCode).toBe(201);
    await service.as("operator", "POST", "/api/v1/views", { ...view, query: "severity=warning" });
    await service.as("operator", "POST", "/api/v1/views", { ...view, page: "sensors", query: "q=x" });
    const { items } = await asJson("operator", "GET", "/api/v1/views");
    expect(items).toMatchObject([
      { page: "desk", name: "My night", query: "severity=warning", createdAt: new Date(T0).toISOString() },
      { page: "sensors", query: "q=x" },
    ]);
    expect((await asJson("viewer", "GET", "/api/v1/views")).items).toEqual([]);
    expect((await service.as("viewer", "DELETE", `/api/v1/views/${items[0].id}`)).statusCode).toBe(404);
    expect((await service.as("operator", "DELETE", `/api/v1/views/${items[0].id}`)).statusCode).toBe(204);
    await service.as("admin", "DELETE", "/api/v1/users/operator");
    service.addAccount({ role: "operator", name: "operator" });
    expect((await asJson("operator", "GET", "/api/v1/views")).items).toEqual([]);
  });

  it("have limits: how many, how long, and only what an address can hold", async () => {
    for (let i = 0; i < 100; i += 1) await service.as("viewer", "POST", "/api/v1/views", { ...view, name: `n${i}` });
    expect((await service.as("viewer", "POST", "/api/v1/views", view)).statusCode).toBe(409);
    expect((await service.as("viewer", "POST", "/api/v1/views", { ...view, name: "n7" })).statusCode).toBe(201);
    for (const wrong of [
      { ...view, query: "x".repeat(1_001) },
      { ...view, query: "a b" },
      { ...view, page: "elsewhere" },
      { ...view, name: "" },
    ])
      expect((await service.as("operator", "POST", "/api/v1/views", wrong)).statusCode).toBe(400);
  });

  it("have sensors one follows beside them", async () => {
    expect((await service.as("viewer", "PUT", "/api/v1/favourites/air-1", {})).statusCode).toBe(204);
    expect((await service.as("viewer", "PUT", "/api/v1/favourites/nobody", {})).statusCode).toBe(404);
    expect(await asJson("viewer", "GET", "/api/v1/favourites")).toEqual({ items: ["air-1"] });
    expect(await asJson("operator", "GET", "/api/v1/favourites")).toEqual({ items: [] });
    await service.as("viewer", "DELETE", "/api/v1/favourites/air-1");
    expect(await asJson("viewer", "GET", "/api/v1/favourites")).toEqual({ items: [] });
  });
});

describe("handover notes", () => {
  it("say who wrote them when, who has read them, and stand in the report of their time", async () => {
    const note = await asJson("operator", "POST", "/api/v1/handover", { text: "The gate at pole 12 is open." });
    expect(note).toMatchObject({ by: "operator", at: new Date(T0).toISOString(), seen: [] });
    service.tick(60_000);
    await service.as("crew", "POST", `/api/v1/handover/${note.id}/seen`, {});
    service.tick(60_000);
    // The first time counts, and one's own is no news.
    await service.as("crew", "POST", `/api/v1/handover/${note.id}/seen`, {});
    await service.as("operator", "POST", `/api/v1/handover/${note.id}/seen`, {});
    const seen = [{ by: "crew", at: new Date(T0 + 60_000).toISOString() }];
    expect((await asJson("viewer", "GET", "/api/v1/handover")).items).toEqual([{ ...note, seen }]);
    const ask = (from: number, to: number) =>
      asJson("viewer", "GET", `/api/v1/report?from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`);
    expect((await ask(T0, T0 + 1_000)).handover).toEqual([{ ...note, seen }]);
    expect((await ask(T0 - 1_000, T0)).handover).toEqual([]);
    expect((await service.as("viewer", "POST", "/api/v1/handover", { text: "x" })).statusCode).toBe(403);
    expect((await service.as("crew", "POST", "/api/v1/handover/99/seen", {})).statusCode).toBe(404);
    expect((await service.as("crew", "POST", "/api/v1/handover", { text: "x".repeat(2_001) })).statusCode).toBe(400);
  });

  it("come in pages, the newest first", async () => {
    for (const text of ["one", "two", "three"]) await service.as("crew", "POST", "/api/v1/handover", { text });
    const first = await asJson("viewer", "GET", "/api/v1/handover?limit=2");
    expect(first.items.map(({ text }: { text: string }) => text)).toEqual(["three", "two"]);
    const rest = await asJson("viewer", "GET", `/api/v1/handover?limit=2&cursor=${first.next}`);
    expect(rest.items.map(({ text }: { text: string }) => text)).toEqual(["one"]);
    expect(rest.next).toBeUndefined();
  });
});

describe("annotations", () => {
  const at = (ms: number) => new Date(T0 + ms).toISOString();

  it("stand beside a stretch of one sensor's charts, with who wrote them, and in the report", async () => {
    const body = { from: at(-3_600_000), to: at(-1_800_000), metric: "pm25", text: "Road works" };
    const made = await service.as("crew", "POST", "/api/v1/sensors/air-1/annotations", body);
    expect(made.statusCode).toBe(201);
    const moment = await asJson("operator", "POST", "/api/v1/sensors/air-1/annotations", {
      from: at(-60_000),
      text: "Filter changed",
    });
    expect(moment).toMatchObject({ to: at(-60_000), by: "operator" });
    const { items } = await asJson("viewer", "GET", "/api/v1/sensors/air-1/annotations");
    expect(items).toMatchObject([{ text: "Road works", metric: "pm25", by: "crew" }, { text: "Filter changed" }]);
    const half = await asJson(
      "viewer",
      "GET",
      `/api/v1/sensors/air-1/annotations?from=${at(-2_000_000)}&to=${at(-1_900_000)}`,
    );
    expect(half.items).toHaveLength(1);
    expect((await asJson("viewer", "GET", "/api/v1/report")).annotations).toHaveLength(2);
    expect((await service.as("crew-2", "DELETE", `/api/v1/annotations/${items[0].id}`)).statusCode).toBe(403);
    expect((await service.as("crew", "DELETE", `/api/v1/annotations/${items[0].id}`)).statusCode).toBe(204);
    expect((await service.as("admin", "DELETE", `/api/v1/annotations/${moment.id}`)).statusCode).toBe(204);
    expect((await service.as("admin", "DELETE", `/api/v1/annotations/${moment.id}`)).statusCode).toBe(404);
  });

  it("refuse a time that runs backwards, and sensors that nobody knows", async () => {
    const add = (sensor: string, body: object) =>
      service.as("crew", "POST", `/api/v1/sensors/${sensor}/annotations`, body);
    expect((await add("air-1", { from: at(0), to: at(-1), text: "x" })).statusCode).toBe(400);
    expect((await add("nobody", { from: at(0), text: "x" })).statusCode).toBe(404);
  });
});
