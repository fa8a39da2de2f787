import { z } from "zod";
import { isPlain } from "../model/plain-text.ts";
import { type Sent, Time, type View } from "./common.ts";

export const NewHandover = z
  .strictObject({
    text: z.string().trim().min(1).max(2_000).refine(isPlain, "Characters that control a terminal are not taken."),
  })
  .meta({ id: "NewHandoverNote" });
export type NewHandover = Sent<typeof NewHandover>;

export const HandoverBody = z
  .object({
    id: z.number().int(),
    at: Time,
    by: z.string(),
    text: z.string(),
    seen: z.array(z.object({ by: z.string(), at: Time })).describe("Who said that they have read it, in that order"),
  })
  .meta({ id: "HandoverNote", description: "What one shift tells the next" });
export type HandoverView = View<typeof HandoverBody>;

type Note = { readonly id: number; readonly at: number; readonly by: string; readonly text: string };
type Seen = { readonly by: string; readonly at: number };

export function viewHandover({ at, seen, ...note }: Note & { readonly seen: readonly Seen[] }): HandoverView {
  return { ...note, at: iso(at), seen: seen.map((one) => ({ by: one.by, at: iso(one.at) })) };
}

const iso = (time: number) => new Date(time).toISOString();
