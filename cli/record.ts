import { createWriteStream, rmSync } from "node:fs";
import { finished } from "node:stream/promises";
import { type Command, InvalidArgumentError } from "commander";
import { liveReadings } from "../client/client.ts";
import type { ReadingView } from "../contract/reading.ts";
import { formatSpan, parseDuration } from "../model/time.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { gatherIds } from "./options.ts";
import { show } from "./table.ts";

type Options = ServiceOptions & {
  readonly sensor?: readonly string[];
  readonly district?: readonly string[];
  readonly for?: number;
};

export function register(program: Command): void {
  withService(
    program
      .command("record")
      .description("write live readings to a file (NDJSON) that replay can play, until Ctrl+C")
      .argument("<file>", "a new file"),
    "record --for 10m --sensor air-centre-01 morning.ndjson",
  )
    .option("--sensor <ids>", "only these sensors (with commas between them, or again)", gatherIds)
    .option("--district <ids>", "only these districts", gatherIds)
    .option("--for <time>", "end after so long, such as 90s, 10m or 1h", parseSpan)
    .action(record);
}

function parseSpan(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("A time such as 90s, 10m or 1h was expected.");
  return ms;
}

async function record(path: string, options: Options): Promise<void> {
  const service = findService(options);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const timer = options.for === undefined ? undefined : setTimeout(stop, options.for);
  const startedAt = Date.now();
  // "wx": an older recording of that name stays what it is.
  const file = createWriteStream(path, { flags: "wx" });
  let [failure, isOurs]: [Error | undefined, boolean] = [undefined, false];
  file.on("open", () => {
    isOurs = true;
  });
  file.on("error", (error) => {
    failure = error;
    stop();
  });
  const counts = { readings: 0, sensors: new Set<string>(), interruptions: 0 };
  const wants = filterOf(options);
  try {
    const feed = liveReadings({ url: service.client.url, token: service.token, signal: stopping.signal, onLost });
    for await (const readings of feed) {
      for (const reading of readings.filter(wants)) {
        file.write(`${JSON.stringify(reading)}\n`);
        counts.readings += 1;
        counts.sensors.add(reading.sensorId);
      }
    }
  } catch (error) {
    if (isOurs && counts.readings === 0) rmSync(path, { force: true });
    throw error;
  } finally {
    clearTimeout(timer);
    file.end();
    await finished(file).catch(() => {}); // told below
  }
  if (failure) throw failure;

  function onLost(why: string): void {
    counts.interruptions += 1;
    console.error(`lamppost: ${why}; readings until it is back are missing`);
  }

  const report = { file: path, ...counts, sensors: counts.sensors.size, seconds: (Date.now() - startedAt) / 1_000 };
  show(options, report, () => describe(report));
}

function filterOf({ sensor, district }: Options): (reading: ReadingView) => boolean {
  const [ids, places] = [sensor && new Set(sensor), district && new Set(district)];
  return (reading) => (!ids || ids.has(reading.sensorId)) && (!places || places.has(reading.district));
}

type Report = { file: string; readings: number; sensors: number; interruptions: number; seconds: number };

function describe({ file, readings, sensors, interruptions, seconds }: Report): string {
  const gaps = interruptions > 0 ? `; the line broke ${interruptions} times, so some are missing` : "";
  const told = `${file}: ${readings} readings of ${sensors} sensors in ${formatSpan(seconds * 1_000)}${gaps}`;
  return `${told}\nplay it with: lamppost replay ${file} --mapping native`;
}
