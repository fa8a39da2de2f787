import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createTurns, type TurnOptions } from "../../api/turns.ts";

const never = new AbortController().signal;
const make = (options: Partial<TurnOptions> = {}) =>
  createTurns({
    what: "queries",
    runningMax: 2,
    runningPerAccountMax: 1,
    waitingMax: 10,
    waitingPerAccountMax: 5,
    waitMsMax: 60_000,
    ...options,
  });

/** Asks for `names` in this order, ends each turn as soon as it begins, and says who had one when. */
async function order(turns: ReturnType<typeof make>, names: readonly string[]): Promise<string[]> {
  const had: string[] = [];
  const work = (name: string) => {
    had.push(name);
    return setImmediate();
  };
  await Promise.all(names.map((name) => turns.run(name, never, () => work(name))));
  return had;
}

describe("turns", () => {
  it("go round the accounts, not down the queue", async () => {
    const turns = make({ runningMax: 1 });
    expect(await order(turns, ["a", "a", "a", "a", "b", "c", "b"])).toEqual(["a", "a", "b", "c", "a", "b", "a"]);
    expect(turns.counts()).toMatchObject({ running: 0, waiting: 0 });
  });

  it("are no more than so many at a time, and so many of one account", async () => {
    const turns = make({ runningMax: 3, runningPerAccountMax: 2 });
    const ends = await Promise.all([turns.take("a", never), turns.take("a", never)]);
    let third = false;
    const more = turns.take("a", never).then((end) => {
      third = true;
      return end;
    });
    const other = await turns.take("b", never);
    await setImmediate();
    expect([third, turns.counts()]).toMatchObject([false, { running: 3, waiting: 1 }]);
    other();
    await setImmediate();
    expect(third).toBe(false);
    ends[0]!();
    (await more)();
    ends[1]!();
  });

  it("what waits beyond the limits is a 429 with Retry-After; others still wait", async () => {
    const turns = make({ waitingMax: 3, waitingPerAccountMax: 2, settings: "LAMPPOST_X" });
    const end = await turns.take("a", never);
    const waiting = [turns.take("a", never), turns.take("a", never)];
    await expect(turns.take("a", never)).rejects.toMatchObject({
      statusCode: 429,
      retryAfterS: 5,
      message: expect.stringContaining("a has reached the limit of queries, running and waiting (LAMPPOST_X)"),
    });
    const b = await turns.take("b", never);
    waiting.push(turns.take("b", never));
    await expect(turns.take("b", never)).rejects.toMatchObject({ message: expect.stringMatching(/^The service has/) });
    const promised = turns.take("b", never, "promised");
    for (const one of [end, b]) one();
    for (const one of [...waiting, promised]) (await one)();
    expect(turns.counts()).toMatchObject({ running: 0, waiting: 0, refused: 2 });
  });

  it("nobody waits who has left, nor for ever", async () => {
    const turns = make({ waitMsMax: 20 });
    const end = await turns.take("a", never);
    const leaving = new AbortController();
    const left = turns.take("a", leaving.signal);
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    await expect(turns.take("a", never)).rejects.toMatchObject({ statusCode: 429 });
    end();
    end();
    expect(turns.counts()).toMatchObject({ running: 0, waiting: 0 });
    (await turns.take("a", never))();
  });

  it("leave the loop between two pieces of work to whoever else has something to do", async () => {
    const turns = make({ runningMax: 1 });
    const done: string[] = [];
    const work = Promise.all([1, 2, 3].map((i) => turns.run("a", never, () => void done.push(`work ${i}`))));
    for (let i = 0; i < 3; i++) {
      await setImmediate();
      done.push("else");
    }
    await work;
    expect(done.join(", ")).toMatch(/work 1, (else, )+work 2, (else, )+work 3/);
  });
});
