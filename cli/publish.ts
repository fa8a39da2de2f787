import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { PageOf } from "../contract/common.ts";
import type { ReadingView, SensorView } from "../contract/reading.ts";
import { SILENT } from "../model/log.ts";
import { readingTopic } from "../model/topics.ts";
import { startPublisher } from "../simulators/publisher.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { parseId } from "./options.ts";
import { show } from "./output.ts";

/** One reading over MQTT, as the sensor itself would send it: nothing else need be installed. */
export function register(program: Command): void {
  withService(
    program.command("publish").description("send one reading as a sensor, over MQTT, and wait until it can be read"),
    `publish my-sensor '{"pm25":12.4,"no2":31}' --password "<the password it has>"`,
  )
    .argument("<sensor>", "its id", parseId)
    .argument("<reading>", 'JSON, such as {"pm25":12.4}', parseReading)
    .requiredOption("--password <password>", "the sensor's, as device add printed it")
    .action(publish);
}

type Fields = Readonly<Record<string, unknown>>;

function parseReading(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('One reading as a JSON object was expected, such as {"pm25":12.4}.');
}

const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 100;

async function publish(
  sensorId: string,
  fields: Fields,
  options: ServiceOptions & { password: string },
): Promise<void> {
  const service = findService(options);
  const ask = async (path: string) => JSON.parse(await service.client.text(`/api/v1/sensors/${sensorId}${path}`));
  const sensor: SensorView = await ask("");
  const topic = readingTopic({ kind: sensor.kind, district: sensor.district, sensorId });
  // Its own time, so that it is known again.
  const reading = { measuredAt: new Date().toISOString(), ...fields };
  const publisher = startPublisher({
    url: service.mqtt ?? service.client.url.replace(/^http/, "mqtt").replace(/:\d+$/, ":1883"),
    clientId: `${sensorId}-publish`,
    username: sensorId,
    password: options.password,
    messagesMax: 1,
    bytesMax: 1,
    patienceMs: PATIENCE_MS,
    random: Math.random,
    log: SILENT,
  });
  try {
    await publisher.publish({ topic, payload: JSON.stringify(reading) });
  } finally {
    await publisher.close();
  }
  const from = Date.parse(String(reading.measuredAt));
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(LOOK_EVERY_MS)) {
    const { items }: PageOf<ReadingView> = await ask(`/readings?from=${from}&to=${from + 1}`);
    const kept = items[0];
    if (kept) return show(options, kept, () => `kept, and can be read: ${JSON.stringify(kept.values)}`);
  }
  throw new Error(
    `The message was acknowledged, but after ${PATIENCE_MS / 1_000} s there is no reading of it: ./lamppost quarantine list --sensor ${sensorId} says why.`,
  );
}
