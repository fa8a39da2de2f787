import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import rateLimit, { type FastifyRateLimitStore } from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import { networkOf } from "../model/address.ts";
import type { Api } from "./api.ts";
import type { Auth } from "./auth.ts";
import type { Connections } from "./connections.ts";
import type { ApiOptions } from "./deps.ts";
import type { Limits } from "./limits.ts";
import { permissionOf } from "./permissions.ts";
import { ProblemError } from "./problems.ts";

/**
 * Scripts and styles come from files of our own only; nothing is inline, neither in the document nor by attribute (what
 * Leaflet and uPlot style, they style by script on the element, which the policy allows). Images may be data:, because
 * the build puts small ones into the style sheets, and come from the host of the map tiles where one is configured.
 */
function policy(tilesUrl: string | undefined) {
  const tiles = tilesUrl && URL.canParse(tilesUrl) ? [new URL(tilesUrl).origin] : [];
  return {
    defaultSrc: ["'self'"],
    imgSrc: ["'self'", "data:", ...tiles],
    // The page works without a connection; its worker is a file of our own.
    workerSrc: ["'self'"],
    manifestSrc: ["'self'"],
    objectSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  };
}

/** Half a year. */
const HSTS_S = 180 * 86_400;

/**
 * What every request passes, in this order: safe headers, the host's name, the token, how many at once, the rate. Headers
 * come first so that a refusal has them, too; the token comes early, so that the rest is the caller's own and not their address's.
 */
export function addGuards(app: Api, auth: Auth, connections: Connections, options: ApiOptions, limits: Limits): void {
  refuseUndeclaredRoutes(app);
  app.register(cookie);
  app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: policy(options.page.tilesUrl) },
    frameguard: { action: "deny" },
    // Below, where HTTPS is our own; whoever puts TLS in front decides about it.
    strictTransportSecurity: false,
  });
  app.register(rateLimit, {
    max: limits.requestsPerMinuteMax,
    timeWindow: 60_000,
    store: rateStore(limits.addressesMax),
    keyGenerator: (request) => {
      const account = auth.anyone(request);
      return account ? `account ${account.name}` : networkOf(request.ip);
    },
    onExceeded: (request, key) => auth.note(request, "request.rate", key, "too many requests"),
    errorResponseBuilder: (_request, { ttl }) =>
      new ProblemError("rate-limited", undefined, { retryAfterS: Math.ceil(ttl / 1_000) }),
  });
  app.after(() => {
    app.addHook("onRequest", async (request, reply) => {
      reply.header("x-request-id", request.id);
      // What is for everyone and may be kept (the page's files, the public city) says so itself.
      reply.header("cache-control", "no-store");
      const isTls = (request.raw.socket as TLSSocket).encrypted === true;
      if (isTls && options.tlsOnly) reply.header("strict-transport-security", `max-age=${HSTS_S}`);
      if (!isTls || !options.tlsAnyHost) checkHost(request, options.hostsAllowed, auth);
      auth.check(request);
      connections.admit(request, reply, auth.nameOf(request));
    });
  });
}

/** Requests of each caller in a window of time. The package's own goes by the clock: set back, that made a window last so much longer. */
function rateStore(keysMax: number) {
  const windows = new Map<string, { count: number; since: number }>();
  return class implements FastifyRateLimitStore {
    incr(key: string, done: (error: null, result: { current: number; ttl: number }) => void, windowMs: number): void {
      const at = performance.now();
      let window = windows.get(key);
      if (!window || at - window.since >= windowMs) {
        windows.delete(key); // to the end: whose window began first is forgotten first
        window = { count: 0, since: at };
        windows.set(key, window);
        if (windows.size > keysMax) windows.delete(windows.keys().next().value!);
      }
      window.count += 1;
      done(null, { current: window.count, ttl: windowMs - (at - window.since) });
    }

    child(): this {
      return this;
    }
  };
}

/** Deny by default: a route that nobody gave a permission stops the start. */
function refuseUndeclaredRoutes(app: Api): void {
  app.addHook("onRoute", (route) => {
    for (const method of [route.method].flat()) {
      if (permissionOf(method, route.url) === undefined) {
        throw new Error(`${method} ${route.url} has no permission: add it to api/permissions.ts`);
      }
    }
  });
}

/**
 * DNS rebinding: a page of another site can make its own name point to this machine, and the browser then sends that
 * name. The header itself is looked at, not what a proxy says.
 */
function checkHost(request: FastifyRequest, allowed: readonly string[] | undefined, auth: Auth): void {
  if (allowed === undefined) return;
  const name = (request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
  if (allowed.includes(name)) return;
  auth.note(request, "request.wrong-host", networkOf(request.ip), "a host name that is not allowed");
  throw new ProblemError("wrong-host");
}

/** A caller's own id is kept if it is harmless in a log. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
}
