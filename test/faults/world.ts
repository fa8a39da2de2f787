import type { Records } from "../../store/records.ts";
import { createAudit } from "./audit.ts";
import { type Client, createClient, type Door } from "./client.ts";
import { createClock } from "./clock.ts";
import { createDisk, type Life } from "./disk.ts";
import { createDuckDbFile } from "./duckdb-file.ts";
import { createRandom } from "./random.ts";
import { createRecordsFile } from "./records-file.ts";
import { type Gap, type Habits, type Service, type ServiceStore, startService } from "./service.ts";
import { createStoreServer } from "./store-server.ts";
import { type Content, planTraffic, TRAFFIC, type Traffic } from "./traffic.ts";

export const START = Date.UTC(2026, 10, 21, 10);
const STOP_WITHIN_MS = 10_000;
const STARTS_MAX = 20;

export type Death = "kill" | "power cut" | "torn power cut";
type Trap = { readonly point: string; passes: number; readonly spring: () => void };

export type WorldOptions = {
  readonly seed: number;
  readonly scenario: string;
  readonly dir: string;
  readonly template: string;
  readonly traffic?: Partial<Traffic>;
  readonly habits?: Partial<Habits>;
  /** The kind of store, see `createStoreServer`; left out, the seed decides. */
  readonly upsert?: boolean;
  /** The real DuckDB instead of the store that follows a script. */
  readonly duckDb?: boolean;
  /** How often a connection breaks for no reason, per message. */
  readonly flaky?: number;
};

export type World = ReturnType<typeof createWorld>;

/** Everything around the service, and the service in one life after the other. Nothing in it is random but the seed. */
export function createWorld(options: WorldOptions) {
  const { seed, scenario, dir, template } = options;
  const stream = (name: string) => createRandom(seed, `${scenario} ${name}`);
  const random = stream("world");
  const clock = createClock(START);
  const counts = new Map<string, number>();
  const happened = (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const disk = createDisk(clock, stream("disk"), happened);
  const store = createStoreServer({ clock, random: stream("store"), upsert: options.upsert ?? random.chance(0.5) });
  let skewMs = 0;
  let aheadMs = 0;
  // Whole milliseconds, as Date.now() has them.
  const now = () => Math.floor(clock.now()) + skewMs;
  const records = createRecordsFile(dir, template, now);
  const duckDb = options.duckDb ? createDuckDbFile(clock, dir, now) : undefined;
  const audit = createAudit();
  const traffic: Traffic = { ...TRAFFIC, ...options.traffic };
  const habits: Habits = {
    segmentBytes: random.pick([2_048, 8_192, 65_536]),
    freeBytesMin: 4_096,
    keepForMs: 0,
    windowMessagesMax: random.pick([10, 100, 100_000]),
    readBytesMax: random.pick([300, 4_096, 524_288]),
    writeReadingsMax: random.pick([3, 50, 20_000]),
    gateOff: false,
    coreBehind: false,
    liveFrozen: false,
    ruleThrows: false,
    ...options.habits,
  };

  const acked = new Set<Content>();
  /** Numbers the service has named as missing, with the store's offset of the life that named them. */
  const missing: { gap: Gap; storeOffset: number }[] = [];
  const problems: string[] = [];
  const refusals: string[] = [];
  const traps: Trap[] = [];
  let life: Life = { number: 0, alive: false };
  let service: Service | undefined;
  let booting = 0;
  let between: (() => void | Promise<void>) | undefined;
  let isOpen = false;
  let notBefore = START;

  const door: Door = {
    isOpen: () => isOpen,
    publish(plan, content, answer) {
      if (!isOpen || !service) return;
      const payload = Buffer.from(content.text);
      service.publish({ receivedAt: now(), source: plan.source, topic: content.topic, payload }, (error) => {
        if (!error) acked.add(content);
        else happened(`refused: ${error.state}`);
        answer(error);
      });
    },
  };
  const plans = planTraffic(stream("traffic"), traffic, START);
  const clients: Client[] = [];

  const cutAll = () => {
    for (const client of clients) client.cut();
  };

  function pass(point: string): void {
    clock.note();
    const at = traps.findIndex((trap) => trap.point === point && trap.passes-- <= 0);
    if (at >= 0) traps.splice(at, 1)[0]!.spring();
  }

  async function openStore(mine: Life, opened: Records): Promise<ServiceStore> {
    if (duckDb) return duckDb.openFor(mine, opened);
    return { store: store.portFor(mine), offsets: opened.offsets, health: () => [] };
  }

  async function boot(): Promise<void> {
    const mine: Life = { number: life.number + 1, alive: true };
    life = mine;
    service = undefined;
    store.forget();
    const opened = records.open();
    const storeOffset = opened.offsets.get("store") ?? 1;
    const started = await startService({
      life: mine,
      clock,
      random: createRandom(seed, `${scenario} life ${mine.number}`),
      disk,
      records: opened,
      store: await openStore(mine, opened),
      habits,
      now,
      pass,
      onGap: (gap) => missing.push({ gap, storeOffset }),
      beforeRelease: (offset) => audit.readTo(disk.raw(), offset),
      onFatal: () => {
        happened("fatal");
        die("torn power cut");
      },
    });
    if (!mine.alive) return;
    service = started;
    isOpen = true;
  }

  /** As a supervisor does. */
  function startAgain(): void {
    booting += 1;
    clock.after(random.int(200, 3_000), () => {
      booting -= 1;
      void comeUp();
    });
  }

  /** The process ends with its reason, and the supervisor tries again. */
  function refuse(error: Error): void {
    life.alive = false;
    records.close();
    refusals.push(error.message);
    happened("refused to start");
    if (refusals.length < STARTS_MAX) startAgain();
    else problems.push(`does not start: ${error.message}`);
  }

  async function comeUp(): Promise<void> {
    try {
      const work = between;
      between = undefined;
      await work?.();
      await boot();
    } catch (error) {
      refuse(error as Error);
    }
  }

  /** The process ends here and now, and is started again a moment later. */
  function die(how: Death): void {
    if (!life.alive) return;
    happened(how);
    happened("death");
    life.alive = false;
    isOpen = false;
    if (how === "kill") disk.afterKill();
    else disk.afterPowerCut(how === "torn power cut");
    records.crash();
    duckDb?.crash();
    cutAll();
    startAgain();
  }

  /** SIGTERM. Resolves when the process has ended; a death on the way leaves it open for ever. False: nothing ran. */
  async function stop(): Promise<boolean> {
    const mine = life;
    const stopping = service;
    if (!mine.alive || !stopping || !isOpen) return false;
    happened("SIGTERM");
    isOpen = false;
    let ended = false;
    clock.after(STOP_WITHIN_MS, () => {
      if (!ended && mine.alive) problems.push("a stop took longer than 10 s");
    });
    await stopping.stop();
    ended = true;
    mine.alive = false;
    records.close();
    disk.afterKill();
    cutAll();
    return true;
  }

  async function restart(): Promise<void> {
    if (await stop()) startAgain();
  }

  return {
    clock,
    random,
    disk,
    store,
    records,
    duckDb,
    habits,
    audit,
    acked,
    missing,
    problems,
    counts,
    happened,
    plans,
    traffic,
    cutAll,
    /** Why it did not start, each time. */
    refusals,
    start: comeUp,
    die,
    stop,
    restart,
    service: () => service,
    /** Done once, by hands from outside, after the next end and before the start that follows it. */
    beforeNextStart: (work: () => void | Promise<void>) => {
      between = work;
    },
    lives: () => life.number,
    isRunning: () => life.alive && isOpen,
    /** Ms after the start. Nothing ends before the last of these. */
    at(ms: number, work: () => void): void {
      notBefore = Math.max(notBefore, START + ms);
      clock.after(START + ms - clock.now(), work);
    },
    /** At a random moment of the traffic. */
    someMs: (from = 0.05, to = 0.95) => random.int(traffic.forMs * from, traffic.forMs * to),
    trap: (point: string, passes: number, spring: () => void) => void traps.push({ point, passes, spring }),
    /** Faults that have not come yet do not come any more. */
    disarm: () => {
      traps.length = 0;
      disk.trouble.failNext = undefined;
      store.setScript(undefined);
    },
    setClock: (ms: number) => {
      skewMs = ms;
      aheadMs = Math.max(aheadMs, ms);
    },
    /** The farthest that the clock was ahead. */
    aheadMs: () => aheadMs,
    join(): void {
      for (const plan of plans) {
        clients.push(createClient(plan, { clock, random: stream(plan.name), door, flaky: options.flaky ?? 0.01 }));
      }
    },
    isDone: () =>
      clock.now() >= notBefore &&
      booting === 0 &&
      isOpen &&
      clients.every((client) => client.isDone()) &&
      service?.isSettled() === true,
    sends: () => clients.reduce((sum, client) => sum + client.sends(), 0),
  };
}
