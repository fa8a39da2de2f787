import { z } from "zod";
import { byId, Id, pageOf, paging } from "../../contract/common.ts";
import { addAccount, made, NewCredential, removeAccount, viewMade } from "../accounts.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { ProblemError } from "../problems.ts";

const tags = ["users"];
const PEOPLE = ["viewer", "crew", "operator", "admin"] as const;
const RoleName = z.enum(PEOPLE);
const NewUser = z.strictObject({ name: Id, role: RoleName }).meta({ id: "NewUser" });
const UserBody = z.object({ username: z.string(), role: RoleName, ...made }).meta({ id: "User" });

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
const remove = {
  tags,
  summary: "Remove a user; open streams are closed",
  params: byId,
  response: answers({ 204: z.undefined() }, 404, 409),
};

export function addUsers(app: Api, parts: Parts): void {
  const { records, auth } = parts;
  app.get("/users", { schema: list }, async (request) => {
    const users = PEOPLE.flatMap((role) => records.credentials.list(role));
    const page = pageByKey(users, ({ account }) => account.name, request.query.limit, request.query.cursor);
    const view = (user: (typeof users)[number]) => {
      return { username: user.account.name, role: user.account.role as (typeof PEOPLE)[number], ...viewMade(user) };
    };
    return { ...page, items: page.items.map(view) };
  });

  app.post("/users", { schema: add }, async (request, reply) => {
    const by = auth.account(request).name;
    const credential = records.transaction(() => addAccount(parts, request.body, by, request.body.role));
    return reply.code(201).send(credential);
  });

  app.delete("/users/:id", { schema: remove }, async (request, reply) => {
    const by = auth.account(request).name;
    // So the last admin cannot lock everyone out.
    if (by === request.params.id) throw new ProblemError("conflict", "Nobody removes their own account.");
    removeAccount(parts, request.params.id, PEOPLE, by);
    return reply.code(204).send();
  });
}
