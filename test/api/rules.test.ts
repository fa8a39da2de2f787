import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aReading, aRule, MINUTE } from "../alerts/builders.ts";
import { T0 } from "../helpers/readings.ts";
import { firing, startService } from "./service.ts";

const high = aRule({ id: "high", metric: "no2", condition: { type: "threshold", above: 40 } });
const trial = aRule({ id: "trial", mode: "shadow", metric: "no2", condition: { type: "threshold", above: 30 } });
const changed = (above: number, id = "high") => {
  const { version: _, ...data } = high;
  return { ...data, id, condition: { type: "threshold", above } };
};
const reason = "too loud in winter";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService({ rules: () => [high, trial] });
});
afterEach(() => service.close());

async function ask(method: string, path: string, body?: unknown, headers = {}, who = "operator") {
  const response = await service.as(who, method, `/api/v1/rules${path}`, body, headers);
  return {
    status: response.statusCode,
    body: response.body === "" ? undefined : response.json(),
    headers: response.headers,
  };
}

describe("rules over HTTP", () => {
  it("are shown with file, state and version", async () => {
    const { body } = await ask("GET", "");
    expect(body.items).toMatchObject([
      { id: "high", file: "rules.yaml", state: "ok", mode: "live" },
      { id: "trial", mode: "shadow" },
    ]);
    const one = await ask("GET", "/high");
    expect(one.headers.etag).toBe(`"${high.version}"`);
    expect(one.body).not.toHaveProperty("shadow");
  });

  it("are changed at once, with author and reason, and go back", async () => {
    const put = await ask("PUT", "/high", { rule: changed(60), reason }, { "if-match": `"${high.version}"` });
    expect(put).toMatchObject({ status: 200, body: { condition: { above: 60 }, changed: { by: "operator", reason } } });
    expect((await ask("GET", "/high")).body.version).toBe(put.body.version);
    const versions = await ask("GET", "/high/versions");
    expect(versions.body.items).toMatchObject([{ what: "changed", by: "operator", reason, version: put.body.version }]);
    const back = await ask("DELETE", "/high", { reason: "it was winter" });
    expect(back).toMatchObject({ status: 200, body: { version: high.version } });
    expect(back.body).not.toHaveProperty("changed");
    expect(service.records.audit.list(10).items.map(({ what, by }) => [what, by])).toEqual([
      ["rule.removed", "operator"],
      ["rule.changed", "operator"],
    ]);
  });

  it("a new rule does not fall on one that is there, where it says that it is new", async () => {
    const isNew = { "if-none-match": "*" };
    const taken = await ask("PUT", "/high", { rule: changed(60), reason }, isNew);
    expect(taken).toMatchObject({ status: 409, body: { detail: expect.stringContaining('There is a rule "high".') } });
    expect((await ask("PUT", "/mine", { rule: changed(50, "mine"), reason }, isNew)).status).toBe(200);
  });

  it("a rule of one's own comes and goes", async () => {
    expect((await ask("PUT", "/mine", { rule: changed(50, "mine"), reason })).body).toMatchObject({ id: "mine" });
    expect((await ask("GET", "/mine")).body).not.toHaveProperty("file");
    expect((await ask("DELETE", "/mine", { reason })).status).toBe(204);
    expect((await ask("GET", "/mine")).status).toBe(404);
  });

  it("who comes second is told who was first", async () => {
    const match = { "if-match": `"${high.version}"` };
    await ask("PUT", "/high", { rule: changed(60), reason }, match);
    const second = await ask("PUT", "/high", { rule: changed(70), reason: "me, too" }, match, "admin");
    expect(second.status).toBe(409);
    expect(second.body.detail).toMatch(/operator changed it at 2026-.*: too loud in winter$/);
  });

  it("a wrong rule is refused with the field", async () => {
    const { status, body } = await ask("PUT", "/high", { rule: { ...changed(60), severity: "loud" }, reason });
    expect(status).toBe(400);
    expect(body.errors).toEqual([{ pointer: "/rule/severity", detail: expect.any(String) }]);
    expect((await ask("PUT", "/high", { rule: changed(60) })).status).toBe(400);
    expect((await ask("PUT", "/other", { rule: changed(60), reason })).body.detail).toContain('not "other"');
  });

  it("a shadow rule shows what it would have said, and is promoted", async () => {
    const about = { rule: { id: "trial", version: "v", title: "T", source: "s" }, mode: "shadow" } as const;
    service.records.alerts.apply(firing("al-1", about));
    service.records.alerts.apply(firing("al-2", { ...about, state: "resolved", resolvedAt: T0 + 1 }));
    service.records.alerts.apply(firing("al-3"));
    const { body } = await ask("GET", "/trial");
    expect(body.shadow).toMatchObject({ alerts: 2, firing: 1 });
    expect(body.shadow.last.map(({ id }: { id: string }) => id).sort()).toEqual(["al-1", "al-2"]);
    const lists = async (query: string) =>
      (await service.as("viewer", "GET", `/api/v1/alerts${query}`)).json().items.length;
    expect([await lists(""), await lists("?mode=shadow"), await lists("?mode=live")]).toEqual([1, 2, 1]);

    const figures = { alerts: 2, alertsPerDay: 0.1, minutesFiring: 3 };
    const live = await ask("POST", "/trial/promote", { reason: "two weeks without noise", figures });
    expect(live.body).toMatchObject({ mode: "live", changed: { what: "promoted" } });
    expect((await ask("GET", "/trial/versions")).body.items[0].figures).toEqual({ ...figures, retracted: 0 });
    expect((await ask("POST", "/trial/promote", { reason: "again" })).status).toBe(409);
  });
});

describe("POST /rules/check", () => {
  it("answers every mistake with its place", async () => {
    const { body } = await ask("POST", "/check", { yaml: "rules:\n  - id: A\n    title: Hot\n" });
    expect(body).toMatchObject({ ok: false, rules: 0 });
    expect(body.mistakes[0]).toEqual({
      file: "rules.yaml",
      line: 2,
      column: 9,
      message: expect.stringMatching(/^id: /),
    });
    const none = { ok: true, rules: 0, mistakes: [], truncated: false, found: [] };
    expect((await ask("POST", "/check", { yaml: "rules: []" })).body).toEqual(none);
  });

  it("answers the rules themselves, with what they leave out filled in", async () => {
    const yaml = `rules: [${JSON.stringify(changed(60))}]`;
    const [found] = (await ask("POST", "/check", { yaml })).body.found;
    expect(found).toMatchObject({ id: "high", mode: "live", condition: { above: 60, capture: 0.75 } });
    expect(found).not.toHaveProperty("version");
  });

  it("takes a text of 1 MiB and no more", async () => {
    const yaml = `rules: []\n#${"x".repeat(1_048_000)}`;
    expect((await ask("POST", "/check", { yaml })).status).toBe(200);
    expect((await ask("POST", "/check", { yaml: yaml + yaml })).status).toBe(400);
  });
});

describe("backtests over HTTP", () => {
  const span = { from: new Date(T0).toISOString(), to: new Date(T0 + 60 * MINUTE).toISOString() };
  const fill = (count: number) => {
    for (let i = 0; i < count; i++)
      service.stored.push(aReading(T0 + i * MINUTE, { no2: i % 10 === 5 ? 50 : 20 }, { sensorId: "air-1" }));
  };

  it("say what a rule, a change of it, and many rules would have said", async () => {
    fill(60);
    const one = await ask("POST", "/high/backtest", span);
    expect(one.headers["content-type"]).toMatch(/^application\/json/);
    expect(one.body).toMatchObject({ ...span, readings: 60, figures: { alerts: 6, minutesFiring: 6 } });
    const other = await ask("POST", "/high/backtest", { ...span, rule: changed(60) });
    expect(other.body.figures.alerts).toBe(0);
    const many = await ask("POST", "/backtest", { ...span, rules: [changed(45), { ...changed(60), id: "very" }] });
    expect(many.body.byRule.map(({ rule, alerts }: { rule: string; alerts: number }) => [rule, alerts])).toEqual([
      ["high", 6],
      ["very", 0],
    ]);
  });

  it("refuse a span that is wrong or too long, and rules that are wrong", async () => {
    const status = async (path: string, body: object) => (await ask("POST", path, body)).status;
    expect(await status("/high/backtest", { ...span, to: span.from })).toBe(400);
    expect(await status("/high/backtest", { ...span, from: "2020-01-01T00:00:00Z" })).toBe(400);
    expect(await status("/high/backtest", { ...span, from: "yesterday" })).toBe(400);
    expect(await status("/high/backtest", { ...span, warmUp: "91d" })).toBe(400);
    expect(await status("/none/backtest", span)).toBe(404);
    const wrong = await ask("POST", "/backtest", { ...span, rules: [changed(1), { id: "x" }] });
    expect(wrong.body.errors[0].pointer).toMatch(/^\/rules\/1\//);
  });

  it("run one at a time, and end when the client goes", async () => {
    let blocked = () => {};
    const asked = new Promise<void>((resolve) => {
      blocked = resolve;
    });
    const aborted = Promise.withResolvers<void>();
    await service.close();
    service = startService({ rules: () => [high] });
    const { ruleBook } = service.deps;
    const backtest: typeof ruleBook.backtest = (_, signal) =>
      new Promise((__, reject) => {
        blocked();
        signal.addEventListener("abort", () => {
          aborted.resolve();
          reject(signal.reason);
        });
      });
    Object.assign(ruleBook, { backtest });
    await service.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = service.app.server.address() as AddressInfo;
    const headers = { authorization: "Bearer operator-token", "content-type": "application/json" };
    const call = request({ port, method: "POST", path: "/api/v1/rules/high/backtest", headers });
    call.on("error", () => {});
    call.end(JSON.stringify(span));
    await asked;
    call.destroy();
    await aborted.promise;

    Object.assign(ruleBook, {
      backtest: () => Promise.reject(Object.assign(new Error("ann is running a backtest"), { name: "BacktestBusy" })),
    });
    expect(await ask("POST", "/high/backtest", span)).toMatchObject({
      status: 409,
      body: { detail: "ann is running a backtest." },
    });
  });
});
