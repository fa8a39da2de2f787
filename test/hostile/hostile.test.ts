import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import type { Attack } from "./attack.ts";
import type { Order, Outcome } from "./attacker.ts";
import { startHonest } from "./honest.ts";

/**
 * Nobody can stop it: beside each attack of `attacks/` one honest device and one honest operator get every answer, and
 * everything the device sent is kept. `npm run hostile` attacks for ten seconds each (`HOSTILE_S`), CI for six;
 * `HOSTILE=<part of a name>` chooses. What is printed are the median and the 99th percentile before and during.
 */
const ATTACK_MS = Number(process.env.HOSTILE_S ?? 10) * 1_000;
const QUIET_MS = Math.min(4_000, ATTACK_MS);
const FOLDER = join(import.meta.dirname, "attacks");
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".ts") && name.includes(process.env.HOSTILE ?? ""))
  .sort()
  .map((name) => join(FOLDER, name));
const attacks = await Promise.all(
  files.map(async (file) => ({ file, attack: ((await import(file)) as { attack: Attack }).attack })),
);
const TIME_LIMIT = { timeout: ATTACK_MS + QUIET_MS + 150_000 };

describe("an honest device and an honest operator, beside", () => {
  it.each(attacks)("$attack.name", TIME_LIMIT, async ({ file, attack }) => {
    expect(await attackedBy(file, attack.env)).toEqual([]);
  });

  it("notice a service that stands still (the control)", TIME_LIMIT, async () => {
    const complaints = await attackedBy(join(import.meta.dirname, "standstill.ts"));
    expect(complaints).toContainEqual("puback: no answer in 5 s");
    expect(complaints).toContainEqual("live: no answer in 5 s");
    expect(complaints).toContainEqual("livez: no answer in 5 s");
  });
});

/** What the honest ones had to complain of. */
async function attackedBy(file: string, env: Attack["env"] = {}): Promise<readonly string[]> {
  const { attack } = (await import(file)) as { attack: Attack };
  const city = await startCity({ env });
  try {
    const honest = await startHonest(city);
    await sleep(QUIET_MS);
    const before = honest.summary();
    const outcome = await run(file, city);
    await honest.end();
    const during = honest.summary();
    const died = city.exitCode() === undefined ? [] : [`the service ended with ${city.exitCode()}`];
    const did = "did" in outcome ? outcome.did : "failed";
    process.stdout.write(`${attack.name}: ${did}\n  p50/p99 before: ${before}\n  p50/p99 during: ${during}\n`);
    return [...honest.complaints(), ...died, ...("failed" in outcome ? [outcome.failed] : [])];
  } finally {
    await city.remove();
  }
}

async function run(file: string, city: City): Promise<Outcome> {
  const child = fork(join(import.meta.dirname, "attacker.ts"), { stdio: "inherit" });
  const { http, mqtt, token: adminToken, dataDir, pid } = city;
  child.send({ file, forMs: ATTACK_MS, where: { http, mqtt, adminToken, dataDir, pid } } satisfies Order);
  const [answer] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [Outcome | number];
  return typeof answer === "object" ? answer : { failed: `the attacker's process ended with ${answer}` };
}
