import { z } from "zod";
import { NewCredential, NewUser, USER_ROLES, UserBody, UserChange, type UserView } from "../../contract/account.ts";
import { byId, pageOf, paging } from "../../contract/common.ts";
import type { Account } from "../../model/people.ts";
import { hashSecret, newSecret } from "../../model/secret.ts";
import { addAccount, findAccount, removeAccount, type StoredAccount, viewMade } from "../accounts.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { answers, ProblemError } from "../problems.ts";

const tags = ["users"];

const list = {
  tags,
  summary: "People and programs with a role",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(UserBody) }),
};
const add = {
  tags,
  summary: "Add a user",
  description: "The password is the bearer token.",
  body: NewUser,
  response: answers({ 201: NewCredential }, 409, 413, 415),
};
const change = {
  tags,
  summary: "Change a user's role or how they are called",
  description: "It holds from the next request on. Nobody changes their own role, so one admin always remains.",
  params: byId,
  body: UserChange,
  response: answers({ 200: UserBody }, 404, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Remove a user; open streams are closed",
  description: "For a day it can be undone: GET /removed.",
  params: byId,
  response: answers({ 204: z.undefined() }, 404, 409),
};
const reset = {
  tags,
  summary: "A new password for a user",
  description: "The one before and the one they chose are taken no more, and they are signed out everywhere.",
  params: byId,
  response: answers({ 201: NewCredential }, 404, 409),
};
const signOut = {
  tags,
  summary: "Sign a user out everywhere",
  description: "Their password stays; programs that use it as a token go on.",
  params: byId,
  response: answers({ 200: z.object({ ended: z.number().int().describe("Sessions that were ended") }) }, 404),
};

/** People and programs that may sign in. */
export function addUsers(app: Api, parts: Parts): void {
  const { records, auth, now } = parts;

  app.get("/users", { schema: list }, async (request) => {
    const users = USER_ROLES.flatMap((role) => records.credentials.list(role));
    const { limit, cursor } = request.query;
    const page = pageByKey(users, ({ account }) => account.name, limit, cursor);
    return { ...page, items: page.items.map((user) => viewUser(parts, user)) };
  });

  app.post("/users", { schema: add }, async (request, reply) => {
    const by = auth.account(request).name;
    const { displayName, ...account } = request.body;
    const user = { ...account, ...(displayName && { displayName }) };
    const credential = records.transaction(() => addAccount(parts, user, by, user.role));
    return reply.code(201).send(credential);
  });

  app.patch("/users/:id", { schema: change }, async (request) => {
    const { id } = request.params;
    const by = auth.account(request).name;
    const old = findAccount(parts, id, USER_ROLES).account as User;
    const { role = old.role } = request.body;
    const { displayName = old.displayName } = request.body;
    if (role !== old.role) checkRole(parts, old, by);
    records.transaction(() => {
      records.credentials.change({ role, name: id, ...(displayName && { displayName }) });
      const said = [...(role === old.role ? [] : [`${old.role} to ${role}`]), ...(displayName ? [displayName] : [])];
      records.audit.add({ at: now(), by, what: "user.change", target: id, detail: said.join("; ") });
    });
    // Whoever may do less now connects with less.
    if (role !== old.role) {
      endStreams(parts, id);
      parts.disconnect(id);
    }
    return viewUser(parts, records.credentials.byName(id)!);
  });

  app.delete("/users/:id", { schema: remove }, async (request, reply) => {
    const by = auth.account(request).name;
    // So the last admin cannot lock everyone out.
    if (by === request.params.id)
      throw new ProblemError("conflict", "You cannot remove your own account: ask another admin.");
    removeAccount(parts, request.params.id, USER_ROLES, by);
    return reply.code(204).send();
  });

  app.post("/users/:id/password", { schema: reset }, async (request, reply) => {
    const { id } = request.params;
    const by = auth.account(request).name;
    const { account, createdBy } = findAccount(parts, id, USER_ROLES);
    // It is in a file of the data folder, which the command line reads.
    if (createdBy === FIRST_START)
      throw new ProblemError("conflict", "The first admin's token is changed by LAMPPOST_ADMIN_TOKEN and a restart.");
    if (by === id) throw new ProblemError("conflict", "Choose a password of your own under Account.");
    const password = newSecret();
    records.transaction(() => {
      records.credentials.rotate(id, hashSecret(password));
      records.sessions.forgetPassword(id);
      records.audit.add({ at: now(), by, what: "user.reset", target: id });
    });
    endSessions(parts, id);
    parts.disconnect(id);
    return reply.code(201).send({ username: account.name, password });
  });

  app.post("/users/:id/sign-out", { schema: signOut }, async (request) => {
    const { id } = request.params;
    findAccount(parts, id, USER_ROLES);
    const ended = endSessions(parts, id);
    const by = auth.account(request).name;
    records.audit.add({ at: now(), by, what: "user.sign-out", target: id, detail: `${ended} sessions` });
    return { ended };
  });
}

/** As `ensureAdminToken` writes it. */
const FIRST_START = "first start";

type User = Extract<Account, { role: (typeof USER_ROLES)[number] }>;

/** So that one admin always remains. */
function checkRole({ records }: Pick<Parts, "records">, { role, name }: User, by: string): void {
  if (name === by) throw new ProblemError("conflict", "You cannot change your own role: ask another admin.");
  if (role === "admin" && records.credentials.list("admin").length < 2)
    throw new ProblemError("conflict", `${name} is the last admin.`);
}

function endSessions({ sessions, streams }: Pick<Parts, "sessions" | "streams">, name: string): number {
  const ended = sessions.endOthers(name);
  for (const idHash of ended) streams.endOf(idHash);
  return ended.length;
}

/** Pages open them again, with what their reader may see now. */
function endStreams({ records, streams }: Pick<Parts, "records" | "streams">, name: string): void {
  for (const { idHash } of records.sessions.list(name)) streams.endOf(idHash);
}

function viewUser({ records }: Pick<Parts, "records">, stored: StoredAccount): UserView {
  const { name: username, role, displayName } = stored.account as User;
  const sessions = records.sessions.list(username).length;
  return { username, role, ...(displayName && { displayName }), sessions, ...viewMade(stored) };
}
