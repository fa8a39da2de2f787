import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { generate } from "mqtt-packet";
import { HOUR_MS } from "../../model/time.ts";

/**
 * A lean MQTT load: raw sockets, one packet per sensor made once and patched in place, PUBACKs counted by their four
 * bytes. Runs as a process of its own (`process.send` gives the result), so that it costs both contenders the same.
 */
export type LoadOptions = {
  readonly host: string;
  readonly port: number;
  /** Connections take turns with these, as a city's gateways would share the load. */
  readonly credentials: readonly { readonly username: string; readonly password: string }[];
  readonly connections: number;
  readonly inFlight: number;
  readonly durationMs: number;
  /** Closed loop at full speed, or this many readings a second over all connections. */
  readonly ratePerS?: number;
  readonly district: string;
  /** Keeps the sensors of one run apart from those of another. */
  readonly prefix: string;
  /** Other than our own: with `SENSOR` for the sensor's id, and 1000000000000 where its time stands. */
  readonly shape?: { readonly topic: string; readonly payload: string };
};

export type LoadResult = {
  readonly acked: number;
  readonly seconds: number;
  readonly ackedPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly sensors: number;
};

type Connection = {
  readonly socket: Socket;
  readonly packet: Buffer;
  readonly timeAt: number;
  readonly idAt: number;
  readonly sentAt: Float64Array;
  nextId: number;
  outstanding: number;
  measuredAt: number;
  ready: boolean;
  rest: number[];
};

const TIME_DIGITS = 13;
const NATIVE = {
  topic: "city/DISTRICT/air/SENSOR",
  payload: `{"measuredAt":1000000000000,"pm25":12.4,"no2":31.5,"o3":48.2,"temperature":17.3,"battery":87}`,
};

function readingPacket(options: LoadOptions, index: number): { packet: Buffer; timeAt: number; idAt: number } {
  const { topic: name, payload: text } = options.shape ?? NATIVE;
  const of = (template: string) =>
    template.replaceAll("SENSOR", `${options.prefix}-${index}`).replaceAll("DISTRICT", options.district);
  const [topic, payload] = [of(name), of(text)];
  const packet = generate({ cmd: "publish", topic, payload, qos: 1, messageId: 1, dup: false, retain: false });
  return { packet, timeAt: packet.indexOf("1000000000000"), idAt: packet.indexOf(topic) + topic.length };
}

function openConnection(
  options: LoadOptions,
  index: number,
  onAck: (ms: number, connection: Connection) => void,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: options.host, port: options.port, noDelay: true });
    const connection: Connection = {
      socket,
      ...readingPacket(options, index),
      sentAt: new Float64Array(65_536),
      nextId: 1,
      outstanding: 0,
      measuredAt: Date.now() - HOUR_MS,
      ready: false,
      rest: [],
    };
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      if (!connection.ready) {
        if (chunk[0] !== 0x20 || chunk[3] !== 0) return reject(new Error(`refused: ${chunk.toString("hex")}`));
        connection.ready = true;
        return resolve(connection);
      }
      readAcks(connection, chunk, onAck);
    });
    const { username, password } = options.credentials[index % options.credentials.length]!;
    socket.write(
      generate({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: true,
        clientId: `${username}-${index}`,
        keepalive: 120,
        username,
        password: Buffer.from(password),
      }),
    );
  });
}

/** PUBACK is 0x40 0x02 and the packet id; a chunk may end in the middle of one. */
function readAcks(connection: Connection, chunk: Buffer, onAck: (ms: number, connection: Connection) => void): void {
  const bytes = connection.rest.length > 0 ? Buffer.concat([Buffer.from(connection.rest), chunk]) : chunk;
  const now = performance.now();
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) onAck(now - connection.sentAt[bytes.readUInt16BE(at + 2)]!, connection);
  connection.rest = [...bytes.subarray(at)];
}

function sendReadings(connection: Connection, count: number): void {
  const { packet, timeAt, idAt } = connection;
  const out = Buffer.allocUnsafe(packet.length * count);
  const now = performance.now();
  for (let i = 0; i < count; i += 1) {
    connection.nextId = connection.nextId === 65_535 ? 1 : connection.nextId + 1;
    connection.measuredAt += 1;
    packet.writeUInt16BE(connection.nextId, idAt);
    packet.write(String(connection.measuredAt), timeAt, TIME_DIGITS, "latin1");
    connection.sentAt[connection.nextId] = now;
    packet.copy(out, i * packet.length);
  }
  connection.outstanding += count;
  connection.socket.write(out);
}

async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  let acked = 0;
  let sending = true;
  const onAck = (ms: number, connection: Connection) => {
    acked += 1;
    connection.outstanding -= 1;
    if (acked % 16 === 0 || options.ratePerS) latencies.push(ms);
    // Refill by the half window: fewer, larger writes, as a busy gateway would.
    if (sending && !options.ratePerS && connection.outstanding <= options.inFlight / 2)
      sendReadings(connection, options.inFlight - connection.outstanding);
  };
  const connections = await Promise.all(
    Array.from({ length: options.connections }, (_, index) => openConnection(options, index, onAck)),
  );
  const startedAt = performance.now();
  if (options.ratePerS) await pace(connections, options.ratePerS, options.durationMs);
  else {
    for (const connection of connections) sendReadings(connection, options.inFlight);
    await delay(options.durationMs);
  }
  sending = false;
  while (connections.some(({ outstanding }) => outstanding > 0)) await delay(2);
  const seconds = (performance.now() - startedAt) / 1000;
  for (const { socket } of connections) socket.destroy();
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? 0;
  return {
    acked,
    seconds,
    ackedPerS: acked / seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    sensors: connections.length,
  };
}

/** Open loop: what is due is sent, whatever has come back. */
async function pace(connections: readonly Connection[], ratePerS: number, durationMs: number): Promise<void> {
  const startedAt = performance.now();
  let sent = 0;
  for (;;) {
    const elapsed = performance.now() - startedAt;
    if (elapsed >= durationMs) return;
    const due = Math.floor((elapsed / 1000) * ratePerS);
    for (; sent < due; sent += 1) sendReadings(connections[sent % connections.length]!, 1);
    await delay(1);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (process.send) {
  process.once("message", (options) => {
    runLoad(options as LoadOptions).then(
      (result) => process.send!({ result }, () => process.exit(0)),
      (error: Error) => process.send!({ error: error.message }, () => process.exit(1)),
    );
  });
}
