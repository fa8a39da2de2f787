import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyReply } from "fastify";
import { cityMetricsScript } from "../../model/city-metrics.ts";
import { DAY_MS } from "../../model/time.ts";
import type { Api } from "../api.ts";
import { LOOSE_FILES, PAGE_PATHS } from "../permissions.ts";

const YEAR_MS = 365 * DAY_MS;
const NOT_BUILT = "The page is not built yet. Run `npm run build` in Lamppost's folder and load this again.\n";

/**
 * The page of `dashboard/`, as its build left it. Every path the page knows answers with the same document; what it
 * loads carries a hash in its name and never changes.
 */
export function addPage(app: Api, dir: string): void {
  app.register(fastifyStatic, { root: dir, serve: false, cacheControl: false, preCompressed: true });
  const hide = { schema: { hide: true } } as const;

  for (const path of PAGE_PATHS) {
    app.get(path, hide, async (_request, reply) => {
      if (!existsSync(join(dir, "index.html"))) return reply.code(503).type("text/plain").send(NOT_BUILT);
      return fresh(reply).sendFile("index.html");
    });
  }
  // Not hashed by the build, so they must be asked for each time; the worker above all, or an old one would live on.
  for (const file of LOOSE_FILES) app.get(`/${file}`, hide, async (_request, reply) => fresh(reply).sendFile(file));

  app.get("/city-metrics.js", hide, async (_request, reply) =>
    fresh(reply).type("text/javascript").send(cityMetricsScript()),
  );

  app.get("/assets/:file", hide, async (request, reply) => {
    const { file } = request.params as { file: string };
    return reply.sendFile(`assets/${file}`, { cacheControl: true, maxAge: YEAR_MS, immutable: true });
  });
}

/** The document itself, for an address that no route knows; undefined where the page is not built. */
export const pageDocument = (dir: string): Promise<Buffer | undefined> =>
  readFile(join(dir, "index.html")).catch(() => undefined);

/** Kept, but asked for again each time: a new build is seen at the next load. */
function fresh(reply: FastifyReply): FastifyReply {
  return reply.header("cache-control", "no-cache");
}
