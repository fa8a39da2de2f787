import { type ForecastParams, forecast } from "../alerts/conditions/forecast.ts";
import { DAY_MS } from "../model/time.ts";

/**
 * `node tools/calibrate-forecasts.ts [seed] [runs]`: how often the 80 % interval of a forecast holds the true time, for simulated batteries of each kind
 * (seeded, 1,000 each; one value a day, falling to 10 %). Prints the table of docs/rules.md.
 */
const SEED = Number(process.argv[2] ?? 1);
const RUNS = Number(process.argv[3] ?? 1_000);
const DAYS = 400;
const params: ForecastParams = {
  side: "below",
  limit: 10,
  withinMs: 30 * DAY_MS,
  overMs: 21 * DAY_MS,
  needsGood: false,
};

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Next = () => number;
const normal = (next: Next) => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
const within = (next: Next, from: number, to: number) => from + (to - from) * next();
type Family = (next: Next) => { readonly level: (day: number) => number; readonly noise: (day: number) => number };

const white = (next: Next, deviation: number) => () => deviation * normal(next);
function correlated(next: Next, correlation: number, deviation: number): () => number {
  let last = deviation * normal(next);
  return () => {
    last = correlation * last + Math.sqrt(1 - correlation ** 2) * deviation * normal(next);
    return last;
  };
}
function falling(next: Next): (day: number) => number {
  const perDay = within(next, 0.6, 2.5);
  return (day) => 100 - perDay * day;
}
function approaching(next: Next, low: number, high: number): (day: number) => number {
  const [end, days] = [within(next, low, high), within(next, 8, 40)];
  return (day) => end + (100 - end) * Math.exp(-day / days);
}

const FAMILIES: Readonly<Record<string, Family>> = {
  linear: (next) => ({ level: falling(next), noise: white(next, within(next, 0.3, 2.5)) }),
  "weekly wave": (next) => {
    const [level, height, phase] = [falling(next), within(next, 1, 4), within(next, 0, 7)];
    const noise = white(next, within(next, 0.3, 1.5));
    return { level, noise: (day) => height * Math.sin((2 * Math.PI * (day + phase)) / 7) + noise() };
  },
  "correlated noise (AR)": (next) => ({
    level: falling(next),
    noise: correlated(next, within(next, 0.4, 0.85), within(next, 0.5, 2.5)),
  }),
  "knee at the end of life": (next) => {
    const [perDay, knee, then] = [within(next, 0, 0.3), within(next, 20, 60), within(next, 3, 9)];
    const level = (day: number) => 95 - perDay * day - then * Math.max(0, day - knee);
    return { level, noise: white(next, within(next, 0.2, 1.5)) };
  },
  exponential: (next) => {
    const [days, end] = [within(next, 8, 30), within(next, 40, 80)];
    return { level: (day) => 100 - 90 * Math.exp((day - end) / days), noise: white(next, within(next, 0.2, 1.5)) };
  },
  "settling above the limit": (next) => ({
    level: approaching(next, 11, 40),
    noise: white(next, within(next, 0.2, 1.5)),
  }),
  "settling, slowly or with correlated noise": (next) => ({
    level: approaching(next, 11, 30),
    noise: correlated(next, within(next, 0, 0.6), within(next, 0.2, 2)),
  }),
  flattening: (next) => ({ level: approaching(next, -60, 5), noise: white(next, within(next, 0.2, 1.5)) }),
};

/** The first forecast, and when the level passes the limit (days). */
function simulate(family: Family, seed: number) {
  const next = random(seed);
  const { level, noise } = family(next);
  const start = Math.floor(within(next, 0, 20));
  let truth = 0;
  while (truth < DAYS && level(truth) > params.limit) truth += 0.05;
  let state = forecast.quiet;
  for (let day = 0; day < Math.min(truth, DAYS); day++) {
    const value = level(day + 0.5) + noise(day + 0.5);
    if (day < start) continue;
    const sample = { at: (day + 0.5) * DAY_MS, value, good: true, lastAt: undefined, cadence: { gaps: [] } };
    const [after, outcomes] = forecast.step(params, state, sample);
    state = after;
    const said = outcomes.find(({ what }) => what === "firing");
    if (said) return { truth, said };
  }
  return { truth, said: undefined };
}

function main(): void {
  process.stdout.write(
    "| kind | forecasts | true time within the 80 % interval | sooner | later | days ahead |\n|---|---|---|---|---|---|\n",
  );
  for (const [name, family] of Object.entries(FAMILIES)) {
    const runs = Array.from({ length: RUNS }, (_, i) =>
      simulate(family, 7_919 * (i + 1) + 104_729 * SEED + name.length),
    );
    const made = runs.flatMap(({ truth, said }) =>
      said ? [{ ...said.expected!, truth: truth * DAY_MS, fired: said.at }] : [],
    );
    const sooner = made.filter(({ truth, from }) => truth < from).length;
    const later = made.filter(({ truth, to }) => truth > to).length;
    const ahead = made.map(({ truth, fired }) => (truth - fired) / DAY_MS).sort((a, b) => a - b)[made.length >> 1];
    const share = made.length === 0 ? "-" : `${Math.round((100 * (made.length - sooner - later)) / made.length)} %`;
    const days = ahead === undefined ? "-" : ahead.toFixed(0);
    process.stdout.write(`| ${name} | ${made.length} of ${RUNS} | ${share} | ${sooner} | ${later} | ${days} |\n`);
  }
}

main();
