import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Rejection } from "../../model/rejection.ts";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
});
afterEach(() => service.close());

const call = (method: string, path: string, body?: object) => service.as("operator", method, `/api/v1${path}`, body);

const rejection = (journalSeq: number, more: Partial<Rejection> = {}): Rejection => ({
  journalSeq,
  index: 0,
  reason: "out_of_range",
  detail: "too much",
  receivedAt: service.deps.now(),
  source: { via: "mqtt", role: "device", name: "air-1" },
  topic: "city/north/air/air-1",
  sensorId: "air-1",
  district: "north",
  kind: "air",
  metric: "pm25",
  measuredAt: service.deps.now(),
  payload: Buffer.from("20000"),
  ...more,
});

describe("the quarantine as a work list", () => {
  it("dismisses all that waits of a cause, and nothing else; it stays in the list with who and why", async () => {
    service.records.quarantine.add([rejection(1), rejection(2), rejection(3, { metric: "no2" })]);
    const because = "a test of the maker";
    const cause = { sensor: "air-1", reason: "out_of_range", metric: "pm25" };
    const answer = await call("POST", "/quarantine/dismiss", { ...cause, because });
    expect([answer.statusCode, answer.json()]).toEqual([200, { dismissed: 2 }]);
    const { items } = (await call("GET", "/quarantine?state=dismissed")).json();
    expect(items).toHaveLength(2);
    expect(items[0]).toMatchObject({ decision: "dismiss", because, redrivenBy: "operator" });
    expect((await call("GET", "/quarantine?state=waiting")).json().items).toMatchObject([{ metric: "no2" }]);
    expect((await call("GET", "/quarantine?state=redriven")).json().items).toEqual([]);
    expect(service.records.audit.list(9).items).toContainEqual(
      expect.objectContaining({
        what: "quarantine.dismiss",
        target: "air-1 out_of_range pm25",
        detail: `2 items: ${because}`,
      }),
    );
    const one = (await call("GET", "/quarantine?state=waiting")).json().items[0].id;
    expect((await call("POST", "/quarantine/dismiss", { ids: [one], because })).json()).toEqual({ dismissed: 1 });
    expect((await call("POST", "/quarantine/dismiss", { ids: [one], because })).json()).toEqual({ dismissed: 0 });
    expect((await call("POST", "/quarantine/dismiss", { ids: [one] })).statusCode).toBe(400);
  });

  it("says what a correction would make of it before anything is sent, and what it cannot correct", async () => {
    service.records.quarantine.add([
      rejection(1),
      rejection(2, { payload: Buffer.from('"20,5"') }),
      rejection(3, { payload: Buffer.from('"much"') }),
    ]);
    const rule = { sensor: "air-1", reason: "out_of_range", metric: "pm25", factor: 0.1, offset: 1, because: "tenths" };
    const { corrected, left, examples } = (await call("POST", "/quarantine/correct?dryRun=true", rule)).json();
    expect({ corrected, left }).toEqual({ corrected: 2, left: 1 });
    expect(examples.map(({ after }: { after: string }) => after)).toEqual(["2001", "3.05"]);
    for (const wrong of [{ factor: 0 }, { factor: undefined, offset: undefined }, { shiftS: 5 }, { metric: undefined }])
      expect((await call("POST", "/quarantine/correct", { ...rule, ...wrong })).statusCode).toBe(400);
  });

  it("sends no edited copy of what was dealt with already", async () => {
    service.records.quarantine.add([rejection(1)]);
    const { id } = (await call("GET", "/quarantine")).json().items[0];
    service.records.quarantine.markRedriven([id], "somebody", service.deps.now());
    expect((await call("POST", `/quarantine/${id}/edit`, { payload: "5" })).statusCode).toBe(409);
    expect((await call("POST", "/quarantine/999/edit", { payload: "5" })).statusCode).toBe(404);
  });
});
