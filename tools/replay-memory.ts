import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { uniform } from "../simulators/random.ts";
import { type City, cityEnv, HOME, startCity } from "../test/helpers/city.ts";

/**
 * How much memory a replay takes, in the command and in the service:
 *
 *     node tools/replay-memory.ts --rows 10000000
 *
 * Makes so many rows (the same for the same seed; newest first, so that they are sorted on disk), plays them at full
 * speed to a service of its own with the default rules, and prints RSS of both, every so often and the highest, and the
 * service's processor time. Linux only.
 */
const USAGE = "node tools/replay-memory.ts [--rows 300000] [--sensors 100] [--seed 1] [--dir FOLDER] [--every 10]";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "300000" },
    sensors: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    dir: { type: "string", default: tmpdir() },
    every: { type: "string", default: "10" },
  },
});
const [rows, sensors, seed, everyS] = [values.rows, values.sensors, values.seed, values.every].map(Number) as [
  number,
  number,
  number,
  number,
];
if (![rows, sensors, everyS].every((n) => Number.isInteger(n) && n > 0) || !Number.isFinite(seed)) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

const STEP_MS = 60_000;
const FIRST = Date.UTC(2020, 0, 1);
const SAMPLE_MS = 250;

const MAPPING = `name: memory
form: table
files:
  - match: "."
    time: { columns: [time], patterns: [iso] }
    district: "memory"
    readings:
      - sensor: "{station}"
        kind: air
        metrics:
          - { column: pm25, metric: pm25, unit: µg/m³ }
          - { column: pm10, metric: pm10, unit: µg/m³ }
          - { column: no2, metric: no2, unit: µg/m³ }
          - { column: temperature, metric: temperature, unit: °C }
`;

/** Every minute a row of each station, with a wave a day, noise, and now and then an hour of much dust. */
async function writeRows(path: string): Promise<void> {
  const file = createWriteStream(path);
  file.write("time,station,pm25,pm10,no2,temperature\n");
  let text = "";
  for (let row = rows - 1; row >= 0; row--) {
    const minute = Math.floor(row / sensors);
    const day = Math.sin((minute / 1_440) * 2 * Math.PI);
    const episode = (Math.floor(minute / 60) + row) % 997 === 0 ? 90 : 0;
    const noise = uniform(String(row), seed);
    const pm25 = 14 + 6 * day + 4 * noise + episode;
    const cells = [pm25, pm25 * 1.5, 30 + 12 * day + 8 * (1 - noise), 12 + 8 * day + noise];
    const time = new Date(FIRST + minute * STEP_MS).toISOString();
    text += `${time},station-${row % sensors},${cells.map((cell) => cell.toFixed(1)).join(",")}\n`;
    if (text.length < 1024 * 1024) continue;
    if (!file.write(text)) await once(file, "drain");
    text = "";
  }
  file.end(text);
  await once(file, "finish");
}

type Memory = { readonly rss: number; readonly peak: number };

/** MiB, of a process that lives. */
function memoryOf(pid: number): Memory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const of = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)![1]) / 1024);
    return { rss: of("VmRSS"), peak: of("VmHWM") };
  } catch {
    return undefined;
  }
}

/** Seconds of processor time so far, of all threads (100 ticks a second on Linux). */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const FIGURES = ["nodejs_heap_size_used_bytes", "nodejs_heap_size_total_bytes", "nodejs_external_memory_bytes"];

async function heapOf(city: City): Promise<string> {
  const lines = (await (await city.call("/metrics")).text()).split("\n");
  return FIGURES.map((name) => {
    const line = lines.find((one) => one.startsWith(`${name} `)) ?? "";
    return `${name.replace(/^nodejs_|_bytes$/g, "")} ${Math.round(Number(line.split(" ")[1]) / 1024 / 1024)}`;
  }).join(", ");
}

const dir = mkdtempSync(join(values.dir, "lamppost-memory-"));
const city = await startCity({}, mkdtempSync(join(values.dir, "lamppost-city-")));
try {
  const [file, mapping] = [join(dir, "rows.csv"), join(dir, "mapping.yaml")];
  process.stderr.write(`${rows} rows of ${sensors} sensors, seed ${seed}, newest first\n`);
  writeFileSync(mapping, MAPPING);
  await writeRows(file);
  const begun = performance.now();
  const args = ["replay", file, "--mapping", mapping, "--temp", dir, "--json"];
  const child = spawn(join(HOME, "lamppost"), args, { env: cityEnv(city.dataDir), stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr = (stderr + chunk).slice(-2_000);
  });
  const before = memoryOf(city.pid)!;
  const cpuBefore = cpuOf(city.pid);
  const peaks = { replay: 0, service: before.peak };
  let tellAt = 0;
  const timer = setInterval(() => {
    const [replay, service] = [memoryOf(child.pid!), memoryOf(city.pid)];
    peaks.replay = Math.max(peaks.replay, replay?.peak ?? 0);
    peaks.service = Math.max(peaks.service, service?.peak ?? 0);
    const seconds = Math.round((performance.now() - begun) / 1000);
    if (seconds < tellAt) return;
    tellAt = seconds + everyS;
    heapOf(city).then(
      (heap) => process.stderr.write(`${seconds} s: replay ${replay?.rss}, service ${service?.rss} MiB (${heap})\n`),
      () => {},
    );
  }, SAMPLE_MS);
  const [code] = await once(child, "exit");
  clearInterval(timer);
  if (code !== 0) throw new Error(`the replay ended with ${code}: ${stderr}${stdout.slice(0, 500)}`);
  const { readings, stored, balanced, seconds } = JSON.parse(stdout) as Record<string, number>;
  const told = { rows, sensors, seed, readings, stored, balanced, seconds };
  const serviceCpuSeconds = Math.round((cpuOf(city.pid) - cpuBefore) * 10) / 10;
  const mib = { replayPeak: peaks.replay, serviceStart: before.rss, servicePeak: peaks.service };
  process.stdout.write(`${JSON.stringify({ ...told, serviceCpuSeconds, mib })}\n`);
} finally {
  await city.remove();
  rmSync(dir, { recursive: true, force: true });
}
