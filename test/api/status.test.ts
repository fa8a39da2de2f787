import { afterAll, expect, it } from "vitest";
import { startService } from "./service.ts";

const service = startService({
  health: () => [
    { part: "journal", state: "ok", ready: true },
    { part: "store", state: "failed", ready: false, reason: "It does not answer." },
  ],
  figures: () => [
    { name: "lamppost_consumer_lag_messages", help: "…", type: "gauge", value: 7, labels: { consumer: "store" } },
  ],
});
afterAll(service.close);

it("says the figures and the health of one moment, and who watches", async () => {
  const answer = await service.as("viewer", "GET", "/api/v1/status");
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({
    at: new Date(service.deps.now()).toISOString(),
    ready: false,
    parts: [
      { part: "journal", state: "ok", ready: true },
      { part: "store", state: "failed", ready: false, reason: "It does not answer." },
    ],
    figures: [
      { name: "lamppost_consumer_lag_messages", type: "gauge", value: 7, labels: { consumer: "store" } },
      { name: "lamppost_http_streams", type: "gauge", value: 0 },
    ],
  });
});
