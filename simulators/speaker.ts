import type { Log } from "../model/log.ts";
import { readingTopic, statusTopic } from "../model/topics.ts";
import type { City } from "./city.ts";
import type { CitySensor } from "./places.ts";
import { type Publisher, startPublisher } from "./publisher.ts";
import type { Login } from "./secrets-file.ts";

export type SpeakerOptions = {
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
