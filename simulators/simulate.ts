import { createServiceClient } from "../client/client.ts";
import { isWorldFault } from "../model/background.ts";
import type { Log } from "../model/log.ts";
import { DAY_MS } from "../model/time.ts";
import { type City, createCity, type Scenario } from "./city.ts";
import { enrolFleet, loadRemembered, newestReadings, type Remembered, saveRemembered } from "./fleet.ts";
import { patiently } from "./patience.ts";
import type { CitySensor } from "./places.ts";
import { createBundler, PublishError } from "./publisher.ts";
import { LIVING_DAY } from "./scenarios.ts";
import { openSpeakers, runLive, type Speakers } from "./speaker.ts";

/** Whole arrays on their way at once: history must not stand in the way of what is new. */
const SENSORS_AT_ONCE = 4;

type HistoryOptions = {
  readonly city: City;
  readonly speakers: Speakers;
  /** Exclusive start of a sensor's gap, epoch milliseconds. */
  from(sensor: CitySensor): number;
  /** Exclusive end. */
  readonly to: number;
  onSent(readings: number): void;
  /** The past of this sensor is told, or its connection refused for good. */
  onTold(sensor: CitySensor): void;
  stopped(): boolean;
};

/** Sends what is missing of the past, a few sensors at a time, those with planted events first. */
async function sendHistory(options: HistoryOptions): Promise<void> {
  const waiting = inOrderOfInterest(options.city);
  async function work(): Promise<void> {
    for (let sensor = waiting.shift(); sensor && !options.stopped(); sensor = waiting.shift())
      await tell(sensor, options);
  }
  await Promise.all(Array.from({ length: SENSORS_AT_ONCE }, work));
}

function inOrderOfInterest(city: City): CitySensor[] {
  const planted = (sensor: CitySensor) => (city.isEventful(sensor) ? 0 : 1);
  return [...city.sensors].sort((a, b) => planted(a) - planted(b));
}

async function tell(sensor: CitySensor, options: HistoryOptions): Promise<void> {
  try {
    await sendPastOf(sensor, options);
  } catch (error) {
    // One sensor the broker refuses must not silence the others; the publisher has logged it.
    if (!(error instanceof PublishError)) throw error;
  }
  options.onTold(sensor);
}

async function sendPastOf(sensor: CitySensor, options: HistoryOptions): Promise<void> {
  const { city, speakers, to } = options;
  const stepMs = sensor.intervalS * 1000;
  const bundles: { payload: string; readings: number }[] = [];
  const bundler = createBundler(Number.POSITIVE_INFINITY, (bundle) => bundles.push(bundle));
  for (let at = (Math.floor(options.from(sensor) / stepMs) + 1) * stepMs; at < to; at += stepMs) {
    const values = city.measure(sensor, at);
    if (values) bundler.add(sensor.id, { measuredAt: new Date(at).toISOString(), ...values });
  }
  bundler.flushAll();
  for (const { payload, readings } of bundles) {
    if (options.stopped()) return;
    await speakers.publish(sensor, payload);
    options.onSent(readings);
  }
}

export type SimulationOptions = {
  readonly http: string;
  readonly token: string;
  readonly mqtt: string;
  /** Where logins are kept, mode 0600. */
  readonly dataFile: string;
  readonly seed: number;
  readonly now: () => number;
  /** For reconnects only: the city itself follows the seed. */
  readonly random: () => number;
  readonly log: Log;
  readonly scenario?: Scenario;
  /** So much faster the city's days pass: 24 is a day in an hour. */
  readonly pace?: number;
  readonly liveEveryMs?: number;
  readonly historyMs?: number;
};

type SimulationCounts = {
  readonly sensors: number;
  /** Readings acknowledged, of the past and live. */
  readonly history: number;
  readonly live: number;
  /** Live readings given up because the service was away for too long. */
  readonly skipped: number;
  readonly connections: number;
  readonly resent: number;
};

const LIVE_EVERY_MS = 10_000;
const HISTORY_MS = DAY_MS;
const SAVE_EVERY_MS = 30_000;
const RETRY_MS = 2_000;
const GOODBYE_MS = 2_000;

/**
 * Starts the city against a running service: registers, connects, sends the missing past (24 hours on the first start),
 * then one reading per sensor every ten seconds, staggered. `running` settles when it has ended: it rejects if the service
 * refuses the token or the sensors, and waits as long as the service is away.
 */
export function startSimulation(options: SimulationOptions) {
  const startedAt = options.now();
  const { seed, scenario = LIVING_DAY, pace = 1 } = options;
  const city = createCity({ seed, scenario, startedAt, pace });
  const remembered = loadRemembered(options.dataFile);
  const stopping = new AbortController();
  const counts = { history: 0, live: 0, skipped: 0 };
  let speakers: Speakers | undefined;

  async function run(): Promise<void> {
    const service = createServiceClient({ url: options.http, token: options.token });
    const enrol = async () => {
      await enrolFleet(service, city, remembered.logins);
      saveRemembered(options.dataFile, remembered);
      return newestReadings(service);
    };
    // The service may still be starting, or its store be away. What it refuses, it refuses for good.
    const heard = await patiently(enrol, {
      waitMs: () => RETRY_MS,
      signal: stopping.signal,
      onAway: ({ message }) =>
        options.log.warn({ error: message }, "the service is away, the simulated city waits for it"),
    }).catch((error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    });
    if (!heard || stopping.signal.aborted) return;
    speakers = openSpeakers({ ...options, city, logins: remembered.logins });
    greet(city, speakers);
    const saving = setInterval(() => saveIfPossible(options, remembered), SAVE_EVERY_MS);
    await speak({ options, city, speakers, remembered, counts, heard, signal: stopping.signal }).finally(() =>
      clearInterval(saving),
    );
  }

  const running = run();
  // Whoever awaits `running` gets the error; a failure before that must not end the process.
  running.catch(() => {});

  return {
    running,
    counts(): SimulationCounts {
      const { connections = 0, resent = 0 } = speakers?.counts() ?? {};
      return { sensors: city.sensors.length, ...counts, connections, resent };
    },
    /** Says goodbye to the broker and keeps what is needed to go on later. */
    async stop(): Promise<void> {
      stopping.abort();
      await speakers?.close(GOODBYE_MS);
      await running.catch(() => {});
      saveRemembered(options.dataFile, remembered);
    },
  };
}

type Speaking = {
  readonly options: SimulationOptions;
  readonly city: City;
  readonly speakers: Speakers;
  readonly remembered: Remembered;
  readonly counts: { history: number; live: number; skipped: number };
  /** When the service last heard of each sensor. */
  readonly heard: ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
};

/** The missing past, then what happens now; each sensor goes live when its own past is told. */
async function speak({ options, city, speakers, remembered, counts, heard, signal }: Speaking): Promise<void> {
  const told = new Set<string>();
  const { sentUntil } = remembered;
  const oldest = city.startedAt - (options.historyMs ?? HISTORY_MS);
  const live = runLive(
    {
      city,
      speakers,
      seed: options.seed,
      everyMs: options.liveEveryMs ?? LIVE_EVERY_MS,
      now: options.now,
      mayStart: ({ id }) => told.has(id),
      onAcknowledged({ id }, at) {
        counts.live += 1;
        sentUntil.set(id, Math.max(at, sentUntil.get(id) ?? 0));
      },
      onSkipped() {
        counts.skipped += 1;
      },
    },
    signal,
  );
  await sendHistory({
    city,
    speakers,
    to: city.startedAt,
    stopped: () => signal.aborted,
    // A service that knows nothing of a sensor is a new one, whatever the sensor remembers.
    from: ({ id }) => (heard.has(id) ? Math.max(oldest, heard.get(id)!, sentUntil.get(id) ?? 0) : oldest),
    onSent(readings) {
      counts.history += readings;
    },
    onTold: ({ id }) => void told.add(id),
  });
  options.log.info({ sensors: city.sensors.length, readings: counts.history }, "the simulated city has told its past");
  await live;
}

function greet(city: City, speakers: Speakers): void {
  for (const sensor of city.sensors) {
    if (city.measure(sensor, city.startedAt)) speakers.say(sensor, "online").catch(() => {});
  }
}

/** What a full disk does not take now is saved the next time. */
function saveIfPossible({ dataFile, log }: SimulationOptions, remembered: Remembered): void {
  try {
    saveRemembered(dataFile, remembered);
  } catch (error) {
    if (!isWorldFault(error)) throw error;
    log.warn({ err: error }, "what the simulated city has sent could not be saved; tried again");
  }
}
