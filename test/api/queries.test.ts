import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { AggregateQuery, Bucket, RangeQuery } from "../../store/reading-store.ts";
import { aReading } from "../helpers/readings.ts";
import { startService } from "./service.ts";

const STEPS = "/api/v1/sensors/air-1/readings?every=1h";
const CSV = "/api/v1/sensors/air-1/readings?format=csv";
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A store whose aggregates last until they are told to end or their signal is aborted, and whose streams never end. */
function aStore() {
  const running: { query: AggregateQuery; answer(): void }[] = [];
  const aborted: string[] = [];
  let chunks = 0;
  let streams = 0;
  return {
    running,
    aborted,
    chunks: () => chunks,
    streams: () => streams,
    aggregate: (query: AggregateQuery) =>
      new Promise<Bucket[]>((resolve, reject) => {
        const one = { query, answer: () => end(() => resolve([])) };
        const end = (how: () => void) => {
          if (running.includes(one)) running.splice(running.indexOf(one), 1);
          how();
        };
        running.push(one);
        query.signal!.addEventListener("abort", () => {
          if (running.includes(one)) aborted.push(query.signal!.reason.message);
          end(() => reject(query.signal!.reason));
        });
      }),
    async *stream({ signal }: RangeQuery) {
      streams += 1;
      try {
        for (;;) {
          signal?.throwIfAborted();
          chunks += 1;
          yield Array.from({ length: 5_000 }, (_, i) => aReading({ measuredAt: i, values: { pm25: i } }));
        }
      } finally {
        streams -= 1;
      }
    },
  };
}

async function serve(overrides: Parameters<typeof startService>[0] = {}) {
  const store = aStore();
  const plain = startService();
  await plain.close();
  const service = startService({ store: { ...plain.deps.store, ...store }, ...overrides });
  await service.app.listen({ host: "127.0.0.1", port: 0 });
  closing.push(service.close);
  const { port } = service.app.server.address() as AddressInfo;
  /** `left`: the client goes away. */
  function ask(path: string, as = "viewer", method = "GET") {
    const headers = { authorization: `Bearer ${as}-token` };
    const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false });
    asked.on("error", () => {});
    closing.push(() => asked.destroy());
    const response = once(asked, "response").then(([one]) => one as IncomingMessage);
    response.catch(() => {});
    asked.end();
    return { response, leave: () => asked.destroy() };
  }
  const statusOf = async (asked: ReturnType<typeof ask>) => {
    const response = await asked.response;
    response.resume();
    return response.statusCode;
  };
  const turns = async (what: string) =>
    Number(
      new RegExp(`^lamppost_http_turns_running\\{what="${what}"\\} (\\d+)$`, "m").exec(
        (await service.as("viewer", "GET", "/metrics")).body,
      )?.[1],
    );
  return { ...service, store, ask, statusOf, turns };
}

describe("queries", () => {
  it("end when their clients leave, those that run and those that wait", async () => {
    const { store, ask, statusOf, turns } = await serve();
    const abandoned = Array.from({ length: 20 }, () => ask(STEPS));
    await expect.poll(() => store.running.length).toBe(2);
    for (const { leave } of abandoned) leave();
    await expect.poll(() => store.running.length).toBe(0);
    expect(new Set(store.aborted)).toEqual(new Set(["The client closed the connection."]));
    await expect.poll(() => turns("queries")).toBe(0);
    // One that was left on its way may still come.
    const answering = setInterval(() => store.running.forEach((one) => void one.answer()), 20);
    closing.push(() => clearInterval(answering));
    expect(await statusOf(ask(STEPS))).toBe(200);
  });

  it("of one account leave a place for another's; beyond its limit it is told 429 and when to come back", async () => {
    const { store, ask, statusOf } = await serve();
    const many = Array.from({ length: 30 }, () => ask(STEPS));
    const refused = await Promise.race(many.map(({ response }) => response));
    expect(refused.statusCode).toBe(429);
    expect(refused.headers["retry-after"]).toBe("5");
    await expect.poll(() => store.running.length).toBe(2);
    const other = ask(STEPS, "operator");
    await expect.poll(() => store.running.length).toBe(3);
    store.running[2]!.answer();
    expect(await statusOf(other)).toBe(200);
  });

  it("take so long and no longer", async () => {
    const { ask, store } = await serve({ options: { limits: { queryMs: 50 } } });
    const response = await ask(STEPS).response;
    expect(response.statusCode).toBe(503);
    expect(response.headers["retry-after"]).toBe("30");
    expect(store.aborted[0]).toContain("LAMPPOST_QUERY_TIMEOUT_S");
  });
});

describe("a count of the books, and a trace", () => {
  it("end when their clients leave", async () => {
    const begun: AbortSignal[] = [];
    const endless = (signal?: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        begun.push(signal!);
        signal!.addEventListener("abort", () => reject(signal!.reason));
      });
    const plain = startService();
    await plain.close();
    const ledger = {
      ...plain.deps.ledger,
      verify: endless,
      trace: (_sensor: string, _at: number, signal?: AbortSignal) => endless(signal),
    };
    const { ask, turns } = await serve({ ledger });
    const paths = ["/api/v1/ledger?verify=true", "/api/v1/ledger/trace?sensor=air-1&measuredAt=2026-11-21T10:00:00Z"];
    const asked = paths.map((path) => ask(path, "operator"));
    await expect.poll(() => begun.length).toBe(2);
    expect(await turns("queries")).toBe(2);
    for (const { leave } of asked) leave();
    await expect.poll(() => begun.every(({ aborted }) => aborted)).toBe(true);
    await expect.poll(() => turns("queries")).toBe(0);
  });
});

describe("exports", () => {
  it("go on only while they are read, and end with their client", async () => {
    const { ask, store, turns } = await serve();
    const slow = ask(CSV);
    const response = await slow.response;
    response.pause();
    // Until what lies between the two is full.
    let before = -1;
    while (before !== store.chunks()) {
      before = store.chunks();
      await sleep(300);
    }
    expect(before).toBeLessThan(60);
    expect(await turns("queries")).toBe(0);
    response.resume();
    await expect.poll(() => store.chunks()).toBeGreaterThan(before + 10);
    slow.leave();
    await expect.poll(store.streams).toBe(0);
    expect(await turns("exports")).toBe(0);
  });

  it("that nobody reads hold so many readers of the store and no more, each of them paused, and nobody else's answer", async () => {
    const { ask, store, statusOf, turns, addAccount } = await serve({ options: { limits: { exportsMax: 6 } } });
    const names = Array.from({ length: 8 }, (_, i) => `exporter-${i}`);
    for (const name of names) addAccount({ role: "viewer", name });
    const asked = names.flatMap((name) => Array.from({ length: 15 }, () => ask(CSV, name)));
    let refused = 0;
    for (const { response } of asked)
      void response.then(
        (one) => {
          one.pause();
          if (one.statusCode === 429) refused += 1;
        },
        () => {},
      );
    await expect.poll(store.streams).toBe(6);
    let most = 0;
    let before = -1;
    // Until all that lies between is full: then nothing is read from the store any more.
    while (before !== store.chunks() || most < 6 || refused === 0) {
      before = store.chunks();
      await sleep(300);
      most = Math.max(most, store.streams());
    }
    expect(most).toBe(6);
    expect(before).toBeLessThan(6 * 60);
    expect(await turns("queries")).toBe(0);
    const other = ask(STEPS, "operator");
    await expect.poll(() => store.running.length).toBe(1);
    store.running[0]!.answer();
    expect(await statusOf(other)).toBe(200);
    for (const { leave } of asked) leave();
    await expect.poll(store.streams).toBe(0);
    await expect.poll(() => turns("exports")).toBe(0);
  });

  it("ask for one piece at a time, of all accounts, so that a question finds the store free", async () => {
    const pieces: (() => void)[] = [];
    const store = aStore();
    const { ask, statusOf, turns } = await serve({
      store: {
        ...store,
        async *stream() {
          for (;;) {
            await new Promise<void>((resolve) => void pieces.push(resolve));
            yield [aReading({})];
          }
        },
      } as never,
    });
    const exports = ["viewer", "crew", "operator", "admin"].map((who) => ask(CSV, who));
    await expect.poll(() => turns("exports")).toBe(4);
    await expect.poll(() => pieces.length).toBe(1);
    const question = ask(STEPS, "operator");
    await expect.poll(() => store.running.length).toBe(1);
    store.running[0]!.answer();
    expect(await statusOf(question)).toBe(200);
    expect(pieces).toHaveLength(1);
    const answering = setInterval(() => pieces.shift()?.(), 1);
    closing.push(() => clearInterval(answering));
    expect(await Promise.all(exports.map(statusOf))).toEqual([200, 200, 200, 200]);
  });

  it("are so many of one account; then they wait, then they are refused", async () => {
    const { ask, store, statusOf } = await serve();
    const many = Array.from({ length: 20 }, () => ask(CSV));
    const refused = await Promise.race(
      many.map(async ({ response }) =>
        (await response).statusCode === 429 ? await response : new Promise<never>(() => {}),
      ),
    );
    expect(refused.headers["retry-after"]).toBe("5");
    await expect.poll(store.streams).toBe(4);
    const other = ask(CSV, "operator");
    expect(await statusOf(other)).toBe(200);
    for (const { leave } of [...many, other]) leave();
    await expect.poll(store.streams).toBe(0);
  });

  it("a backup whose client leaves ends, also before there is anything to send", async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const archive = Readable.from(["tar"]);
    const copied = Promise.withResolvers<{ archive: Readable }>();
    const { ask } = await serve({
      backup: (signal) => {
        asked.resolve(signal);
        return copied.promise;
      },
    });
    const backup = ask("/api/v1/backup", "admin", "POST");
    const signal = await asked.promise;
    backup.leave();
    await once(signal, "abort");
    copied.resolve({ archive });
    await once(archive, "close");
  });
});

describe("backtests", () => {
  it("of others wait for their turn; one's own second is a 409", async () => {
    const began: string[] = [];
    const ends: (() => void)[] = [];
    const { as, deps, addAccount } = await serve();
    addAccount({ role: "operator", name: "op-2" });
    Object.assign(deps.ruleBook, {
      backtest: ({ by }: { by: string }) => {
        began.push(by);
        return new Promise((resolve) => ends.push(() => resolve(new TextEncoder().encode("{}"))));
      },
    });
    const rule = { id: "a", title: "Abc", kind: "air", metric: "no2", condition: { type: "threshold", above: 1 } };
    const more = { severity: "info", audience: "crews", source: { text: "test" } };
    const body = { from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", rules: [{ ...rule, ...more }] };
    const run = (name: string) => as(name, "POST", "/api/v1/rules/backtest", body);
    // In the same breath: the first has not begun when the second comes.
    const both = [run("operator"), run("operator")];
    const own = await Promise.race(both);
    await expect.poll(() => began).toEqual(["operator"]);
    const second = run("op-2");
    expect(own.statusCode).toBe(409);
    expect(own.headers["retry-after"]).toBe("30");
    ends[0]!();
    expect((await Promise.all(both)).map(({ statusCode }) => statusCode).sort()).toEqual([200, 409]);
    await expect.poll(() => began).toEqual(["operator", "op-2"]);
    ends[1]!();
    expect((await second).statusCode).toBe(200);
  });
});
