import { SILENT } from "../../../model/log.ts";
import { openRecords } from "../../../store/records.ts";

// A process for crash.test.ts: commits batch after batch and says so after each commit, until it is killed.
const records = openRecords({ path: process.argv[2]!, now: () => Date.now(), log: SILENT });
const from = (records.offsets.get("store") ?? 0) + 1;
for (let batch = from; batch < from + 100_000; batch += 1) {
  records.transaction(() => {
    records.ledger.add([
      { day: "2026-11-21", sensorId: "a", outcome: "received", count: 2 },
      { day: "2026-11-21", sensorId: "a", outcome: "stored", count: 2 },
    ]);
    records.audit.add({ at: batch, by: "child", what: "batch", target: String(batch) });
    records.offsets.set("store", batch);
  });
  process.stdout.write(`${batch}\n`);
}
