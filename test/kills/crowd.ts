import type { City } from "../helpers/city.ts";
import { addLoadGateway, BASE, type Sender, startHttpSender, startMqttSender } from "../helpers/senders.ts";

/** Readings sent again at the start of each life: all that was not acknowledged, and some that were. */
const AGAIN = 40;
/** A sensor's readings are one millisecond apart and begin an hour ago. */
const READINGS_MAX = 3_600_000;

/** What one sensor was told over all lives. `acked[n]` is 1 when its reading number n was acknowledged. */
export type Promises = { readonly sensorId: string; readonly acked: Uint8Array; next: number };

export type Crowd = Awaited<ReturnType<typeof createCrowd>>;

/** Sensors that publish over MQTT and HTTP as fast as they are acknowledged, life after life. */
export async function createCrowd(city: City, counts: { mqtt: number; http: number }) {
  const login = await addLoadGateway(city);
  const names = [
    ...Array.from({ length: counts.mqtt }, (_, index) => `mqtt-${index}`),
    ...Array.from({ length: counts.http }, (_, index) => `http-${index}`),
  ];
  const promises: Promises[] = names.map((sensorId) => ({ sensorId, acked: new Uint8Array(READINGS_MAX), next: 0 }));

  function startOne(city: City, { sensorId, next }: Promises): Promise<Sender> | Sender {
    const options = { sensorId, first: Math.max(0, next - AGAIN) };
    return sensorId.startsWith("http") ? startHttpSender(city, login, options) : startMqttSender(city, login, options);
  }

  /** `end` writes down what was promised; call it when the service is dead. */
  async function start(city: City): Promise<{ end(): Promise<void> }> {
    const senders = await Promise.all(promises.map((one) => startOne(city, one)));
    return {
      async end() {
        for (const [index, sender] of senders.entries()) {
          await sender.stop();
          const one = promises[index]!;
          one.next = Math.max(one.next, sender.next());
          for (const time of sender.acked) one.acked[time - BASE] = 1;
        }
      },
    };
  }

  return { promises: promises as readonly Promises[], start };
}
