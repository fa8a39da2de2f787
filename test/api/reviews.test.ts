import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aRule } from "../alerts/builders.ts";
import { T0 } from "../helpers/readings.ts";
import { firing, startService } from "./service.ts";

const rule = aRule({ id: "pm25-high", metric: "pm25", condition: { type: "threshold", above: 50 } });

describe("reviews of alerts", () => {
  let service: ReturnType<typeof startService>;
  beforeEach(() => {
    service = startService({ rules: () => [rule] });
    for (const id of ["a1", "a2", "a3"]) service.records.alerts.apply(firing(id));
    service.tick(60_000);
  });
  afterEach(() => service.close());
  const press = (id: string, body: object) => service.as("operator", "POST", `/api/v1/alerts/${id}/review`, body);
  const get = async (path: string) => (await service.as("viewer", "GET", `/api/v1${path}`)).json();

  it("are kept with the alert, the newest counts, and the timeline has them all", async () => {
    expect((await press("a1", { verdict: "wrong" })).json().errors[0].pointer).toBe("/note");
    await press("a1", { verdict: "wrong", note: "a bonfire" });
    const answer = (await press("a1", { verdict: "unsure", note: "a bonfire, or not" })).json();
    const at = new Date(T0 + 60_000).toISOString();
    expect(answer.review).toEqual({ is: "unclear", by: "operator", at, note: "a bonfire, or not" });
    expect((await get("/alerts/a1")).review.is).toBe("unclear");
    expect((await get("/alerts")).items.filter((one: { review?: object }) => one.review)).toHaveLength(1);
    expect(answer.timeline.filter(({ what }: { what: string }) => what === "reviewed")).toHaveLength(2);
  });

  it("make the precision of the rule, beside how it does", async () => {
    await press("a1", { verdict: "right" });
    await press("a2", { verdict: "right" });
    await press("a3", { verdict: "wrong", note: "fog" });
    await service.as("crew", "POST", "/api/v1/alerts/a1/acknowledge");
    const stats = await get("/rules/pm25-high/stats?days=7");
    expect(stats).toMatchObject({
      days: 7,
      alerts: 3,
      precision: 0.667,
      reviews: { right: 2, wrong: 1, unclear: 0 },
      acknowledge: { count: 1, medianMs: 60_000, p90Ms: 60_000 },
    });
    expect((await get("/rules")).items[0]).toMatchObject({ id: "pm25-high", stats: { days: 30, precision: 0.667 } });
    expect((await get("/rules/pm25-high")).stats.alerts).toBe(3);
    expect((await service.as("viewer", "GET", "/api/v1/rules/none/stats")).statusCode).toBe(404);
    expect((await service.as("viewer", "GET", "/api/v1/rules/pm25-high/stats?days=0")).statusCode).toBe(400);
  });
});
