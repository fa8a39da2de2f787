import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { T0 } from "../../helpers/readings.ts";
import { firing, startService } from "../service.ts";

const MINUTE = 60_000;
const FROM = new Date(T0).toISOString();
const TO = new Date(T0 + 8 * 60 * MINUTE).toISOString();

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
  const say = (id: string, atMs: number, fields: Parameters<typeof firing>[1] = {}) => {
    const { alert, entry } = firing(id, { startedAt: T0 + atMs, firedAt: T0 + atMs, ...fields });
    service.records.alerts.apply({ alert, entry: { ...entry, at: T0 + atMs, knownAt: T0 + atMs } });
  };
  const end = (id: string, atMs: number, fields: Parameters<typeof firing>[1]) =>
    service.records.alerts.apply({
      alert: firing(id, { state: "resolved", resolvedAt: T0 + atMs, ...fields }).alert,
      entry: { at: T0 + atMs, knownAt: T0 + atMs, what: "resolved" },
    });
  const acknowledge = (id: string, atMs: number) =>
    service.records.alerts.handle(
      id,
      { handling: "acknowledged" },
      { at: T0 + atMs, knownAt: T0 + atMs, what: "acknowledged", by: "operator" },
    );
  say("before", -60 * MINUTE);
  end("before", -30 * MINUTE, { startedAt: T0 - 60 * MINUTE });
  say("all-along", -60 * MINUTE, { rule: { id: "old", version: "1", title: "Old", source: "x" } });
  say("first", 10 * MINUTE, { severity: "critical" });
  acknowledge("first", 14 * MINUTE);
  end("first", 40 * MINUTE, { severity: "critical", startedAt: T0 + 10 * MINUTE, firedAt: T0 + 10 * MINUTE });
  say("second", 20 * MINUTE, { subject: { sensorId: "air-2", district: "south" } });
  acknowledge("second", 32 * MINUTE);
  say("pending", 30 * MINUTE, { state: "pending", firedAt: undefined });
  say("after", 9 * 60 * MINUTE);
});
afterEach(() => service.close());

const ask = (query: string) => service.as("viewer", "GET", `/api/v1/report?from=${FROM}&to=${TO}${query}`);

describe("the shift report", () => {
  it("counts what the service knew within the time, and what it took", async () => {
    const report = (await ask("")).json();
    expect(report.total).toMatchObject({
      raised: 2,
      bySeverity: { info: 0, warning: 1, critical: 1 },
      resolved: 1,
      retracted: 0,
      openAtEnd: 2,
      toAcknowledge: { count: 2, medianMs: 8 * MINUTE, p90Ms: 12 * MINUTE },
      toResolve: { count: 1, medianMs: 30 * MINUTE },
    });
    expect(report.alerts.map(({ id }: { id: string }) => id)).toEqual(["all-along", "first", "second"]);
    expect(report.byDistrict).toMatchObject([
      { district: "north", raised: 1 },
      { district: "south", raised: 1 },
    ]);
    expect(report.byRule).toMatchObject([
      { rule: "pm25-high", raised: 2 },
      { rule: "old", raised: 0 },
    ]);
  });

  it("counts as open at the end what the desk shows, and lets late alerts tell themselves how long they took", async () => {
    const at = { startedAt: T0 + 60 * MINUTE, firedAt: T0 + 60 * MINUTE };
    for (const id of ["closed", "explained", "silenced", "late"]) {
      const by = { explained: "rule:gateway-outage", silenced: "silence:1" }[id];
      const { alert, entry } = firing(id, at);
      service.records.alerts.apply({ alert, entry: { ...entry, at: at.startedAt, knownAt: T0 + 90 * MINUTE } }, by);
    }
    const now = { at: T0 + 91 * MINUTE, knownAt: T0 + 91 * MINUTE };
    service.records.alerts.handle("closed", { handling: "closed" }, { ...now, what: "closed", by: "operator" });
    const ended = { state: "resolved", resolvedAt: T0 + 85 * MINUTE } as const;
    service.records.alerts.apply({
      alert: firing("late", { ...at, ...ended }).alert,
      entry: { at: T0 + 85 * MINUTE, knownAt: T0 + 90 * MINUTE, what: "resolved" },
    });
    const { total } = (await ask("")).json();
    expect(total.openAtEnd).toBe(3);
    expect(total.toResolve).toEqual({ count: 2, medianMs: 27.5 * MINUTE, p90Ms: 30 * MINUTE });
  });

  it("names the sensors that have said nothing since", async () => {
    expect((await ask("")).json().sensorsWithoutData).toEqual([{ sensorId: "air-1", district: "north", kind: "air" }]);
  });

  it("is a table, too, in which a formula stays text", async () => {
    service.records.alerts.apply(firing("evil", { explanation: '=cmd("x")', startedAt: T0 + 50 * MINUTE }));
    const answer = await ask("&format=csv");
    expect(answer.headers["content-type"]).toContain("text/csv");
    const lines = answer.body.trim().split("\r\n");
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toContain(`"'=cmd(""x"")"`);
  });

  it("is refused for more than 31 days", async () => {
    const answer = await service.as("viewer", "GET", "/api/v1/report?from=2025-01-01&to=2026-01-01");
    expect([answer.statusCode, answer.json().errors[0].pointer]).toEqual([400, "#/query/from"]);
  });
});
