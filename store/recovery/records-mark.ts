import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Health } from "../../model/health.ts";
import type { Records } from "../records.ts";

const Mark = z.object({ at: z.number(), offsets: z.record(z.string(), z.number()), event: z.number() });
type Mark = z.output<typeof Mark>;

const CONSUMERS = ["store", "alerts"];

/**
 * How far records.db has come, in a file beside it: when its log is damaged or lost, SQLite opens an older state and calls
 * it sound. What the journal still has is then booked again, so the books come right; what people did in that time is gone,
 * and is said. The file is not synced: an older one only shows less.
 */
export function watchRecords(path: string, records: Pick<Records, "offsets" | "events">, now: () => number) {
  const before = read(path);
  const after = stateOf(records, now());
  const lost = before !== undefined && isOlder(after, before);

  return {
    save(): void {
      try {
        writeFileSync(`${path}.unfinished`, JSON.stringify(stateOf(records, now())), { mode: 0o600 });
        renameSync(`${path}.unfinished`, path);
      } catch {
        // A full disk: an older mark only shows less.
      }
    },
    health(): readonly Health[] {
      if (!lost) return [];
      const reason = `records.db is older than it was at ${new Date(before.at).toISOString()}: sensors, credentials, alert handling and audit of its last minutes may be missing. Look through them, or restore a backup; a restart ends this message.`;
      return [{ part: "records", state: "degraded", ready: true, reason }];
    },
  };
}

function stateOf(records: Pick<Records, "offsets" | "events">, at: number): Mark {
  const offsets = CONSUMERS.flatMap((name) => {
    const offset = records.offsets.get(name);
    return offset === undefined ? [] : [[name, offset] as const];
  });
  return { at, offsets: Object.fromEntries(offsets), event: records.events.newestId() };
}

function isOlder(after: Mark, before: Mark): boolean {
  const isBack = Object.entries(before.offsets).some(([name, offset]) => (after.offsets[name] ?? 0) < offset);
  return isBack || after.event < before.event;
}

/** Undefined where there is none, or one that says nothing. */
function read(path: string): Mark | undefined {
  try {
    return Mark.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
