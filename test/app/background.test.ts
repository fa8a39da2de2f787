import { spawn } from "node:child_process";
import { once } from "node:events";
import { text as textOf } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createHealthWatch, HEALTH_TICK_MS } from "../../alerts/service-health.ts";
import { createBackground } from "../../app/background.ts";
import { createStopStack } from "../../app/lifecycle.ts";
import { isWorldFault } from "../../model/background.ts";
import type { Health } from "../../model/health.ts";
import { type Log, SILENT } from "../../model/log.ts";
import { StoreError } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { mountSmallDisk } from "../helpers/small-disk.ts";

const FULL = Object.assign(new Error("database or disk is full"), { errcode: 13 });

describe("a promise that nobody waits for", () => {
  /** A process of its own: how it ends, and what it said. */
  async function fail(error: string) {
    const script = `import { guardRejections } from "${new URL("../../app/lifecycle.ts", import.meta.url)}";
      const log = { error: (_, text) => console.log(text) };
      guardRejections(log);
      void Promise.reject(${error});
      setTimeout(() => console.log("goes on"), 50);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [said, [code]] = await Promise.all([textOf(child.stdout), once(child, "exit")]);
    return { code, said };
  }

  it("ends nothing where the world failed it, and the process where the mistake is ours", async () => {
    expect(await fail("Object.assign(new Error('full'), { code: 'ENOSPC' })")).toEqual({
      code: 0,
      said: "something that nobody waited for failed; the service goes on\ngoes on\n",
    });
    expect(await fail("new TypeError('ours')")).toEqual({ code: 1, said: "" });
  });
});

describe("work in the background", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function start() {
    const said: string[] = [];
    const note = (_fields: object, text: string) => void said.push(text);
    const log: Log = { ...SILENT, info: note, error: note };
    const stack = createStopStack({ log: SILENT });
    return { ...createBackground(log, stack.onStop), said, stop: stack.stop };
  }
  const failures = ({ figures }: ReturnType<typeof start>, task: string) =>
    figures().find(({ name, labels }) => name.endsWith("failures_total") && labels!.task === task)!.value;

  it("counts what the world does to a timer, says it once, tries again, and says when it works", async () => {
    const background = start();
    const { every, health, said } = background;
    let isFull = true;
    let done = 0;
    every("books", 1_000, () => {
      if (isFull) throw FULL;
      done += 1;
    });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(failures(background, "books")).toBe(5);
    expect(said).toEqual(["work in the background failed; tried again"]);
    expect(health()).toMatchObject([
      { state: "degraded", ready: true, reason: expect.stringMatching(/books.*is full/) },
    ]);
    isFull = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(done).toBe(2);
    expect(said).toEqual(["work in the background failed; tried again", "work in the background succeeds again"]);
    expect(health()).toMatchObject([{ state: "ok" }]);
  });

  it("does one-time work until it works, and nothing that was called off or stopped", async () => {
    const { later, stop } = start();
    let tries = 0;
    later("removal", 1_000, () => {
      tries += 1;
      if (tries < 3) throw new StoreError("unavailable", "away");
    });
    const never = vi.fn();
    later("called off", 1_000, never)();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tries).toBe(3);
    later("stopped", 1_000, never);
    await stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(never).not.toHaveBeenCalled();
  });

  it("keeps events in order until they can be dealt with, and no more than a thousand", async () => {
    const background = start();
    const { handler, figures } = background;
    let isFull = true;
    const kept: number[] = [];
    const keep = handler("audit", (event: number) => {
      if (isFull) throw FULL;
      kept.push(event);
    });
    for (let event = 0; event < 1_003; event++) keep(event);
    expect(kept).toEqual([]);
    await vi.advanceTimersByTimeAsync(20_000);
    isFull = false;
    keep(1_003);
    expect(kept).toEqual([]); // not before those that wait
    await vi.advanceTimersByTimeAsync(5_000);
    keep(1_004);
    expect(kept).toEqual(Array.from({ length: 1_001 }, (_, i) => i + 4));
    expect(figures().find(({ name }) => name.endsWith("lost_total"))!.value).toBe(4);
  });

  it("lets a mistake of ours end the process", async () => {
    const { handler, later, every } = start();
    const bug = () => {
      throw new TypeError("undefined is not a function");
    };
    expect(() => handler("audit", bug)()).toThrow(TypeError);
    later("once", 1_000, bug);
    expect(() => vi.advanceTimersByTime(1_000)).toThrow(TypeError);
    const unhandled = new Promise((resolve) => {
      const listeners = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection");
      process.once("unhandledRejection", (error) => {
        for (const listener of listeners) process.on("unhandledRejection", listener);
        resolve(error);
      });
    });
    const end = every("often", 1_000, bug);
    vi.advanceTimersByTime(1_000);
    end();
    vi.useRealTimers();
    expect(await unhandled).toBeInstanceOf(TypeError);
  });
});

it("tells what the world does from a mistake of ours", () => {
  const coded = (code: string) => Object.assign(new Error(code), { code });
  for (const error of [FULL, coded("ENOSPC"), coded("EIO"), new StoreError("unavailable", "away")])
    expect(isWorldFault(new Error("wrapped", { cause: error }))).toBe(true);
  // Extended codes: an I/O error while writing, busy while recovering. A broken constraint and a damaged file are not.
  expect([778, 261, 19, 11].map((errcode) => isWorldFault(Object.assign(new Error(), { errcode })))).toEqual([
    ...[true, true, false, false],
  ]);
  for (const error of [new TypeError("x"), coded("ERR_INVALID_ARG_TYPE"), "ENOSPC", undefined, null])
    expect(isWorldFault(error)).toBe(false);
});

const disk = mountSmallDisk(8);

it.runIf(disk !== undefined)(
  "the alert of a full journal on a disk as full as that ends nothing, and is told later",
  async () => {
    onTestFinished(() => disk!.remove());
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const records = openRecords({ path: `${disk!.folder}/records.db`, now: Date.now, log: SILENT });
    const stack = createStopStack({ log: SILENT });
    stack.onStop("records", () => records.close());
    const background = createBackground(SILENT, stack.onStop);
    const journal: Health = { part: "journal", state: "failed", ready: false, reason: "The disk is full." };
    const apply = (all: Parameters<Parameters<typeof createHealthWatch>[0]["apply"]>[0]) =>
      records.transaction(() => all.forEach((one) => void records.alerts.apply(one)));
    const watch = createHealthWatch({ records, health: () => [journal], apply, now: Date.now });
    background.every("service health", HEALTH_TICK_MS, watch.tick);
    disk!.fill(0);
    // What is left in the last pages of the log is used up first.
    for (let i = 0, full = false; !full && i < 10_000; i++) {
      try {
        records.audit.add({ at: i, by: "x".repeat(1_000), what: "x", target: "x" });
      } catch (error) {
        expect(isWorldFault(error)).toBe(true);
        full = true;
      }
    }
    await vi.advanceTimersByTimeAsync(120_000);
    expect(background.health()).toMatchObject([
      { state: "degraded", reason: expect.stringContaining("service health") },
    ]);
    expect(records.alerts.list({ state: ["firing"] }, 10).items).toEqual([]);
    disk!.free();
    await vi.advanceTimersByTimeAsync(HEALTH_TICK_MS);
    expect(background.health()).toMatchObject([{ state: "ok" }]);
    expect(records.alerts.list({ state: ["firing"] }, 10).items).toMatchObject([{ explanation: "The disk is full." }]);
    await stack.stop();
  },
);
