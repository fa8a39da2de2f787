import { afterAll, describe, expect, it } from "vitest";
import type { Health } from "../../model/health.ts";
import { startService } from "./service.ts";

const parts: Health[] = [{ part: "journal", state: "ok", ready: true }];
const service = startService({
  health: () => parts,
  figures: () => [
    {
      name: "lamppost_quarantined_total",
      help: "By reason",
      type: "counter",
      value: 3,
      labels: { reason: "conflict" },
    },
    { name: "lamppost_quarantined_total", help: "By reason", type: "counter", value: 1, labels: { reason: "future" } },
    { name: "lamppost_journal_bytes", help: "On disk", type: "gauge", value: 42 },
  ],
});
afterAll(() => service.close());

describe("for machines", () => {
  it("/livez is alive and /readyz is 503 with the reason while a part is not ready", async () => {
    expect((await service.as(undefined, "GET", "/livez")).json()).toEqual({ alive: true });
    expect((await service.as(undefined, "GET", "/readyz")).statusCode).toBe(200);
    parts.push({ part: "store", state: "degraded", ready: true, reason: "lags" });
    expect((await service.as(undefined, "GET", "/readyz")).json()).toEqual({ ready: true, parts });
    parts.push({ part: "disk", state: "failed", ready: false, reason: "free some space" });
    const answer = await service.as(undefined, "GET", "/readyz");
    expect([answer.statusCode, answer.json()]).toEqual([503, { ready: false, parts }]);
  });

  it("/readyz names hosts only to those who may view", async () => {
    const reasons = [
      "http://influx.city.lan:8086/write answers 401",
      "getaddrinfo ENOTFOUND influxdb",
      "connect ECONNREFUSED 10.1.2.3:8086; connect ECONNREFUSED fd00::12:8086",
      "Host: influx.city.lan. is not in the cert's altnames: DNS:other.city.lan",
      "The broker mosquitto does not answer. Tried mosquitto:1883 and [fe80::1%eth0]:1883.",
      "hooks answers 500",
      "The disk is full since 2026-11-29T12:00:00Z: 3 of 10 messages wait.",
    ];
    const away = startService({
      health: () => reasons.map((reason, i) => ({ part: `part ${i}`, state: "degraded", ready: true, reason })),
      options: { hostsHidden: ["mosquitto"] },
    });
    const target = { id: "t1", type: "webhook", name: "Hooks", url: "https://hooks/in", secret: "whsec_x" } as const;
    away.records.targets.put({
      ...target,
      severityMin: "info",
      groupWait: "0s",
      enabled: true,
      createdAt: 0,
      createdBy: "admin",
    } as never);
    const read = async (name?: string): Promise<string[]> =>
      (await away.as(name, "GET", "/readyz")).json().parts.map(({ reason }: { reason: string }) => reason);
    for (const nobody of [undefined, "nobody", "air-1", "gw-north"]) {
      const seen = (await read(nobody)).join("\n");
      expect(seen).not.toMatch(/influx|lan|10\.1|fd00|::12|fe80|mosquitto|1883|8086|hooks/);
      expect(seen).toContain("The broker … does not answer.");
      expect(seen).toContain("… answers 401");
      expect(seen).toContain(reasons.at(-1));
    }
    for (const name of ["viewer", "admin"]) expect(await read(name)).toEqual(reasons);
    await away.close();
  });

  it("/metrics has the figures handed in, the API's and the process's, the same on each scrape", async () => {
    for (let i = 0; i < 2; i += 1) {
      const { body, headers } = await service.as(undefined, "GET", "/metrics");
      expect(headers["content-type"]).toContain("text/plain");
      expect(body).toContain('lamppost_quarantined_total{reason="conflict"} 3\n');
      expect(body).toContain('lamppost_quarantined_total{reason="future"} 1\n');
      expect(body).toContain("lamppost_journal_bytes 42\n");
      expect(body).toContain('lamppost_http_requests_total{route="/livez",method="GET",status="200"} 1\n');
      expect(body).toContain("process_cpu_user_seconds_total");
      expect(body.match(/# TYPE lamppost_quarantined_total/g)).toHaveLength(1);
    }
  });
});
