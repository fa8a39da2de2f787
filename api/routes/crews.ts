import { z } from "zod";
import { byId, pageOf } from "../../contract/common.ts";
import { AssigneesBody, CrewBody, NewCrew } from "../../contract/crew.ts";
import type { Crew } from "../../model/people.ts";
import type { Api, Parts } from "../api.ts";
import { renewPersonalTargets } from "../personal-targets.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";

const CREWS_MAX = 500;
const tags = ["crews"];

const list = { tags, summary: "The crews", response: answers({ 200: pageOf(CrewBody) }) };
const put = {
  tags,
  summary: "Make a crew, or change it",
  description: "People belong to crews, crews to districts and kinds of sensors. An alert can be assigned to a crew.",
  params: byId,
  body: NewCrew,
  response: answers({ 200: CrewBody }, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Remove a crew; what is assigned to it stays so",
  params: byId,
  response: answers({ 204: z.undefined() }, 404),
};
const assignees = {
  tags,
  summary: "Whom work can be given to: crews, and people who may handle alerts",
  response: answers({ 200: AssigneesBody }),
};

/** Who works together, and whom an alert can be assigned to. */
export function addCrews(app: Api, { records, auth, now }: Parts): void {
  app.get("/crews", { schema: list }, async () => ({ items: records.crews.list() }));

  app.get("/assignees", { schema: assignees }, async () => ({
    crews: records.crews.list(),
    people: (["crew", "operator", "admin"] as const).flatMap((role) =>
      records.credentials.list(role).map(({ account }) => ({ name: account.name, role })),
    ),
  }));

  app.put("/crews/:id", { schema: put }, async (request) => {
    const crew: Crew = { id: request.params.id, ...request.body };
    checkCrew(records, crew);
    const by = auth.account(request).name;
    records.transaction(() => {
      const former = records.crews.get(crew.id)?.members ?? [];
      records.crews.save(crew);
      for (const name of new Set([...former, ...crew.members])) renewPersonalTargets({ records, now }, name);
      records.audit.add({ at: now(), by, what: "crew.save", target: crew.id, detail: crew.members.join(" ") });
    });
    return crew;
  });

  app.delete("/crews/:id", { schema: remove }, async (request, reply) => {
    const [{ id }, by] = [request.params, auth.account(request).name];
    records.transaction(() => {
      const crew = records.crews.get(id);
      if (!crew) throw notFound("crew", id);
      records.undos.add(id, { what: "crew", crew }, by);
      records.crews.remove(id);
      for (const name of crew.members) renewPersonalTargets({ records, now }, name);
      records.audit.add({ at: now(), by, what: "crew.remove", target: id });
    });
    return reply.code(204).send();
  });
}

/** A typing mistake would leave work lying. */
function checkCrew({ credentials, sensors, crews }: Parts["records"], { id, members, districts }: Crew): void {
  if (credentials.byName(id))
    throw new ProblemError("conflict", `"${id}" is the name of an account: call it otherwise.`);
  if (!crews.get(id) && crews.list().length >= CREWS_MAX)
    throw new ProblemError("conflict", `There are ${CREWS_MAX} crews already: remove one.`);
  const stranger = members.find((name) => !isWorker(credentials, name));
  if (stranger !== undefined)
    throw invalid("/members", `There is no crew member, operator or admin called "${stranger}".`);
  const known = new Set(sensors.districts().map(({ district }) => district));
  const nowhere = districts.find((district) => !known.has(district));
  if (nowhere !== undefined) throw invalid("/districts", `There is no sensor in a district "${nowhere}".`);
}

/** Someone who may handle alerts. */
export function isWorker(credentials: Parts["records"]["credentials"], name: string): boolean {
  const role = credentials.byName(name)?.account.role;
  return role === "crew" || role === "operator" || role === "admin";
}
