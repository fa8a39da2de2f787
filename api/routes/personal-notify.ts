import { z } from "zod";
import {
  BrowserBody,
  type BrowserView,
  NewBrowser,
  PersonalNotifyBody,
  type PersonalNotifyView,
  PersonalWishes,
  TestedBody,
} from "../../contract/personal-notify.ts";
import {
  type PushSubscription,
  personalTargets,
  SUBSCRIPTIONS_MAX,
  SUBSCRIPTIONS_OF_ALL_MAX,
} from "../../model/push.ts";
import type { Api, Parts } from "../api.ts";
import { refuseUnknown } from "../known-names.ts";
import { renewPersonalTargets, wishesOf } from "../personal-targets.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";

const tags = ["session"];
/** Of one person: a test asks others for work. */
const TESTS_PER_MINUTE = 6;

const read = {
  tags,
  summary: "How you want to be told of alerts yourself, and your browsers",
  response: answers({ 200: PersonalNotifyBody }),
};
const change = {
  tags,
  summary: "Say of which alerts you want to be told, when and how",
  description:
    "By browser push and by mail. Critical alerts do not wait for the end of quiet hours; onCall: false is silence. Whoever heard of a beginning hears of its end.",
  body: PersonalWishes,
  response: answers({ 200: PersonalNotifyBody }, 413, 415),
};
const test = {
  tags,
  summary: "Tell yourself a made-up alert now",
  body: z.strictObject({}).nullish(),
  response: answers({ 200: TestedBody }, 409, 413, 415),
};
const add = {
  tags,
  summary: "Set this browser up for push: what its PushManager answered",
  body: NewBrowser,
  response: answers({ 201: BrowserBody }, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Forget one of your browsers",
  params: z.object({ id: z.coerce.number().int() }),
  response: answers({ 204: z.undefined() }, 404),
};

/** How each person is told: their own targets, which nobody else sees or changes. */
export function addPersonalNotify(app: Api, parts: Parts): void {
  const { records, auth, now, notifications } = parts;
  const tests = new Map<string, number[]>();
  // Their rows go with the account by themselves; what waits for them does not.
  records.credentials.onChange(({ name, credential }) => {
    if (credential) return;
    for (const id of Object.values(personalTargets(name))) records.targets.remove(id);
  });

  app.get("/session/notifications", { schema: read }, async (request) => view(parts, auth.account(request).name));

  app.put("/session/notifications", { schema: change }, async (request) => {
    const [wishes, account] = [request.body, auth.account(request).name];
    const { districts = [], mail, quietHours } = wishes;
    refuseUnknown(parts, [{ what: "district", pointer: "/districts", names: districts }]);
    if (mail !== undefined && notifications.check({ type: "email" }) !== undefined)
      throw invalid("/mail", "This service cannot send mails: no mail server is set up.");
    if (quietHours && quietHours.from === quietHours.to)
      throw invalid("/quietHours/to", "From a time to the same time is a whole day; switch off being on call instead.");
    records.transaction(() => {
      records.push.wish(account, wishes);
      renewPersonalTargets(parts, account);
      const ways = [wishes.push && "push", mail && `mail to ${mail}`].filter(Boolean).join(", ") || "nothing";
      const detail = `${ways}${wishes.onCall ? "" : ", not on call"}`;
      records.audit.add({ at: now(), by: account, what: "user.notify", target: account, detail });
    });
    return view(parts, account);
  });

  app.post("/session/notifications/test", { schema: test }, async (request) => {
    const account = auth.account(request).name;
    const recent = (tests.get(account) ?? []).filter((at) => Math.abs(now() - at) < 60_000);
    if (recent.length >= TESTS_PER_MINUTE)
      throw new ProblemError("rate-limited", "That were many tests: wait a minute.", { retryAfterS: 60 });
    tests.set(account, [...recent, now()]);
    const ids = personalTargets(account);
    const [push, mail] = await Promise.all([notifications.test(ids.push), notifications.test(ids.mail)]);
    if (!push && !mail) throw new ProblemError("conflict", "Set up a browser or a mail address first.");
    const said = (result: typeof push) =>
      result && ("sent" in result ? { sent: true } : { sent: false, error: result.error });
    return { ...(push && { push: said(push) }), ...(mail && { mail: said(mail) }) };
  });

  app.post("/session/browsers", { schema: add }, async (request, reply) => {
    const [{ endpoint, keys, label }, account] = [request.body, auth.account(request).name];
    const why = notifications.check({ type: "push", url: endpoint });
    if (why !== undefined) throw invalid("/endpoint", `${why}.`);
    if (Buffer.from(keys.p256dh, "base64url").length !== 65 || Buffer.from(keys.auth, "base64url").length !== 16)
      throw invalid("/keys", "These are no keys of a browser.");
    const others = records.push.list(account).filter((one) => one.endpoint !== endpoint);
    if (others.length >= SUBSCRIPTIONS_MAX)
      throw new ProblemError("conflict", `You have ${SUBSCRIPTIONS_MAX} browsers already: remove one first.`);
    if (records.push.count() >= SUBSCRIPTIONS_OF_ALL_MAX)
      throw new ProblemError("conflict", "This service has as many browsers as it can take.");
    const browser = { account, endpoint, keys, label, createdAt: now() };
    const id = records.transaction(() => {
      const added = records.push.add(browser);
      renewPersonalTargets(parts, account);
      const detail = new URL(endpoint).host;
      records.audit.add({ at: now(), by: account, what: "push.add", target: account, detail });
      return added;
    });
    return reply.code(201).send(viewBrowser({ ...browser, id }));
  });

  app.delete("/session/browsers/:id", { schema: remove }, async (request, reply) => {
    const [{ id }, account] = [request.params, auth.account(request).name];
    records.transaction(() => {
      if (!records.push.remove(account, id)) throw notFound("browser", String(id));
      renewPersonalTargets(parts, account);
      records.audit.add({ at: now(), by: account, what: "push.remove", target: account });
    });
    return reply.code(204).send();
  });
}

function view(parts: Pick<Parts, "records" | "notifications">, account: string): PersonalNotifyView {
  const { records, notifications } = parts;
  const ids = personalTargets(account);
  return {
    wishes: wishesOf(parts, account),
    browsers: records.push.list(account).map(viewBrowser),
    publicKey: records.push.publicKey(),
    canMail: notifications.check({ type: "email" }) === undefined,
    state: { push: stateOf(parts, ids.push), mail: stateOf(parts, ids.mail) },
  };
}

function stateOf({ records }: Pick<Parts, "records">, id: string): PersonalNotifyView["state"]["push"] {
  if (!records.targets.get(id)) return undefined;
  const { lastSentAt, lastError, lastErrorAt } = records.targets.state(id);
  return {
    ...(lastSentAt === undefined ? {} : { lastSentAt: iso(lastSentAt) }),
    ...(lastError === undefined ? {} : { lastError }),
    ...(lastErrorAt === undefined ? {} : { lastErrorAt: iso(lastErrorAt) }),
  };
}

function viewBrowser({ id, label, endpoint, createdAt }: PushSubscription): BrowserView {
  return { id, label, service: new URL(endpoint).host, createdAt: iso(createdAt) };
}

const iso = (time: number) => new Date(time).toISOString();
