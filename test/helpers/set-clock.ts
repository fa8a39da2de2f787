import { readFileSync } from "node:fs";

/**
 * Loaded before a service under test (NODE_OPTIONS=--import), in each of its threads: its clock of the day is off by the
 * milliseconds in the file that CLOCK_FILE names, and is set when the file changes. Timers go on by the real time, as
 * they do when the clock of a machine is set.
 */
const RealDate = Date;
let offMs = 0;

function look(): void {
  offMs = Number(readFileSync(process.env.CLOCK_FILE!, "utf8")) || 0;
}
look();
setInterval(look, 50).unref();

globalThis.Date = new Proxy(RealDate, {
  construct: (real, args, target) => Reflect.construct(real, args.length > 0 ? args : [real.now() + offMs], target),
  get: (real, name, receiver) => (name === "now" ? () => real.now() + offMs : Reflect.get(real, name, receiver)),
});
