import { readFileSync } from "node:fs";

/**
 * Loaded before a service under test (NODE_OPTIONS=--import), in each of its threads. The file that CLOCK_FILE names
 * says by how many milliseconds its clock of the day is off and, after a space, by how many the one that only goes
 * forward; both are set when the file changes. Timers go on by the real time, as they do when the clock of a machine is
 * set, or a process goes on that was stopped.
 */
const RealDate = Date;
const uptime = performance.now.bind(performance);
let offMs = 0;
let passedMs = 0;

function look(): void {
  const [off, passed] = readFileSync(process.env.CLOCK_FILE!, "utf8").split(" ");
  offMs = Number(off) || 0;
  passedMs = Number(passed) || 0;
}
look();
setInterval(look, 50).unref();

globalThis.Date = new Proxy(RealDate, {
  construct: (real, args, target) => Reflect.construct(real, args.length > 0 ? args : [real.now() + offMs], target),
  get: (real, name, receiver) => (name === "now" ? () => real.now() + offMs : Reflect.get(real, name, receiver)),
});
performance.now = () => uptime() + passedMs;
