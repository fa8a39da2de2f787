import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { HOME } from "../helpers/city.ts";

/** What the table of `docs/tour.md` says of a job: how many presses, and at most how many. */
function promised(job: string): { presses: number; most: number } {
  const row = readFileSync(join(HOME, "docs/tour.md"), "utf8").match(
    new RegExp(`^\\| ${job} \\| (\\d+) \\| (\\d+) \\|`, "m"),
  );
  return { presses: Number(row?.[1]), most: Number(row?.[2]) };
}

export function expectPromised(job: string, presses: number): void {
  const said = promised(job);
  expect(presses, job).toBe(said.presses);
  expect(presses, job).toBeLessThanOrEqual(said.most);
}
