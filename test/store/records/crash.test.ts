import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { useRecords } from "./setup.ts";

describe("kill -9 while the records are written", () => {
  const city = useRecords();

  /** Lets a child commit until it has reported `reports` batches, kills it, and answers the last it reported. */
  async function crashAfter(reports: number): Promise<number> {
    const child = spawn(process.execPath, [join(import.meta.dirname, "commit-child.ts"), city.path()]);
    const exited = once(child, "exit");
    let last = 0;
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line);
      seen += 1;
      if (seen === reports) child.kill("SIGKILL");
    }
    const [, signal] = await exited;
    expect(signal).toBe("SIGKILL");
    return last;
  }

  it("keeps every batch that was reported, and no half of one", async () => {
    for (const reports of [1, 20, 75]) {
      city.records.close();
      const reported = await crashAfter(reports);
      city.reopen();
      const offset = city.records.offsets.get("store")!;
      // The child may have committed one more before it could say so.
      expect([reported, reported + 1]).toContain(offset);
      expect(Object.fromEntries(city.records.ledger.totals())).toEqual({ received: 2 * offset, stored: 2 * offset });
      expect(city.records.audit.verify()).toEqual({ entries: offset });
    }
  });
});
