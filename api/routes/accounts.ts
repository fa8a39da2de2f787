import { z } from "zod";
import {
  DeviceBody,
  type DeviceView,
  GatewayBody,
  GatewayChange,
  type GatewayView,
  NewCredential,
  NewDevice,
  NewGateway,
  RemoveDeviceQuery,
  RotatedBody,
  Rotation,
} from "../../contract/account.ts";
import { byId, pageOf, paging } from "../../contract/common.ts";
import type { Account } from "../../model/people.ts";
import {
  addAccount,
  findAccount,
  removeAccount,
  removedAccount,
  rotate,
  type StoredAccount,
  viewFormer,
  viewMade,
} from "../accounts.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { answers, ProblemError } from "../problems.ts";
import { changedSensor, checkIdle, formerDistricts } from "../register.ts";
import { retireBy } from "./register.ts";

const listDevice = {
  tags: ["devices"],
  summary: "Sensors with a password of their own",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(DeviceBody) }),
};
const addDevice = {
  tags: ["devices"],
  summary: "Register a sensor and give it a password",
  description: "A sensor that a gateway enrolled with the same kind and district is kept and gets the password.",
  body: NewDevice,
  response: answers({ 201: NewCredential }, 409, 413, 415),
};
const removeDevice = {
  tags: ["devices"],
  summary: "Take the password away",
  description: "Its readings stay. The sensor stays registered, unless removeSensor=true.",
  params: byId,
  querystring: RemoveDeviceQuery,
  response: answers({ 204: z.undefined() }, 404),
};

const listGateway = {
  tags: ["gateways"],
  summary: "Gateways: devices that speak for the sensors of their districts",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(GatewayBody) }),
};
const addGateway = {
  tags: ["gateways"],
  summary: "Add a gateway",
  body: NewGateway,
  response: answers({ 201: NewCredential }, 409, 413, 415),
};
const removeGateway = {
  tags: ["gateways"],
  summary: "Take a gateway's password away",
  params: byId,
  response: answers({ 204: z.undefined() }, 404),
};

const rotateDescription =
  "Both passwords are taken until the new one is used, at the latest for as long as asked for; then who is connected by the old one is cut off.";
const rotateDevice = {
  tags: ["devices"],
  summary: "A new password for a sensor",
  description: rotateDescription,
  params: byId,
  body: Rotation,
  response: answers({ 201: RotatedBody }, 404, 413, 415),
};
const rotateGateway = { ...rotateDevice, tags: ["gateways"], summary: "A new password for a gateway" };
const changeGateway = {
  tags: ["gateways"],
  summary: "Change what a gateway may",
  description: "It connects again with the password it has.",
  params: byId,
  body: GatewayChange,
  response: answers({ 200: GatewayBody }, 404, 413, 415),
};

/** What has a password: sensors and gateways. */
export function addAccounts(app: Api, parts: Parts): void {
  addDevices(app, parts);
  addGateways(app, parts);
}

type Stored = StoredAccount;
const nameOf = ({ account }: Stored) => account.name;

function addDevices(app: Api, parts: Parts): void {
  const { records, auth } = parts;
  app.get("/devices", { schema: listDevice }, async (request) => {
    const page = pageByKey(records.credentials.list("device"), nameOf, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map((one) => viewDevice(one, parts.now())) };
  });

  app.post("/devices", { schema: addDevice }, async (request, reply) => {
    checkIdle(records);
    const { sensorId, kind, district } = request.body;
    const by = auth.account(request).name;
    const credential = records.transaction(() => {
      register(parts, request.body);
      const former = formerDistricts(records.sensors.get(sensorId)!);
      const own = { name: sensorId, sensorId, kind, district, ...(former.length > 0 && { former }) };
      const account = { role: "device", ...own } as const;
      return addAccount(parts, account, by, `${kind} in ${district}`);
    });
    return reply.code(201).send(credential);
  });

  app.delete("/devices/:id", { schema: removeDevice }, async (request, reply) => {
    checkIdle(records);
    const [{ id }, by] = [request.params, auth.account(request).name];
    const sensor = request.query.removeSensor === "true" ? records.sensors.get(id) : undefined;
    const login = removedAccount(parts, id);
    // Its password may have been taken away before, or its gateway's may be what it sends with.
    if (!sensor || login) removeAccount(parts, id, ["device"], by, !sensor);
    if (sensor) retireBy(parts, sensor, by, login);
    return reply.code(204).send();
  });

  app.post("/devices/:id/rotate", { schema: rotateDevice }, async (request, reply) => {
    const by = auth.account(request).name;
    return reply.code(201).send(rotate(parts, request.params.id, "device", request.body, by));
  });
}

function register({ records, now }: Parts, { sensorId, ...data }: NewDevice): void {
  const known = records.sensors.get(sensorId);
  const former = records.sensors.retired(sensorId);
  if (!known && !former) return records.sensors.add({ id: sensorId, ...data, tags: data.tags ?? {}, createdAt: now() });
  const { kind, district } = (known ?? former)!;
  if (kind !== data.kind || (known && district !== data.district)) {
    throw new ProblemError("conflict", `${sensorId} is registered as ${kind} in ${district}.`);
  }
  if (known) return void records.sensors.update(sensorId, data);
  // It comes back, perhaps to another place.
  const { retiredAt: _, ...back } = former!;
  records.sensors.save([changedSensor(back, data, now())]);
}

function viewDevice(stored: Stored, now: number): DeviceView {
  const account = stored.account as Extract<typeof stored.account, { role: "device" }>;
  const { name: username, sensorId, district } = account;
  const kind = account.kind as DeviceView["kind"];
  return { username, sensorId, kind, district, ...viewFormer(stored, now), ...viewMade(stored) };
}

function addGateways(app: Api, parts: Parts): void {
  const { records, auth } = parts;
  app.get("/gateways", { schema: listGateway }, async (request) => {
    const gateways = records.credentials.list("gateway");
    const page = pageByKey(gateways, nameOf, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map((one) => viewGateway(one, parts.now())) };
  });

  app.post("/gateways", { schema: addGateway }, async (request, reply) => {
    const { name, mayImport = false, accepts } = request.body;
    const districts = [...new Set(request.body.districts)];
    const by = auth.account(request);
    if (mayImport) checkMayGive(by);
    const account = { role: "gateway", name, districts, mayImport, ...(accepts && { accepts }) } as const;
    const credential = records.transaction(() => addAccount(parts, account, by.name, rightsOf(account)));
    return reply.code(201).send(credential);
  });

  app.patch("/gateways/:id", { schema: changeGateway }, async (request) => {
    const { id } = request.params;
    const old = findAccount(parts, id, ["gateway"]).account as Gateway;
    const by = auth.account(request);
    const { mayImport = old.mayImport, accepts = old.accepts } = request.body;
    if (mayImport && !old.mayImport) checkMayGive(by);
    const districts = [...new Set(request.body.districts ?? old.districts)];
    const account: Gateway = { role: "gateway", name: id, districts, mayImport, ...(accepts && { accepts }) };
    records.transaction(() => {
      records.credentials.change(account);
      records.audit.add({
        at: parts.now(),
        by: by.name,
        what: "gateway.change",
        target: id,
        detail: rightsOf(account),
      });
    });
    parts.disconnect(id);
    return viewGateway(records.credentials.byName(id)!, parts.now());
  });

  app.post("/gateways/:id/rotate", { schema: rotateGateway }, async (request, reply) => {
    const by = auth.account(request).name;
    return reply.code(201).send(rotate(parts, request.params.id, "gateway", request.body, by));
  });

  app.delete("/gateways/:id", { schema: removeGateway }, async (request, reply) => {
    removeAccount(parts, request.params.id, ["gateway"], auth.account(request).name);
    return reply.code(204).send();
  });
}

type Gateway = Extract<Account, { role: "gateway" }>;

function checkMayGive({ role }: Account): void {
  if (role !== "admin") throw new ProblemError("forbidden", "Only an admin gives the import right.");
}

function rightsOf({ districts, mayImport, accepts }: Gateway): string {
  const speaks = accepts ? `; speaks ${accepts.map(({ mapping }) => mapping).join(", ")}` : "";
  return `${districts.join(", ")}${mayImport ? "; may import" : ""}${speaks}`;
}

function viewGateway(stored: Stored, now: number): GatewayView {
  const account = stored.account as Extract<typeof stored.account, { role: "gateway" }>;
  const { name: username, districts, mayImport, accepts } = account;
  const rights = { districts, mayImport, ...(accepts && { accepts }) };
  return { username, ...rights, ...viewFormer(stored, now), ...viewMade(stored) };
}
