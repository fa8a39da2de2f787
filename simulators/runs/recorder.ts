import { createReadStream, createWriteStream, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { viewReading } from "../../contract/reading.ts";
import type { RecordingFile, RecordingNow, RecordingQuestion } from "../../contract/simulation.ts";
import type { Background } from "../../model/background.ts";
import { isId } from "../../model/ids.ts";
import type { Log } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { SimulationRefused } from "../../model/simulation.ts";

type RecorderOptions = {
  readonly dir: string;
  subscribe(listener: (readings: readonly Reading[]) => void): () => void;
  readonly background: Pick<Background, "later">;
  readonly now: () => number;
  readonly log: Log;
  readonly bytesMax?: number;
  readonly filesMax?: number;
};

const BYTES_MAX = 64 * 1024 * 1024;
const FILES_MAX = 20;
/** With so much not on disk yet, readings are left out: memory is not where a recording waits. */
const UNWRITTEN_BYTES_MAX = 4 * 1024 * 1024;
const ENDING = ".ndjson";
const UNFINISHED = ".part";

/** Recordings of the live feed: one file each, NDJSON in the service's own form. Names are ids, so a path stays in its folder. */
export function createRecorder(options: RecorderOptions) {
  const { dir, background, now, log } = options;
  const { bytesMax = BYTES_MAX, filesMax = FILES_MAX } = options;
  let current: { recording: RecordingNow; finish(why?: Error): void } | undefined;
  /** Files whose last bytes are on their way, by name. */
  const closing = new Map<string, Promise<void>>();
  const pathOf = (name: string) => join(dir, `${name}${ENDING}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  clearUp(dir);

  function list(): RecordingFile[] {
    const names = readdirSync(dir).flatMap((file) => (file.endsWith(ENDING) ? [file.slice(0, -ENDING.length)] : []));
    const files = names.filter(isId).map((name) => {
      const { size, mtimeMs } = statSync(pathOf(name));
      return { name, bytes: size, at: Math.round(mtimeMs) };
    });
    return files.sort((a, b) => b.at - a.at);
  }

  const fileOf = (name: string) => (list().some((one) => one.name === name) ? pathOf(name) : undefined);

  /** Throws `SimulationRefused`. */
  function start(asked: RecordingQuestion, by: string): RecordingNow {
    if (current) throw new SimulationRefused(`${current.recording.by} is recording; there is one at a time.`);
    if (!isId(asked.name)) throw new SimulationRefused("The name is no id.");
    if (fileOf(asked.name) || closing.has(asked.name))
      throw new SimulationRefused(`There is a recording "${asked.name}" already.`);
    if (list().length >= filesMax) throw new SimulationRefused(`There are ${filesMax} recordings. Delete one first.`);
    const startedAt = now();
    const endsAt = startedAt + asked.minutes * 60_000;
    current = open({ ...asked, by, startedAt, endsAt, readings: 0, bytes: 0, missed: 0 });
    return current.recording;
  }

  function open(recording: RecordingNow) {
    const path = pathOf(recording.name);
    const file = createWriteStream(`${path}${UNFINISHED}`, { mode: 0o600 });
    const wants = filterOf(recording);
    const own = { recording, finish };
    const unsubscribe = options.subscribe(take);
    const callOff = background.later("end of a recording", recording.endsAt - recording.startedAt, () => finish());
    file.on("error", finish);

    function take(readings: readonly Reading[]): void {
      const { recording: before } = own;
      const lines = readings.filter(wants).map((reading) => `${JSON.stringify(viewReading(reading))}\n`);
      if (lines.length === 0) return;
      if (file.writableLength > UNWRITTEN_BYTES_MAX) {
        own.recording = { ...before, missed: before.missed + lines.length };
        return;
      }
      const text = lines.join("");
      file.write(text);
      const bytes = before.bytes + Buffer.byteLength(text);
      own.recording = { ...before, bytes, readings: before.readings + lines.length };
      if (bytes >= bytesMax) finish();
    }

    function finish(why?: Error): void {
      if (current !== own) return;
      current = undefined;
      unsubscribe();
      callOff();
      if (why) log.warn({ recording: recording.name, err: why }, "a recording has ended early");
      const closed = new Promise<void>((resolve) => (file.closed ? resolve() : file.once("close", () => resolve())));
      closing.set(recording.name, closed.then(keep));
      file.end();
    }

    function keep(): void {
      closing.delete(recording.name);
      try {
        renameSync(`${path}${UNFINISHED}`, path);
      } catch (error) {
        log.warn({ recording: recording.name, err: error }, "a recording could not be kept");
      }
    }

    return own;
  }

  /** False if it does not run. It is in the list when its last bytes are on disk. */
  function stop(name: string): boolean {
    if (current?.recording.name !== name) return false;
    current.finish();
    return true;
  }

  function remove(name: string): boolean {
    const path = fileOf(name);
    if (path) rmSync(path);
    return path !== undefined;
  }

  function read(name: string): Readable | undefined {
    const path = fileOf(name);
    return path === undefined ? undefined : createReadStream(path);
  }

  async function close(): Promise<void> {
    current?.finish();
    await Promise.all(closing.values());
  }

  return { list, fileOf, start, stop, remove, read, close, current: () => current?.recording };
}

/** What a crash left: a recording that ended early, and scratch files of runs. */
function clearUp(dir: string): void {
  for (const file of readdirSync(dir)) {
    if (file.startsWith(".run-")) rmSync(join(dir, file));
    else if (file.endsWith(UNFINISHED)) renameSync(join(dir, file), join(dir, file.slice(0, -UNFINISHED.length)));
  }
}

function filterOf({ sensors, districts }: RecordingQuestion): (reading: Reading) => boolean {
  const [ids, places] = [sensors && new Set(sensors), districts && new Set(districts)];
  return ({ sensorId, district }) => (!ids || ids.has(sensorId)) && (!places || places.has(district));
}
