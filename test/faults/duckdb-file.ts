import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../app/config.ts";
import { startStore } from "../../app/store-start.ts";
import type { Consumer } from "../../ingest/worker.ts";
import { KINDS } from "../../model/kinds.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import type { ReadingStore } from "../../store/reading-store.ts";
import type { Records } from "../../store/records.ts";
import { aBackground } from "../helpers/background.ts";
import { type Clock, never } from "./clock.ts";
import type { Life } from "./disk.ts";
import type { ServiceStore } from "./service.ts";
import { keyOfRow, type StoreServer } from "./store-server.ts";

/** The real DuckDB over several lives, opened as `app.ts` opens it: looked at first, rebuilt if damaged. Time waits for its threads. */
export function createDuckDbFile(clock: Clock, dir: string, now: () => number) {
  let generation = 0;
  let open: ReadingStore | undefined;
  const folder = () => join(dir, `duckdb-${generation}`);
  mkdirSync(folder());

  async function openFor(life: Life, records: Records): Promise<ServiceStore> {
    const config = { ...loadConfig({}, { LAMPPOST_DATA_DIR: folder() }), dataDir: folder() };
    const started = await clock.real(startStore(config, records, aBackground(), now, SILENT));
    const { store } = started;
    open = store;
    const alive = async <T>(work: () => Promise<T>): Promise<T> => {
      if (!life.alive) return never();
      const result = await clock.real(work());
      return life.alive ? result : never();
    };
    return {
      store: {
        repeatable: false,
        name: store.name,
        write: (readings) => alive(() => store.write(readings)),
        find: (kind, keys) => alive(() => store.find(kind, keys)),
        newest: () => alive(() => store.newest()),
      },
      offsets: started.offsets,
      health: started.health,
      refill(from) {
        const refill = started.refill(from);
        // Its end is not told, but whoever waits for it hears of it.
        const probe: Consumer = { name: "probe", offset: 1, durable: false, take() {} };
        const waiting = refill.before(probe);
        const nothing = { from: 1, to: 1, messages: [], readings: [], rejections: [] };
        void clock.real(Promise.resolve(waiting.take(nothing, new AbortController().signal))).catch(() => {});
        return refill;
      },
      close: () => clock.real(store.close()),
    };
  }

  /** The files as they are, for the next life; what the dead one still does, it does to its own. */
  function crash(): void {
    const left = folder();
    generation += 1;
    cpSync(left, folder(), { recursive: true });
    void open?.close().catch(() => {});
    open = undefined;
  }

  /** What is stored, into the rows that the oracle looks at. */
  async function load(rows: StoreServer["rows"]): Promise<void> {
    rows.clear();
    for (const kind of KINDS) {
      const all = open!.stream({ kind, from: -Infinity, to: Infinity, byMessage: true })[Symbol.asyncIterator]();
      for (let next = await clock.real(all.next()); !next.done; next = await clock.real(all.next())) {
        for (const reading of next.value as readonly Reading[]) {
          const key = keyOfRow(reading);
          rows.set(key, [...(rows.get(key) ?? []), reading]);
        }
      }
    }
  }

  async function close(): Promise<void> {
    await open?.close().catch(() => {});
    open = undefined;
  }

  return { openFor, crash, load, close, folder };
}

export type DuckDbFile = ReturnType<typeof createDuckDbFile>;
