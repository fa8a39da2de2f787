import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { parseArgs } from "node:util";
import mqttPacket from "mqtt-packet";
import { startBroker } from "../broker/broker.ts";
import { SILENT } from "../model/log.ts";
import type { Account } from "../model/people.ts";

/**
 * What connections cost: the memory of so many that are idle, and how long a storm takes in which all of them come back
 * at once. `node tools/mqtt-connections.ts [--idle 10000] [--storm 5000]`; the clients are a process of their own.
 */
const SECRET = "s";
const PER_ADDRESS = 20_000;

type Ask = { readonly port: number; readonly count: number };

function connectFrame(id: number): Buffer {
  const login = { username: `d-${id}`, password: Buffer.from(SECRET), clean: true, keepalive: 1_200 };
  return mqttPacket.generate({ cmd: "connect", clientId: `d-${id}`, ...login });
}

/** All at once; resolves when each has its CONNACK. Loopback has as many addresses as are needed for the ports. */
async function connectAll({ port, count }: Ask): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, id) => {
      for (;;) {
        const socket = connect({
          port,
          host: "127.0.0.1",
          localAddress: `127.0.0.${1 + Math.floor(id / PER_ADDRESS)}`,
        });
        socket.on("error", () => {});
        socket.write(connectFrame(id));
        const [answer] = await Promise.race([once(socket, "data"), once(socket, "close")]).catch(() => [undefined]);
        if (Buffer.isBuffer(answer) && answer[3] === 0) return socket;
        socket.destroy();
      }
    }),
  );
}

async function serve(): Promise<void> {
  const { values } = parseArgs({
    options: { idle: { type: "string", default: "10000" }, storm: { type: "string", default: "5000" } },
  });
  const secretHash = createHash("sha256").update(SECRET).digest("hex");
  const accountOf = (name: string): Account => ({
    role: "device",
    name,
    sensorId: name,
    district: "north",
    kind: "air",
  });
  const broker = await startBroker(
    { host: "127.0.0.1", port: 0, connectionsMax: 30_000 },
    {
      credential: (name) => ({ account: accountOf(name), secretHash }),
      append: (_message, done) => setImmediate(done),
      onEvent() {},
      onListeners() {},
      now: Date.now,
      log: SILENT,
    },
  );
  const { port } = broker.address;
  const clients = fork(import.meta.filename, { env: { ...process.env, SPEAK_TO: String(port) } });
  const told = () => once(clients, "message");
  const rss = () => Math.round(process.memoryUsage.rss() / 1_048_576);
  const before = rss();
  clients.send({ connect: Number(values.idle) });
  await told();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  console.log(`${broker.counts().connections} idle connections: RSS ${rss()} MiB, ${before} before`);
  clients.send({ drop: true });
  await told();
  const begun = performance.now();
  clients.send({ connect: Number(values.storm) });
  await told();
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  console.log(`${broker.counts().connections} connections that come at once: all back after ${seconds} s`);
  clients.kill();
  process.exit(0);
}

function speak(port: number): void {
  let sockets: Socket[] = [];
  process.on("message", async ({ connect: count, drop }: { connect?: number; drop?: boolean }) => {
    if (drop) for (const socket of sockets) socket.destroy();
    sockets = count === undefined ? [] : await connectAll({ port, count });
    process.send!("done");
  });
}

if (process.env.SPEAK_TO) speak(Number(process.env.SPEAK_TO));
else await serve();
