import { parseEnv } from "node:util";
import type { Command } from "commander";
import { loadConfig, type StoreConfig } from "../app/config.ts";
import { readSmallFile } from "../app/files.ts";
import type { Moved } from "../app/store-move.ts";
import { SILENT } from "../model/log.ts";
import { show } from "./output.ts";

type Options = { readonly from?: string; readonly json?: boolean };

export function register(program: Command): void {
  const store = program.command("store").description("the reading store: DuckDB or InfluxDB");
  store
    .command("move")
    .description(
      "take all readings to the store of the settings, while the service is stopped; goes on where it was interrupted",
    )
    .option("--from <file>", "settings of the store the readings are in, as in .env.example, if they are no longer set")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
From DuckDB to InfluxDB: stop the service, set LAMPPOST_STORE=influxdb and the INFLUX settings, move, start.
Back: set LAMPPOST_STORE=duckdb and leave the INFLUX settings as they are, move, start.
From one InfluxDB to another: keep the old settings in a file and name it with --from.

Example:
  $ LAMPPOST_STORE=influxdb INFLUX_URL=http://127.0.0.1:8086 INFLUX_DATABASE=city lamppost store move`,
    )
    .action(move);
}

async function move({ from, ...options }: Options): Promise<void> {
  const config = loadConfig();
  const { moveStore } = await import("../app/store-move.ts");
  let saidAt = 0;
  const moved = await moveStore({
    config,
    from: from === undefined ? formerStore() : loadConfig(parseEnv(readSmallFile(from)) as NodeJS.ProcessEnv).store,
    onProgress({ done, total }) {
      const isDone = done >= total;
      if (!isDone && Date.now() - saidAt < (process.stderr.isTTY ? 200 : 5_000)) return;
      saidAt = Date.now();
      process.stderr.write(
        process.stderr.isTTY ? `\rmoved: ${done} of ${total}${isDone ? "\n" : ""}` : `moved: ${done} of ${total}\n`,
      );
    },
    now: Date.now,
    log: SILENT,
  });
  show(options, moved, () => describe(moved));
}

/** With DuckDB in the settings those of InfluxDB, if they are still there, say where the readings were. */
function formerStore(): StoreConfig | undefined {
  try {
    const { store } = loadConfig(undefined, { LAMPPOST_STORE: "influxdb" });
    return store;
  } catch {
    return undefined;
  }
}

function describe({ from, to, readings, booked, left }: Moved): string {
  return [
    `${readings} readings were moved from ${from} to ${to}`,
    `the books have ${booked.before} before and ${booked.after} after`,
    left
      ? `the old file is kept as ${left}; delete it when you no longer need it`
      : "what is in the old database stays there",
  ].join("\n");
}
