import { z } from "zod";
import { answers, media } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { ProblemError } from "../problems.ts";
import { patient } from "../turns.ts";

const schema = {
  tags: ["machines"],
  summary: "A backup of everything, as a tar archive",
  description:
    "Consistent while messages come in: everything that was acknowledged before the request is in it. `./lamppost restore` " +
    "reads it. With InfluxDB as the store the readings are not in it; InfluxDB has tools of its own for that.",
  response: answers({ 200: media("The archive", { "application/x-tar": z.string() }) }, 503),
};

export function addBackup(app: Api, { backup, auth, queries, limits, records, now }: Parts): void {
  app.post("/backup", { schema }, async (request, reply) => {
    const { download, signal } = queries(request, reply);
    await download();
    // Copies of a large store take longer than an idle connection may last.
    patient(request, 0);
    const made = await backup(signal);
    patient(request, limits.stalledMs);
    if ("refused" in made) throw new ProblemError("unavailable", made.refused);
    if (signal.aborted) made.archive.destroy();
    signal.throwIfAborted();
    records.audit.add({ at: now(), by: auth.account(request).name, what: "backup", target: "everything" });
    return reply.type("application/x-tar").send(made.archive);
  });
}
