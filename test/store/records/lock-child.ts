import { setTimeout as wait } from "node:timers/promises";
import { lockDataDir } from "../../../store/records/data-dir.ts";

// A process for data-dir.test.ts: takes the lock of the folder it is given and holds it until it is killed. Nobody here
// keeps what the lock answered, and what nobody keeps is collected (run it with --expose-gc): the lock must stay.
try {
  lockDataDir(process.argv[2]!);
  await wait(1);
  globalThis.gc!();
  process.stdout.write("locked\n");
} catch (error) {
  process.stdout.write(`${error}\n`);
}
setInterval(() => {}, 60_000);
