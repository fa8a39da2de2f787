import { describe, expect, it } from "vitest";
import { createReceiptTimes } from "../../model/receipt-times.ts";

describe("times of receipt", () => {
  it("are those of the clock, and of one topic never the same twice", () => {
    let now = 1_000;
    const at = createReceiptTimes(() => now);
    expect([at("a"), at("b"), at("a"), at("a"), at("b")]).toEqual([1_000, 1_000, 1_001, 1_002, 1_001]);
    now = 1_001;
    expect([at("c"), at("a"), at("b")]).toEqual([1_001, 1_003, 1_002]);
    now = 2_000;
    expect([at("a"), at("b")]).toEqual([2_000, 2_000]);
  });

  it("are never a second ahead of the clock, and follow one that is set back", () => {
    let now = 10_000;
    const at = createReceiptTimes(() => now);
    const times = Array.from({ length: 5_000 }, () => at("a"));
    expect(Math.max(...times)).toBe(11_000);
    now = 5_000;
    expect(at("a")).toBe(5_000);
  });
});
