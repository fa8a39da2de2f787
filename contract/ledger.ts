import { z } from "zod";
import { REASON_NAMES } from "../model/rejection.ts";
import { Time } from "./common.ts";

const count = z.number().int();

const sums = {
  received: count.describe("All that came in; a message nobody opened counts as one"),
  stored: count,
  duplicate: count,
  quarantined: count,
  shed: count.describe("Messages of QoS 0 let go under pressure"),
  lost: count.describe("Messages that cannot be read from the journal any more"),
  inJournal: count.describe("Messages kept, not opened yet"),
  balanced: z.boolean().describe("received = stored + duplicate + quarantined + shed + lost + inJournal"),
  reasons: z.record(z.string(), count).describe("Quarantined, by reason"),
};

const Recount = z.object({
  booked: count,
  removed: count.describe("By retention and other storage limits"),
  removedByStore: count.optional().describe("By the retention of the database itself, which goes by the time measured"),
  found: count.describe("booked - removed - removedByStore, unless something is wrong"),
});

const Check = z
  .object({
    ok: z.boolean(),
    at: Time,
    seqBefore: count.describe("What was compared: all that is booked of messages before this number of the journal"),
    readings: Recount,
    quarantine: Recount,
    differences: z.array(
      z.object({
        what: z.enum(["identity", "sums", "readings", "quarantine", "journal"]),
        day: z.string().optional(),
        sensorId: z.string().optional(),
        booked: count,
        found: count,
      }),
    ),
    differing: count.describe("How many differences there are; at most 1,000 are listed"),
  })
  .meta({ id: "LedgerCheck" });

export const LedgerBody = z
  .object({
    ...sums,
    scope: z
      .enum(["all", "settled"])
      .describe("settled: so much waits in the journal that days, sensors and filters leave it out"),
    days: z.array(z.object({ day: z.string(), ...sums })),
    sensors: z.array(z.object({ sensorId: z.string(), ...sums })).optional(),
    next: z.string().optional().describe("The next page of sensors"),
    verified: Check.optional(),
  })
  .meta({ id: "Ledger" });

const copy = { journalSeq: count, receivedAt: Time };

export const TraceBody = z
  .object({
    sensorId: z.string(),
    measuredAt: Time,
    found: z.enum(["stored", "quarantined", "in the journal", "removed", "unseen"]),
    sentence: z.string(),
    stored: z.object({ ...copy, store: z.string() }).optional(),
    quarantined: z.array(z.object({ ...copy, id: count, reason: z.enum(REASON_NAMES), detail: z.string() })),
    waiting: z.array(z.object(copy)).describe("Kept, not opened yet"),
    settled: z.array(z.object(copy)).describe("Settled, in the part of the journal that is still on disk"),
    notSearched: z.array(z.enum(["journal", "quarantine"])).describe("Not looked through to the end: too much"),
  })
  .meta({ id: "LedgerTrace" });
