import { openSync, readSync } from "node:fs";

/**
 * Loaded before a service under test (NODE_OPTIONS=--import), in each of its threads. The file that CLOCK_FILE names
 * says by how many milliseconds its clock of the day is off and, after a space, by how many the one that only goes
 * forward. It is read whenever one of them is: a machine has one clock, and no thread of it sees that set before another
 * does. Timers go on by the real time, as they do when a clock is set, or a process goes on that was stopped.
 */
const RealDate = Date;
const uptime = performance.now.bind(performance);
const file = openSync(process.env.CLOCK_FILE!, "r");
const text = Buffer.alloc(64);
let known = { offMs: 0, passedMs: 0 };

function clocks(): typeof known {
  const [off, passed] = text.toString("latin1", 0, readSync(file, text, 0, text.length, 0)).split(" ");
  // Empty for a moment while it is written.
  if (off) known = { offMs: Number(off), passedMs: Number(passed) };
  return known;
}

globalThis.Date = new Proxy(RealDate, {
  construct: (real, args, target) =>
    Reflect.construct(real, args.length > 0 ? args : [real.now() + clocks().offMs], target),
  get: (real, name, receiver) =>
    name === "now" ? () => real.now() + clocks().offMs : Reflect.get(real, name, receiver),
});
performance.now = () => uptime() + clocks().passedMs;
