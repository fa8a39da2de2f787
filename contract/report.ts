import { z } from "zod";
import { KINDS } from "../model/kinds.ts";
import { AlertBody } from "./alert.ts";
import { AnnotationBody } from "./annotation.ts";
import { Locale, Time, type View, ZoneName } from "./common.ts";
import { HandoverBody } from "./handover.ts";

const Took = z
  .object({ count: z.number().int(), medianMs: z.number(), p90Ms: z.number() })
  .describe("Milliseconds, of those where it happened")
  .optional();
/** How many, and how long it took. */
export type TookView = NonNullable<View<typeof Took>>;

const line = {
  raised: z.number().int().describe("Began to fire in this time"),
  bySeverity: z.object({ info: z.number().int(), warning: z.number().int(), critical: z.number().int() }),
  // Within this time; what is retracted should never have fired.
  resolved: z.number().int(),
  retracted: z.number().int(),
  suppressed: z.number().int().describe("Told nobody: a silence, another rule, flapping"),
  reviewed: z.object({ right: z.number().int(), wrong: z.number().int(), unclear: z.number().int() }),
  // From firing to the first acknowledgement, or the first work on it.
  toAcknowledge: Took,
  // From firing to the end of the trouble.
  toResolve: Took,
};

export type ReportLineView = View<z.ZodObject<typeof line>>;

export const ReportQuery = z.strictObject({
  from: z.string().max(40).optional(),
  to: z.string().max(40).optional(),
  format: z.enum(["json", "csv"]).default("json"),
  locale: Locale,
  zone: ZoneName.describe("CSV has times in this zone, with its offset. Default UTC"),
});

export const ReportBody = z
  .object({
    from: Time,
    to: Time,
    zone: z.string().describe("Of the city: from and to that are days alone are its days"),
    total: z.object({ ...line, openAtEnd: z.number().int() }),
    byDistrict: z.array(z.object({ district: z.string(), ...line })),
    byRule: z.array(z.object({ rule: z.string(), title: z.string(), ...line })),
    alerts: z.array(AlertBody).describe("Oldest start first"),
    history: z
      .number()
      .int()
      .optional()
      .describe(
        "Alerts of imported or old readings that became known in this time: nobody was told, and nothing here counts them",
      ),
    handover: z.array(HandoverBody).describe("What the shifts told each other in this time, oldest first, at most 200"),
    annotations: z.array(AnnotationBody).describe("What people wrote beside charts of this time, at most 200"),
    truncated: z.boolean().describe("More happened than one report holds: ask for a shorter time"),
    sensorsWithoutData: z
      .array(
        z.object({ sensorId: z.string(), district: z.string(), kind: z.enum(KINDS), lastReadingAt: Time.optional() }),
      )
      .describe("No reading from them since the beginning of this time, as of now"),
  })
  .meta({ id: "Report" });
export type ReportView = View<typeof ReportBody>;
