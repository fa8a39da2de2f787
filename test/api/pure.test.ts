import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAuditBursts, createFailures } from "../../api/auth.ts";
import { csvLine } from "../../api/csv.ts";
import { createLive } from "../../api/live.ts";
import { pageByKey, pageInOrder } from "../../api/paging.ts";
import { decide } from "../../api/routes/alerts.ts";
import { viewPayload } from "../../api/routes/books.ts";
import type { Alert } from "../../model/alert.ts";
import { SILENT } from "../../model/log.ts";
import type { Account } from "../../model/people.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { firing } from "./service.ts";

describe("CSV cells", () => {
  it.each([
    ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["-1+cmd", "'-1+cmd"],
    ["+1", "'+1"],
    ["\t=1", "'\t=1"],
    ["\n=1", `"'\n=1"`],
    ["＝1", "'＝1"],
    ["plain, text", '"plain, text"'],
  ])("%j is written %j", (text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  it("numbers stay numbers and nothing stays nothing", () => {
    expect(csvLine([-5, 1e-7, undefined, 0])).toBe("-5,1e-7,,0\r\n");
  });
});

describe("waiting after failures", () => {
  const options = { free: 2, waitMaxMs: 5_000, forgetMs: 60_000, keysMax: 2 };

  it("doubles up to its limit", () => {
    const failures = createFailures(options, () => 0);
    const waits = Array.from({ length: 7 }, () => {
      failures.add("a");
      return failures.waitMs("a");
    });
    expect(waits).toEqual([0, 0, 1_000, 2_000, 4_000, 5_000, 5_000]);
    expect(failures.waitMs("b")).toBe(0);
  });

  it("is over in time, and forgotten when nothing failed for long enough", () => {
    let now = 0;
    const failures = createFailures(options, () => now);
    for (let i = 0; i < 3; i += 1) failures.add("a");
    now = 1_000;
    expect([failures.waitMs("a"), failures.count("a")]).toEqual([0, 3]);
    now = 60_000;
    expect(failures.count("a")).toBe(0);
    failures.add("b");
    expect(failures.size()).toBe(1);
  });

  it("takes back what turned out right, and not more", () => {
    const failures = createFailures(options, () => 0);
    for (let i = 0; i < 3; i += 1) failures.add("a");
    failures.takeBack("a");
    expect([failures.count("a"), failures.waitMs("a")]).toEqual([2, 0]);
    failures.takeBack("b");
    expect(failures.count("b")).toBe(0);
  });

  it("lasts no longer when the clock is set back", () => {
    let now = 1_000_000;
    const failures = createFailures(options, () => now);
    for (let i = 0; i < 3; i += 1) failures.add("a");
    now = 0;
    expect(failures.waitMs("a")).toBe(1_000);
  });

  it("remembers a bounded number, the latest", () => {
    const failures = createFailures(options, () => 0);
    for (const key of ["a", "b", "a", "c", "d"]) failures.add(key);
    expect([failures.size(), failures.count("c"), failures.count("d"), failures.count("a")]).toEqual([2, 1, 1, 0]);
  });
});

describe("rows of the audit log for what comes in bursts", () => {
  const entry = (target: string) => ({ by: "api", what: "auth.refused", target, detail: "unknown token" });

  function startLog() {
    const rows: string[] = [];
    let now = 0;
    let full = false;
    const add = ({ target, detail }: { target: string; detail?: string }) => {
      if (full) throw new Error("the disk is full");
      rows.push(`${target}: ${detail}`);
    };
    const bursts = createAuditBursts({ add }, () => now, SILENT);
    return { rows, bursts, tick: (ms: number) => (now += ms), fill: (yes: boolean) => (full = yes) };
  }

  it("are one at once, and one a minute that counts the rest", () => {
    const { rows, bursts, tick } = startLog();
    for (let i = 0; i < 50; i += 1) bursts.note(entry("192.0.2.1"));
    bursts.note(entry("192.0.2.2"));
    tick(60_000);
    bursts.note(entry("192.0.2.3"));
    expect(rows).toEqual([
      "192.0.2.1: unknown token",
      "192.0.2.2: unknown token",
      "192.0.2.1: unknown token, 49 more since the row before",
      "192.0.2.3: unknown token",
    ]);
    bursts.flush();
    expect(rows).toHaveLength(4);
  });

  it("are complete before the log is read", () => {
    const { rows, bursts } = startLog();
    for (let i = 0; i < 3; i += 1) bursts.note(entry("192.0.2.1"));
    bursts.flush();
    bursts.note(entry("192.0.2.1"));
    expect(rows).toEqual(["192.0.2.1: unknown token", "192.0.2.1: unknown token, 2 more since the row before"]);
  });

  it("are not more for ten thousand addresses than for a thousand, and none is lost", () => {
    const { rows, bursts } = startLog();
    for (let i = 0; i < 10_000; i += 1) bursts.note(entry(`2001:db8:0:${i.toString(16)}::/64`));
    bursts.flush();
    expect([rows.length, rows.at(-1)]).toEqual([1_001, "many others: 9000 more since the row before"]);
  });

  it("come later where the log cannot be written now", () => {
    const { rows, bursts, fill } = startLog();
    fill(true);
    for (let i = 0; i < 3; i += 1) bursts.note(entry("192.0.2.1"));
    fill(false);
    bursts.flush();
    expect(rows).toEqual(["192.0.2.1: unknown token, 3 more since the row before"]);
  });
});

describe("what people may do with an alert", () => {
  const crew: Account = { role: "crew", name: "crew" };
  const operator: Account = { role: "operator", name: "operator" };
  const alert = (fields: Partial<Alert> = {}): Alert => ({
    ...firing("a").alert,
    handling: "open",
    timeline: [],
    ...fields,
  });
  const done = (what: string, by: string) => [{ at: T0, knownAt: T0, what, by }];

  it("acknowledge and start are for the first; the same person may press twice", () => {
    expect(decide("acknowledge", alert(), crew, {})).toEqual({
      change: { handling: "acknowledged" },
      what: "acknowledged",
    });
    const taken = alert({ handling: "acknowledged", timeline: done("acknowledged", "crew") });
    expect(decide("acknowledge", taken, crew, {})).toEqual({ done: true });
    expect(decide("acknowledge", taken, operator, {})).toMatchObject({
      conflict: expect.stringContaining("by crew at 2026-"),
    });
    expect(decide("start", taken, operator, {})).toMatchObject({
      change: { handling: "in-progress", assignee: "operator" },
    });
  });

  it("crews do not take work from each other, an operator may hand it on", () => {
    const theirs = alert({ assignee: "crew-2" });
    expect(decide("start", theirs, crew, {})).toMatchObject({ conflict: expect.stringContaining("crew-2") });
    expect(decide("assign", theirs, crew, { assignee: "crew" })).toMatchObject({ conflict: expect.any(String) });
    expect(decide("assign", theirs, operator, { assignee: "crew" })).toMatchObject({ change: { assignee: "crew" } });
    expect(decide("start", theirs, operator, {})).toMatchObject({ change: { assignee: "crew-2" } });
  });

  it("a closed alert takes only comments, reviews and reopen", () => {
    const closed = alert({ handling: "closed", timeline: done("closed", "crew-2") });
    for (const action of ["acknowledge", "assign", "start", "close"] as const) {
      expect(decide(action, closed, crew, { assignee: "crew" })).toMatchObject({
        conflict: expect.stringContaining("crew-2"),
      });
    }
    expect(decide("comment", closed, crew, { note: "odd" })).toEqual({ change: {}, what: "commented", note: "odd" });
    expect(decide("review", closed, crew, { verdict: "wrong", note: "fog" })).toEqual({
      change: { review: { is: "wrong", note: "fog" } },
      what: "reviewed",
      note: "wrong: fog",
    });
    expect(decide("reopen", closed, crew, {})).toMatchObject({ change: { handling: "open" } });
    expect(decide("reopen", alert(), crew, {})).toMatchObject({ conflict: expect.any(String) });
  });

  it("what cannot be done goes back, with the reason, and is nobody's", () => {
    const mine = alert({ handling: "in-progress", assignee: "crew" });
    const ask = { note: "No key to the cabinet" };
    const change = { handling: "open", assignee: null };
    expect(decide("return", mine, crew, ask)).toEqual({ change, what: "returned", note: ask.note });
    expect(decide("return", mine, crew, {})).toEqual({ missing: "note" });
    const returned = alert({ timeline: [{ ...done("returned", "crew")[0]!, note: ask.note }] });
    expect(decide("return", returned, crew, ask)).toEqual({ done: true });
    expect(decide("return", alert({ assignee: "crew-2" }), crew, ask)).toMatchObject({ conflict: expect.any(String) });
    const ours = decide("return", alert({ assignee: "night-shift" }), crew, ask, ["night-shift"]);
    expect(ours).toMatchObject({ what: "returned" });
  });

  it("says what is missing", () => {
    expect(decide("comment", alert(), crew, {})).toEqual({ missing: "note" });
    expect(decide("review", alert(), crew, {})).toEqual({ missing: "verdict" });
    for (const verdict of ["wrong", "unclear", "unsure"] as const)
      expect(decide("review", alert(), crew, { verdict })).toEqual({ missing: "note" });
    expect(decide("review", alert(), crew, { verdict: "right" })).toMatchObject({ note: "right" });
    expect(decide("review", alert(), crew, { verdict: "unsure", note: "?" })).toMatchObject({ note: "unclear: ?" });
    expect(decide("assign", alert(), crew, {})).toEqual({ missing: "assignee" });
  });
});

describe("quarantined payloads", () => {
  it("text if it is UTF-8, even cut within a character, else base64", () => {
    expect(viewPayload(Buffer.from("{}"), 10)).toEqual({ text: "{}", bytes: 2, truncated: false });
    expect(viewPayload(Buffer.from("aé"), 2)).toEqual({ text: "a", bytes: 3, truncated: true });
    expect(viewPayload(Buffer.from([0xc3, 0x28]), 10)).toEqual({ base64: "wyg=", bytes: 2, truncated: false });
  });
});

describe("live values", () => {
  it("keep the newest by time of measurement and tell news, not history", () => {
    const live = createLive();
    const heard: number[] = [];
    const stop = live.subscribe((readings) => heard.push(...readings.map((one) => one.measuredAt - T0)));
    live.push({ readings: [aReading({ measuredAt: T0 + 2 }), aReading({ measuredAt: T0 + 1 })] });
    live.push({ readings: [aReading({ measuredAt: T0 - 9, imported: true })] });
    stop();
    live.push({ readings: [aReading({ measuredAt: T0 + 3 })] });
    expect(heard).toEqual([2, 1]);
    expect(live.latest({ sensorId: "air-1" }).map((one) => one.measuredAt - T0)).toEqual([3]);
    expect(live.latest({ district: "south" })).toEqual([]);
    live.setOnline("air-1", false, T0 + 9_999);
    expect(live.seen("air-1")).toEqual({ online: false, lastSeenAt: T0 + 9_999 });
    expect(live.seen("air-2")).toBeUndefined();
  });

  it("keep what is said of a sensor before its first reading, of so many and in its place only", () => {
    const live = createLive();
    const unregisteredFrom = { via: "mqtt", role: "gateway", name: "gw" } as const;
    const say = (sensorId: string, district = "north") =>
      ({ sensorId, district, kind: "air", online: true, receivedAt: T0, unregisteredFrom }) as const;
    const ids = Array.from({ length: 5_000 }, (_, i) => `invented-${i}`);
    live.push({ readings: [], statuses: [say("air-1"), say("air-2", "south"), ...ids.map((id) => say(id))] });
    expect(live.seen("air-1")).toBeUndefined();
    const first = (sensorId: string) => aReading({ sensorId, district: "north", kind: "air", receivedAt: T0 + 1 });
    live.push({ readings: ["air-1", "air-2", ...ids].map(first) });
    expect(live.seen("air-1")).toEqual({ online: true, lastSeenAt: T0 + 1 });
    expect(live.seen("air-2")).toEqual({ lastSeenAt: T0 + 1 });
    expect(ids.filter((id) => live.seen(id)?.online).length).toBe(998);
  });
});

describe("pages", () => {
  it("show every row once, in order, whatever order they are in", () => {
    const rows = fc.uniqueArray(
      fc.string({ maxLength: 3 }).filter((key) => key !== ""),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 9 }), (keys, limit) => {
        const shown: string[] = [];
        let cursor: string | undefined;
        do {
          const page: { items: string[]; next?: string } = pageByKey(keys, (key) => key, limit, cursor);
          expect(page.items.length).toBeLessThanOrEqual(limit);
          shown.push(...page.items);
          cursor = page.next;
        } while (cursor !== undefined);
        expect(shown).toEqual([...keys].sort());
      }),
    );
  });

  it("of rows in order take no more than they show, and one", () => {
    let taken = 0;
    function* rowsAfter(key = "") {
      for (let n = Number(key || -1) + 1; ; n += 1) {
        taken += 1;
        yield String(n);
      }
    }
    const first = pageInOrder(rowsAfter, (row) => row, 3);
    expect(first.items).toEqual(["0", "1", "2"]);
    expect(pageInOrder(rowsAfter, (row) => row, 3, first.next).items).toEqual(["3", "4", "5"]);
    expect(taken).toBe(8);
  });
});
