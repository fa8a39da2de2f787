import { Readable } from "node:stream";
import { z } from "zod";
import { AuditCheckBody, AuditEntryBody, AuditExportQuery, AuditQuery } from "../../contract/account.ts";
import { pageOf } from "../../contract/common.ts";
import type { Api, Parts } from "../api.ts";
import { csvStream, styleOf } from "../csv.ts";
import { answers, media } from "../problems.ts";
import { parseTime } from "../time-range.ts";

const tags = ["audit"];

const list = {
  tags,
  summary: "Who did what, newest first",
  description: "With a filter a page may have fewer entries than asked for; `next` goes on until it is absent.",
  querystring: AuditQuery,
  response: answers({ 200: pageOf(AuditEntryBody) }),
};
const verify = {
  tags,
  summary: "Is the chain of entries whole?",
  response: answers({ 200: AuditCheckBody }),
};
const exported = {
  tags,
  summary: "The entries as a file, newest first: at most a million",
  description: "NDJSON has the hashes, so that a copy kept elsewhere proves what stood in the log.",
  querystring: AuditExportQuery,
  response: answers({
    200: media("The entries", { "text/csv": z.string(), "application/x-ndjson": z.string() }),
  }),
};

const PIECE = 1_000;
const EXPORTED_MAX = 1_000_000;

export function addAudit(
  app: Api,
  { records, auth, queries, now }: Pick<Parts, "records" | "auth" | "queries" | "now">,
): void {
  app.get("/audit", { schema: list }, async (request) => {
    auth.bursts.flush();
    const { limit, cursor, ...filter } = request.query;
    const page = records.audit.list(limit, cursor, filterOf(filter));
    return { ...page, items: page.items.map(viewEntry) };
  });

  app.get("/audit/verify", { schema: verify }, async () => {
    const result = records.audit.verify();
    return { ...result, intact: result.brokenAt === undefined };
  });

  app.get("/audit/export", { schema: exported }, async (request, reply) => {
    auth.bursts.flush();
    const { format, locale, ...asked } = request.query;
    const filter = filterOf(asked);
    const style = styleOf(locale);
    const { download, signal } = queries(request, reply);
    await download();
    records.audit.add({ at: now(), by: auth.account(request).name, what: "audit.export", target: format });
    reply.header("content-disposition", `attachment; filename="audit.${format}"`);
    if (format === "ndjson") {
      const lines = async function* () {
        for await (const piece of pieces(filter, signal))
          yield piece.map((entry) => `${JSON.stringify(viewEntry(entry))}\n`).join("");
      };
      return reply.type("application/x-ndjson; charset=utf-8").send(Readable.from(lines(), { objectMode: false }));
    }
    const rows = async function* () {
      for await (const piece of pieces(filter, signal))
        yield piece.map(({ id, at, by, what, target, detail }) => [id, iso(at), by, what, target, detail]);
    };
    reply.type("text/csv; charset=utf-8");
    return reply.send(csvStream(["id", "at", "by", "what", "target", "detail"], rows(), style));
  });

  /** A piece at a time, so that others have their turn in between. */
  async function* pieces(filter: ReturnType<typeof filterOf>, signal: AbortSignal) {
    let cursor: string | undefined;
    let left = EXPORTED_MAX;
    do {
      const page = records.audit.list(Math.min(PIECE, left), cursor, filter);
      left -= page.items.length;
      if (page.items.length > 0) yield page.items;
      await new Promise(setImmediate);
      signal.throwIfAborted();
      cursor = page.next;
    } while (cursor !== undefined && left > 0);
  }
}

type Entry = ReturnType<Parts["records"]["audit"]["list"]>["items"][number];

const iso = (time: number) => new Date(time).toISOString();
const viewEntry = (entry: Entry) => ({ ...entry, at: iso(entry.at) });

type Asked = Omit<z.output<typeof AuditQuery>, "limit" | "cursor">;

function filterOf({ from, to, ...rest }: Asked) {
  return {
    ...rest,
    ...(from === undefined ? {} : { from: parseTime(from, "from") }),
    ...(to === undefined ? {} : { to: parseTime(to, "to") }),
  };
}
