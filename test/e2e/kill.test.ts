import { expect, it } from "vitest";
import { seededRandom } from "../helpers/senders.ts";
import { DEATHS, drawDeath } from "../kills/deaths.ts";
import { runKills } from "../kills/lives.ts";

/**
 * Acknowledged means kept: sensors publish over MQTT and HTTP at full speed, the process is killed the hard way, at
 * random moments and at every named point, and after the restart every acknowledged reading is in the store exactly
 * once, every alert is there exactly once, and the books balance. `npm run faults:long` does this for as long as wished.
 */
const random = seededRandom("kill test");

async function expectKept(kinds: readonly string[]): Promise<void> {
  const sums = await runKills({ deaths: kinds.map((kind) => drawDeath(DEATHS.indexOf(kind), random)) });
  process.stdout.write(`${JSON.stringify(sums)}\n`);
  expect(sums).toMatchObject({ lost: 0, doubled: 0, alertsLost: 0, alertsDoubled: 0, balanced: true });
  expect(sums.booked).toBe(sums.rows);
  expect(sums.lives).toBe(kinds.length);
  expect(sums.acknowledged).toBeGreaterThan(250 * kinds.length);
  expect(sums.duplicates).toBeGreaterThan(5 * kinds.length);
  expect(sums.alerts).toBeGreaterThan(kinds.length);
}

it("loses and doubles nothing over a kill before each of the two databases, in a write, and at any moment", () =>
  expectKept(["alerts:after-take", "after-write", "mid-write", "any"]));

it("loses and doubles nothing over twenty kills, at random and at every named point", {
  tags: ["long"],
}, async () => {
  expect(DEATHS.length).toBeGreaterThanOrEqual(20);
  await expectKept(DEATHS);
});

it("loses with the gate off: the control", { tags: ["long"] }, async () => {
  // Acknowledged before the journal has it, and killed between the two.
  const env = { LAMPPOST_FAULT_AT: "ack-before-fsync,before-append@20" };
  const { lost } = await runKills({ deaths: [{ name: "before-append, gate off", env }] });
  expect(lost).toBeGreaterThan(0);
});
