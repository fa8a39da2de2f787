import { setImmediate as immediate } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type NewMessage, PAYLOAD_BYTES_MAX, READINGS_PER_MESSAGE_MAX } from "../../model/message.ts";
import type { Account } from "../../model/people.ts";
import { createReceiptTimes } from "../../model/receipt-times.ts";
import type { Api, Parts } from "../api.ts";
import type { Door, DoorOutcome } from "../deps.ts";
import { DOORS } from "../permissions.ts";
import { ProblemError } from "../problems.ts";
import { createReadingRates } from "./readings.ts";

type Params = { readonly mapping?: string; readonly "*"?: string };
type Query = Readonly<Record<string, string | undefined>>;

/** Of one sending, as it comes and unpacked: what is taken apart stands before others only piece by piece. */
const BODY_BYTES_MAX = 1_048_576;
const SENDERS = new Set(["device", "gateway", "operator", "admin"]);
/** Said of themselves by what is not written as its format wants it. */
const UNREADABLE = new Set(["malformed_json", "malformed_reading", "personal_data"]);

/**
 * The doors for senders that cannot speak as we would like: `POST /in/<mapping>`, and InfluxDB's two. What comes is
 * journalled as it is, and answered, when it is on disk, as its sender expects: a sender that is told "no" for what will
 * never be better sends it again for ever, or gives up on us. What no mapping takes is in quarantine.
 */
export function addDoors(app: Api, parts: Parts): void {
  const { auth, mappings, now } = parts;
  const rates = createReadingRates(parts);
  const receiptOf = createReceiptTimes(now);
  const accounts = new WeakMap<FastifyRequest, Account>();
  // Whatever its type says: it is read as its mapping says.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  const doorOf = (request: FastifyRequest): Door => {
    const { mapping } = request.params as Params;
    const query = request.query as Query;
    const id = mapping ?? query.bucket ?? query.db ?? "";
    const door = mappings.door(id);
    if (door) return door;
    throw new ProblemError(
      "not-found",
      `There is no mapping "${id.slice(0, 64)}": a bucket, database or address names one.`,
    );
  };

  /** Before the body is read: it costs more to read than to refuse. */
  const onRequest = async (request: FastifyRequest) => {
    const secret = secretOf(request, mappings.door((request.params as Params).mapping ?? "")?.header);
    const { account } = auth.ofToken(request, secret.password);
    if (secret.name !== undefined && secret.name !== account.name)
      throw new ProblemError("unauthenticated", "The name and the password are not of one account.");
    accounts.set(request, account);
    const door = doorOf(request);
    if (!SENDERS.has(account.role))
      throw new ProblemError("forbidden", `The role of ${account.name} sends no readings.`);
    if (account.role === "gateway" && !account.accepts?.some((one) => one.mapping === door.id))
      throw new ProblemError("forbidden", `${account.name} was not given the mapping ${door.id} (accepts).`);
    rates.check(account);
  };

  const options = { onRequest, bodyLimit: BODY_BYTES_MAX, schema: { hide: true } as never };
  const take = async (request: FastifyRequest, reply: FastifyReply) => {
    const door = doorOf(request);
    const account = accounts.get(request)!;
    const body = unpacked(request, door);
    const about = { headers: headersOf(request), query: request.query as Query, path: (request.params as Params)["*"] };
    const pieces = door.cut(body);
    if (!pieces) throw tooLarge(body.byteLength);
    const source = { via: "http", role: account.role, name: account.name } as const;
    const topic = door.topic(about);
    const messages: NewMessage[] = [];
    const outcomes: DoorOutcome[] = [];
    for (const payload of pieces) {
      const receivedAt = receiptOf(topic);
      messages.push({ receivedAt, source, topic, payload });
      outcomes.push(...door.look(topic, payload, receivedAt));
      await immediate();
    }
    rates.charge(account, Math.max(1, outcomes.length));
    if (messages.length > 0) await parts.submit(messages);
    return answer(request, reply, door, outcomes);
  };

  for (const path of DOORS) app.post(path, options, take);
  // What InfluxDB's clients ask first.
  app.get("/ping", { schema: { hide: true } as never }, async (_request, reply) =>
    reply.code(204).header("x-influxdb-version", "lamppost").send(),
  );
}

/** A bearer, InfluxDB's `Token`, a Basic password, what stands in the header that the mapping names, or InfluxDB 1's query. */
function secretOf(request: FastifyRequest, header: string | undefined): { name?: string; password: string } {
  const { headers } = request;
  const own = header === undefined ? undefined : headers[header];
  if (typeof own === "string") return { password: own.replace(/^(?:Bearer|Token)\s+/i, "") };
  const [, scheme = "", value = ""] = /^(\w+)\s+(\S{1,1024})$/.exec(headers.authorization ?? "") ?? [];
  if (/^(?:bearer|token)$/i.test(scheme)) {
    // InfluxDB 1 clients write both into a token.
    const [name, password] = value.includes(":") ? value.split(/:(.*)/s) : [undefined, value];
    return { ...(name !== undefined && { name }), password: password ?? "" };
  }
  if (/^basic$/i.test(scheme)) {
    const [name = "", password = ""] = Buffer.from(value, "base64").toString().split(/:(.*)/s);
    return { name, password };
  }
  const { u, p } = request.query as Query;
  if (typeof p === "string") return { ...(typeof u === "string" && { name: u }), password: p };
  throw new ProblemError(
    "unauthenticated",
    "Send the secret as bearer, Basic password or in the header that the mapping names.",
  );
}

function headersOf({ headers }: FastifyRequest): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()[0]]));
}

const tooLarge = (bytes: number) =>
  new ProblemError(
    "too-large",
    `${bytes} bytes cannot be cut into messages of ${PAYLOAD_BYTES_MAX} bytes and ${READINGS_PER_MESSAGE_MAX} readings: send less at a time.`,
  );

function unpacked(request: FastifyRequest, door: Door): Buffer {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const type = String(request.headers["content-type"] ?? "");
  if (door.format === "prometheus" && /proto=io\.prometheus\.write\.v2/i.test(type)) {
    const detail = "Remote write 2.0 is not read; send application/x-protobuf;proto=prometheus.WriteRequest (1.0).";
    throw new ProblemError("unsupported-media-type", detail);
  }
  const encoding = String(request.headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding === "identity") return body;
  if (encoding === "gzip") {
    try {
      return gunzipSync(body, { maxOutputLength: BODY_BYTES_MAX });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(BODY_BYTES_MAX + 1);
      throw new ProblemError("invalid-request", "The body is not valid gzip.");
    }
  }
  if (encoding !== "snappy") throw new ProblemError("unsupported-media-type", "Bodies are plain, gzip or snappy.");
  const plain = door.uncompress(body, BODY_BYTES_MAX);
  if (!plain) throw new ProblemError("invalid-request", "The body is not a snappy block of at most 1 MiB.");
  return Buffer.from(plain.buffer as ArrayBuffer, plain.byteOffset, plain.byteLength);
}

/** In the words of each sender's own protocol. */
function answer(request: FastifyRequest, reply: FastifyReply, door: Door, outcomes: readonly DoorOutcome[]) {
  const wrong = outcomes.filter(({ reason }) => reason !== undefined && UNREADABLE.has(reason));
  const isArray = door.format === "sensorthings" && outcomes.length > 0 && door.isList(request.body as Buffer);
  if (isArray)
    return reply.code(201).send(outcomes.map((one) => (one.reason === undefined ? addressOf(request, one) : "error")));
  const isUnreadable = wrong.length > 0 && (wrong.length === outcomes.length || door.format === "line-protocol");
  if (!isUnreadable) {
    reply.code(door.answer);
    if (door.format === "sensorthings" && outcomes[0]) reply.header("location", addressOf(request, outcomes[0]));
    return door.answer === 204 ? reply.send() : reply.send({ accepted: outcomes.length });
  }
  const detail = wrong[0]!.detail ?? "";
  switch (door.format) {
    case "line-protocol": {
      const words = `partial write: ${detail} dropped=${wrong.length}`;
      const isV1 = request.routeOptions.url === "/write";
      return reply.code(400).send(isV1 ? { error: words } : { code: "invalid", message: words });
    }
    case "ngsi-ld": {
      const type = "https://uri.etsi.org/ngsi-ld/errors/BadRequestData";
      return reply.code(400).send({ type, title: "The notification cannot be read", detail });
    }
    case "ngsi-v2":
      return reply.code(400).send({ error: "BadRequest", description: detail });
    case "prometheus":
      return reply.code(400).type("text/plain").send(detail);
    default:
      throw new ProblemError("invalid-request", detail);
  }
}

function addressOf(request: FastifyRequest, { sensorId = "", measuredAt }: DoorOutcome): string {
  const at = measuredAt === undefined ? "" : `?from=${encodeURIComponent(measuredAt)}`;
  return `${request.protocol}://${request.host}/api/v1/sensors/${sensorId}/readings${at}`;
}
