import { expect, it } from "vitest";
import { gatherHealth } from "../../model/health.ts";

it("hears all parts, also beside one that cannot say how it is", () => {
  const well = (part: string) => ({ part, state: "ok", ready: true }) as const;
  const broken = () => {
    throw new RangeError("Invalid time value");
  };
  expect(gatherHealth([() => well("a"), broken, () => [well("b"), well("c")]])).toEqual([
    well("a"),
    { part: "health", state: "failed", ready: true, reason: expect.stringContaining("Invalid time value") },
    well("b"),
    well("c"),
  ]);
});
