import type { FastifyRequest } from "fastify";
import { pageOf } from "../../contract/common.ts";
import {
  AcceptedBody,
  NewReadings,
  NewReadingsQuery,
  ReadingBody,
  SensorsQuery,
  viewReading,
} from "../../contract/reading.ts";
import type { Account } from "../../model/people.ts";
import { createByKey, newBucket, spend, waitMs } from "../../model/rate-limit.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { checkHistory, checkSender, findRejections, readBody, toMessages } from "../new-messages.ts";
import { ProblemError } from "../problems.ts";

const tags = ["readings"];

const post = {
  tags,
  summary: "Send one reading or up to 500",
  description:
    "202 means kept on disk. What cannot be a reading is named with its reason; if none can, nothing is kept and the answer is 422. History that the database would remove at once (a retention of its own) is refused as a whole, too. Sending the same reading again is harmless.",
  querystring: NewReadingsQuery,
  body: NewReadings,
  response: answers({ 202: AcceptedBody }, 413, 415, 422, 503),
};

const latestOf = {
  tags,
  summary: "The newest reading of every sensor",
  querystring: SensorsQuery,
  response: answers({ 200: pageOf(ReadingBody) }, 503),
};

const ACCOUNTS_MAX = 100_000;

/** What each account may send: an array counts as many readings as it has. */
function createReadingRates({ limits, now }: Pick<Parts, "limits" | "now">) {
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
    const rejected = findRejections(
      { check: parts.check, sensors: parts.records.sensors },
      account,
      posted,
      receivedAt,
    );
    if (rejected.length === posted.length) {
      throw new ProblemError("readings-refused", rejected[0]?.detail, { errors: rejected });
    }
    await parts.submit(toMessages(account, posted, receivedAt));
    return reply.code(202).send({ accepted: posted.length - rejected.length, rejected });
  });

  app.get("/readings/latest", { schema: latestOf }, async (request) => {
    const { limit, cursor, ...filter } = request.query;
    const page = await latest.page(filter, limit, cursor);
    return { ...page, items: page.items.map(viewReading) };
  });
}
