import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../model/log.ts";
import { HOUR_MS } from "../model/time.ts";
import { readingTopic, statusTopic } from "../model/topics.ts";
import type { City } from "./city.ts";
import type { Login } from "./fleet.ts";
import type { CitySensor } from "./places.ts";
import { type Publisher, startPublisher } from "./publisher.ts";
import { hash } from "./random.ts";

type SpeakerOptions = {
  readonly city: City;
  readonly mqtt: string;
  readonly logins: ReadonlyMap<string, Login>;
  readonly random: () => number;
  readonly log: Log;
};

const at = ({ id, kind, district }: CitySensor) => ({ sensorId: id, kind, district });

/** Per connection: what a small device can hold back. */
const WINDOW = { messagesMax: 8, bytesMax: 512 * 1024 };

/**
 * The connections of the city: one for each sensor of its own, one for each gateway. A device has its status as last
 * will; a gateway speaks for many, so it says their status when it comes and goes.
 */
export function openSpeakers(options: SpeakerOptions) {
  const { city } = options;
  const publishers = new Map<string, Publisher>();

  function publisherOf(sensor: CitySensor): Publisher {
    const name = sensor.gateway ?? sensor.id;
    const known = publishers.get(name);
    if (known) return known;
    const { username, password } = options.logins.get(name)!;
    const publisher = startPublisher({
      url: options.mqtt,
      username,
      password,
      clientId: sensor.gateway ? `${name}-1` : name,
      ...(sensor.gateway ? {} : { will: { topic: statusTopic(at(sensor)), payload: "offline" } }),
      ...WINDOW,
      random: options.random,
      log: options.log,
    });
    publishers.set(name, publisher);
    return publisher;
  }

  async function say(sensor: CitySensor, status: "online" | "offline"): Promise<void> {
    await publisherOf(sensor).publish({ topic: statusTopic(at(sensor)), payload: status, retain: true });
  }

  return {
    /** Resolves when the broker has acknowledged it. Rejects with `PublishError`. */
    publish: (sensor: CitySensor, payload: string) =>
      publisherOf(sensor).publish({ topic: readingTopic(at(sensor)), payload }),
    say,
    hasRoom: (sensor: CitySensor) => {
      const { unacked, failed } = publisherOf(sensor).stats();
      return unacked < WINDOW.messagesMax && !failed;
    },
    counts() {
      const all = [...publishers.values()].map((publisher) => publisher.stats());
      const sum = (pick: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + pick(one), 0);
      return {
        connections: all.filter((one) => !one.failed).length,
        connects: sum((one) => one.connects),
        acknowledged: sum((one) => one.acknowledged),
        resent: sum((one) => one.resent),
        unacknowledged: sum((one) => one.unacked),
        refused: all.filter((one) => one.failed).length,
      };
    },
    /** Says goodbye within `withinMs`, then closes everything. */
    async close(withinMs: number): Promise<void> {
      const speaking = city.sensors.filter((sensor) => publishers.has(sensor.gateway ?? sensor.id));
      const goodbyes = Promise.allSettled(speaking.map((sensor) => say(sensor, "offline")));
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((done) => {
        timer = setTimeout(done, withinMs);
      });
      await Promise.race([goodbyes, patience]);
      clearTimeout(timer);
      await Promise.all([...publishers.values()].map((publisher) => publisher.close()));
    },
  };
}

export type Speakers = ReturnType<typeof openSpeakers>;

const TICK_MS = 250;
/** Readings older than this are not made up for after an outage: a small device's memory ends here too. */
const BACKLOG_MS = HOUR_MS;

type LiveOptions = {
  readonly city: City;
  readonly speakers: Speakers;
  readonly seed: number;
  readonly everyMs: number;
  readonly now: () => number;
  /** A sensor speaks when its past is told, so that it tells everything in order. */
  mayStart(sensor: CitySensor): boolean;
  onAcknowledged(sensor: CitySensor, at: number): void;
  onSkipped(): void;
};

/** One reading per sensor every `everyMs`, each at its own moment. Resolves when `signal` aborts. */
export async function runLive(options: LiveOptions, signal: AbortSignal): Promise<void> {
  const { city, speakers, everyMs } = options;
  const due = new Map(city.sensors.map((sensor) => [sensor.id, firstDue(sensor, options)]));

  function sendDue(sensor: CitySensor): void {
    const time = options.now();
    let at = due.get(sensor.id)!;
    // The clock was set back: on by the new time, and not when that has come again.
    if (at > time + everyMs) at -= Math.floor((at - time) / everyMs) * everyMs;
    // What is due waits here, not in the connection, while the broker is away or slow.
    for (; at <= time && speakers.hasRoom(sensor); at += everyMs) {
      if (time - at > BACKLOG_MS) options.onSkipped();
      else sendOne(sensor, at, options);
    }
    due.set(sensor.id, at);
  }

  while (!signal.aborted) {
    for (const sensor of city.sensors) if (options.mayStart(sensor)) sendDue(sensor);
    await wait(TICK_MS, undefined, { signal }).catch(() => {});
  }
}

function sendOne(sensor: CitySensor, at: number, options: LiveOptions): void {
  const { city, speakers } = options;
  const values = city.measure(sensor, at);
  if (!values) return;
  const payload = JSON.stringify({ measuredAt: new Date(at).toISOString(), ...values });
  // A connection that has failed for good has logged it, and `hasRoom` keeps its sensors quiet from then on.
  const ignore = () => {};
  speakers.publish(sensor, payload).then(() => options.onAcknowledged(sensor, at), ignore);
  for (const other of city.mischief(sensor, at - options.everyMs, at, payload))
    speakers.publish(sensor, other).then(ignore, ignore);
}

/** Each sensor has its own moment within the interval, so that the city does not speak in chorus. */
function firstDue(sensor: CitySensor, { city, seed, everyMs }: LiveOptions): number {
  const own = hash(`${sensor.id}/moment`, seed) % everyMs;
  return Math.ceil((city.startedAt - own) / everyMs) * everyMs + own;
}
