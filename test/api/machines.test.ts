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
