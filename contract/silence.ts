import { z } from "zod";
import { matchersSchema, SILENCE_KINDS, SILENCE_STATES, type Silence, weeklySchema } from "../model/silence.ts";
import { Flag, type Mirrors, type Provided, paging, type Sent, Time, type View } from "./common.ts";

const Moment = z.iso
  .datetime({ offset: true, error: "An ISO 8601 time with a zone, such as 2026-11-21T10:00:00Z." })
  .describe("ISO 8601 with a zone");

export const NewSilence = z
  .strictObject({
    kind: z
      .enum(SILENCE_KINDS)
      .default("silence")
      .describe("maintenance: planned work, which may come back every week"),
    matchers: matchersSchema.describe("What an alert must be: all that is given; of a list any one"),
    startsAt: Moment.optional().describe("Now if it is left out"),
    endsAt: Moment.optional().describe("At most 30 days after the start. A weekly window may leave it out"),
    weekly: weeklySchema
      .optional()
      .describe("Local times; the window begins on `days`, and ends on the next day where `to` is not after `from`"),
    reason: z.string().trim().min(3).max(500),
  })
  .meta({ id: "NewSilence" });
export type NewSilence = Sent<typeof NewSilence>;

export const SilencePreview = z.strictObject({ matchers: matchersSchema }).meta({ id: "SilencePreviewQuestion" });
export type SilencePreview = Sent<typeof SilencePreview>;
export const SilencePreviewBody = z
  .object({
    sensors: z.number().int().describe("Sensors whose alerts it would keep quiet"),
    openAlerts: z.number().int().describe("Alerts that fire now and it would keep quiet"),
  })
  .meta({ id: "SilencePreview" });
export type SilencePreviewView = View<typeof SilencePreviewBody>;

/** `GET /silences/windows`. */
export const WindowsQuery = z.strictObject({ from: Moment, to: Moment.describe("At most 62 days later") });
export const WindowsBody = z
  .object({
    items: z.array(z.object({ silence: z.number().int(), from: Time, to: Time.optional() })),
    truncated: z.boolean().describe("There are more windows than one answer holds"),
  })
  .meta({ id: "SilenceWindows" });
export type WindowsView = View<typeof WindowsBody>;

export const SilencesQuery = z.strictObject({
  ...paging,
  ended: Flag.describe("Only those that are over, or only those that are not"),
});

export const SilenceBody = z
  .object({
    id: z.number().int(),
    kind: z.enum(SILENCE_KINDS),
    state: z.enum(SILENCE_STATES).describe("scheduled: it will be on, perhaps again"),
    matchers: matchersSchema,
    startsAt: Time,
    endsAt: Time.optional(),
    weekly: weeklySchema.optional(),
    window: z.object({ from: Time, to: Time.optional() }).optional().describe("When it is on, now or next"),
    reason: z.string(),
    createdAt: Time,
    createdBy: z.string(),
    endedAt: Time.optional(),
    endedBy: z.string().optional().describe("Absent where its time was over by itself"),
  })
  .meta({ id: "Silence" });
type Body = View<typeof SilenceBody>;
export type SilenceView = Provided<
  Body,
  Mirrors<Omit<Body, "state" | "window">, Silence, "startsAt" | "endsAt" | "createdAt" | "endedAt">
>;
