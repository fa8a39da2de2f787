import { z } from "zod";
import type { View } from "./common.ts";

const PIECE_BYTES_MAX = 4 * 1024 * 1024;

/** `PUT /map/{name}`: where this piece of the file begins, and whether it is the last one. */
export const MapPieceQuery = z.strictObject({
  offset: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe("Bytes sent before this piece"),
  last: z.enum(["true", "false"]).default("true").describe("The file ends with this piece"),
});
export const MAP_PIECE_BYTES_MAX = PIECE_BYTES_MAX;

export const byMapFile = z.object({
  name: z.string().regex(/^[\w.-]{1,100}$/, "A map file is called by its name, such as streets.pmtiles."),
});

export const MapFileBody = z
  .object({
    name: z.string(),
    type: z.enum(["pmtiles", "geojson"]),
    bytes: z.number().int(),
    version: z.string().describe("Another one for other content"),
    from: z.enum(["settings", "upload", "simulation"]).describe("Only uploads can be removed over HTTP"),
    attribution: z.string().optional().describe("Whom its data is owed to, as the file says"),
  })
  .meta({ id: "MapFile" });
export type MapFileView = View<typeof MapFileBody>;

/** What lies under the sensors: files of this service, and the tiles of a server where one is configured. */
export const MapBody = z
  .object({
    files: z.array(MapFileBody),
    tilesUrl: z.string().optional().describe("Map tiles of a server, with {z}/{x}/{y}"),
    attribution: z.string().optional().describe("Of all of it, as it has to be shown"),
  })
  .meta({ id: "Map" });
export type MapView = View<typeof MapBody>;
