import { writeSync } from "node:fs";
import { KINDS } from "../../model/kinds.ts";
import { SILENT } from "../../model/log.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import { aReading } from "../helpers/readings.ts";

// A process to be killed: writes batches for ever and says a line after each that was acknowledged.
const [path, start] = process.argv.slice(2) as [string, string];
const store = await openDuckDbStore({ path, log: SILENT });
const value = { air: { pm25: 1 }, traffic: { flow: 1 }, energy: { voltage: 230 } };
for (let batch = 0; ; batch += 1) {
  const readings = KINDS.flatMap((kind) =>
    Array.from({ length: 100 }, (_, n) =>
      aReading({ kind, sensorId: `s-${n}`, measuredAt: Number(start) + batch, values: value[kind], journalSeq: batch }),
    ),
  );
  await store.write(readings);
  writeSync(1, "written\n");
}
