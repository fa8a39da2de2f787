import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
  for (const [i, by] of ["olga", "otto", "olga"].entries())
    service.records.audit.add({
      at: service.deps.now() + i * 1_000,
      by,
      what: i === 1 ? "rule.change" : "user.add",
      target: `t${i}`,
      detail: "=Straße",
    });
});
afterEach(() => service.close());

const get = (path: string) => service.as("operator", "GET", `/api/v1/audit${path}`);
const targets = async (query: string) =>
  (await get(`?${query}`)).json().items.map(({ target }: { target: string }) => target);

describe("the audit log", () => {
  it("is narrowed by who, what, subject, words and time", async () => {
    expect(await targets("by=olga")).toEqual(["t2", "t0"]);
    expect(await targets("what=user.")).toEqual(["t2", "t0"]);
    expect(await targets("what=rule.change")).toEqual(["t1"]);
    expect(await targets("target=t1")).toEqual(["t1"]);
    expect(await targets("text=OTTO")).toEqual(["t1"]);
    const at = service.deps.now();
    expect(await targets(`from=${at + 1_000}&to=${at + 2_000}`)).toEqual(["t1"]);
    expect(await targets("by=olga&limit=1")).toEqual(["t2"]);
    expect((await get("?from=yesterday")).statusCode).toBe(400);
  });

  it("looks through a part at a time: pages with little in them go on until the end", async () => {
    service.records.transaction(() => {
      for (let i = 0; i < 20_100; i += 1) service.records.audit.add({ at: 1, by: "otto", what: "x", target: "x" });
    });
    const first = service.records.audit.list(10, undefined, { by: "olga" });
    expect(first.items).toEqual([]);
    const rest = service.records.audit.list(10, first.next, { by: "olga" });
    expect([rest.items.map(({ target }) => target), rest.next]).toEqual([["t2", "t0"], undefined]);
  });

  it("comes as CSV that no spreadsheet runs, or as NDJSON with its hashes; that is written down", async () => {
    const csv = await get("/export?format=csv&by=olga");
    expect(csv.headers["content-type"]).toContain("text/csv");
    expect(csv.body.trim().split("\r\n")).toEqual([
      "id,at,by,what,target,detail",
      expect.stringMatching(/^3,\S+,olga,user.add,t2,'=Straße$/),
      expect.stringMatching(/^1,\S+,olga,user.add,t0,'=Straße$/),
    ]);
    const lines = (await get("/export?format=ndjson&by=olga")).body.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { target: "t2", hash: expect.any(String) },
      { target: "t0" },
    ]);
    expect(await targets("what=audit.export")).toEqual(["ndjson", "csv"]);
    expect((await service.as("viewer", "GET", "/api/v1/audit/export?format=csv")).statusCode).toBe(403);
  });
});
