import Fastify, { type FastifyInstance } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import type { Api, Parts } from "./api.ts";
import { countRequests } from "./api-figures.ts";
import { createAuth } from "./auth.ts";
import { createConnections } from "./connections.ts";
import type { ApiDeps } from "./deps.ts";
import { addErrors, addressOf, answer, answerBrokenRequest } from "./errors.ts";
import { addGuards, requestId } from "./guards.ts";
import { acceptJsonOnly } from "./json-body.ts";
import { createLatest } from "./latest.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { addOpenApi } from "./openapi.ts";
import { createQueries } from "./queries.ts";
import { addAccounts } from "./routes/accounts.ts";
import { addAlerts } from "./routes/alerts.ts";
import { addAudit } from "./routes/audit.ts";
import { addBacktests } from "./routes/backtests.ts";
import { addEvents } from "./routes/events.ts";
import { addLedger } from "./routes/ledger.ts";
import { addBackup, addMachines, addStatus } from "./routes/machines.ts";
import { addOpenAlerts } from "./routes/open-alerts.ts";
import { addPage, pageDocument } from "./routes/page.ts";
import { addQuarantine } from "./routes/quarantine.ts";
import { addReadings } from "./routes/readings.ts";
import { addReport } from "./routes/report.ts";
import { addRules } from "./routes/rules.ts";
import { addSensorReadings } from "./routes/sensor-readings.ts";
import { addSensors } from "./routes/sensors.ts";
import { addSession } from "./routes/session.ts";
import { addSilences } from "./routes/silences.ts";
import { addRecordings, addSimulations } from "./routes/simulations.ts";
import { addTargets } from "./routes/targets.ts";
import { createSessions } from "./sessions.ts";
import { createStreams } from "./streams.ts";
import { createTurns } from "./turns.ts";
import { compileValidator } from "./validation.ts";

const ROUTES: readonly ((app: Api, parts: Parts) => void)[] = [
  addReadings,
  addSensors,
  addSensorReadings,
  addAlerts,
  addOpenAlerts,
  addRules,
  addBacktests,
  addAccounts,
  addQuarantine,
  addLedger,
  addReport,
  addAudit,
  addBackup,
  addEvents,
  addSilences,
  addTargets,
  addStatus,
  addSimulations,
  addRecordings,
  addSession,
];

/**
 * The HTTP service, ready to `listen` (or to be asked by `inject` in tests). `close()` ends the open streams first, then
 * waits for the requests under way.
 */
export function createApi(deps: ApiDeps): FastifyInstance {
  const limits: Limits = { ...LIMITS, ...deps.options.limits };
  const sessions = createSessions({ ...deps, now: deps.settled ?? deps.now }, limits);
  const auth = createAuth(deps, limits, sessions);
  const streams = createStreams(deps, limits, auth.accountOf);
  const turns = createAllTurns(limits);
  const queries = createQueries(turns, auth, limits);
  const latest = createLatest(deps, limits.latestAgeMs);
  const parts: Parts = { ...deps, auth, sessions, limits, streams, queries, turns, latest };
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
  app.register(async (scope: Api) => addPage(scope, deps.options.page.dir));
  app.register(async (scope: Api) => ROUTES.forEach((add) => void add(scope, parts)), { prefix: "/api/v1" });
  app.addHook("preClose", async () => streams.close());
  app.addHook("onClose", async () => auth.bursts.flush());
  return app as unknown as FastifyInstance;
}

/** What is dear to answer, each kind with its own turns. */
function createAllTurns(limits: Limits): Parts["turns"] {
  return {
    queries: createTurns({
      what: "queries",
      settings: "LAMPPOST_QUERIES_MAX, LAMPPOST_QUERIES_PER_ACCOUNT_MAX",
      ...{ runningMax: limits.queriesMax, runningPerAccountMax: limits.queriesPerAccountMax },
      ...{ waitingMax: limits.queriesWaitingMax, waitingPerAccountMax: limits.queriesWaitingPerAccountMax },
      waitMsMax: limits.queryWaitMs,
    }),
    exports: createTurns({
      what: "downloads",
      settings: "LAMPPOST_EXPORTS_MAX, LAMPPOST_EXPORTS_PER_ACCOUNT_MAX",
      ...{ runningMax: limits.exportsMax, runningPerAccountMax: limits.exportsPerAccountMax },
      ...{ waitingMax: 4 * limits.exportsMax, waitingPerAccountMax: 2 * limits.exportsPerAccountMax },
      waitMsMax: limits.queryWaitMs,
    }),
    checks: createTurns({
      what: "checks of rules",
      ...{ runningMax: 1, runningPerAccountMax: 1, waitingMax: 20, waitingPerAccountMax: 3 },
      waitMsMax: limits.queryWaitMs,
    }),
    backtests: createTurns({
      what: "backtests",
      ...{ runningMax: 1, runningPerAccountMax: 1, waitingMax: 5, waitingPerAccountMax: 1 },
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
