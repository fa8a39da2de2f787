import { z } from "zod";
import { byId } from "../../contract/common.ts";
import { SensorBody } from "../../contract/reading.ts";
import {
  ChangedSensorBody,
  ExportQuery,
  ImportQuery,
  RegisterImportBody,
  SensorChange,
} from "../../contract/register.ts";
import type { Sensor } from "../../store/records/sensors.ts";
import type { RemovedAccount } from "../../store/records/undos.ts";
import { removedAccount } from "../accounts.ts";
import type { Api, Parts } from "../api.ts";
import { csvStream, styleOf } from "../csv.ts";
import { answers, invalid, media, notFound, ProblemError } from "../problems.ts";
import {
  adviceFor,
  changedSensor,
  checkIdle,
  keepSensor,
  knownGateways,
  linkSuccessor,
  retireSensor,
  unlinkFormer,
} from "../register.ts";
import { exportRegister, importRegister } from "../register-file.ts";
import { parseTime } from "../time-range.ts";
import { viewSensor } from "./sensors.ts";

const tags = ["sensors"];

const change = {
  tags,
  summary: "Change what is known of a sensor",
  description:
    "What is left out stays, null takes it away; the password stays as it is. With another district it moves: what it " +
    "sent stays where it stood, rules see it where it stands, what comes on the old topic is told the new one. With " +
    "`replaces` it takes another sensor's place: that one goes off the register, its readings are this one's history.",
  params: byId,
  body: SensorChange,
  response: answers({ 200: ChangedSensorBody }, 404, 409, 413, 415, 503),
};

const retire = {
  tags,
  summary: "Take a sensor off the register",
  description:
    "With its password, if it has one of its own. Its alerts end, what it sent stays and can be asked for; what it goes " +
    "on to send, also through a gateway, is quarantined until it is put back.",
  params: byId,
  response: answers({ 204: z.undefined() }, 404, 503),
};

const restore = {
  tags,
  summary: "Put a sensor back on the register",
  description: "As it was, without a password: `POST /devices` gives it a new one.",
  params: byId,
  response: answers({ 200: SensorBody }, 404, 409, 503),
};

const exported = {
  tags,
  summary: "The register as CSV",
  description:
    "One sensor a line, its tags as columns of their own (`tag:site`): the same columns that an import takes.",
  querystring: ExportQuery,
  response: answers({ 200: media("The register", { "text/csv": z.string() }) }),
};

const imported = {
  tags,
  summary: "Take sensors from CSV into the register, all of the file or nothing",
  description:
    "The columns of `GET /register`; only `id` must be there, and `kind` and `district` for new sensors. What has no column " +
    "stays, an empty cell takes away. `login` yes gives a password of its own to those without one. Semicolons, decimal " +
    "commas and Excel's marks are understood. With `dryRun=true` nothing is changed. 20,000 sensors and 8 MiB at most.",
  consumes: ["text/csv"],
  querystring: ImportQuery,
  response: answers({ 200: RegisterImportBody }, 409, 413, 415, 503),
};

const FILE_BYTES_MAX = 8 * 1024 * 1024;

/** The register as a file. */
export function addRegisterFile(app: Api, parts: Parts): void {
  let isBusy = false;

  app.get("/register", { schema: exported }, async (request, reply) => {
    const { header, rows } = exportRegister(parts);
    reply.header("content-disposition", 'attachment; filename="sensors.csv"').type("text/csv; charset=utf-8");
    return reply.send(csvStream(header, rows, styleOf(request.query.locale)));
  });

  app.register(async (own: Api) => {
    own.addContentTypeParser("text/csv", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    own.post("/register", { schema: imported, bodyLimit: FILE_BYTES_MAX }, async (request) => {
      if (!Buffer.isBuffer(request.body)) throw new ProblemError("unsupported-media-type", "The file is text/csv.");
      checkIdle(parts.records);
      if (isBusy) throw new ProblemError("unavailable", "Another file is being taken in.", { retryAfterS: 5 });
      isBusy = true;
      try {
        const { name } = parts.auth.account(request);
        return await importRegister(parts, request.body, name, request.query.dryRun === "true");
      } finally {
        isBusy = false;
      }
    });
  });
}

/** The register: what changes after a sensor was added. */
export function addRegister(app: Api, parts: Parts): void {
  const { records, auth, now, disconnect } = parts;

  app.patch("/sensors/:id", { schema: change }, async (request) => {
    checkIdle(records);
    const old = registered(parts, request.params.id);
    const { replaces, replacesFrom, ...fields } = request.body;
    const { gateway } = fields;
    if (gateway && gateway !== old.gateway && !knownGateways(records).has(gateway))
      throw invalid("/gateway", `There is no gateway "${gateway}".`);
    const { name: by } = auth.account(request);
    const moved = records.transaction(() => {
      const sensor = changedSensor(old, fields, now());
      const closed = keepSensor(parts, sensor);
      const before = replaces === undefined ? [] : succeed(parts, sensor, replaces, replacesFrom);
      records.audit.add({ at: now(), by, what: "sensor.change", target: old.id, detail: detailOf(old, request.body) });
      return [...closed, ...before];
    });
    for (const name of moved) disconnect(name);
    const sensor = records.sensors.get(old.id)!;
    return { ...viewSensor(sensor, parts.live, parts.latest), advice: adviceFor(parts, old, sensor) };
  });

  app.delete("/sensors/:id", { schema: retire }, async (request, reply) => {
    checkIdle(records);
    const { id } = request.params;
    const sensor = records.sensors.get(id);
    if (!sensor && !records.sensors.retired(id)) throw notFound("sensor", id);
    if (sensor) retireBy(parts, sensor, auth.account(request).name);
    return reply.code(204).send();
  });

  app.post("/sensors/:id/restore", { schema: restore }, async (request) => {
    checkIdle(records);
    const { id } = request.params;
    const former = records.sensors.retired(id);
    if (!former && records.sensors.get(id)) throw new ProblemError("conflict", `${id} is on the register.`);
    if (!former) throw notFound("sensor", id);
    const { retiredAt: _, ...sensor } = former;
    records.transaction(() => {
      records.sensors.save([sensor]);
      records.audit.add({ at: now(), by: auth.account(request).name, what: "sensor.restore", target: id });
    });
    return viewSensor(sensor, parts.live, parts.latest);
  });
}

/** Throws a problem for one that is not on the register. */
function registered({ records }: Pick<Parts, "records">, id: string): Sensor {
  const sensor = records.sensors.get(id);
  if (sensor) return sensor;
  if (!records.sensors.retired(id)) throw notFound("sensor", id);
  throw new ProblemError(
    "conflict",
    `${id} was taken off the register: put it back first (POST /sensors/${id}/restore).`,
  );
}

/** `removed`: its own account, where that was removed just now. */
export function retireBy(parts: Parts, sensor: Sensor, by: string, removed?: RemovedAccount): void {
  const { records, now, disconnect } = parts;
  const { id } = sensor;
  const closed = records.transaction(() => {
    const own = records.credentials.byName(id)?.account.role === "device" ? removedAccount(parts, id) : undefined;
    const login = removed ?? own;
    records.undos.add(id, { what: "sensor", id, ...(login && { login }) }, by);
    records.audit.add({ at: now(), by, what: "sensor.remove", target: sensor.id });
    return retireSensor(parts, sensor);
  });
  for (const name of closed) disconnect(name);
}

function succeed(parts: Parts, sensor: Sensor, id: string | null, since: string | undefined): readonly string[] {
  if (id !== null) return linkSuccessor(parts, sensor, id, sinceOf(since, sensor, parts.now()));
  unlinkFormer(parts, sensor);
  parts.records.sensors.save([{ ...sensor, replaces: undefined }]);
  return [];
}

export function sinceOf(text: string | undefined, sensor: Sensor, now: number): number {
  if (text === undefined) return sensor.createdAt;
  const since = parseTime(text, "replacesFrom");
  if (since > now) throw invalid("/replacesFrom", "replacesFrom lies in the future.");
  return since;
}

const DETAIL_CHARS_MAX = 500;

/** What was said, and where it stood before. */
function detailOf(old: Sensor, change: SensorChange): string {
  const { district } = change;
  const moved = district !== undefined && district !== old.district ? `moved from ${old.district}; ` : "";
  const said = `${moved}${JSON.stringify(change)}`;
  return said.length > DETAIL_CHARS_MAX ? `${said.slice(0, DETAIL_CHARS_MAX)}…` : said;
}
