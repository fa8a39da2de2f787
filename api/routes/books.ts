import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { pageOf, paging } from "../../contract/common.ts";
import {
  LedgerBody,
  type LedgerCheck,
  type LedgerCheckView,
  LedgerQuery,
  type LedgerTrace,
  QuarantineItemBody,
  type QuarantineItemView,
  QuarantineQuery,
  Redrive,
  RedrivenBody,
  StoreReportBody,
  TraceBody,
  type TraceCopy,
  TraceQuery,
  type TraceView,
} from "../../contract/ledger.ts";
import { SensorFaultsBody } from "../../contract/reading.ts";
import { formatSource } from "../../model/message.ts";
import type { QuarantineItem } from "../../store/records/quarantine.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";
import { parseTime } from "../time-range.ts";
import { waitingFor } from "./mappings.ts";
import { viewFaults } from "./sensors.ts";

const readLedger = {
  tags: ["ledger"],
  summary: "The books: where everything that was received ended",
  description: [
    "The whole, or what was received on a day (UTC), or of one sensor; by=sensor adds a line for each sensor.",
    "verify=true counts again what the store and the quarantine hold and compares (operators and admins).",
  ].join(" "),
  querystring: LedgerQuery,
  response: answers({ 200: LedgerBody }, 503),
};

const traceReading = {
  tags: ["ledger"],
  summary: "Where one reading is: stored, in quarantine, in the journal, removed or never seen",
  querystring: TraceQuery,
  response: answers({ 200: TraceBody }, 503),
};

const readStore = {
  tags: ["ledger"],
  summary: "Where the readings are kept, and what whoever runs that place should know",
  description:
    "For InfluxDB: version, rights (each tried with a point of its own), bucket or database, retention, clock, disk, series.",
  response: answers({ 200: StoreReportBody }),
};

type LedgerParts = Pick<Parts, "ledger" | "examineStore" | "auth" | "queries" | "records">;

export function addLedger(app: Api, { ledger, examineStore, auth, queries, records }: LedgerParts): void {
  app.get("/ledger", { schema: readLedger }, async (request, reply) => {
    const { ask } = queries(request, reply);
    const { day, sensor, by, limit, cursor, verify } = request.query;
    if (by && sensor) throw invalid("#/query/by", "Use either sensor or by=sensor, not both.");
    if (verify === "true" && !mayVerify(auth.account(request).role)) {
      throw new ProblemError("forbidden", "Only operators and admins may use verify=true.");
    }
    const verified = verify === "true" ? { verified: viewCheck(await ask(ledger.verify)) } : {};
    const { sensors, ...whole } = await ask(() => ledger.read({ day, sensorId: sensor, bySensor: by === "sensor" }));
    const marks = { edited: records.edits.count(), dismissed: records.quarantine.dismissed() };
    const body = { ...whole, ...verified, ...marks };
    if (!sensors) return body;
    const { items, next } = pageByKey(sensors, (line) => line.sensorId, limit, cursor);
    return { ...body, sensors: items, ...(next === undefined ? {} : { next }) };
  });

  app.get("/ledger/trace", { schema: traceReading }, async (request, reply) => {
    const { sensor, measuredAt } = request.query;
    const at = parseTime(measuredAt, "measuredAt");
    return viewTrace(await queries(request, reply).ask((signal) => ledger.trace(sensor, at, signal)));
  });

  app.get("/store", { schema: readStore }, async (request, reply) => queries(request, reply).ask(examineStore));
}

const mayVerify = (role: string) => role === "operator" || role === "admin";

const iso = (time: number) => new Date(time).toISOString();

const viewCheck = (check: LedgerCheck): LedgerCheckView => ({ ...check, at: iso(check.at) });

function viewTrace({ stored, quarantined, waiting, settled, ...rest }: LedgerTrace): TraceView {
  return {
    ...rest,
    measuredAt: iso(rest.measuredAt),
    ...(stored ? { stored: viewStored(stored) } : {}),
    quarantined: quarantined.map(viewCopy),
    waiting: waiting.map(viewCopy),
    settled: settled.map(viewCopy),
  };
}

function viewStored({ alsoFrom, ...stored }: NonNullable<LedgerTrace["stored"]>): TraceView["stored"] {
  return { ...viewCopy(stored), ...(alsoFrom && { alsoFrom: alsoFrom.map(viewCopy) }) };
}

const viewCopy = <T extends TraceCopy>(copy: T) => ({ ...copy, receivedAt: iso(copy.receivedAt) });

const listQuarantined = {
  tags: ["quarantine"],
  summary: "Messages that could not become readings, and single values that were refused, newest first",
  querystring: QuarantineQuery,
  response: answers({ 200: pageOf(QuarantineItemBody) }),
};
const listFaults = {
  tags: ["quarantine"],
  summary: "Sensors that send what is refused, or fields that nobody takes",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(SensorFaultsBody) }),
};
const readQuarantined = {
  tags: ["quarantine"],
  summary: "One of them, with its payload",
  params: z.object({ id: z.coerce.number().int().min(1) }),
  response: answers({ 200: QuarantineItemBody }, 404),
};
const redriveQuarantined = {
  tags: ["quarantine"],
  summary: "Send them through again, after a fix",
  description:
    "By ids, or all of a reason that were not sent through yet (up to 10,000 at a time), or of a mapping, in the order they were received.",
  body: Redrive,
  response: answers({ 200: RedrivenBody }, 413, 415, 503),
};

export function addQuarantine(app: Api, parts: Parts): void {
  const { quarantine, audit } = parts.records;
  // What could not become readings may be anything, so who looked at it is written down.
  const noteRead = (request: FastifyRequest, target: string) =>
    parts.auth.bursts.note({ by: parts.auth.account(request).name, what: "quarantine.read", target });

  app.get("/quarantine", { schema: listQuarantined }, async (request) => {
    const { limit, cursor, reason, sensor, metric, redriven, state } = request.query;
    const filter = {
      reason,
      ...(state && { state }),
      sensorId: sensor,
      metric,
      redriven: redriven === undefined ? undefined : redriven === "true",
    };
    const page = quarantine.list(filter, limit, cursor);
    noteRead(request, "list");
    return { ...page, items: page.items.map(viewItem) };
  });

  app.get("/quarantine/sensors", { schema: listFaults }, async (request) => {
    const { limit, cursor = "" } = request.query;
    const items = [];
    let next: string | undefined;
    for (const one of parts.faults.list(cursor)) {
      if (items.length === limit) {
        next = items.at(-1)!.sensorId;
        break;
      }
      items.push(viewFaults(one));
    }
    return { items, ...(next === undefined ? {} : { next }) };
  });

  app.get("/quarantine/:id", { schema: readQuarantined }, async (request) => {
    const item = quarantine.get(request.params.id);
    if (!item) throw notFound("quarantined message", String(request.params.id));
    noteRead(request, `message ${item.id}`);
    const { payload, reason } = item.rejection;
    if (!payload || reason === "personal_data") return viewItem(item);
    return { ...viewItem(item), payload: viewPayload(payload, parts.limits.payloadShownBytes) };
  });

  app.post("/quarantine/redrive", { schema: redriveQuarantined }, async (request) => {
    const { ids, reason, mapping } = request.body;
    if ([ids, reason, mapping].filter((one) => one !== undefined).length !== 1)
      throw invalid("", "Send one of ids, reason and mapping.");
    const by = parts.auth.account(request).name;
    const asked =
      mapping === undefined
        ? (ids ?? quarantine.undriven(reason!, parts.limits.redriveMax))
        : waitingFor(parts, mapping).map(({ id }) => id);
    const redriven = await parts.redrive(asked, by);
    audit.add({
      at: parts.now(),
      by,
      what: "quarantine.redrive",
      target: reason ?? mapping ?? "ids",
      detail: `${redriven} messages`,
    });
    return { redriven };
  });
}

export function viewItem({
  id,
  rejection,
  redrivenAt,
  redrivenBy,
  decision,
  because,
}: QuarantineItem): QuarantineItemView {
  const { payload: _hidden, source, receivedAt, measuredAt, ...rest } = rejection;
  return {
    id,
    ...rest,
    ...(measuredAt === undefined ? {} : { measuredAt: new Date(measuredAt).toISOString() }),
    source: formatSource(source),
    receivedAt: new Date(receivedAt).toISOString(),
    ...(redrivenAt === undefined ? {} : { redrivenAt: new Date(redrivenAt).toISOString(), redrivenBy }),
    ...(decision ? { decision } : {}),
    ...(because === undefined ? {} : { because }),
  };
}

/** A quarantined payload as it is shown: text if it is UTF-8, else base64; cut after `bytesMax`. */
export function viewPayload(payload: Uint8Array, bytesMax: number) {
  const truncated = payload.byteLength > bytesMax;
  const shown = payload.subarray(0, bytesMax);
  const facts = { bytes: payload.byteLength, truncated };
  try {
    // A cut in the middle of a character is not an error: with `stream` the decoder waits for the rest.
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(shown, { stream: truncated }), ...facts };
  } catch {
    return { base64: Buffer.from(shown).toString("base64"), ...facts };
  }
}
