import { z } from "zod";
import { byId, pageOf } from "../../contract/common.ts";
import { FavouritesBody, NewView, ViewBody } from "../../contract/views.ts";
import type { SavedView } from "../../store/records/views.ts";
import type { Api, Parts } from "../api.ts";
import { answers, notFound, ProblemError } from "../problems.ts";

/** Of one account: with at most some 1,100 characters each. */
const VIEWS_MAX = 100;
const FAVOURITES_MAX = 500;
const tags = ["views"];

const list = { tags, summary: "Your saved filters", response: answers({ 200: pageOf(ViewBody) }) };
const save = {
  tags,
  summary: "Save the filters of a page under a name; one of the same name on the same page is replaced",
  body: NewView,
  response: answers({ 201: ViewBody }, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Forget saved filters",
  params: z.object({ id: z.coerce.number().int() }),
  response: answers({ 204: z.undefined() }, 404),
};
const favourites = { tags, summary: "The sensors you follow", response: answers({ 200: FavouritesBody }) };
const follow = {
  tags,
  summary: "Follow a sensor",
  params: byId,
  body: z.strictObject({}).nullish(),
  response: answers({ 204: z.undefined() }, 404, 409, 413, 415),
};
const unfollow = { tags, summary: "Follow it no more", params: byId, response: answers({ 204: z.undefined() }) };

/** What people keep for themselves. Nobody else sees it; a link to the page with these filters shows the same to anyone. */
export function addViews(app: Api, { records, auth, now }: Pick<Parts, "records" | "auth" | "now">): void {
  const { views } = records;

  app.get("/views", { schema: list }, async (request) => ({
    items: views.list(auth.account(request).name).map(view),
  }));

  app.post("/views", { schema: save }, async (request, reply) => {
    const account = auth.account(request).name;
    const asked = { ...request.body, createdAt: now() };
    const saved = views.list(account);
    const isThere = saved.some(({ page, name }) => page === asked.page && name === asked.name);
    if (!isThere && saved.length >= VIEWS_MAX)
      throw new ProblemError("conflict", `You have ${VIEWS_MAX} saved filters already: remove one first.`);
    return reply.code(201).send(view({ ...asked, id: views.save(account, asked) }));
  });

  app.delete("/views/:id", { schema: remove }, async (request, reply) => {
    const { id } = request.params;
    if (!views.remove(auth.account(request).name, id)) throw notFound("saved view", String(id));
    return reply.code(204).send();
  });

  app.get("/favourites", { schema: favourites }, async (request) => ({
    items: views.favourites(auth.account(request).name),
  }));

  app.put("/favourites/:id", { schema: follow }, async (request, reply) => {
    const [{ id }, account] = [request.params, auth.account(request).name];
    if (!records.sensors.get(id)) throw notFound("sensor", id);
    if (views.favourites(account).length >= FAVOURITES_MAX)
      throw new ProblemError("conflict", `You follow ${FAVOURITES_MAX} sensors already: give up one first.`);
    views.follow(account, id);
    return reply.code(204).send();
  });

  app.delete("/favourites/:id", { schema: unfollow }, async (request, reply) => {
    views.unfollow(auth.account(request).name, request.params.id);
    return reply.code(204).send();
  });
}

const view = ({ createdAt, ...rest }: SavedView) => ({ ...rest, createdAt: new Date(createdAt).toISOString() });
