import { z } from "zod";
import { byMapFile, MAP_PIECE_BYTES_MAX, MapBody, MapFileBody, MapPieceQuery } from "../../contract/map.ts";
import type { Api, Parts } from "../api.ts";
import type { ApiOptions, MapDeps } from "../deps.ts";
import { answers, invalid, media, notFound, ProblemError } from "../problems.ts";

const tags = ["map"];
const OCTETS = "application/octet-stream";
/** Its address carries the version. */
const KEEP = "private, max-age=31536000, immutable";

const list = { tags, summary: "What maps are drawn from", response: answers({ 200: MapBody }) };
const content = {
  tags,
  summary: "A file that maps are drawn from",
  description: "GeoJSON whole; PMTiles by ranges of at most 8 MiB (`Range: bytes=0-16383`).",
  params: byMapFile,
  querystring: z.object({ v: z.string().max(40).optional().describe("Its version: the answer may be kept for ever") }),
  response: answers(
    {
      200: media("All of it", { "application/geo+json": z.string() }),
      206: media("A part of it", { [OCTETS]: z.string() }),
    },
    404,
    416,
  ),
};
const put = {
  tags,
  summary: "Send a file that maps are drawn from, in pieces",
  description:
    "PMTiles (version 3) of at most 512 MiB or GeoJSON of at most 32 MiB, as `application/octet-stream` in pieces of at most 4 MiB, one after the other: `?offset=` says where each begins, `last=false` that more come. With the last one the file is looked at and in use.",
  params: byMapFile,
  querystring: MapPieceQuery,
  response: answers({ 200: MapFileBody, 202: z.object({ bytes: z.number().int() }) }, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Remove a map file that was sent",
  params: byMapFile,
  response: answers({ 204: z.undefined() }, 404),
};

/** What lies under the sensors on a map, as the session says it, too. */
export function mapOf({ list: files }: Pick<MapDeps, "list">, { tilesUrl, mapAttribution }: ApiOptions["page"]) {
  const shown = files();
  const owed = new Set([mapAttribution, ...shown.map((one) => one.attribution)].filter((one) => one !== undefined));
  return {
    files: shown,
    ...(tilesUrl ? { tilesUrl } : {}),
    ...(owed.size > 0 ? { attribution: [...owed].join(" · ") } : {}),
  };
}

/** Base maps without anyone else's server: the files, and what admins send. */
export function addMap(app: Api, { map, options, auth, records, now }: Parts): void {
  app.get("/map", { schema: list }, async () => mapOf(map, options.page));

  app.get("/map/:name", { schema: content }, async (request, reply) => {
    const { name } = request.params;
    const file = map.list().find((one) => one.name === name);
    if (!file) throw notFound("map file", name);
    reply.header("etag", `"${file.version}"`).header("accept-ranges", "bytes").type(OCTETS);
    if (request.query.v === file.version) reply.header("cache-control", KEEP);
    if (file.type === "geojson") {
      const bytes = await map.whole(name);
      return reply
        .type("application/geo+json")
        .header("content-encoding", "gzip")
        .send(bytes as never);
    }
    const asked = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(request.headers.range ?? "");
    if (!asked) throw invalid("#/headers/range", "Ask for a range of it, such as Range: bytes=0-16383.");
    const [first, last] = [Number(asked[1]), asked[2] ? Number(asked[2]) : Number.MAX_SAFE_INTEGER];
    const found = last < first ? undefined : await refusing(() => map.range(name, first, last));
    if (!found) {
      reply.header("content-range", `bytes */${file.bytes}`);
      throw new ProblemError("range-not-satisfiable", `It has ${file.bytes} bytes.`);
    }
    const end = found.first + found.bytes.length - 1;
    reply.code(206).header("content-range", `bytes ${found.first}-${end}/${found.total}`);
    return reply.send(found.bytes as never);
  });

  app.register(async (own: Api) => {
    own.addContentTypeParser(OCTETS, { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    own.put("/map/:name", { schema: put, bodyLimit: MAP_PIECE_BYTES_MAX }, async (request, reply) => {
      if (!Buffer.isBuffer(request.body))
        throw new ProblemError("unsupported-media-type", `A map file is sent as ${OCTETS}.`);
      const [{ name }, { offset, last }, bytes] = [request.params, request.query, request.body];
      const file = await refusing(() => map.put(name, offset, bytes, last === "true"));
      if (!file) return reply.code(202).send({ bytes: offset + bytes.length });
      records.audit.add({ at: now(), by: auth.account(request).name, what: "map.save", target: name });
      return file;
    });
  });

  app.delete("/map/:name", { schema: remove }, async (request, reply) => {
    const { name } = request.params;
    if (!(await map.remove(name))) throw notFound("uploaded map file", name);
    records.audit.add({ at: now(), by: auth.account(request).name, what: "map.remove", target: name });
    return reply.code(204).send();
  });
}

/** What is wrong with a file is said to who sent it. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "MapFileRefused") throw invalid("", `This file is refused: ${message}.`);
    if (name === "MapFileBusy") throw new ProblemError("conflict", message);
    throw error;
  }
}
