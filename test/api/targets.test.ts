import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aRule } from "../alerts/builders.ts";
import { T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

const SECRET = `whsec_${Buffer.from("a-secret-of-thirty-two-bytes-xyz").toString("base64")}`;
const OTHER = `whsec_${Buffer.from("another-secret-of-32-bytes-uvwxy").toString("base64")}`;
const HOOK = { id: "hook", name: "Our hook", type: "webhook", url: "https://hooks.example/a?token=hidden" };
const PATH = "/api/v1/targets";
const WATCH = { metric: "no2", condition: { type: "threshold", above: 40 } };

describe("targets over HTTP", () => {
  let service: ReturnType<typeof startService>;
  let refusal: string | undefined;
  beforeEach(() => {
    refusal = undefined;
    const test = async () => ({ error: "answered 500" });
    service = startService({
      notifications: { check: () => refusal, test },
      rules: () => [aRule({ id: "no2-high", ...WATCH })],
    });
  });
  afterEach(() => service.close());
  const ask = (method: string, path = "", body?: unknown) => service.as("admin", method, PATH + path, body);
  const errorOf = async (body: object) => (await ask("POST", "", { ...HOOK, ...body })).json().errors[0];

  it("adds one and shows its secret once", async () => {
    const made = await ask("POST", "", HOOK);
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({ id: "hook", enabled: true, signed: true, severityMin: "info", pending: 0 });
    expect(made.json().secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const shown = await ask("GET");
    expect(shown.json().items).toHaveLength(1);
    expect(shown.body).not.toContain("whsec_");
    expect(shown.body).not.toContain("hidden");
    expect((await ask("GET", "/hook")).json().url).toBe("https://hooks.example/a?…");
    expect((await ask("POST", "", HOOK)).statusCode).toBe(409);
  });

  it("never shows a secret that was given, nor the path of a chat's webhook", async () => {
    const made = await ask("POST", "", { ...HOOK, secret: SECRET });
    expect(made.body).not.toContain(SECRET);
    const url = "https://hooks.slack.example/services/T0/B0/verysecret";
    const slack = await ask("POST", "", { name: "Chat", type: "slack", url });
    expect(slack.json()).toMatchObject({ url: "https://hooks.slack.example/…", signed: false });
    expect(slack.json().id).toMatch(/^target-[0-9a-f]{8}$/);
    const all = await ask("GET");
    expect(all.body + JSON.stringify(service.records.audit.list(10))).not.toMatch(/verysecret|whsec_/);
  });

  it("keeps address and secret when a change leaves them out, and the old secret for a day", async () => {
    await ask("POST", "", { ...HOOK, secret: SECRET });
    const { id: _, url: __, ...rest } = HOOK;
    expect((await ask("PUT", "/hook", { ...rest, name: "Renamed", severityMin: "critical" })).json()).toMatchObject({
      name: "Renamed",
      severityMin: "critical",
      signed: true,
    });
    expect(service.records.targets.get("hook")).toMatchObject({ url: HOOK.url, secret: SECRET });
    await ask("PUT", "/hook", { ...rest, secret: OTHER });
    const formerSecret = { secret: SECRET, until: T0 + 86_400_000 };
    expect(service.records.targets.get("hook")).toMatchObject({ secret: OTHER, formerSecret });
  });

  it("refuses what could never be told, naming the field", async () => {
    const pointer = async (body: object) => (await errorOf(body)).pointer;
    expect(await pointer({ url: undefined })).toBe("/url");
    expect(await pointer({ url: "ftp://x" })).toBe("/url");
    expect(await pointer({ url: "https://user:pw@hooks.example/" })).toBe("/url");
    expect(await pointer({ secret: "short" })).toBe("/secret");
    expect(await pointer({ type: "slack", secret: SECRET })).toBe("/secret");
    expect(await pointer({ type: "email" })).toBe("/url");
    expect(await pointer({ type: "email", url: undefined, to: "nobody" })).toBe("/to");
    expect(await pointer({ type: "mqtt", url: undefined, to: "city/north/air/x" })).toBe("/to");
    expect(await pointer({ escalateAfter: "15m" })).toBe("/escalateTo");
    expect(await pointer({ escalateAfter: "15m", escalateTo: "hook" })).toBe("/escalateTo");
    expect(await pointer({ escalateAfter: "15m", escalateTo: "nobody" })).toBe("/escalateTo");
    expect(await pointer({ groupWait: "2h" })).toBe("/groupWait");
    const quiet = { timeZone: "Europe/Atlantis", from: "22:00", to: "06:00" };
    expect(await pointer({ quietHours: quiet })).toBe("/quietHours/timeZone");
    expect(await errorOf({ quietHours: { from: "22:00", to: "22:00" } })).toMatchObject({
      pointer: "/quietHours/to",
      detail: expect.stringContaining("whole day"),
    });
    refusal = "the host is not on the public internet";
    expect(await errorOf({})).toMatchObject({ pointer: "/url", detail: `${refusal}.` });
    expect((await ask("GET")).json().items).toEqual([]);
  });

  it("refuses rules and districts that nobody knows, with the nearest names, and keeps what it had", async () => {
    const sensor = { kind: "air", tags: {}, createdAt: T0 } as const;
    service.records.sensors.add({ ...sensor, id: "air-2", district: "old-town" });
    expect(await errorOf({ districts: ["north", "nroth"] })).toEqual({
      pointer: "/districts/1",
      detail: 'There is no district "nroth"; did you mean "north"?',
    });
    expect(await errorOf({ districts: ["oldtown"] })).toMatchObject({ detail: expect.stringContaining('"old-town"?') });
    expect(await errorOf({ rules: ["no2-hihg"] })).toMatchObject({
      pointer: "/rules/0",
      detail: 'There is no rule "no2-hihg"; did you mean "no2-high"?',
    });
    const known = { districts: ["north"], rules: ["no2-high", "service-health"] };
    expect((await ask("POST", "", { ...HOOK, ...known })).statusCode).toBe(201);
    // A rule or district may be gone by the time it is changed.
    service.records.targets.put({ ...service.records.targets.get("hook")!, districts: ["gone"], rules: ["gone"] });
    const { id: _, ...rest } = HOOK;
    const change = { ...rest, districts: ["gone", "north"], rules: ["gone"] };
    expect((await ask("PUT", "/hook", change)).statusCode).toBe(200);
    expect((await ask("PUT", "/hook", { ...change, rules: ["gone", "went"] })).statusCode).toBe(400);
  });

  it("knows no circles of escalation, and keeps one that others escalate to", async () => {
    const after = { escalateAfter: "15m" };
    await ask("POST", "", HOOK);
    await ask("POST", "", { ...HOOK, id: "second", ...after, escalateTo: "hook" });
    const circle = await ask("PUT", "/hook", { ...HOOK, id: undefined, ...after, escalateTo: "second" });
    expect(circle.json().errors[0].detail).toContain("circle");
    expect((await ask("DELETE", "/hook")).statusCode).toBe(409);
    expect((await ask("DELETE", "/second")).statusCode).toBe(204);
    expect((await ask("DELETE", "/hook")).statusCode).toBe(204);
    expect((await ask("GET", "/hook")).statusCode).toBe(404);
  });

  it("shows how it goes, tries it out, and writes everything into the audit", async () => {
    await ask("POST", "", HOOK);
    const state = { failures: 3, lastError: "answered 500", lastErrorAt: T0, disabledBecause: "answered 410" };
    service.records.targets.setState("hook", state);
    expect((await ask("GET", "/hook")).json()).toMatchObject({ ...state, lastErrorAt: new Date(T0).toISOString() });
    expect((await ask("POST", "/hook/test")).json()).toEqual({ sent: false, error: "answered 500" });
    expect((await ask("POST", "/nothing/test")).statusCode).toBe(404);
    await ask("PUT", "/hook", { ...HOOK, id: undefined });
    expect((await ask("GET", "/hook")).json()).toMatchObject({ failures: 0 });
    await ask("DELETE", "/hook");
    const audit = service.records.audit.list(10).items.map(({ what, by }) => `${what} ${by}`);
    expect(audit).toEqual(["target.remove admin", "target.change admin", "target.test admin", "target.add admin"]);
  });
});
