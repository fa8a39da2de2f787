import { parseArgs } from "node:util";
import { seededRandom } from "../helpers/senders.ts";
import { type Death, drawDeath } from "./deaths.ts";
import { runKills } from "./lives.ts";
import { isKept, type Reckoning } from "./reckoning.ts";

/** `npm run faults:long -- --kills 500 --minutes 60`: exit code 1 when anything is lost, doubled or does not balance. */
const { values } = parseArgs({
  options: { kills: { type: "string", default: "500" }, minutes: { type: "string", default: "1440" } },
});
const random = seededRandom("kills");
const until = Date.now() + Number(values.minutes) * 60_000;

function* deaths(): Generator<Death> {
  for (let life = 0; life < Number(values.kills) && Date.now() < until; life += 1) yield drawDeath(life, random);
}

const total = await runKills({
  deaths: deaths(),
  reckonEvery: 50,
  leaveFolder: true,
  onLife: ({ number, death, ms, published, wasReady }) =>
    console.log(
      `life ${number}  ${death.name}  published ${published}  ${(ms / 1000).toFixed(1)} s${wasReady ? "" : "  (never ready)"}`,
    ),
  onReckoning: (reckoning) => console.log(words(reckoning)),
});
console.log(`${total.lives} kills: ${isKept(total) ? "nothing lost, nothing doubled, the books balance" : "NOT KEPT"}`);
if (!isKept(total)) {
  console.log(`the data folder was left as it is: ${total.folder}`);
  process.exitCode = 1;
}

function words(sums: Reckoning): string {
  return Object.entries(sums)
    .map(([name, value]) => `${name} ${value}`)
    .join("  ");
}
