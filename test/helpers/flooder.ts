import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import type { Flood, Flooded } from "./flood.ts";

/** The process that `flood` starts. */
const IN_FLIGHT_MAX = 500;
const STEP_MS = 5;

async function run(options: Flood): Promise<Flooded> {
  const socket = await login(options);
  let published = 0;
  let acknowledged = 0;
  let quiet: (() => void) | undefined;
  socket.on("data", (bytes: Buffer) => {
    // Nothing but PUBACKs comes, of four bytes each; one in two parts is made up for by its other half.
    acknowledged += bytes.length / 4;
    if (expected() === acknowledged) quiet?.();
  });
  const wanted = { sent: 0 };
  const expected = () => wanted.sent;

  function send(qos: 0 | 1): Buffer {
    const payload = JSON.stringify({ measuredAt: options.from + published, pm25: published % 100 });
    published += 1;
    if (qos === 1) wanted.sent += 1;
    const common = { cmd: "publish", topic: options.topic, payload, dup: false, retain: false } as const;
    return generate(qos === 1 ? { ...common, qos, messageId: (published % 65_535) + 1 } : { ...common, qos });
  }

  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  while (elapsed() < options.forMs) {
    const due = Math.floor((elapsed() / 1_000) * options.perSecond) - published;
    const room = options.qos === 1 ? IN_FLIGHT_MAX - (wanted.sent - acknowledged) : due;
    const count = Math.max(0, Math.min(due, room));
    if (count > 0) socket.write(Buffer.concat(Array.from({ length: count }, () => send(options.qos))));
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
  const seconds = elapsed() / 1_000;
  if (options.qos === 0) {
    socket.destroy(); // what the service has not read of it by now is nobody's
    return { published, acknowledged, seconds };
  }
  // Packets are taken in order: once this one is answered, all before it have been seen.
  const answered = new Promise<void>((resolve) => {
    quiet = resolve;
  });
  socket.write(send(1));
  await answered;
  socket.destroy();
  return { published, acknowledged, seconds };
}

async function login({ mqtt, login }: Flood): Promise<Socket> {
  const { hostname, port } = new URL(mqtt);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const { username, password } = login;
  const protocol = { protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 120 } as const;
  socket.write(
    generate({ cmd: "connect", ...protocol, clientId: username, username, password: Buffer.from(password) }),
  );
  const [answer] = (await once(socket, "data")) as [Buffer];
  if (answer[0] !== 0x20 || answer[3] !== 0) throw new Error(`refused: ${answer.toString("hex")}`);
  return socket;
}

process.once("message", (options) => {
  void run(options as Flood).then((result) => process.send!(result, () => process.exit(0)));
});
