import type { FastifyRequest } from "fastify";
import { counter, type Figure, gauge } from "../model/health.ts";
import type { Api, Parts } from "./api.ts";
import type { Connections } from "./connections.ts";
import type { Turns } from "./turns.ts";

/** The API's own counters. Routes are patterns, so their number is fixed. */
export function countRequests(
  app: Api,
  {
    auth,
    streams,
    turns,
    connections,
  }: Pick<Parts, "auth" | "streams" | "turns"> & { readonly connections: Connections },
) {
  const requests = new Map<string, { route: string; method: string; status: string; count: number }>();
  const left = new WeakSet<FastifyRequest>();

  function count(request: FastifyRequest, status: number): void {
    const route = request.is404 ? "unknown" : (request.routeOptions.url ?? "unknown");
    const method = request.is404 ? "any" : request.method;
    const key = `${method} ${route} ${status}`;
    const entry = requests.get(key) ?? { route, method, status: String(status), count: 0 };
    entry.count += 1;
    requests.set(key, entry);
  }

  app.addHook("onRequest", async (request, reply) => {
    reply.raw.once("close", () => {
      // Who left before there was an answer has got none, whatever became of it: as other servers, we count that as 499.
      if (reply.raw.headersSent) return;
      left.add(request);
      count(request, 499);
    });
  });
  app.addHook("onResponse", async (request, reply) => {
    if (!left.has(request)) count(request, reply.statusCode);
  });

  return (): Figure[] => {
    const { open, refused, dropped, missedReadings } = streams.counts();
    const byRoute = [...requests.values()].map(({ count, ...labels }) =>
      counter("lamppost_http_requests_total", "Requests answered", count, labels),
    );
    return [
      ...byRoute,
      ...connections.figures(),
      ...Object.entries(turns).flatMap(([what, { counts }]) => figuresOf(what, counts())),
      counter("lamppost_http_auth_refused_total", "Requests with an unknown token", auth.counts.refused),
      counter("lamppost_http_forbidden_total", "Requests beyond the role", auth.counts.forbidden),
      gauge("lamppost_http_streams", "Open event streams", open),
      counter("lamppost_http_streams_refused_total", "Event streams refused for too many", refused),
      counter("lamppost_http_streams_dropped_total", "Event streams closed for not reading", dropped),
      counter("lamppost_http_streams_missed_total", "Live readings left out for slow clients", missedReadings),
    ];
  };
}

function figuresOf(what: string, { running, waiting, refused }: ReturnType<Turns["counts"]>): Figure[] {
  const labels = { what };
  return [
    gauge("lamppost_http_turns_running", "Dear work that runs", running, labels),
    gauge("lamppost_http_turns_waiting", "Dear work that waits", waiting, labels),
    counter("lamppost_http_turns_refused_total", "Dear work refused for too much of it", refused, labels),
  ];
}
