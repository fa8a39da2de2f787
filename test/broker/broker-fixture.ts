import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import mqttPacket, { type Packet } from "mqtt-packet";
import { startBroker } from "../../broker/broker.ts";
import type { AccessEvent } from "../../broker/events.ts";
import type { BrokerOptions } from "../../broker/options.ts";
import type { BrokerPorts } from "../../broker/session.ts";
import { examineMessage } from "../../ingest/examine.ts";
import { SILENT } from "../../model/log.ts";
import type { NewMessage } from "../../model/message.ts";
import type { Account, Credential } from "../../model/people.ts";

export const SECRET = "correct horse battery staple";

export const DEVICE: Account = { role: "device", name: "no2-1", sensorId: "no2-1", district: "north", kind: "air" };
export const OTHER_DEVICE: Account = { ...DEVICE, name: "no2-2", sensorId: "no2-2" };
export const GATEWAY: Account = { role: "gateway", name: "gw", districts: ["north", "harbour"], mayImport: false };
export const IMPORTER: Account = { ...GATEWAY, name: "history", mayImport: true };
export const OPERATOR: Account = { role: "operator", name: "olga" };
export const VIEWER: Account = { role: "viewer", name: "vera" };
export const CREW: Account = { role: "crew", name: "carl" };
export const ADMIN: Account = { role: "admin", name: "ada" };
export const ACCOUNTS = [DEVICE, OTHER_DEVICE, GATEWAY, IMPORTER, OPERATOR, VIEWER, CREW, ADMIN];

export const OWN_TOPIC = "city/north/air/no2-1";

type Append = (message: NewMessage, done: (error?: Error) => void) => void;

/** A broker on a free port with a journal in RAM; `append` may be replaced while it runs. */
export async function startTestBroker(options: Partial<BrokerOptions> = {}, more: Partial<BrokerPorts> = {}) {
  const kept: NewMessage[] = [];
  const events: AccessEvent[] = [];
  const listeners: number[] = [];
  const secretHash = createHash("sha256").update(SECRET).digest("hex");
  const credentials = new Map<string, Credential>(ACCOUNTS.map((account) => [account.name, { account, secretHash }]));
  /** Senders (as `senderKey`) that are not read. */
  const held = new Set<string>();
  /** Senders that wait for the rules. */
  const ahead = new Set<string>();
  const journal: { append: Append } = {
    append(message, done) {
      kept.push({ ...message, payload: Uint8Array.from(message.payload) });
      setImmediate(done);
    },
  };
  const broker = await startBroker(
    { host: "127.0.0.1", port: 0, ...options },
    {
      credential: (name) => credentials.get(name),
      append: (message, done) => journal.append(message, done),
      onEvent: (event) => events.push(event),
      examine: examineMessage,
      isHeld: (sender) => held.has(sender),
      isAhead: (sender) => ahead.has(sender),
      onListeners: (count) => listeners.push(count),
      now: Date.now,
      log: SILENT,
      ...more,
    },
  );
  const clients: MqttClient[] = [];
  const sockets: Socket[] = [];
  const url = `mqtt://127.0.0.1:${broker.address.port}`;

  async function connect(account: Account, more: IClientOptions & { url?: string } = {}): Promise<MqttClient> {
    const { url: to = url, ...rest } = more;
    const client = await connectAsync(to, {
      username: account.name,
      password: SECRET,
      clientId: account.name,
      reconnectPeriod: 0,
      ...rest,
    });
    client.on("error", () => {});
    clients.push(client);
    return client;
  }

  /** A bare socket that speaks in packets or bytes and keeps what came back. */
  async function raw() {
    const socket = connectTcp(broker.address.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => {});
    await once(socket, "connect");
    return rawClient(socket);
  }

  async function stop(): Promise<void> {
    for (const client of clients) client.end(true);
    for (const socket of sockets) socket.destroy();
    await broker.close({ deadline: Date.now() + 300 });
  }

  return { broker, kept, events, listeners, credentials, held, ahead, journal, url, connect, raw, stop };
}

export type TestBroker = Awaited<ReturnType<typeof startTestBroker>>;

export function rawClient(socket: Socket) {
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  const packets: Packet[] = [];
  const watchers = new Set<() => void>();
  let closed = false;
  const changed = () => {
    for (const watcher of [...watchers]) watcher();
  };
  parser.on("packet", (packet) => {
    packets.push(packet);
    changed();
  });
  parser.on("error", () => {});
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => parser.parse(chunk));
  socket.on("close", () => {
    closed = true;
    changed();
  });
  /** Resolves with the packet of this sort once it has come, or undefined when the connection is closed without. */
  function next<Cmd extends Packet["cmd"]>(cmd: Cmd): Promise<Extract<Packet, { cmd: Cmd }> | undefined> {
    return new Promise((resolve) => {
      const look = () => {
        const index = packets.findIndex((packet) => packet.cmd === cmd);
        if (index < 0 && !closed) return;
        watchers.delete(look);
        resolve(index < 0 ? undefined : (packets.splice(index, 1)[0] as Extract<Packet, { cmd: Cmd }>));
      };
      watchers.add(look);
      look();
    });
  }
  const whenClosed = () =>
    closed ? Promise.resolve() : new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const send = (packet: Packet) => socket.write(mqttPacket.generate(packet));
  async function login(account: Account, more: object = {}) {
    send({
      cmd: "connect",
      clientId: account.name,
      username: account.name,
      password: SECRET,
      ...more,
    } as unknown as Packet);
    return (await next("connack"))?.returnCode;
  }
  return { socket, packets, send, next, whenClosed, login, isClosed: () => closed };
}

/** Resolves when `condition` holds: for what the broker does without telling anyone. */
export async function until(condition: () => boolean, withinMs = 60_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The value once it has not changed for a while. */
export async function untilStill<T>(read: () => T): Promise<T> {
  for (let last = read(), same = 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const value = read();
    same = JSON.stringify(value) === JSON.stringify(last) ? same + 1 : 0;
    if (same >= 10) return value;
    last = value;
  }
}
