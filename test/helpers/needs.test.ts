import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { needs, needsPython } from "./needs.ts";

describe("needs", () => {
  const before = process.env.LAMPPOST_NO_SKIPS;
  beforeEach(() => {
    delete process.env.LAMPPOST_NO_SKIPS;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.LAMPPOST_NO_SKIPS;
    else process.env.LAMPPOST_NO_SKIPS = before;
  });

  it("finds a program, misses another, and fails where nothing may be skipped", () => {
    expect(needs("sh")).toBe(true);
    expect(needs("no-such-program-here")).toBe(false);
    expect(needsPython("no_such_module_here")).toBe(false);
    process.env.LAMPPOST_NO_SKIPS = "1";
    expect(needs("sh")).toBe(true);
    expect(() => needs("no-such-program-here")).toThrow("no-such-program-here is not installed");
  });
});
