import { z } from "zod";
import { CORRECTION_KINDS, type Correction, SHIFT_MAX_S } from "../model/correction.ts";
import { METRIC_NAMES, type MetricName } from "../model/metrics.ts";
import { Flag, type Mirrors, type Provided, paging, type Sent, Time, type View } from "./common.ts";

const Moment = z.union([z.string().max(40), z.number()]).describe("ISO 8601 with a zone, or epoch milliseconds");
const Metrics = z
  .array(z.enum(METRIC_NAMES as unknown as [MetricName, ...MetricName[]]))
  .min(1)
  .max(METRIC_NAMES.length);
const Because = z.string().trim().min(3).max(500);

/** `POST /sensors/{id}/corrections`. What goes with which `what` is checked where it is used, with a sentence. */
export const NewCorrectionBody = z
  .strictObject({
    from: Moment,
    to: Moment.describe("Exclusive, at most a day ahead: what comes from now on is for a calibration"),
    metrics: Metrics.optional().describe("Default all; value and factor need it; shift moves the whole reading"),
    what: z.enum(CORRECTION_KINDS),
    value: z.number().optional().describe("Of what: value"),
    factor: z.number().optional().describe("Of what: factor; right is value x factor + offset"),
    offset: z.number().optional().describe("Of what: factor, which may be left out then"),
    shiftS: z.number().min(-SHIFT_MAX_S).max(SHIFT_MAX_S).optional().describe("Of what: shift; seconds later"),
    reason: Because,
  })
  .meta({ id: "NewCorrection" });
export type NewCorrectionBody = Sent<typeof NewCorrectionBody>;

export const CorrectionQuery = z.strictObject({
  dryRun: Flag.describe("Only says what would change"),
});
export const CorrectionsQuery = z.strictObject({ ...paging });
export const RevokeBody = z.strictObject({ reason: Because }).meta({ id: "RevokeCorrection" });
export type RevokeBody = Sent<typeof RevokeBody>;

const values = z.record(z.string(), z.number());

const Effect = z
  .object({
    readings: z.number().int().describe("Readings that are read differently"),
    examples: z
      .array(
        z.object({
          before: z.object({ measuredAt: Time, values }).optional(),
          after: z.object({ measuredAt: Time, values }).optional().describe("Absent: it is left out"),
        }),
      )
      .describe("The first few"),
    hours: z.number().int().describe("Hours whose rollups are computed anew"),
    alerts: z.number().int().describe("Alerts that rest on these readings and are marked so"),
    notes: z.array(z.string()).describe("What it does not reach, in sentences"),
  })
  .meta({ id: "CorrectionEffect" });

export const CorrectionBody = z
  .object({
    id: z.number().int(),
    sensorId: z.string(),
    from: Time,
    to: Time,
    metrics: z.array(z.string()).optional(),
    what: z.enum(CORRECTION_KINDS),
    value: z.number().optional(),
    factor: z.number().optional(),
    offset: z.number().optional(),
    shiftS: z.number().optional(),
    reason: z.string(),
    quarantineId: z.number().int().optional().describe("The quarantined value that was taken"),
    by: z.string(),
    at: Time,
    revokedAt: Time.optional(),
    revokedBy: z.string().optional(),
    revokeReason: z.string().optional(),
  })
  .meta({ id: "Correction" });
type Body = View<typeof CorrectionBody>;
export type CorrectionView = Provided<
  Body,
  Mirrors<Omit<Body, "metrics">, Omit<Correction, "metrics" | "rawFrom" | "said">, "from" | "to" | "at" | "revokedAt">
>;

/** Made, revoked or tried: what it is, and what it changes. */
export const CorrectionDoneBody = z
  .object({
    correction: CorrectionBody.optional().describe("Absent of a dry run"),
    effect: Effect.optional().describe("Absent where it was so before"),
  })
  .meta({ id: "CorrectionDone" });
export type CorrectionDoneView = View<typeof CorrectionDoneBody>;
export type CorrectionEffectView = View<typeof Effect>;

const iso = (time: number) => new Date(time).toISOString();

export function viewCorrection(one: Correction): CorrectionView {
  const { from, to, at, revokedAt, rawFrom: _, said: _1, ...rest } = one;
  return {
    ...rest,
    from: iso(from),
    to: iso(to),
    at: iso(at),
    ...(revokedAt === undefined ? {} : { revokedAt: iso(revokedAt) }),
  };
}
