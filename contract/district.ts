import { z } from "zod";
import { OUTLINE_POSITIONS_MAX, readOutline } from "../model/district.ts";
import { isPlain } from "../model/plain-text.ts";
import { Flag, KindName, paging, type View } from "./common.ts";

const position = z.tuple([z.number(), z.number()]);
const OutlineBody = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("Polygon"), coordinates: z.array(z.array(position)) }),
    z.object({ type: z.literal("MultiPolygon"), coordinates: z.array(z.array(z.array(position))) }),
  ])
  .meta({ id: "Outline", description: "A GeoJSON geometry (RFC 7946): longitude first, WGS 84" });

/** Looked at by hand: where it is wrong is told by the place in the file. */
const Outline = z
  .custom<unknown>()
  .superRefine((value, context) => {
    const read = readOutline(value);
    if ("message" in read) context.addIssue({ code: "custom", path: [...read.path], message: read.message });
  })
  .meta({
    type: "object",
    description: `A GeoJSON Polygon or MultiPolygon of at most ${OUTLINE_POSITIONS_MAX} positions`,
  });

const name = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .refine(isPlain, "Characters that control a terminal or turn the direction of a text are not taken.");

/** `PUT /districts/{id}`. */
export const NewDistrict = z
  .strictObject({ name: name.optional().describe("As people call it"), outline: Outline.optional() })
  .meta({ id: "NewDistrict" });
export type NewDistrict = { readonly name?: string; readonly outline?: unknown };

const said = { name: z.string().optional(), outline: OutlineBody.optional() };

export const DistrictsQuery = z.strictObject({ ...paging, outlines: Flag.describe("Also where each ends") });
export const DistrictBody = z
  .object({
    district: z.string(),
    sensors: z.number().int(),
    kinds: z.record(KindName, z.number().int()),
    hasOutline: z.boolean().optional(),
    ...said,
  })
  .meta({ id: "District" });
export type DistrictView = View<typeof DistrictBody>;

export const SavedDistrictBody = z
  .object({
    district: z.string(),
    ...said,
    inside: z.number().int().optional().describe("Its sensors that stand within the outline"),
    outside: z.array(z.string()).optional().describe("Those that stand elsewhere: the first 20"),
  })
  .meta({ id: "SavedDistrict" });
export type SavedDistrictView = View<typeof SavedDistrictBody>;
