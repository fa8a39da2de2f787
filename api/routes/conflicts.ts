import { z } from "zod";
import { DecideBody, QuarantineItemBody } from "../../contract/ledger.ts";
import { correctReading, type NewCorrection } from "../../model/correction.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { QuarantineItem } from "../../store/records/quarantine.ts";
import type { Api, Parts } from "../api.ts";
import { answers, notFound, ProblemError } from "../problems.ts";
import { viewItem } from "./books.ts";
import { refused } from "./corrections.ts";

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
    const { sensorId: about } = item.rejection;
    const isTaken =
      about !== undefined && records.corrections.active(about).some(({ quarantineId }) => quarantineId === item.id);
    if (item.decision === decision && (decision === "keep" || isTaken)) return viewItem(item);
    check(item, isTaken);
    const by = auth.account(request).name;
    if (decision === "take") {
      const conflict = conflictOf(item);
      if (!conflict) throw new ProblemError("conflict", "Which value it brought cannot be told any more.");
      const { sensorId, kind } = conflict;
      // Corrections mean readings as those before leave them, and what is taken is of the device as the old one was.
      const read = correctReading({ ...NOWHERE, ...conflict }, records.corrections.active(sensorId));
      if (!read)
        throw new ProblemError("conflict", "What is there is marked as invalid: revoke that correction first.");
      const { measuredAt, values } = read;
      const { ask } = queries(request, reply);
      const at = now();
      const span = { sensorId, from: measuredAt, to: measuredAt + 1 };
      for (const [metric, value] of Object.entries(values) as [MetricName, number][]) {
        const about = {
          metrics: [metric],
          what: "value" as const,
          value,
          reason,
          quarantineId: item.id,
          said: conflict.raw?.[metric],
          by,
          at,
        };
        const correction: NewCorrection = { ...span, ...about };
        // Only what disagrees.
        const { readings } = await ask((signal) => refused(corrections.dryRun(kind, correction, signal)));
        if (readings > 0) await ask((signal) => refused(corrections.add(kind, correction, signal)));
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

/** Of a conflict is known what it said, and not how it came. */
const NOWHERE = { district: "", receivedAt: 0, journalSeq: 0 };

function check({ rejection, decision, redrivenAt }: QuarantineItem, isTaken: boolean): void {
  if (rejection.reason !== "conflict") {
    throw new ProblemError("conflict", "Only a conflict is decided: two values of one moment that disagree.");
  }
  if (isTaken) {
    throw new ProblemError("conflict", "The new value was taken: revoke its correction to have the old one again.");
  }
  if (redrivenAt !== undefined && decision === undefined) {
    throw new ProblemError("conflict", "It was sent through again: decide the item that came of it.");
  }
}
