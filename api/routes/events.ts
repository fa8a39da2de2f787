import { z } from "zod";
import { EventsHeaders, EventsQuery } from "../../contract/events.ts";
import type { Api, Parts } from "../api.ts";
import { answers, media, ProblemError } from "../problems.ts";

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx would gather the events otherwise
  "x-accel-buffering": "no",
};

const schema = {
  tags: ["events"],
  summary: "Alerts as they happen (Server-Sent Events)",
  description:
    "`event: alert` carries a durable id: come back with Last-Event-ID and nothing is missed; where some of it is gone, `event: reset` says so, and you load everything anew. With readings=true also `event: readings`, arrays without an id; a slow client misses some.",
  querystring: EventsQuery,
  headers: EventsHeaders,
  response: answers({ 200: media("The stream", { "text/event-stream": z.string() }) }, 503),
};

export function addEvents(app: Api, { auth, streams }: Pick<Parts, "auth" | "streams">): void {
  app.get("/events", { schema, exposeHeadRoute: false }, (request, reply) => {
    const { account, secretHash } = auth.known(request);
    const refusal = streams.refusal(account.name, request.ip);
    if (refusal) throw new ProblemError("unavailable", refusal, { retryAfterS: 30 });
    const last = request.headers["last-event-id"] ?? request.query.lastEventId;
    reply.hijack();
    reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEADERS });
    streams.open(reply.raw, {
      account: account.name,
      secretHash,
      address: request.ip,
      readings: request.query.readings === "true",
      ...(last === undefined ? {} : { lastEventId: Number(last) }),
    });
  });
}
