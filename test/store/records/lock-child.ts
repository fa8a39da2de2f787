import { lockDataDir } from "../../../store/records/data-dir.ts";

// A process for data-dir.test.ts: takes the lock of the folder it is given and holds it until it is killed.
try {
  lockDataDir(process.argv[2]!);
  process.stdout.write("locked\n");
} catch (error) {
  process.stdout.write(`${error}\n`);
}
setInterval(() => {}, 60_000);
