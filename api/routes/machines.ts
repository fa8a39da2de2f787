import { z } from "zod";
import { media, publicAnswers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { createMetrics } from "../metrics.ts";
import { mayCall } from "../permissions.ts";

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
  description:
    "The reasons, which may name hosts of this city, are for those who may view; others read only which part it is.",
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
  {
    health,
    figures,
    own,
    auth,
    records,
    options,
  }: Pick<Parts, "health" | "figures" | "auth" | "records" | "options"> & {
    own: Parts["figures"];
  },
): void {
  const { text, contentType } = createMetrics(() => [...figures(), ...own()]);
  const unlimited = { rateLimit: false };

  app.get("/livez", { schema: livez, config: unlimited }, async () => ({ alive: true as const }));

  app.get("/readyz", { schema: readyz, config: unlimited }, async (request, reply) => {
    const account = auth.anyone(request);
    const mayRead = account !== undefined && mayCall("loopback", account);
    const hosts = mayRead ? [] : [...(options.hostsHidden ?? []), ...records.targets.list().flatMap(hostOf)];
    const parts = health().map(({ reason, ...part }) => ({
      ...part,
      ...(reason === undefined ? {} : { reason: mayRead ? reason : withoutHosts(reason, hosts) }),
    }));
    const ready = parts.every((part) => part.ready);
    return reply.code(ready ? 200 : 503).send({ ready, parts });
  });

  app.get("/metrics", { schema: metrics, config: unlimited }, async (_request, reply) =>
    reply.type(contentType).send(await text()),
  );

  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}

const hostOf = ({ url }: { readonly url?: string }) => (url && URL.canParse(url) ? [new URL(url).hostname] : []);

/** URLs, addresses, names with dots or a port, and what a failed look-up of a name says; so that it also holds for hosts we do not know. */
const HOSTS = [
  /[a-z][\w+.-]*:\/\/[^\s"'<>]+/gi,
  /(?<=\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ECONNRESET) )\S+/g,
  /\[?(?=[\da-f]*::|(?:[\da-f]*:){4})[\da-f:.]+(?:%[\w.-]+)?\]?(?::\d+)?/gi,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g,
  /\b(?=[\w.-]*[a-z])[\w.-]+:\d{2,5}\b(?!:\d)/gi,
  /\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b\.?(?!\w)/gi,
];
const REASON_MAX = 500;

/** A reason as anyone may read it. */
export function withoutHosts(reason: string, hosts: readonly string[]): string {
  const known = hosts.filter(Boolean).map((host) => new RegExp(`(?<![\\w-])${RegExp.escape(host)}(?![\\w-])`, "gi"));
  return [...HOSTS, ...known].reduce((text, host) => text.replace(host, "…"), reason.slice(0, REASON_MAX));
}
