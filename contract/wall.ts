import { z } from "zod";
import { SEVERITIES } from "../model/alert.ts";
import { isPlain } from "../model/plain-text.ts";
import { AlertBody } from "./alert.ts";
import { Id, KindName, type Sent, Time, type View } from "./common.ts";

export const NewWallDisplay = z
  .strictObject({
    id: Id,
    name: z.string().trim().min(1).max(100).refine(isPlain, "Characters that control a terminal are not taken."),
    districts: z.array(Id).max(100).default([]).describe("It shows only these; none are all"),
  })
  .meta({ id: "NewWallDisplay" });
export type NewWallDisplay = Sent<typeof NewWallDisplay>;

export const WallDisplayBody = z
  .object({
    id: z.string(),
    name: z.string(),
    districts: z.array(z.string()),
    createdAt: Time,
    createdBy: z.string(),
    usedAt: Time.optional(),
    open: z.number().int().describe("Screens that show it now"),
  })
  .meta({ id: "WallDisplay" });
export type WallDisplayView = View<typeof WallDisplayBody>;

/** `token` opens this display and nothing else; it is shown once. */
export const AddedWallDisplay = WallDisplayBody.extend({ token: z.string() }).meta({ id: "AddedWallDisplay" });
export type AddedWallDisplayView = View<typeof AddedWallDisplay>;

const counts = z.object({ info: z.number().int(), warning: z.number().int(), critical: z.number().int() });

/** What a display shows, whole: an event `wall` of its stream holds the same. */
export const WallBody = z
  .object({
    at: Time,
    name: z.string().optional().describe("Of the display"),
    zone: z.string(),
    counts: counts.describe("Open alerts that people are told of"),
    quieted: z.number().int().describe("Open, silenced or in maintenance"),
    unacknowledged: z.number().int(),
    districts: z.array(
      z.object({ district: z.string(), sensors: z.number().int(), open: counts, worst: z.enum(SEVERITIES).optional() }),
    ),
    alerts: z
      .array(
        AlertBody.pick({
          id: true,
          rule: true,
          subject: true,
          kind: true,
          severity: true,
          handling: true,
          assignee: true,
          startedAt: true,
          explanation: true,
          says: true,
        }),
      )
      .describe("The worst, then the newest, at most 20"),
    troubles: z.array(z.object({ part: z.string(), detail: z.string().optional() })).describe("Of the service itself"),
    kinds: z.array(KindName),
  })
  .meta({ id: "Wall" });
export type WallView = View<typeof WallBody>;
