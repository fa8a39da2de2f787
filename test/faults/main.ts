import { parseArgs } from "node:util";
import { SCENARIOS } from "./scenarios/all.ts";
import { CONTROL } from "./scenarios/deaths.ts";
import { runAll } from "./suite.ts";
import { formatRow, HEADER, replayOf } from "./table.ts";

/**
 * `npm run faults -- --seeds 20 [--scenario NAME] [--seed N] [--part K/N] [--json] [--list]`
 *
 * Lives through every scenario with seeds 1 … n on virtual time. Ends with 1 if anything acknowledged was lost, doubled
 * or booked wrongly, if a fault never happened, or if the control run, which must lose, did not. `--part 1/2` and
 * `--part 2/2` side by side are all of them: a run uses one core.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    seed: { type: "string" },
    scenario: { type: "string" },
    part: { type: "string", default: "1/1" },
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

const known = [CONTROL, ...SCENARIOS];
if (values.list) {
  for (const { name, about } of known) console.log(`${name.padEnd(28)} ${about}`);
  process.exit(0);
}
const [part, parts] = values.part.split("/").map(Number) as [number, number];
if (!(part >= 1 && part <= parts)) {
  console.error(`--part ${values.part}: say it as 1/2, for the first of two`);
  process.exit(2);
}
const chosen =
  values.scenario === undefined
    ? SCENARIOS.filter((_, i) => i % parts === part - 1)
    : known.filter(({ name }) => name === values.scenario);
const seeds = values.seed === undefined ? count(values.seeds) : [Number(values.seed)];
if (chosen.length === 0 || seeds.length === 0 || seeds.some((seed) => !Number.isSafeInteger(seed))) {
  console.error(`No such scenario or seed. Known: ${known.map(({ name }) => name).join(" ")}`);
  process.exit(2);
}

const began = performance.now();
if (!values.json) console.log(HEADER);
const { rows, complaints } = await runAll({ scenarios: chosen, seeds }, (row) => {
  console.log(values.json ? JSON.stringify(row) : formatRow(row));
  if (row.ok || values.json) return;
  for (const problem of row.problems) console.log(`    ${problem}`);
  console.log(`    again: ${replayOf(row)}`);
});
for (const complaint of complaints) console.error(complaint);
const failed = rows.filter(({ ok }) => !ok).length;
const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0);
console.error(
  `${rows.length} runs of ${chosen.length} scenarios in ${Math.round((performance.now() - began) / 1000)} s: ` +
    `${sum((row) => row.acknowledged)} acknowledged, ${sum((row) => row.lost)} lost, ${sum((row) => row.doubled)} doubled, ` +
    `${failed} failed`,
);
process.exitCode = failed > 0 || complaints.length > 0 ? 1 : 0;

function count(text: string): number[] {
  return Array.from({ length: Number(text) || 0 }, (_, i) => i + 1);
}
