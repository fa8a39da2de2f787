import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";

/** Rules are changed while the service runs: at once, without leaving an alert that never ends, and for good. */
const RULES = `rules:
  - id: hot
    title: Hot
    kind: air
    metric: temperature
    condition: { type: threshold, above: 30 }
    severity: warning
    audience: operators
    source: { text: a test }
`;
const HOT = { id: "hot", title: "Hot", kind: "air", metric: "temperature", severity: "warning", audience: "operators" };
const changed = (above: number, rest = {}) => ({
  ...HOT,
  source: { text: "a test" },
  condition: { type: "threshold", above },
  ...rest,
});

describe("rules that change while the service runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "lamppost-rules-"));
  let city: City;
  let minutesAgo = 300;
  beforeAll(async () => {
    writeFileSync(join(folder, "hot.yaml"), RULES);
    city = await startCity({ env: { LAMPPOST_RULES_DIR: folder } });
    await city.api("/devices", { sensorId: "air-1", kind: "air", district: "north" });
  });
  afterAll(async () => {
    await city.remove();
    rmSync(folder, { recursive: true });
  });

  const send = (temperature: number) => {
    minutesAgo -= 1;
    const measuredAt = Date.now() - minutesAgo * 60_000;
    return city.api("/readings", { sensorId: "air-1", kind: "air", district: "north", measuredAt, temperature });
  };
  const alerts = async (query = "") =>
    (await city.api(`/alerts${query}`)).items as { state: string; explanation: string }[];
  const states = async (query = "") => (await alerts(query)).map(({ state }) => state);
  const soon = (query: string, expected: string[]) =>
    until(
      () => states(query),
      (found) => JSON.stringify(found) === JSON.stringify(expected),
    );

  it("a change ends what the old rule had said, and the new one decides from then on", async () => {
    await send(35);
    await soon("", ["firing"]);
    await city.api("/rules/hot", { rule: changed(40), reason: "35 is a usual day in August" }, "PUT");
    await soon("", ["resolved"]);
    expect((await alerts())[0]!.explanation).toMatch(/The rule was changed\.$/);
    await send(38);
    await send(45);
    await soon("", ["firing", "resolved"]);
  });

  it("is in force after kill -9 and a restart", async () => {
    await city.kill();
    city = await city.restart();
    expect(await city.api("/rules/hot")).toMatchObject({
      condition: { above: 40 },
      file: "hot.yaml",
      changed: { by: "admin", reason: "35 is a usual day in August" },
    });
    await send(41);
    await send(35);
    await soon("", ["resolved", "resolved"]);
  });

  it("a shadow rule tells nobody, shows what it would have said, and speaks once promoted", async () => {
    const trial = changed(20, { id: "warm", mode: "shadow" });
    await city.api("/rules/warm", { rule: trial, reason: "trying 20 degrees" }, "PUT");
    await send(25);
    await until(
      () => city.api("/rules/warm"),
      ({ shadow }) => shadow.firing === 1,
    );
    expect(await states()).toEqual(["resolved", "resolved"]);
    expect(await states("?mode=shadow")).toEqual(["firing"]);
    await city.api("/rules/warm/promote", { reason: "a week without noise" });
    await send(26);
    await soon("?rule=warm", ["firing"]);
    expect(await states("?mode=shadow")).toEqual(["resolved"]);
    const versions = await city.api("/rules/warm/versions");
    expect(versions.items.map(({ what }: { what: string }) => what)).toEqual(["promoted", "changed"]);
  });

  it("a deleted rule leaves nothing firing", async () => {
    await city.api("/rules/warm", { reason: "not worth it" }, "DELETE");
    await soon("?rule=warm", ["resolved"]);
    await city.api("/rules/hot", { reason: "summer is over" }, "DELETE");
    expect(await city.api("/rules/hot")).toMatchObject({ condition: { above: 30 } });
    expect((await city.api("/audit?limit=20")).items.map(({ what }: { what: string }) => what)).toEqual(
      expect.arrayContaining(["rule.changed", "rule.promoted", "rule.removed"]),
    );
    expect((await city.api("/audit/verify")).brokenAt).toBeUndefined();
  });
});
