import { Presets, SingleBar } from "cli-progress";
import type { ReplayProgress } from "../simulators/replay.ts";

const LINE_EVERY_MS = 5_000;
const TITLES: Readonly<Record<ReplayProgress["phase"], string>> = {
  reading: "reading the recording",
  sending: "acknowledged",
  booking: "booked by the service",
  rules: "waiting for the rules",
};

/** A bar on a terminal; elsewhere a plain line for each phase and every five seconds. */
export function createProgress(stream: NodeJS.WriteStream, now: () => number = Date.now) {
  let phase = "";
  let bar: SingleBar | undefined;
  let saidAt = Number.NEGATIVE_INFINITY;

  function end() {
    bar?.stop();
    bar = undefined;
  }

  function onTerminal({ done, total }: ReplayProgress, title: string, changed: boolean) {
    if (changed) {
      end();
      const format = `${title.padEnd(24)} {bar} {percentage}%  {value}/{total}`;
      bar = new SingleBar({ format, stream, hideCursor: true }, Presets.shades_classic);
      bar.start(total, done);
    }
    bar?.update(done);
  }

  function plainly({ done, total }: ReplayProgress, title: string, changed: boolean) {
    if (!changed && now() - saidAt < LINE_EVERY_MS) return;
    saidAt = now();
    stream.write(`${title}: ${done} of ${total}\n`);
  }

  return {
    update(progress: ReplayProgress) {
      const changed = progress.phase !== phase;
      phase = progress.phase;
      const say = stream.isTTY ? onTerminal : plainly;
      say(progress, TITLES[progress.phase], changed);
    },
    end,
  };
}
