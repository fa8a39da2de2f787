import { z } from "zod";
import { RemovedBody, type RemovedView } from "../../contract/account.ts";
import { pageOf, paging } from "../../contract/common.ts";
import type { Removal, Removed, RemovedAccount } from "../../store/records/undos.ts";
import { checkFree } from "../accounts.ts";
import type { Api, Parts } from "../api.ts";
import { badCursor, decodeCursor, encodeCursor } from "../paging.ts";
import { answers, notFound, ProblemError } from "../problems.ts";
import { checkIdle, formerDistricts } from "../register.ts";

const tags = ["removed"];

const list = {
  tags,
  summary: "What was removed within a day, and can be had back",
  description: "Newest first. Users, crews and targets are for admins only.",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(RemovedBody) }),
};
const undo = {
  tags,
  summary: "Undo a removal",
  description: "With the password it had. 409 where something else has its name by now.",
  params: z.object({ id: z.coerce.number().int().min(1) }),
  response: answers({ 204: z.undefined() }, 404, 409, 503),
};

/** Whoever may remove it may have it back. */
const FOR_ADMINS: ReadonlySet<Removed["what"]> = new Set(["user", "crew", "target"]);

export function addUndo(app: Api, parts: Parts): void {
  const { records, auth, now } = parts;

  app.get("/removed", { schema: list }, async (request) => {
    const { limit, cursor } = request.query;
    const isAdmin = auth.account(request).role === "admin";
    const before = cursor === undefined ? undefined : Number(decodeCursor(cursor));
    if (Number.isNaN(before)) throw badCursor();
    const found = records.undos.list(limit + 1, before);
    const items = found.slice(0, limit);
    const shown = items.filter(({ removed }) => isAdmin || !FOR_ADMINS.has(removed.what));
    const next = found.length > limit ? encodeCursor(String(items.at(-1)!.id)) : undefined;
    return { items: shown.map(viewRemoval), ...(next && { next }) };
  });

  app.post("/removed/:id/undo", { schema: undo }, async (request, reply) => {
    const { id } = request.params;
    const removal = records.undos.get(id);
    const by = auth.account(request);
    if (!removal) throw notFound("removal that can be undone", String(id));
    if (by.role !== "admin" && FOR_ADMINS.has(removal.removed.what))
      throw new ProblemError("forbidden", "Only admins may undo this.");
    records.transaction(() => {
      putBack(parts, removal.removed);
      records.undos.forget(id);
      const { what } = removal.removed;
      records.audit.add({ at: now(), by: by.name, what: `${what}.undo-remove`, target: removal.name });
    });
    return reply.code(204).send();
  });
}

function putBack(parts: Parts, removed: Removed): void {
  const { records } = parts;
  switch (removed.what) {
    case "sensor":
      return putBackSensor(parts, removed.id, removed.login);
    case "target":
      if (records.targets.get(removed.target.id))
        throw new ProblemError("conflict", `There is another target "${removed.target.id}" by now.`);
      return records.targets.put(withKnown(parts, removed.target));
    case "crew":
      checkFree(parts, removed.crew.id);
      return records.crews.save(removed.crew);
    case "district":
      if (records.districts.get(removed.district.id))
        throw new ProblemError("conflict", `Something else was said of ${removed.district.id} by now.`);
      return records.districts.save(removed.district);
    default:
      return putBackAccount(parts, removed);
  }
}

/** Whoever it escalated to may be gone. */
function withKnown({ records }: Pick<Parts, "records">, target: Extract<Removed, { what: "target" }>["target"]) {
  const { escalateTo, escalateAfter, ...rest } = target;
  return escalateTo !== undefined && records.targets.get(escalateTo) ? target : rest;
}

function putBackSensor(parts: Parts, id: string, login: RemovedAccount | undefined): void {
  const { records } = parts;
  checkIdle(records);
  const former = records.sensors.retired(id);
  if (!former) throw new ProblemError("conflict", `${id} is on the register again, or forgotten.`);
  const { retiredAt: _, ...sensor } = former;
  records.sensors.save([sensor]);
  if (login) putBackAccount(parts, login);
}

function putBackAccount(parts: Parts, removed: RemovedAccount): void {
  const { records, now } = parts;
  const { account, crews, passwordHash, ...credential } = removed;
  checkFree(parts, account.name);
  records.credentials.add({
    ...credential,
    account: account.role === "device" ? whereItStands(parts, account) : account,
  });
  if (passwordHash) records.sessions.setPassword(account.name, passwordHash, now());
  for (const crew of records.crews.list().filter(({ id }) => crews.includes(id)))
    records.crews.save({ ...crew, members: [...new Set([...crew.members, account.name])] });
}

/** Its sensor may have moved meanwhile. */
function whereItStands(
  { records }: Pick<Parts, "records">,
  account: Extract<RemovedAccount["account"], { role: "device" }>,
) {
  const sensor = records.sensors.get(account.sensorId);
  if (!sensor) throw new ProblemError("conflict", `${account.sensorId} is off the register: put it back first.`);
  const former = formerDistricts(sensor);
  const { role, name, sensorId } = account;
  return { role, name, sensorId, kind: sensor.kind, district: sensor.district, ...(former.length > 0 && { former }) };
}

const iso = (time: number) => new Date(time).toISOString();

const viewRemoval = ({ id, at, until, by, name, removed }: Removal): RemovedView => {
  return { id, what: removed.what, name, at: iso(at), by, until: iso(until) };
};
