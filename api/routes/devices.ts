import { z } from "zod";
import { byId, Flag, Id, KindName, pageOf, paging } from "../../contract/common.ts";
import type { Sensor } from "../../store/records.ts";
import { addAccount, made, NewCredential, removeAccount, viewMade } from "../accounts.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { ProblemError } from "../problems.ts";

const tags = ["devices"];
const TAGS_MAX = 50;

const NewDevice = z
  .strictObject({
    sensorId: Id,
    kind: KindName,
    district: Id,
    name: z.string().trim().min(1).max(120).optional(),
    lat: z.number().min(-90).max(90).optional(),
    lon: z.number().min(-180).max(180).optional(),
    intervalS: z
      .number()
      .positive()
      .max(86_400 * 31)
      .optional()
      .describe("Seconds between readings"),
    tags: z
      .record(z.string().min(1).max(64), z.string().max(200))
      .refine((all) => Object.keys(all).length <= TAGS_MAX, `At most ${TAGS_MAX} tags.`)
      .optional()
      .describe("What rules may select by"),
  })
  .meta({ id: "NewDevice" });

const DeviceBody = z
  .object({ username: z.string(), sensorId: z.string(), kind: KindName, district: z.string(), ...made })
  .meta({ id: "Device" });

const list = {
  tags,
  summary: "Sensors with a password of their own",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(DeviceBody) }),
};
const add = {
  tags,
  summary: "Register a sensor and give it a password",
  description: "A sensor that a gateway enrolled with the same kind and district is kept and gets the password.",
  body: NewDevice,
  response: answers({ 201: NewCredential }, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Take the password away",
  description: "Its readings stay. The sensor stays registered, unless removeSensor=true.",
  params: byId,
  querystring: z.strictObject({ removeSensor: Flag }),
  response: answers({ 204: z.undefined() }, 404),
};

export function addDevices(app: Api, parts: Parts): void {
  const { records, auth, now } = parts;
  app.get("/devices", { schema: list }, async (request) => {
    const page = pageByKey(records.credentials.list("device"), nameOf, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map(viewDevice) };
  });

  app.post("/devices", { schema: add }, async (request, reply) => {
    const { sensorId, kind, district } = request.body;
    const by = auth.account(request).name;
    const credential = records.transaction(() => {
      register(parts, request.body);
      const account = { role: "device", name: sensorId, sensorId, kind, district } as const;
      return addAccount(parts, account, by, `${kind} in ${district}`);
    });
    return reply.code(201).send(credential);
  });

  app.delete("/devices/:id", { schema: remove }, async (request, reply) => {
    const [{ id }, by] = [request.params, auth.account(request).name];
    removeAccount(parts, id, ["device"], by);
    if (request.query.removeSensor === "true") {
      records.transaction(() => {
        if (records.sensors.remove(id)) records.audit.add({ at: now(), by, what: "sensor.remove", target: id });
      });
    }
    return reply.code(204).send();
  });
}

const nameOf = ({ account }: { account: { name: string } }) => account.name;

function register({ records, now }: Parts, { sensorId, ...data }: z.infer<typeof NewDevice>): void {
  const known = records.sensors.get(sensorId);
  if (!known) return records.sensors.add({ id: sensorId, ...data, tags: data.tags ?? {}, createdAt: now() });
  if (known.kind !== data.kind || known.district !== data.district) {
    throw new ProblemError("conflict", `${sensorId} is registered as ${known.kind} in ${known.district}.`);
  }
  const change: Partial<Sensor> = data;
  records.sensors.update(sensorId, change);
}

function viewDevice(stored: ReturnType<Parts["records"]["credentials"]["list"]>[number]) {
  const account = stored.account as Extract<typeof stored.account, { role: "device" }>;
  const { name: username, sensorId, district } = account;
  return { username, sensorId, kind: account.kind as z.infer<typeof KindName>, district, ...viewMade(stored) };
}
