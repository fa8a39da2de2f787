import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { needs, needsPython, PYTHON } from "../helpers/needs.ts";
import { DEVICE, OPERATOR, OWN_TOPIC, SECRET, startTestBroker } from "./broker-fixture.ts";

const PUB = "mosquitto_pub";
const SUB = "mosquitto_sub";

it.runIf(needs("mosquitto_pub")).each(["311", "5"])(
  "speaks MQTT %s with Mosquitto's command line clients",
  async (v) => {
    const city = await startTestBroker();
    const at = ["-V", v === "5" ? "mqttv5" : "mqttv311", "-h", "127.0.0.1", "-p", `${city.broker.address.port}`];
    const run = promisify(execFile);
    try {
      const topics = ["-t", "city/#", "-C", "1"];
      const subscriber = spawn(SUB, [...at, "-P", SECRET, "-u", OPERATOR.name, ...topics]);
      let heard = "";
      subscriber.stdout.on("data", (chunk) => {
        heard += chunk;
      });
      let left: number | null | undefined;
      subscriber.once("close", (code) => {
        left = code;
      });
      const message = ["-q", "1", "-t", OWN_TOPIC, "-m", '{"no2":31}'];
      // It does not say when it has subscribed: publish until it has heard one.
      while (left === undefined) {
        await run(PUB, [...at, "-P", SECRET, "-u", DEVICE.name, ...message]);
        await city.broker.publish({ topic: OWN_TOPIC, payload: '{"no2":31}', qos: 1 });
      }
      expect(left).toBe(0);
      expect(heard).toContain('{"no2":31}');
      expect(Buffer.from(city.kept[0]!.payload).toString()).toBe('{"no2":31}');
      const refused = run(PUB, [...at, "-u", DEVICE.name, "-P", "wrong", ...message]);
      await expect(refused).rejects.toThrow();
    } finally {
      await city.stop();
    }
  },
);

/** Says what the CONNACK, the SUBACK and the PUBACK said, one to a line. */
const PAHO = `
import sys, paho.mqtt.client as mqtt
name, secret, port, version, topic = sys.argv[1:6]
old = {"callback_api_version": mqtt.CallbackAPIVersion.VERSION1} if hasattr(mqtt, "CallbackAPIVersion") else {}
c = mqtt.Client(**old, protocol=mqtt.MQTTv5 if version == "5" else mqtt.MQTTv311)
c.username_pw_set(name, secret)
def on_connect(c, u, flags, rc, props=None):
    print("connack", getattr(rc, "value", rc))
    c.subscribe(topic + "/status", 1)
def on_subscribe(c, u, mid, granted, props=None):
    print("suback", [getattr(g, "value", g) for g in granted])
    c.publish(topic, "{\\"no2\\":31}", 1)
def on_publish(c, u, mid):
    print("puback")
    c.disconnect()
c.on_connect, c.on_subscribe, c.on_publish = on_connect, on_subscribe, on_publish
c.connect("127.0.0.1", int(port))
c.loop_forever()
`;

it.runIf(needsPython("paho.mqtt.client")).each(["311", "5"])(
  "speaks MQTT %s with Paho's client for Python",
  async (v) => {
    const city = await startTestBroker();
    try {
      const given = [DEVICE.name, SECRET, `${city.broker.address.port}`, v, OWN_TOPIC];
      const { stdout } = await promisify(execFile)(PYTHON, ["-c", PAHO, ...given], { timeout: 30_000 });
      expect(stdout.trim().split("\n")).toEqual(["connack 0", "suback [1]", "puback"]);
      expect(city.kept).toHaveLength(1);
    } finally {
      await city.stop();
    }
  },
);
