import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { needs } from "../helpers/needs.ts";
import { DEVICE, OPERATOR, OWN_TOPIC, SECRET, startTestBroker } from "./broker-fixture.ts";

const PUB = "mosquitto_pub";
const SUB = "mosquitto_sub";

it.runIf(needs("mosquitto_pub"))("speaks with Mosquitto's command line clients", async () => {
  const city = await startTestBroker();
  const at = ["-h", "127.0.0.1", "-p", `${city.broker.address.port}`, "-P", SECRET];
  const subscriber = spawn(SUB, [...at, "-u", OPERATOR.name, "-t", "city/#", "-C", "1"]);
  let heard = "";
  subscriber.stdout.on("data", (chunk) => {
    heard += chunk;
  });
  let left: number | null | undefined;
  subscriber.once("close", (code) => {
    left = code;
  });
  const run = promisify(execFile);
  const message = ["-q", "1", "-t", OWN_TOPIC, "-m", '{"no2":31}'];
  // It does not say when it has subscribed: publish until it has heard one.
  while (left === undefined) {
    await run(PUB, [...at, "-u", DEVICE.name, "-i", DEVICE.name, ...message]);
    await city.broker.publish({ topic: OWN_TOPIC, payload: '{"no2":31}', qos: 1 });
  }
  expect(left).toBe(0);
  expect(heard).toContain('{"no2":31}');
  expect(Buffer.from(city.kept[0]!.payload).toString()).toBe('{"no2":31}');
  const refused = run(PUB, [...at, "-u", DEVICE.name, "-P", "wrong", "-i", DEVICE.name, "-t", OWN_TOPIC, "-m", "{}"]);
  await expect(refused).rejects.toThrow();
  await city.stop();
});
