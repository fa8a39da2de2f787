import { z } from "zod";
import { DecideBody, QuarantineItemBody } from "../../contract/ledger.ts";
import type { NewCorrection } from "../../model/correction.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { QuarantineItem } from "../../store/records/quarantine.ts";
import type { Api, Parts } from "../api.ts";
import { answers, notFound, ProblemError } from "../problems.ts";
import { viewItem } from "./books.ts";

const decide = {
  tags: ["quarantine"],
  summary: "Decide between two values of one moment: keep the old, or take the new",
  description: "take makes a correction of the value that is stored, with this item as its source; it can be revoked.",
  params: z.object({ id: z.coerce.number().int().min(1) }),
  body: DecideBody,
  response: answers({ 200: QuarantineItemBody }, 404, 409, 413, 415, 503),
};

type ConflictParts = Pick<Parts, "records" | "corrections" | "conflictOf" | "auth" | "queries" | "now">;

export function addConflicts(app: Api, parts: ConflictParts): void {
  const { records, corrections, conflictOf, auth, queries, now } = parts;
  const { quarantine } = records;

  app.post("/quarantine/:id/decide", { schema: decide }, async (request, reply) => {
    const item = quarantine.get(request.params.id);
    if (!item) throw notFound("quarantined message", String(request.params.id));
    const { decision, reason } = request.body;
    if (item.decision === decision) return viewItem(item);
    check(item);
    const by = auth.account(request).name;
    if (decision === "take") {
      const conflict = conflictOf(item);
      if (!conflict) throw new ProblemError("conflict", "Which value it brought cannot be told any more.");
      const { sensorId, kind, measuredAt, values } = conflict;
      const { ask } = queries(request, reply);
      const at = now();
      const span = { sensorId, from: measuredAt, to: measuredAt + 1 };
      for (const [metric, value] of Object.entries(values) as [MetricName, number][]) {
        const about = { metrics: [metric], what: "value" as const, value, reason, quarantineId: item.id, by, at };
        const correction: NewCorrection = { ...span, ...about };
        // Only what disagrees.
        const { readings } = await ask((signal) => corrections.dryRun(kind, correction, signal));
        if (readings > 0) await ask((signal) => corrections.add(kind, correction, signal));
      }
    }
    records.transaction(() => {
      quarantine.decide(item.id, decision, by, now());
      const detail = `${decision === "take" ? "take the new" : "keep the old"}: ${reason}`;
      records.audit.add({ at: now(), by, what: "quarantine.decide", target: String(item.id), detail });
    });
    return viewItem(quarantine.get(item.id)!);
  });
}

function check({ rejection, decision, redrivenAt }: QuarantineItem): void {
  if (rejection.reason !== "conflict") {
    throw new ProblemError("conflict", "Only a conflict is decided: two values of one moment that disagree.");
  }
  if (decision === "take") {
    throw new ProblemError("conflict", "The new value was taken: revoke its correction to have the old one again.");
  }
  if (redrivenAt !== undefined && decision === undefined) {
    throw new ProblemError("conflict", "It was sent through again: decide the item that came of it.");
  }
}
