import { describe, expect, it } from "vitest";
import { parseHolidays } from "../../model/holidays.ts";

describe("a list of holidays", () => {
  it("has days of every year and of one, after commas or on lines, with names and comments", () => {
    const text = "# Vienna\n01-01 New Year\n 2026-04-06, 02-29\n\n12-25 # Christmas\n12-25";
    expect(parseHolidays(text)).toEqual({ holidays: ["01-01", "2026-04-06", "02-29", "12-25"], mistakes: [] });
  });

  it("says where a mistake stands and what to write", () => {
    const { holidays, mistakes } = parseHolidays("01-01, 13-01\n 2026-02-29, 25.12.\n26.12.2026 x\nEaster");
    expect(holidays).toEqual(["01-01"]);
    const form = "write 12-25 for every year or 2026-04-06 for one";
    expect(mistakes).toEqual([
      { line: 1, column: 8, message: `there is no day "13-01"; ${form}, month before day` },
      { line: 2, column: 2, message: `there is no day "2026-02-29"; ${form}, month before day` },
      { line: 2, column: 14, message: '"25.12." is no day; write 12-25' },
      { line: 3, column: 1, message: '"26.12.2026" is no day; write 2026-12-26' },
      { line: 4, column: 1, message: `"Easter" is no day; ${form}` },
    ]);
  });

  it("has an end, and so have its mistakes", () => {
    const days = Array.from({ length: 500 }, (_, i) => `${2000 + i}-01-01`);
    expect(parseHolidays(days.join(",")).holidays).toHaveLength(400);
    expect(parseHolidays("x,".repeat(500)).mistakes).toHaveLength(20);
  });
});
