import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { z } from "zod";
import { AliveBody, ReadyBody, StatusBody } from "../../contract/status.ts";
import { type Figure, gauge } from "../../model/health.ts";
import type { Api, Parts } from "../api.ts";
import { mayCall } from "../permissions.ts";
import { answers, media, ProblemError, publicAnswers } from "../problems.ts";
import { patient } from "../turns.ts";

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

const tags = ["machines"];

const livez = {
  tags,
  summary: "Is the process alive?",
  response: publicAnswers({ 200: AliveBody }),
};
const readyz = {
  tags,
  summary: "Can it work? 503 while a part is not ready",
  description:
    "The reasons, which may name hosts of this city, are for those who may view; others read only which part it is.",
  response: publicAnswers({ 200: ReadyBody, 503: ReadyBody }),
};
const metrics = {
  tags,
  summary: "Figures for Prometheus",
  response: publicAnswers({ 200: media("Prometheus text format", { "text/plain": z.string() }) }, 401, 403),
};

const status = {
  tags,
  summary: "What /readyz and /metrics say, as JSON at one moment",
  description: "The same names and figures as /metrics, without those of the process. For pages that draw them.",
  response: answers({ 200: StatusBody }),
};
const copy = {
  tags,
  summary: "A backup of everything, as a tar archive",
  description:
    "Consistent while messages come in: everything that was acknowledged before the request is in it. `./lamppost restore` " +
    "reads it. With InfluxDB as the store the readings are not in it; InfluxDB has tools of its own for that.",
  response: answers({ 200: media("The archive", { "application/x-tar": z.string() }) }, 503),
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

/** The same for those who may ask under /api/v1. */
export function addStatus(app: Api, { health, figures, streams, now }: Parts): void {
  app.get("/status", { schema: status }, async () => {
    const parts = health();
    const open = gauge("lamppost_http_streams", "Open event streams", streams.counts().open);
    return {
      at: new Date(now()).toISOString(),
      ready: parts.every((part) => part.ready),
      parts,
      figures: [...figures(), open].map(({ help: _, ...figure }) => figure),
    };
  });
}

export function addBackup(app: Api, { backup, auth, queries, limits, records, now }: Parts): void {
  app.post("/backup", { schema: copy }, async (request, reply) => {
    const { download, signal } = queries(request, reply);
    await download();
    // Copies of a large store take longer than an idle connection may last.
    patient(request, 0);
    const made = await backup(signal);
    patient(request, limits.stalledMs);
    if ("refused" in made) throw new ProblemError("unavailable", made.refused);
    if (signal.aborted) made.archive.destroy();
    signal.throwIfAborted();
    records.audit.add({ at: now(), by: auth.account(request).name, what: "backup", target: "everything" });
    return reply.type("application/x-tar").send(made.archive);
  });
}

const hostOf = ({ url }: { readonly url?: string }) => (url && URL.canParse(url) ? [new URL(url).hostname] : []);

/** A reason as anyone may read it. */
function withoutHosts(reason: string, hosts: readonly string[]): string {
  const known = hosts.filter(Boolean).map((host) => new RegExp(`(?<![\\w-])${RegExp.escape(host)}(?![\\w-])`, "gi"));
  return [...HOSTS, ...known].reduce((text, host) => text.replace(host, "…"), reason.slice(0, REASON_MAX));
}

/** What Prometheus reads: the figures of every part, and the process's own. */
export function createMetrics(figures: () => readonly Figure[]) {
  const own = new Registry();
  collectDefaultMetrics({ register: own });

  async function text(): Promise<string> {
    return `${await registryOf(figures()).metrics()}\n${await own.metrics()}`;
  }
  return { text, contentType: own.contentType };
}

/** The parts count for themselves, so their figures are written into fresh metrics on each scrape. */
function registryOf(figures: readonly Figure[]): Registry {
  const registry = new Registry();
  for (const [name, group] of Map.groupBy(figures, (figure) => figure.name)) {
    const labelNames = [...new Set(group.flatMap((figure) => Object.keys(figure.labels ?? {})))];
    const config = { name, help: group[0]!.help, labelNames, registers: [registry] };
    const metric = group[0]!.type === "counter" ? new Counter(config) : new Gauge(config);
    for (const { labels = {}, value } of group) metric.inc({ ...labels }, value);
  }
  return registry;
}
