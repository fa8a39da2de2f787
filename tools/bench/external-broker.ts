import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import mqttPacket, { type Packet } from "mqtt-packet";
import { startMosquitto } from "../../test/helpers/mosquitto.ts";
import { load, startLamppost } from "./contenders.ts";

type ExternalBrokerRow = {
  readonly run: string;
  readonly messages: number;
  readonly keptPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

const CONNECTIONS = 20;

/**
 * Readings through a real Mosquitto in front, fsynced before they are acknowledged to it. A proxy between the two notes
 * when each PUBLISH passed and when its PUBACK did: that is the time it takes to keep one. `offered`: 2,000 readings a
 * second, open loop. `all out`: as fast as 20 publishers get PUBACKs from Mosquitto. `backlog`: what Mosquitto held
 * while the service was away, counted from the first message to the last PUBACK. In the last two the times are those of
 * a queue, which the proxy also is: Mosquitto 2.0 sends on beyond the window it was given.
 */
export async function benchExternalBroker(durationMs: number): Promise<ExternalBrokerRow[]> {
  const rows: ExternalBrokerRow[] = [];
  const shape = { connections: CONNECTIONS, inFlight: 50, durationMs, district: "bench" };
  rows.push(await run("offered 2,000/s", { ...shape, ratePerS: 2_000, prefix: "pace" }));
  rows.push(await run("all out", { ...shape, prefix: "full" }));
  rows.push(await run("backlog", { ...shape, durationMs: durationMs / 5, prefix: "away" }, true));
  return rows;
}

type Shape = Omit<Parameters<typeof load>[0], "host" | "port" | "credentials">;

async function run(name: string, shape: Shape, away = false): Promise<ExternalBrokerRow> {
  const mosquitto = await startMosquitto(["allow_anonymous true"]);
  const proxy = await startProxy(mosquitto.port);
  const env = { LAMPPOST_MQTT_SOURCE_URL: `mqtt://127.0.0.1:${proxy.port}`, LAMPPOST_MQTT_SOURCE_CLIENT_ID: "bench" };
  // The session must be there before messages come: a first short life makes it.
  let lamppost = await startLamppost(env);
  try {
    await proxy.subscribed();
    if (away) await lamppost.stop();
    const credentials = [{ username: "bench", password: "none" }];
    const { acked } = await load({ ...shape, host: "127.0.0.1", port: mosquitto.port, credentials });
    if (away) lamppost = await startLamppost(env);
    await proxy.acknowledged(acked);
    const stored = await lamppost.settled(acked);
    if (stored !== acked) throw new Error(`${name}: ${acked} acknowledged by Mosquitto, ${stored} stored`);
    return { run: name, messages: acked, ...proxy.figures() };
  } finally {
    await lamppost.stop();
    proxy.close();
    await mosquitto.stop();
  }
}

/** Passes bytes on and reads along. */
async function startProxy(target: number) {
  const passedAt = new Map<number, number>();
  const waits: number[] = [];
  const waiting = new Set<() => void>();
  let first = 0;
  let last = 0;
  let hasSubscribed = false;
  const sockets = new Set<Socket>();

  function fromBroker(packet: Packet): void {
    if (packet.cmd === "suback") hasSubscribed = true;
    if (packet.cmd !== "publish" || packet.qos === 0) return;
    first ||= performance.now();
    passedAt.set(packet.messageId!, performance.now());
  }

  function fromLamppost(packet: Packet): void {
    if (packet.cmd !== "puback") return;
    last = performance.now();
    waits.push(last - (passedAt.get(packet.messageId!) ?? last));
  }

  const server: Server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const [from, to, note] of [[near, far, fromLamppost] as const, [far, near, fromBroker] as const]) {
      sockets.add(from);
      const parser = mqttPacket.parser({ protocolVersion: 5 });
      parser.on("packet", (packet) => {
        note(packet);
        for (const look of waiting) look();
      });
      from.on("data", (bytes: Buffer) => {
        to.write(bytes);
        parser.parse(bytes);
      });
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  const when = (is: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!is()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });

  return {
    port: (server.address() as { port: number }).port,
    subscribed: () => when(() => hasSubscribed),
    acknowledged: (count: number) => when(() => waits.length >= count),
    figures() {
      const sorted = waits.toSorted((a, b) => a - b);
      const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)]! * 10) / 10;
      return { keptPerS: Math.round((waits.length * 1000) / (last - first)), p50Ms: at(0.5), p99Ms: at(0.99) };
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
