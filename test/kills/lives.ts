import { type City, type CityOptions, EndedEarly, startCity } from "../helpers/city.ts";
import { createAlarm } from "./alarm.ts";
import { createCrowd } from "./crowd.ts";
import type { Death } from "./deaths.ts";
import { isKept, type Reckoning, reckon } from "./reckoning.ts";

/** A named point that has not been passed after so much load is not on the way any more: that is a mistake of the test. */
const POINT_WITHIN_MS = 30_000;

export type Life = {
  readonly number: number;
  readonly death: Death;
  /** False if it died before it took anything in. */
  readonly wasReady: boolean;
  readonly ms: number;
  /** New readings sent in this life, and newly acknowledged ones. */
  readonly published: number;
};

export type KillOptions = {
  readonly deaths: Iterable<Death>;
  readonly crowd?: { mqtt: number; http: number };
  /** Compare after every so many lives, and at the end. */
  readonly reckonEvery?: number;
  /** When something was not kept: leave the data folder for whoever wants to know why. */
  readonly leaveFolder?: boolean;
  onLife?(life: Life): void;
  onReckoning?(reckoning: Reckoning): void;
};

/**
 * Starts the service on one data folder, loads it, lets it die, and starts it again, for as many deaths as there are;
 * then compares what was acknowledged with what the API tells. Stops early when something is lost or doubled.
 */
export async function runKills(options: KillOptions): Promise<Reckoning & { lives: number; folder?: string }> {
  const { deaths, crowd: counts = { mqtt: 3, http: 2 }, reckonEvery = Number.POSITIVE_INFINITY } = options;
  let city = await startCity();
  const crowd = await createCrowd(city, counts);
  const alarm = await createAlarm(city);
  let lives = 0;
  let folder: string | undefined;

  async function check(): Promise<Reckoning> {
    city = await city.restart({});
    const enough = alarm.told.length + 4;
    await alarm.run(city, () => alarm.told.length >= enough);
    const reckoning = await reckon(city, crowd.promises, alarm);
    await city.stop();
    if (!isKept(reckoning) && options.leaveFolder) folder = city.dataDir;
    options.onReckoning?.(reckoning);
    return reckoning;
  }

  try {
    await city.stop();
    for (const death of deaths) {
      lives += 1;
      const [from, before] = [Date.now(), published()];
      const born = await bear(city, death);
      if (born) {
        city = born;
        await live(city, death);
      }
      const life = { number: lives, death, wasReady: born !== undefined, ms: Date.now() - from };
      options.onLife?.({ ...life, published: published() - before });
      if (lives % reckonEvery === 0) {
        const reckoning = await check();
        if (!isKept(reckoning)) return { ...reckoning, lives, folder };
      }
    }
    return { ...(await check()), lives, folder };
  } finally {
    if (folder === undefined) await city.remove();
  }

  function published(): number {
    return crowd.promises.reduce((sum, { next }) => sum + next, 0);
  }

  async function live(city: City, death: Death): Promise<void> {
    const load = await crowd.start(city);
    const alarming = alarm.run(city, () => false);
    const limitMs = death.afterLoadMs ?? POINT_WITHIN_MS;
    const timer = setTimeout(() => void city.kill(), limitMs);
    const from = Date.now();
    const code = await city.ended;
    clearTimeout(timer);
    await load.end();
    await alarming;
    if (code !== null) throw new Error(`it ended by itself, with ${code}: ${city.said().stderr}`);
    const byItself = death.afterLoadMs === undefined && death.afterStartMs === undefined;
    if (byItself && Date.now() - from >= limitMs) throw new Error(`${death.name} was never reached`);
  }
}

/** The next life on the same folder; undefined if it died, as asked, before it was ready. */
async function bear(city: City, death: Death): Promise<City | undefined> {
  const options: CityOptions = { env: death.env, killAfterMs: death.afterStartMs };
  try {
    return await city.restart(options);
  } catch (error) {
    if (error instanceof EndedEarly && error.code === null) return undefined;
    throw error;
  }
}
