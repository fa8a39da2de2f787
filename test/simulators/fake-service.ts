import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { Aedes } from "aedes";

type Sums = {
  received: number;
  stored: number;
  duplicate: number;
  quarantined: number;
  reasons: Record<string, number>;
};
export type Seen = {
  readonly client: string;
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
};

const noValues = { taken: 0, suspect: 0, missing: 0, refused: 0, repeated: 0 };
const noSums = { received: 0, stored: 0, duplicate: 0, quarantined: 0, shed: 0, lost: 0 };

/**
 * As much of the service as its clients need: the routes of the contract with real status codes, and a real MQTT broker
 * behind the passwords it gave out. Books by the same rules, without keeping anything.
 */
export async function startFakeService() {
  const logins = new Map<string, { password: string; body: Record<string, unknown> }>();
  const sums = new Map<string, Sums>();
  const known = new Map<string, string>();
  const latest = new Map<string, string>();
  const seen: Seen[] = [];
  const removed: string[] = [];
  const listeners = new Set<() => void>();
  const knobs = {
    ackDelayMs: 0,
    alerts: [] as object[],
    inJournal: 0,
    balanced: true,
    /** What the InfluxDB behind it keeps by itself; undefined is an older service, which does not say. */
    keepsMs: undefined as number | undefined,
    forget: (_topic: string) => false,
    /** Sensors without a good reading yet: what they send is booked under no sensor. */
    unregistered: new Set<string>(),
    /** Paths that are answered by a 500, once for each time they stand here. */
    failing: [] as string[],
    /** So many questions about readings are answered by a 503. */
    storeAway: 0,
    /** What `/metrics` says, one answer after the other; the last one stays. */
    metrics: ['lamppost_consumer_lag_messages{consumer="alerts"} 0'],
  };
  let passwords = 0;
  let refuse: ((topic: string) => boolean) | undefined;

  const broker = await Aedes.createBroker();
  broker.authenticate = (client, username, password, done) => {
    const login = logins.get(String(username));
    const ok = login?.password === String(password) && client.id.startsWith(String(username));
    done(ok ? null : Object.assign(new Error("bad user name or password"), { returnCode: 4 as never }), ok);
  };
  broker.authorizePublish = (client, packet, done) => {
    if (refuse?.(packet.topic)) return done(new Error("refused"));
    setTimeout(() => {
      seen.push({
        client: client?.id ?? "",
        topic: packet.topic,
        payload: packet.payload.toString(),
        retain: packet.retain,
      });
      if (!knobs.forget(packet.topic)) book(packet.topic, packet.payload.toString());
      for (const listener of listeners) listener();
      done();
    }, knobs.ackDelayMs);
  };
  const sockets = new Set<Socket>();
  const tcp = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    broker.handle(socket);
  });
  await new Promise<void>((done) => tcp.listen(0, "127.0.0.1", done));

  function book(topic: string, payload: string) {
    const [first, , , named = "", status] = topic.split("/");
    if (status) return;
    const sensorId = knobs.unregistered.has(named) ? "" : named;
    const mine = sums.get(sensorId) ?? { received: 0, stored: 0, duplicate: 0, quarantined: 0, reasons: {} };
    sums.set(sensorId, mine);
    const quarantine = (reason: string) => {
      mine.quarantined += 1;
      mine.reasons[reason] = (mine.reasons[reason] ?? 0) + 1;
    };
    let items: Record<string, unknown>[];
    try {
      const value = JSON.parse(payload);
      items = Array.isArray(value) ? value : [value];
    } catch {
      mine.received += 1;
      return quarantine("malformed_json");
    }
    for (const item of items) {
      mine.received += 1;
      const { measuredAt, ...values } = item;
      const key = `${sensorId} ${measuredAt}`;
      if (Number.isNaN(Date.parse(String(measuredAt)))) quarantine("bad_timestamp");
      else if (Object.values(values).some((value) => typeof value === "string")) quarantine("wrong_type");
      else if (first !== "import" && Object.values(values).every((value) => value === null)) quarantine("no_values");
      else if (known.get(key) === JSON.stringify(values)) mine.duplicate += 1;
      else if (known.has(key)) quarantine("conflict");
      else {
        mine.stored += 1;
        known.set(key, JSON.stringify(values));
        if (String(measuredAt) > (latest.get(sensorId) ?? "")) latest.set(sensorId, String(measuredAt));
      }
    }
  }

  function answer(request: IncomingMessage, body: Record<string, unknown>): [number, unknown] {
    const url = new URL(request.url!, "http://x");
    if (url.pathname === "/readyz")
      return [200, { ready: true, parts: [{ part: "journal", state: "ok", ready: true }] }];
    if (request.headers.authorization !== "Bearer secret")
      return [401, { title: "Unauthorized", detail: "Wrong token." }];
    const failing = knobs.failing.indexOf(url.pathname);
    if (failing >= 0) {
      knobs.failing.splice(failing, 1);
      return [500, { title: "Internal Server Error" }];
    }
    const [, noun, id] = /^\/api\/v1\/(devices|gateways|users)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (noun && request.method === "POST") {
      const name = String(body.sensorId ?? body.name);
      if (logins.has(name)) return [409, { title: "Conflict", detail: `The name "${name}" is taken.` }];
      const password = `password-${++passwords}`;
      logins.set(name, { password, body: { ...body, noun } });
      return [201, { username: name, password }];
    }
    if (noun && request.method === "DELETE") {
      removed.push(id!);
      return logins.delete(id!) ? [204, undefined] : [404, { title: "Not Found" }];
    }
    if (noun) {
      const rows = [...logins].filter(([, login]) => login.body.noun === noun);
      return [
        200,
        {
          items: rows.map(
            ([
              username,
              {
                body: { noun: _, ...rest },
              },
            ]) => ({ username, ...rest }),
          ),
        },
      ];
    }
    if (url.pathname === "/api/v1/ledger") {
      const sensors = [...sums].map(([sensorId, rest]) => ({ sensorId, ...rest, balanced: true }));
      return [
        200,
        {
          inJournal: knobs.inJournal,
          balanced: knobs.balanced,
          ...noSums,
          reasons: {},
          values: noValues,
          days: [],
          sensors,
        },
      ];
    }
    if (url.pathname === "/api/v1/store" && knobs.keepsMs !== undefined)
      return [200, { store: "influxdb", place: "influxdb", keepsMs: knobs.keepsMs, findings: [] }];
    if (url.pathname === "/api/v1/alerts")
      return [200, { items: url.searchParams.get("mode") === "history" ? [] : knobs.alerts }];
    if (url.pathname === "/api/v1/readings/latest" && knobs.storeAway > 0) {
      knobs.storeAway -= 1;
      return [503, { title: "Store unavailable", detail: "The store is away." }];
    }
    if (url.pathname === "/api/v1/readings/latest")
      return [200, { items: [...latest].map(([sensorId, measuredAt]) => ({ sensorId, measuredAt })) }];
    if (url.pathname === "/metrics")
      return [200, `${knobs.metrics.length > 1 ? knobs.metrics.shift() : knobs.metrics[0]}\n`];
    return [404, { title: "Not Found" }];
  }

  const http = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const [status, value] = answer(request, text ? JSON.parse(text) : {});
    response.writeHead(status, { "content-type": "application/json" });
    response.end(value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));
  });
  await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
  const port = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

  return {
    http: `http://127.0.0.1:${port(http)}`,
    mqtt: `mqtt://127.0.0.1:${port(tcp)}`,
    token: "secret",
    logins,
    sums,
    seen,
    removed,
    knobs,
    latest,
    cutConnections() {
      for (const socket of sockets) socket.destroy();
    },
    refuseTopics(test: typeof refuse) {
      refuse = test;
    },
    /** Resolves when what the broker has seen fulfils `test`. */
    until(test: () => boolean): Promise<void> {
      return new Promise((done) => {
        const look = () => {
          if (!test()) return;
          listeners.delete(look);
          done();
        };
        listeners.add(look);
        look();
      });
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      http.closeAllConnections();
      await Promise.all([
        new Promise((done) => tcp.close(done)),
        new Promise((done) => http.close(done)),
        new Promise<void>((done) => broker.close(done)),
      ]);
    },
  };
}

export type FakeService = Awaited<ReturnType<typeof startFakeService>>;
