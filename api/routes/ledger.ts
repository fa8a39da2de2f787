import {
  LedgerBody,
  type LedgerCheckView,
  LedgerQuery,
  StoreReportBody,
  TraceBody,
  TraceQuery,
  type TraceView,
} from "../../contract/ledger.ts";
import type { LedgerCheck, LedgerTrace, TraceCopy } from "../../model/ledger.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { invalid, ProblemError } from "../problems.ts";
import { parseTime } from "../time-range.ts";

const tags = ["ledger"];

const schema = {
  tags,
  summary: "The books: where everything that was received ended",
  description: [
    "The whole, or what was received on a day (UTC), or of one sensor; by=sensor adds a line for each sensor.",
    "verify=true counts again what the store and the quarantine hold and compares (operators and admins).",
  ].join(" "),
  querystring: LedgerQuery,
  response: answers({ 200: LedgerBody }, 503),
};

const trace = {
  tags,
  summary: "Where one reading is: stored, in quarantine, in the journal, removed or never seen",
  querystring: TraceQuery,
  response: answers({ 200: TraceBody }, 503),
};

const store = {
  tags,
  summary: "Where the readings are kept, and what whoever runs that place should know",
  description:
    "For InfluxDB: version, rights (each tried with a point of its own), bucket or database, retention, clock, disk, series.",
  response: answers({ 200: StoreReportBody }),
};

type LedgerParts = Pick<Parts, "ledger" | "examineStore" | "auth" | "queries">;

export function addLedger(app: Api, { ledger, examineStore, auth, queries }: LedgerParts): void {
  app.get("/ledger", { schema }, async (request, reply) => {
    const { ask } = queries(request, reply);
    const { day, sensor, by, limit, cursor, verify } = request.query;
    if (by && sensor) throw invalid("#/query/by", "Give either sensor or by=sensor.");
    if (verify === "true" && !mayVerify(auth.account(request).role)) {
      throw new ProblemError("forbidden", "Counting everything again is for operators and admins.");
    }
    const verified = verify === "true" ? { verified: viewCheck(await ask(ledger.verify)) } : {};
    const { sensors, ...whole } = await ask(() => ledger.read({ day, sensorId: sensor, bySensor: by === "sensor" }));
    const body = { ...whole, ...verified };
    if (!sensors) return body;
    const { items, next } = pageByKey(sensors, (line) => line.sensorId, limit, cursor);
    return { ...body, sensors: items, ...(next === undefined ? {} : { next }) };
  });

  app.get("/ledger/trace", { schema: trace }, async (request, reply) => {
    const { sensor, measuredAt } = request.query;
    const at = parseTime(measuredAt, "measuredAt");
    return viewTrace(await queries(request, reply).ask((signal) => ledger.trace(sensor, at, signal)));
  });

  app.get("/store", { schema: store }, async (request, reply) => queries(request, reply).ask(examineStore));
}

const mayVerify = (role: string) => role === "operator" || role === "admin";

const iso = (time: number) => new Date(time).toISOString();

const viewCheck = (check: LedgerCheck): LedgerCheckView => ({ ...check, at: iso(check.at) });

function viewTrace({ stored, quarantined, waiting, settled, ...rest }: LedgerTrace): TraceView {
  return {
    ...rest,
    measuredAt: iso(rest.measuredAt),
    ...(stored ? { stored: viewCopy(stored) } : {}),
    quarantined: quarantined.map(viewCopy),
    waiting: waiting.map(viewCopy),
    settled: settled.map(viewCopy),
  };
}

const viewCopy = <T extends TraceCopy>(copy: T) => ({ ...copy, receivedAt: iso(copy.receivedAt) });
