import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyInstance, type FastifyRequest, type FastifySchema } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject, serializerCompiler } from "fastify-type-provider-zod";
import { counter, type Figure, gauge } from "../model/health.ts";
import type { Api, Parts } from "./api.ts";
import { createAuth } from "./auth.ts";
import { type Connections, createConnections } from "./connections.ts";
import type { ApiDeps } from "./deps.ts";
import { addErrors, addressOf, answer, answerBrokenRequest } from "./errors.ts";
import { addGuards, requestId } from "./guards.ts";
import { type HttpsOptions, startHttps } from "./https.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { createLatest } from "./live.ts";
import { permissionOf } from "./permissions.ts";
import { addAccounts } from "./routes/accounts.ts";
import { addAlerts } from "./routes/alerts.ts";
import { addAnnotations } from "./routes/annotations.ts";
import { addAudit } from "./routes/audit.ts";
import { addLedger, addQuarantine } from "./routes/books.ts";
import { addCalibrations } from "./routes/calibrations.ts";
import { addCapture } from "./routes/capture.ts";
import { addConflicts } from "./routes/conflicts.ts";
import { addCorrections } from "./routes/corrections.ts";
import { addCrews } from "./routes/crews.ts";
import { addDistricts } from "./routes/districts.ts";
import { addDoors } from "./routes/doors.ts";
import { addEvents } from "./routes/events.ts";
import { addHandover } from "./routes/handover.ts";
import { addIncidents } from "./routes/incidents.ts";
import { addBackup, addMachines, addStatus } from "./routes/machines.ts";
import { addMap } from "./routes/map.ts";
import { addMappings } from "./routes/mappings.ts";
import { addOpenAlerts } from "./routes/open-alerts.ts";
import { addPage, pageDocument } from "./routes/page.ts";
import { addPersonalNotify } from "./routes/personal-notify.ts";
import { addPhotos } from "./routes/photos.ts";
import { addQuarantineWork } from "./routes/quarantine-work.ts";
import { addReadings } from "./routes/readings.ts";
import { addRegister, addRegisterFile } from "./routes/register.ts";
import { addReport } from "./routes/report.ts";
import { addBacktests, addRules } from "./routes/rules.ts";
import { addSensorReadings, addSensors } from "./routes/sensors.ts";
import { addSession } from "./routes/session.ts";
import { addSilences } from "./routes/silences.ts";
import { addRecordings, addSimulations } from "./routes/simulations.ts";
import { addTargets } from "./routes/targets.ts";
import { addUndo } from "./routes/undo.ts";
import { addUsers } from "./routes/users.ts";
import { addViews } from "./routes/views.ts";
import { addWalls } from "./routes/walls.ts";
import { createSessions } from "./sessions.ts";
import { createStreams, type Streams } from "./streams.ts";
import { createQueries, createTurns, type Turns } from "./turns.ts";
import { acceptJsonOnly, compileValidator } from "./validation.ts";

const DESCRIPTION = `What a city's sensors say, the alerts that follow from it, and the books.
Every route below /api/v1 needs \`Authorization: Bearer <token>\`. Errors are RFC 9457 problems.
Lists come as pages: \`{items, next}\`, and \`next\` is the \`cursor\` of the next page.`;
/** Swagger UI sets style attributes; everything else it needs is served from here. */
const DOCS_CSP = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

const ROUTES: readonly ((app: Api, parts: Parts) => void)[] = [
  addReadings,
  addSensors,
  addRegister,
  addRegisterFile,
  addSensorReadings,
  addCorrections,
  addCalibrations,
  addCapture,
  addConflicts,
  addAlerts,
  addPhotos,
  addIncidents,
  addOpenAlerts,
  addRules,
  addBacktests,
  addAccounts,
  addUsers,
  addDistricts,
  addUndo,
  addQuarantine,
  addQuarantineWork,
  addLedger,
  addCrews,
  addReport,
  addAudit,
  addBackup,
  addEvents,
  addSilences,
  addTargets,
  addMappings,
  addStatus,
  addSimulations,
  addRecordings,
  addSession,
  addMap,
  addPersonalNotify,
  addViews,
  addHandover,
  addAnnotations,
  addWalls,
];

/** Open pages are told when a correction came or went, whoever asked for it. */
function telling(
  corrections: ApiDeps["corrections"],
  streams: Pick<Streams, "pushCorrection">,
): ApiDeps["corrections"] {
  return {
    ...corrections,
    async add(...asked) {
      const done = await corrections.add(...asked);
      if (done.effect) streams.pushCorrection("added", done.correction);
      return done;
    },
    async revoke(...asked) {
      const done = await corrections.revoke(...asked);
      if (done?.effect) streams.pushCorrection("revoked", done.correction);
      return done;
    },
  };
}

/**
 * The HTTP service, ready to `listen` (or to be asked by `inject` in tests). `close()` ends the open streams first, then
 * waits for the requests under way. `listenTls` opens HTTPS beside it.
 */
export function createApi(deps: ApiDeps) {
  const limits: Limits = { ...LIMITS, ...deps.options.limits };
  const sessions = createSessions({ ...deps, now: deps.settled ?? deps.now }, limits);
  const auth = createAuth(deps, limits, sessions);
  const streams = createStreams(deps, limits, auth.accountOf);
  const turns = createAllTurns(limits);
  const queries = createQueries(turns, auth, limits);
  const latest = createLatest(deps, limits.latestAgeMs);
  const corrections = telling(deps.corrections, streams);
  const parts: Parts = { ...deps, corrections, auth, sessions, limits, streams, queries, turns, latest };
  const app = openServer(deps, limits);
  addErrors(app, deps.log, () => pageDocument(deps.options.page.dir));
  acceptJsonOnly(app);
  const ports = {
    audit: deps.records.audit,
    background: deps.background,
    log: deps.log,
    now: deps.now,
    ...deps.options,
  };
  const connections = createConnections(app.server, limits, ports);
  addGuards(app, auth, connections, deps.options, limits);
  addOpenApi(app, deps.options.version);
  const own = countRequests(app, { ...parts, connections });
  app.register(async (scope: Api) => addMachines(scope, { ...parts, own }));
  app.register(async (scope: Api) => addDoors(scope, parts));
  app.register(async (scope: Api) => addPage(scope, deps.options.page.dir));
  app.register(async (scope: Api) => ROUTES.forEach((add) => void add(scope, parts)), { prefix: "/api/v1" });
  app.addHook("preClose", async () => streams.close());
  app.addHook("onClose", async () => auth.bursts.flush());
  return Object.assign(app as unknown as FastifyInstance, {
    listenTls: (options: HttpsOptions) => startHttps(app.server, connections, options),
  });
}

/** What is dear to answer, each kind with its own turns. */
function createAllTurns(limits: Limits): Parts["turns"] {
  return {
    queries: createTurns({
      what: "queries",
      settings: "LAMPPOST_QUERIES_MAX, LAMPPOST_QUERIES_PER_ACCOUNT_MAX",
      runningMax: limits.queriesMax,
      runningPerAccountMax: limits.queriesPerAccountMax,
      waitingMax: limits.queriesWaitingMax,
      waitingPerAccountMax: limits.queriesWaitingPerAccountMax,
      waitMsMax: limits.queryWaitMs,
    }),
    exports: createTurns({
      what: "downloads",
      settings: "LAMPPOST_EXPORTS_MAX, LAMPPOST_EXPORTS_PER_ACCOUNT_MAX",
      runningMax: limits.exportsMax,
      runningPerAccountMax: limits.exportsPerAccountMax,
      waitingMax: 4 * limits.exportsMax,
      waitingPerAccountMax: 2 * limits.exportsPerAccountMax,
      waitMsMax: limits.queryWaitMs,
    }),
    // Of exports that have a place among the downloads: the rest of the queries' places is for those who wait for an answer.
    pieces: createTurns({
      what: "downloads",
      runningMax: Math.max(1, Math.floor(limits.queriesMax / 2)),
      runningPerAccountMax: 1,
      waitingMax: limits.exportsMax,
      waitingPerAccountMax: limits.exportsPerAccountMax,
      // Its place is taken already, and so are those of all who wait here.
      waitMsMax: limits.queryWaitMs + limits.queryMs,
    }),
    checks: createTurns({
      what: "checks of rules",
      runningMax: 1,
      runningPerAccountMax: 1,
      waitingMax: 20,
      waitingPerAccountMax: 3,
      waitMsMax: limits.queryWaitMs,
    }),
    backtests: createTurns({
      what: "backtests",
      runningMax: 1,
      runningPerAccountMax: 1,
      waitingMax: 5,
      waitingPerAccountMax: 1,
      waitMsMax: limits.backtestWaitMs,
    }),
  };
}

function openServer(deps: ApiDeps, limits: Limits): Api {
  const app = Fastify({
    logger: false,
    genReqId: requestId,
    rewriteUrl: addressOf,
    bodyLimit: limits.bodyBytesMax,
    http: {
      headersTimeout: Math.min(limits.headersMs, limits.requestMs),
      // How often Node looks for what is overdue: its default would add half a minute to both limits.
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
    },
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.stalledMs,
    keepAliveTimeout: 10_000,
    maxRequestsPerSocket: 1_000,
    forceCloseConnections: true,
    trustProxy: deps.options.proxiesTrusted ? [...deps.options.proxiesTrusted] : false,
    frameworkErrors: (error, request, reply) => void answer(error, request, reply as never, deps.log),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket),
  }) as unknown as Api;
  app.setValidatorCompiler(compileValidator as never);
  app.setSerializerCompiler(serializerCompiler as never);
  return app;
}

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

/** OpenAPI 3.1 from the routes' schemas, and pages to read and try it. Call it before any route is added. */
export function addOpenApi(app: Api, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Lamppost",
        description: DESCRIPTION,
        version,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/" }],
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document as Parameters<typeof jsonSchemaTransform>[0]);
      return { schema: describeAccess(schema, String(document.route.method), url), url };
    },
    transformObject: jsonSchemaTransformObject,
  });
  app.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: DOCS_CSP,
    uiConfig: { docExpansion: "list", validatorUrl: null, persistAuthorization: false },
    theme: { title: "Lamppost API" },
  });
}

/** Who may call a route is part of what a reader of the document wants to know. */
function describeAccess(schema: FastifySchema, method: string, url: string): FastifySchema {
  const permission = permissionOf(method, url);
  if (permission === undefined || permission === "public") return { ...schema, security: [] };
  const roles =
    permission === "loopback" ? "this machine without a token, others viewer and up" : permission.join(", ");
  return {
    ...schema,
    security: [{ bearer: [] }],
    description: [schema.description, `Roles: ${roles}.`].filter(Boolean).join(" "),
  };
}
