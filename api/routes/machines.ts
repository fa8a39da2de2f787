import { z } from "zod";
import type { Api, Parts } from "../api.ts";
import { createMetrics } from "../metrics.ts";
import { media, publicAnswers } from "../schemas/answers.ts";

const tags = ["machines"];
/** What a part says of itself. */
export const Part = z.object({
  part: z.string(),
  state: z.enum(["ok", "degraded", "failed"]),
  ready: z.boolean(),
  reason: z.string().optional().describe("What to do about it"),
});
const Ready = z.object({ ready: z.boolean(), parts: z.array(Part) }).meta({ id: "Readiness" });

const livez = {
  tags,
  summary: "Is the process alive?",
  response: publicAnswers({ 200: z.object({ alive: z.literal(true) }) }),
};
const readyz = {
  tags,
  summary: "Can it work? 503 while a part is not ready",
  response: publicAnswers({ 200: Ready, 503: Ready }),
};
const metrics = {
  tags,
  summary: "Figures for Prometheus",
  response: publicAnswers({ 200: media("Prometheus text format", { "text/plain": z.string() }) }, 401, 403),
};

/** For machines that watch the service. Nothing here says anything of a reading. */
export function addMachines(
  app: Api,
  { health, figures, own }: Pick<Parts, "health" | "figures"> & { own: Parts["figures"] },
): void {
  const { text, contentType } = createMetrics(() => [...figures(), ...own()]);
  const unlimited = { rateLimit: false };

  app.get("/livez", { schema: livez, config: unlimited }, async () => ({ alive: true as const }));

  app.get("/readyz", { schema: readyz, config: unlimited }, async (_request, reply) => {
    const parts = health().map((part) => ({ ...part }));
    const ready = parts.every((part) => part.ready);
    return reply.code(ready ? 200 : 503).send({ ready, parts });
  });

  app.get("/metrics", { schema: metrics, config: unlimited }, async (_request, reply) =>
    reply.type(contentType).send(await text()),
  );

  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}
