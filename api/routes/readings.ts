import type { FastifyRequest } from "fastify";
import { pageOf } from "../../contract/common.ts";
import {
  AcceptedBody,
  LatestBody,
  LatestQuery,
  NewReadings,
  NewReadingsQuery,
  viewLatest,
} from "../../contract/reading.ts";
import { type NewMessage, PAYLOAD_BYTES_MAX } from "../../model/message.ts";
import type { Account } from "../../model/people.ts";
import { explainRetired, wrongPlace } from "../../model/place.ts";
import { createByKey, newBucket, spend, waitMs } from "../../model/rate-limit.ts";
import { createReceiptTimes } from "../../model/receipt-times.ts";
import type { Reason } from "../../model/rejection.ts";
import { formatSpan } from "../../model/time.ts";
import { type ReadingTopic, readingTopic } from "../../model/topics.ts";
import type { Records } from "../../store/records.ts";
import type { Api, Parts } from "../api.ts";
import type { ApiDeps } from "../deps.ts";
import { answers, type Mistake, ProblemError } from "../problems.ts";
import { inZone, parseZone, timeWriter } from "../time-range.ts";
import { pointerOf } from "../validation.ts";

const ACCOUNTS_MAX = 100_000;

const tags = ["readings"];

const post = {
  tags,
  summary: "Send one reading or up to 500",
  description:
    "202 means kept on disk. Each value is judged alone: what is refused is named with its reason, and the rest of its reading is taken. If nothing of any reading can be taken, the answer is 422; what a registered sensor said is in the quarantine then. History that the database would remove at once (a retention of its own) is refused as a whole, too. Sending the same reading again is harmless.",
  querystring: NewReadingsQuery,
  body: NewReadings,
  response: answers({ 202: AcceptedBody }, 413, 415, 422, 503),
};

const latestOf = {
  tags,
  summary: "The newest reading of every sensor",
  description: "And the newest value of every metric that came before it: `earlier`. Without sensors off the register.",
  querystring: LatestQuery,
  response: answers({ 200: pageOf(LatestBody) }, 503),
};

/** What each account may send: an array counts as many readings as it has. */
export function createReadingRates({ limits, now }: Pick<Parts, "limits" | "now">) {
  const { device, gateway } = limits.readingRates;
  const ofDevice = createByKey(ACCOUNTS_MAX, () => newBucket(device, now()));
  const ofOthers = createByKey(ACCOUNTS_MAX, () => newBucket(gateway, now()));
  const bucketOf = ({ role, name }: Account) => (role === "device" ? ofDevice : ofOthers)(name);

  return {
    /** Throws a problem where an account has sent more than it may. */
    check(account: Account): void {
      const bucket = bucketOf(account);
      const wait = waitMs(bucket, now());
      if (wait === 0) return;
      const setting = `LAMPPOST_${account.role === "device" ? "DEVICE" : "GATEWAY"}_READINGS_PER_S`;
      const detail = `${account.name} may send ${bucket.limit.perSecond} readings a second (${setting}).`;
      throw new ProblemError("rate-limited", detail, { retryAfterS: Math.ceil(wait / 1_000) });
    },
    charge: (account: Account, readings: number) => spend(bucketOf(account), readings),
  };
}

export function addReadings(app: Api, parts: Parts): void {
  const { auth, latest, limits } = parts;
  const rates = createReadingRates(parts);
  const receiptOf = createReceiptTimes(parts.now);
  // Before the body is read: to parse it costs more than to refuse it.
  const onRequest = async (request: FastifyRequest) => rates.check(auth.account(request));
  app.post("/readings", { schema: post, bodyLimit: limits.readingsBodyBytesMax, onRequest }, async (request, reply) => {
    const imported = request.query.import === "true";
    const posted = readBody(request.body, imported);
    const account = auth.account(request);
    rates.charge(account, posted.length);
    checkSender(account, posted, imported);
    const receivedAt = parts.now();
    if (imported) checkHistory(parts.check, parts.store.limits?.known()?.keepsMs, posted, receivedAt);
    const { rejected, ignored } = findRejections(
      { check: parts.check, sensors: parts.records.sensors },
      account,
      posted,
      receivedAt,
    );
    const refused = rejected.filter(({ metric }) => metric === undefined).length;
    if (refused === posted.length) {
      const said = imported ? [] : saidBySensors(parts.records.sensors, posted, rejected);
      if (said.length > 0) await parts.submit(toMessages(account, said, receiptOf));
      throw new ProblemError("readings-refused", rejected[0]?.detail, { errors: rejected });
    }
    await parts.submit(toMessages(account, posted, receiptOf));
    const accepted = posted.length - refused;
    return reply.code(202).send({ accepted, rejected, ...(ignored.length > 0 && { ignored }) });
  });

  app.get("/readings/latest", { schema: latestOf }, async (request) => {
    const { limit, cursor, zone, ...filter } = request.query;
    const write = timeWriter(parseZone(zone));
    const page = await latest.page(filter, limit, cursor);
    return { ...page, items: page.items.map((one) => inZone(viewLatest(one), write)) };
  });
}

/** A reading as it was posted, with the place it goes to and the place in the body it came from. */
export type Posted = { readonly at: ReadingTopic; readonly value: Record<string, unknown>; readonly pointer: string };

type Body = { sensorId: string; kind: ReadingTopic["kind"]; district: string; [key: string]: unknown };

/** `body` is one reading or an array of them. */
export function readBody(body: Body | readonly Body[], imported: boolean): Posted[] {
  const single = !Array.isArray(body);
  return (single ? [body as Body] : (body as readonly Body[])).map(({ sensorId, kind, district, ...value }, index) => ({
    at: { sensorId, kind, district, imported },
    value,
    pointer: single ? "" : pointerOf([index]),
  }));
}

/** The same right as over MQTT: a device speaks for itself, a gateway for its districts. */
export function checkSender(account: Account, posted: readonly Posted[], imported: boolean): void {
  if (imported && !(account.role === "admin" || (account.role === "gateway" && account.mayImport))) {
    throw new ProblemError("forbidden", "Importing needs a gateway with the import right, or an admin.");
  }
  const foreign = posted.filter(({ at }) => !maySend(account, at));
  if (foreign.length === 0) return;
  const errors = foreign.slice(0, 20).map(({ at, pointer }) => {
    return { pointer, detail: `${account.name} may not send for ${at.sensorId} in ${at.district}.` };
  });
  throw new ProblemError("forbidden", errors[0]?.detail, { errors });
}

function maySend(account: Account, at: ReadingTopic): boolean {
  if (account.role === "gateway") return account.districts.includes(at.district);
  if (account.role !== "device") return true;
  if (account.sensorId !== at.sensorId || account.kind !== at.kind) return false;
  // Where it stood before it is told where to send to.
  return account.district === at.district || account.former?.includes(at.district) === true;
}

type Refusal = Required<Mistake> & { readonly metric?: string };

const IGNORED_SHOWN = 20;

/** What the worker will say to each, so that the sender hears it at once: of whole readings, and of single values. */
export function findRejections(
  deps: { check: ApiDeps["check"]; sensors: Pick<Records["sensors"], "get" | "retired"> },
  account: Account,
  posted: readonly Posted[],
  receivedAt: number,
): { readonly rejected: Refusal[]; readonly ignored: Mistake[] } {
  const rejected: Refusal[] = [];
  const ignored: Mistake[] = [];
  for (const { at, value, pointer } of posted) {
    const checked = deps.check(at, value, receivedAt);
    const fault = "reason" in checked ? checked : checkRegistered(deps.sensors, account, at, receivedAt);
    if (fault) rejected.push({ pointer, reason: fault.reason, detail: fault.detail });
    if (fault || "reason" in checked) continue;
    for (const { metric, reason, detail } of checked.refused) {
      rejected.push({ pointer: `${pointer}/${metric}`, reason, detail, metric });
    }
    for (const { name, detail } of checked.ignored) {
      if (ignored.length < IGNORED_SHOWN) ignored.push({ pointer: pointer + pointerOf([name]), detail });
    }
  }
  return { rejected, ignored };
}

/** What a sensor that is known says wrongly by itself: a clock that is ahead, values of another unit. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  "wrong_type",
  "out_of_range",
  "no_values",
  "bad_timestamp",
  "future",
  "too_late",
] satisfies Reason[]);

/** Of refused readings those that go to the quarantine all the same: who talks, and is refused, is not silent. */
function saidBySensors(
  sensors: Pick<Records["sensors"], "get">,
  posted: readonly Posted[],
  rejected: readonly Refusal[],
): Posted[] {
  const own = new Set(rejected.filter(({ reason }) => OWN_FAULTS.has(reason)).map(({ pointer }) => pointer));
  return posted.filter(
    ({ at, value, pointer }) =>
      own.has(pointer) &&
      sensors.get(at.sensorId) !== undefined &&
      Buffer.byteLength(JSON.stringify(value)) <= PAYLOAD_BYTES_MAX,
  );
}

/**
 * A database with a retention of its own takes nothing that was measured before it: history with such readings is refused
 * before any of it is kept. `keepsMs`: how long it keeps what was measured; undefined is for ever.
 */
export function checkHistory(
  check: ApiDeps["check"],
  keepsMs: number | undefined,
  posted: readonly Posted[],
  receivedAt: number,
): void {
  if (keepsMs === undefined) return;
  const errors = posted.flatMap(({ at, value, pointer }) => {
    const checked = check(at, value, receivedAt);
    if (!("ok" in checked) || checked.measuredAt >= receivedAt - keepsMs) return [];
    const measured = new Date(checked.measuredAt).toISOString();
    const detail = `Measured at ${measured}, and the database removes what was measured more than ${formatSpan(keepsMs)} ago: give its bucket or retention policy a longer retention, or leave this out.`;
    return [{ pointer, reason: "store_refused" satisfies Reason, detail }];
  });
  if (errors.length > 0) throw new ProblemError("readings-refused", errors[0]!.detail, { errors: errors.slice(0, 20) });
}

/** A sensor first seen through a gateway may be enrolled by the worker; others have to be known. */
function checkRegistered(
  sensors: Pick<Records["sensors"], "get" | "retired">,
  account: Account,
  at: ReadingTopic,
  receivedAt: number,
) {
  const sensor = sensors.get(at.sensorId);
  const former = sensor ? undefined : sensors.retired(at.sensorId);
  if (former) return { reason: "unknown_sensor" satisfies Reason, detail: explainRetired(former) };
  if (!sensor) {
    const detail = `${at.sensorId} is not registered: add it with POST /devices.`;
    return account.role === "gateway" ? undefined : { reason: "unknown_sensor" satisfies Reason, detail };
  }
  const detail = wrongPlace(sensor, at, receivedAt);
  return detail === undefined ? undefined : { reason: "wrong_sensor" satisfies Reason, detail };
}

/** One message for each reading, as if it had come on its own topic. Throws a problem for one that is too large. */
export function toMessages(
  account: Account,
  posted: readonly Posted[],
  receiptOf: (topic: string) => number,
): NewMessage[] {
  const role = account.role as NewMessage["source"]["role"];
  const source = { via: "http", role, name: account.name } as const;
  return posted.map(({ at, value, pointer }) => {
    const payload = Buffer.from(JSON.stringify(value, keepInfinity));
    if (payload.byteLength > PAYLOAD_BYTES_MAX) {
      const detail = `A reading has at most ${PAYLOAD_BYTES_MAX} bytes.`;
      throw new ProblemError("too-large", detail, { errors: [{ pointer, detail }] });
    }
    const topic = readingTopic(at);
    return { receivedAt: receiptOf(topic), source, topic, payload };
  });
}

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** JSON.stringify would make null of 1e400, and a refused value would become a missing one. */
function keepInfinity(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? rawJSON(value > 0 ? "1e400" : "-1e400") : value;
}
