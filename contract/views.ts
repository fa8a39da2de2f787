import { z } from "zod";
import { isPlain } from "../model/plain-text.ts";
import { type Sent, Time, type View } from "./common.ts";

/** Pages with filters in their address. */
export const VIEW_PAGES = ["desk", "sensors", "capture", "compare", "report"] as const;
export const QUERY_CHARS_MAX = 1_000;

const fields = {
  page: z.enum(VIEW_PAGES),
  name: z.string().trim().min(1).max(60).refine(isPlain, "Characters that control a terminal are not taken."),
  query: z
    .string()
    .max(QUERY_CHARS_MAX)
    .regex(/^[\x21-\x7e]*$/, "The part of the address behind the question mark, as a browser writes it.")
    .describe("What stands behind the ? of the page's address"),
};

export const NewView = z.strictObject(fields).meta({ id: "NewSavedView" });
export type NewView = Sent<typeof NewView>;
export const ViewBody = z.object({ id: z.number().int(), ...fields, createdAt: Time }).meta({ id: "SavedView" });
export type SavedView = View<typeof ViewBody>;

/** `GET /favourites` */
export const FavouritesBody = z.object({ items: z.array(z.string()) }).meta({ id: "Favourites" });
export type FavouritesView = View<typeof FavouritesBody>;
