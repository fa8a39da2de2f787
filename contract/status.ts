import { z } from "zod";
import type { Health, Figure as OwnFigure } from "../model/health.ts";
import { type Mirrors, type Provided, Time, type View } from "./common.ts";

/** What a part of the service says of itself. */
const Part = z.object({
  part: z.string(),
  state: z.enum(["ok", "degraded", "failed"]),
  ready: z.boolean(),
  reason: z.string().optional().describe("What to do about it"),
});

export const AliveBody = z.object({ alive: z.literal(true) });

/** `/readyz`, with 200 or 503. */
export const ReadyBody = z.object({ ready: z.boolean(), parts: z.array(Part) }).meta({ id: "Readiness" });
export type ReadyView = View<typeof ReadyBody>;

const Figure = z.object({
  name: z.string().meta({ examples: ["lamppost_consumer_lag_messages"] }),
  type: z.enum(["counter", "gauge"]),
  value: z.number(),
  labels: z.record(z.string(), z.string()).optional(),
});

export const StatusBody = z
  .object({ at: Time, ready: z.boolean(), parts: z.array(Part), figures: z.array(Figure) })
  .meta({ id: "Status" });
type Body = View<typeof StatusBody>;
/** What a figure is called for people is left to `/metrics`. */
type Own = { readonly parts: readonly Health[]; readonly figures: readonly Omit<OwnFigure, "help">[] };
export type StatusView = Provided<Body, Mirrors<Pick<Body, keyof Own>, Own, never>>;
