import { z } from "zod";
import { Time } from "../../contract/common.ts";
import { gauge } from "../../model/health.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { Part } from "./machines.ts";

const FigureBody = z.object({
  name: z.string().meta({ examples: ["lamppost_consumer_lag_messages"] }),
  type: z.enum(["counter", "gauge"]),
  value: z.number(),
  labels: z.record(z.string(), z.string()).optional(),
});

const schema = {
  tags: ["machines"],
  summary: "What /readyz and /metrics say, as JSON at one moment",
  description: "The same names and figures as /metrics, without those of the process. For pages that draw them.",
  response: answers({
    200: z.object({ at: Time, ready: z.boolean(), parts: z.array(Part), figures: z.array(FigureBody) }).meta({
      id: "Status",
    }),
  }),
};

export function addStatus(app: Api, { health, figures, streams, now }: Parts): void {
  app.get("/status", { schema }, async () => {
    const parts = health().map((part) => ({ ...part }));
    const open = gauge("lamppost_http_streams", "Open event streams", streams.counts().open);
    return {
      at: new Date(now()).toISOString(),
      ready: parts.every((part) => part.ready),
      parts,
      figures: [...figures(), open].map(({ help: _, ...figure }) => figure),
    };
  });
}
