import { readFileSync } from "node:fs";
import type { Api } from "../api.ts";

const FILES = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/page.css", "page.css", "text/css; charset=utf-8"],
  ["/page.js", "page.js", "text/javascript; charset=utf-8"],
] as const;

/** One small page to look at a running service. Three files, read once. */
export function addPage(app: Api): void {
  for (const [url, file, type] of FILES) {
    const content = readFileSync(new URL(`../page/${file}`, import.meta.url), "utf8");
    app.get(url, { schema: { hide: true } }, async (_request, reply) =>
      reply.type(type).header("cache-control", "no-cache").send(content),
    );
  }
}
