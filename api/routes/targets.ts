import { randomBytes } from "node:crypto";
import { z } from "zod";
import { byId, pageOf, paging } from "../../contract/common.ts";
import {
  AddedTargetBody,
  ChangedTarget,
  NewTarget,
  TargetBody,
  TargetTestBody,
  type TargetView,
} from "../../contract/target.ts";
import {
  isPersonal,
  TARGETS_MAX,
  type Target,
  type TargetData,
  type TargetState,
  targetMistakes,
} from "../../model/target.ts";
import { DAY_MS } from "../../model/time.ts";
import type { Api, Parts } from "../api.ts";
import { type Given, refuseUnknown } from "../known-names.ts";
import { pageByKey } from "../paging.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";

const tags = ["targets"];
/** The old secret signs beside the new one for so long. */
const FORMER_SECRET_MS = DAY_MS;

const list = {
  tags,
  summary: "Whom alerts are told to, and how it goes",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(TargetBody) }),
};
const one = { tags, summary: "One target", params: byId, response: answers({ 200: TargetBody }, 404) };
const add = {
  tags,
  summary: "Add a target",
  description: "A webhook without a secret gets one; it is shown here and never again.",
  body: NewTarget,
  response: answers({ 201: AddedTargetBody }, 409, 413, 415),
};
const change = {
  tags,
  summary: "Replace a target",
  description:
    "url and secret stay as they are when left out. For a day, messages carry the signature of the old secret as well.",
  params: byId,
  body: ChangedTarget,
  response: answers({ 200: TargetBody }, 404, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Remove a target and all that waits for it",
  params: byId,
  response: answers({ 204: z.undefined() }, 404, 409),
};
const test = {
  tags,
  summary: "Tell it a made-up alert now",
  params: byId,
  body: z.strictObject({}).nullish(),
  response: answers({ 200: TargetTestBody }, 404, 413, 415),
};

export function addTargets(app: Api, parts: Parts): void {
  const { records, auth, now, notifications } = parts;
  const view = (target: Target, pending = records.outbox.pending()) =>
    viewTarget(target, records.targets.state(target.id), pending);

  app.get("/targets", { schema: list }, async (request) => {
    const page = pageByKey(
      records.targets.list().filter((one) => !isPersonal(one)),
      ({ id }) => id,
      request.query.limit,
      request.query.cursor,
    );
    const pending = records.outbox.pending();
    return { ...page, items: page.items.map((target) => view(target, pending)) };
  });

  app.get("/targets/:id", { schema: one }, async (request) => view(find(parts, request.params.id)));

  app.post("/targets", { schema: add }, async (request, reply) => {
    const { id = `target-${randomBytes(4).toString("hex")}`, ...data } = request.body;
    const made = data.type === "webhook" && data.secret === undefined ? { secret: newSecret() } : {};
    const target = { ...data, ...made, id, createdAt: now(), createdBy: auth.account(request).name };
    if (records.targets.get(id)) throw new ProblemError("conflict", `There is a target "${id}" already.`);
    if (records.targets.list().filter((one) => !isPersonal(one)).length >= TARGETS_MAX)
      throw new ProblemError(
        "conflict",
        `There are ${TARGETS_MAX} targets already, the most allowed: remove one first.`,
      );
    keep(parts, target, "target.add", target.createdBy);
    return reply.code(201).send({ ...view(target), ...made });
  });

  app.put("/targets/:id", { schema: change }, async (request) => {
    const former = find(parts, request.params.id);
    const target = replaced(former, request.body, now());
    keep(parts, target, "target.change", auth.account(request).name);
    return view(target);
  });

  app.delete("/targets/:id", { schema: remove }, async (request, reply) => {
    const target = find(parts, request.params.id);
    const { id, name } = target;
    const user = records.targets.list().find(({ escalateTo }) => escalateTo === id);
    if (user) throw new ProblemError("conflict", `The target "${user.id}" escalates to it.`);
    records.transaction(() => {
      const by = auth.account(request).name;
      records.undos.add(id, { what: "target", target }, by);
      records.targets.remove(id);
      records.audit.add({ at: now(), by, what: "target.remove", target: id, detail: name });
    });
    return reply.code(204).send();
  });

  app.post("/targets/:id/test", { schema: test }, async (request) => {
    const { id } = find(parts, request.params.id);
    const result = await notifications.test(id);
    if (!result) throw notFound("target", id);
    const by = auth.account(request).name;
    records.audit.add({
      at: now(),
      by,
      what: "target.test",
      target: id,
      detail: "sent" in result ? "sent" : result.error,
    });
    return "sent" in result ? { sent: true } : { sent: false, error: result.error };
  });
}

function find({ records }: Pick<Parts, "records">, id: string): Target {
  const target = records.targets.get(id);
  if (!target) throw notFound("target", id);
  return target;
}

/** As asked for, with the address and the secrets of before where none were given. */
function replaced(former: Target, data: TargetData, now: number): Target {
  const { id, createdAt, createdBy } = former;
  if (data.type !== former.type) return { ...data, id, createdAt, createdBy };
  const { url = former.url, to = former.to, secret = former.secret } = data;
  const isNew = former.secret !== undefined && secret !== former.secret;
  const formerSecret = isNew ? { secret: former.secret!, until: now + FORMER_SECRET_MS } : former.formerSecret;
  return { ...data, url, to, secret, formerSecret, id, createdAt, createdBy };
}

function keep(parts: Parts, target: Target, what: string, by: string): void {
  const { records, now } = parts;
  refuse(parts, target);
  refuseUnknown(parts, namesIn(target), new Set(namesOf(records.targets.get(target.id))));
  records.transaction(() => {
    records.targets.put(target);
    // What waited for it is not told when it is switched on again some day.
    if (!target.enabled) records.outbox.giveUpBefore(target.id, Number.MAX_SAFE_INTEGER, "switched off", now());
    records.audit.add({ at: now(), by, what, target: target.id, detail: `${target.type}: ${target.name}` });
  });
}

function namesIn({ rules, districts }: TargetData): Given[] {
  return [
    ...(rules ? [{ what: "rule", pointer: "/rules", names: rules } as const] : []),
    ...(districts ? [{ what: "district", pointer: "/districts", names: districts } as const] : []),
  ];
}

/** What it named before stays: a rule may be gone since. */
const namesOf = (former: Target | undefined): string[] =>
  former ? namesIn(former).flatMap(({ what, names }) => [names].flat().map((name) => `${what} ${name}`)) : [];

function refuse({ records, notifications }: Pick<Parts, "records" | "notifications">, target: Target): void {
  const mistake = targetMistakes(target, target.id)[0];
  if (mistake)
    throw invalid(
      ["", mistake.field, mistake.part].filter((part) => part !== undefined).join("/"),
      `${mistake.message}.`,
    );
  const why = notifications.check(target);
  if (why !== undefined) throw invalid(target.url === undefined ? "/type" : "/url", `${why}.`);
  const seen = new Set([target.id]);
  for (let next = target.escalateTo; next !== undefined; next = records.targets.get(next)?.escalateTo) {
    if (seen.has(next))
      throw invalid("/escalateTo", "These targets would escalate in a circle: change one escalateTo.");
    if (!records.targets.get(next)) throw invalid("/escalateTo", `There is no target "${next}".`);
    seen.add(next);
  }
}

/** 32 random bytes, as the Standard Webhooks write them. */
const newSecret = () => `whsec_${randomBytes(32).toString("base64")}`;

/** Without its secrets, with how it goes. */
function viewTarget(target: Target, state: TargetState, pending: ReadonlyMap<string, number>): TargetView {
  const { secret, formerSecret, url, createdAt, ...rest } = target;
  const { lastErrorAt, lastSentAt, refusing, ...others } = state;
  return {
    ...rest,
    ...(url === undefined ? {} : { url: shownUrl(target.type, url) }),
    signed: secret !== undefined,
    createdAt: iso(createdAt),
    pending: pending.get(target.id) ?? 0,
    ...others,
    ...(refusing && { refusing: refusing.map((one) => ({ ...one, at: iso(one.at) })) }),
    ...(lastErrorAt === undefined ? {} : { lastErrorAt: iso(lastErrorAt) }),
    ...(lastSentAt === undefined ? {} : { lastSentAt: iso(lastSentAt) }),
  };
}

/** Whoever knows the path of a chat's webhook may write there; a query may carry a token. */
function shownUrl(type: Target["type"], url: string): string {
  const { origin, pathname, search } = new URL(url);
  if (type !== "webhook") return `${origin}/…`;
  return `${origin}${pathname}${search === "" ? "" : "?…"}`;
}

const iso = (time: number) => new Date(time).toISOString();
