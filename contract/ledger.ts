import { z } from "zod";
import { METRIC_NAMES, type MetricName } from "../model/metrics.ts";
import { REASON_NAMES } from "../model/rejection.ts";
import { type EpochTimes, Flag, Id, KindName, paging, type Sent, Time, type View } from "./common.ts";

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
  values: z
    .object({
      taken: count,
      suspect: count.describe("Of those taken: outside what is usual"),
      missing: count.describe("null, or a stand-in for a missing value"),
      refused: count.describe("By themselves, or with another value than the one that was kept"),
      repeated: count.describe("There already, of the same sensor and moment"),
    })
    .describe("What became of single values, of items that were no mistake as a whole; in no other sum"),
};

export type LedgerSums = View<z.ZodObject<typeof sums>>;

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
        // identity: items of a day and sensor without an outcome, or with two. sums: a day's sums are not those of its
        // sensors. readings, quarantine: the books say other than the store or the quarantine holds. journal: the books
        // are ahead of the journal.
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
export type LedgerCheckView = View<typeof Check>;
export type LedgerCheck = EpochTimes<LedgerCheckView, "at">;
export type LedgerDifference = LedgerCheck["differences"][number];
/** Rows of one place. `removedByStore` is absent where the store's server has no retention, or nothing is missing. */
export type LedgerRecount = LedgerCheck["readings"];

export const LedgerBody = z
  .object({
    ...sums,
    scope: z
      .enum(["all", "settled"])
      .describe("settled: so much waits in the journal that days, sensors and filters leave it out"),
    // Newest first, by UTC day of receipt; the newest 31 unless a day is asked for.
    days: z.array(z.object({ day: z.string(), ...sums })),
    // Asked for; "" stands for messages of no sensor.
    sensors: z.array(z.object({ sensorId: z.string(), ...sums })).optional(),
    next: z.string().optional().describe("The next page of sensors"),
    verified: Check.optional(),
    edited: count.optional().describe("Messages that are not as they came: edited in quarantine and sent again"),
    dismissed: count.optional().describe("Of what is in quarantine: dismissed by somebody"),
  })
  .meta({ id: "Ledger" });
export type LedgerView = View<typeof LedgerBody>;
/** As it is read from the books: all sensors, in no order, and nothing counted again. */
export type WholeLedger = Omit<LedgerView, "next" | "verified" | "edited" | "dismissed">;
export const LedgerQuery = z.strictObject({
  ...paging,
  day: z.iso.date().optional(),
  sensor: Id.optional(),
  by: z.literal("sensor").optional(),
  verify: Flag,
});

/** One message that had a reading of the sensor and moment in question. */
const copy = {
  journalSeq: count,
  receivedAt: Time,
  edited: z
    .object({ by: z.string(), item: count.describe("Of the quarantine") })
    .optional()
    .describe("It is not as it came: who edited it"),
};

export const TraceBody = z
  .object({
    sensorId: z.string(),
    measuredAt: Time,
    found: z.enum(["stored", "quarantined", "in the journal", "removed", "unseen"]),
    sentence: z.string(),
    stored: z
      .object({ ...copy, store: z.string(), alsoFrom: z.array(z.object(copy)).optional() })
      .optional()
      .describe("`alsoFrom`: later messages that brought other metrics of the moment"),
    quarantined: z.array(z.object({ ...copy, id: count, reason: z.enum(REASON_NAMES), detail: z.string() })),
    waiting: z.array(z.object(copy)).describe("Kept, not opened yet"),
    settled: z.array(z.object(copy)).describe("Settled, in the part of the journal that is still on disk"),
    notSearched: z.array(z.enum(["journal", "quarantine"])).describe("Not looked through to the end: too much"),
  })
  .meta({ id: "LedgerTrace" });
export type TraceView = View<typeof TraceBody>;
export type LedgerTrace = EpochTimes<TraceView, "measuredAt" | "receivedAt">;
export type TraceCopy = LedgerTrace["waiting"][number];
export const TraceQuery = z.strictObject({ sensor: Id, measuredAt: z.string().min(1).max(40) });

/** A message that could not become readings, or a value that was refused while its reading went on. */
export const QuarantineItemBody = z
  .object({
    id: count,
    reason: z.enum(REASON_NAMES),
    detail: z.string(),
    receivedAt: Time,
    source: z.string().meta({ examples: ["mqtt:gateway:gw-north"] }),
    topic: z.string(),
    sensorId: z.string().optional(),
    district: z.string().optional(),
    kind: KindName.optional(),
    journalSeq: count,
    index: count.describe("Place of the reading in its message"),
    metric: z
      .enum(METRIC_NAMES as unknown as [MetricName, ...MetricName[]])
      .optional()
      .describe("Only this value was refused: the rest of its reading was taken, and the payload is the value"),
    measuredAt: Time.optional().describe("Of a refused value: the moment of its reading"),
    redrivenAt: Time.optional(),
    redrivenBy: z.string().optional(),
    decision: z
      .enum(["keep", "take", "dismiss"])
      .optional()
      .describe("What was decided, by redrivenBy: of a conflict, or that nothing is made of it"),
    because: z.string().optional().describe("Why it was dismissed"),
    payload: z
      .object({ text: z.string().optional(), base64: z.string().optional(), bytes: z.number(), truncated: z.boolean() })
      .optional()
      .describe("Only for one item, and never for personal data"),
  })
  .meta({ id: "QuarantineItem" });
export type QuarantineItemView = View<typeof QuarantineItemBody>;
export const QuarantineQuery = z.strictObject({
  ...paging,
  reason: z.enum(REASON_NAMES).optional(),
  sensor: Id.optional(),
  metric: z
    .enum(METRIC_NAMES as unknown as [MetricName, ...MetricName[]])
    .optional()
    .describe("Refused values of this metric"),
  redriven: Flag,
  state: z
    .enum(["waiting", "redriven", "dismissed"])
    .optional()
    .describe("What became of it; redriven=true has what was dismissed as well"),
});
const because = z.string().trim().min(3).max(500).describe("Why: for the audit log");
/** Many items with the same mistake. */
const cause = {
  sensor: Id,
  reason: z.enum(REASON_NAMES),
  metric: z
    .enum(METRIC_NAMES as unknown as [MetricName, ...MetricName[]])
    .optional()
    .describe("Of single values; without it, items as a whole"),
};
/** `POST /quarantine/dismiss`. */
export const Dismissal = z
  .strictObject({
    ids: z.array(z.number().int().min(1)).min(1).max(1_000).optional(),
    sensor: cause.sensor.optional(),
    reason: cause.reason.optional(),
    metric: cause.metric,
    because,
  })
  .refine(({ ids, sensor, reason }) => (ids ? !sensor && !reason : sensor && reason), {
    error: "Send either ids, or the sensor and the reason of a cause.",
  })
  .meta({ id: "Dismissal" });
export type Dismissal = Sent<typeof Dismissal>;
export const DismissedBody = z.object({ dismissed: count });
export type DismissedView = View<typeof DismissedBody>;
/** `POST /quarantine/{id}/edit`. */
export const EditedPayload = z
  .strictObject({
    payload: z
      .string()
      .min(1)
      .max(64 * 1024),
    because: because.optional(),
  })
  .meta({ id: "EditedPayload" });
export type EditedPayload = Sent<typeof EditedPayload>;
/** `POST /quarantine/correct`. */
export const CauseCorrection = z
  .strictObject({
    ...cause,
    factor: z.number().min(-1e9).max(1e9).optional().describe("Values are multiplied by it"),
    offset: z.number().min(-1e9).max(1e9).optional().describe("and this is added"),
    shiftS: z
      .number()
      .min(-31_622_400)
      .max(31_622_400)
      .optional()
      .describe("Of items as a whole: so many seconds are added to measuredAt"),
    because,
  })
  .meta({ id: "CauseCorrection" });
export type CauseCorrection = Sent<typeof CauseCorrection>;
export const CorrectedBody = z.object({
  corrected: count.describe("Sent again as they would have been"),
  left: count.describe("Could not be: not kept, or no number"),
  examples: z.array(z.object({ id: count, before: z.string(), after: z.string() })).describe("At most 5"),
});
export type CorrectedView = View<typeof CorrectedBody>;
/** `POST /quarantine/{id}/decide`. */
export const DecideBody = z
  .strictObject({
    decision: z.enum(["keep", "take"]).describe("keep the value that was stored, or take this one: a correction"),
    reason: z.string().trim().min(3).max(500),
  })
  .meta({ id: "DecideConflict" });
export type DecideBody = Sent<typeof DecideBody>;
export const Redrive = z.strictObject({
  ids: z.array(z.number().int().min(1)).min(1).max(1_000).optional(),
  reason: z.enum(REASON_NAMES).optional(),
  mapping: Id.optional().describe("Of the newest 5,000 those that this mapping reads now"),
});
export type Redrive = Sent<typeof Redrive>;
export const RedrivenBody = z.object({ redriven: count });
export type RedrivenView = View<typeof RedrivenBody>;

/** Where the readings are, and what whoever runs that place should know. */
export const StoreReportBody = z.object({
  store: z.string().describe("duckdb or influxdb"),
  place: z.string().describe("Where exactly, without secrets"),
  keepsMs: z
    .number()
    .optional()
    .describe("The server itself removes what was measured longer ago, whatever the service's settings say"),
  findings: z.array(
    z.object({
      check: z.string(),
      ok: z.boolean(),
      found: z.string(),
      advice: z.string().optional().describe("What to do, where it is not ok"),
    }),
  ),
});
export type StoreReportView = View<typeof StoreReportBody>;
/** One thing that somebody who runs the store should know. */
export type StoreFinding = StoreReportView["findings"][number];
