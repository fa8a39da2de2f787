import { z } from "zod";
import {
  DeviceBody,
  type DeviceView,
  GatewayBody,
  type GatewayView,
  NewCredential,
  NewDevice,
  NewGateway,
  NewUser,
  RemoveDeviceQuery,
  USER_ROLES,
  UserBody,
  type UserView,
} from "../../contract/account.ts";
import { byId, pageOf, paging } from "../../contract/common.ts";
import type { Account } from "../../model/people.ts";
import { hashSecret, newSecret } from "../../model/secret.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { answers, notFound, ProblemError } from "../problems.ts";
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

const listUser = {
  tags: ["users"],
  summary: "People and programs with a role",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(UserBody) }),
};
const addUser = {
  tags: ["users"],
  summary: "Add a user",
  description: "The password is the bearer token.",
  body: NewUser,
  response: answers({ 201: NewCredential }, 409, 413, 415),
};
const removeUser = {
  tags: ["users"],
  summary: "Remove a user; open streams are closed",
  params: byId,
  response: answers({ 204: z.undefined() }, 404, 409),
};

/** Who and what has a password: sensors, gateways, people and programs. */
export function addAccounts(app: Api, parts: Parts): void {
  addDevices(app, parts);
  addGateways(app, parts);
  addUsers(app, parts);
}

type Stored = ReturnType<Parts["records"]["credentials"]["list"]>[number];
const nameOf = ({ account }: Stored) => account.name;

function addDevices(app: Api, parts: Parts): void {
  const { records, auth } = parts;
  app.get("/devices", { schema: listDevice }, async (request) => {
    const page = pageByKey(records.credentials.list("device"), nameOf, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map(viewDevice) };
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
    // Its password may have been taken away before, or its gateway's may be what it sends with.
    if (!sensor || records.credentials.byName(id)) removeAccount(parts, id, ["device"], by);
    if (sensor) retireBy(parts, sensor, by);
    return reply.code(204).send();
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

function viewDevice(stored: Stored): DeviceView {
  const account = stored.account as Extract<typeof stored.account, { role: "device" }>;
  const { name: username, sensorId, district } = account;
  return { username, sensorId, kind: account.kind as DeviceView["kind"], district, ...viewMade(stored) };
}

function addGateways(app: Api, parts: Parts): void {
  const { records, auth } = parts;
  app.get("/gateways", { schema: listGateway }, async (request) => {
    const gateways = records.credentials.list("gateway");
    const page = pageByKey(gateways, nameOf, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map(viewGateway) };
  });

  app.post("/gateways", { schema: addGateway }, async (request, reply) => {
    const { name, mayImport = false, accepts } = request.body;
    const districts = [...new Set(request.body.districts)];
    const by = auth.account(request);
    if (mayImport && by.role !== "admin") throw new ProblemError("forbidden", "Only an admin gives the import right.");
    const account = { role: "gateway", name, districts, mayImport, ...(accepts && { accepts }) } as const;
    const speaks = accepts ? `; speaks ${accepts.map(({ mapping }) => mapping).join(", ")}` : "";
    const detail = `${districts.join(", ")}${mayImport ? "; may import" : ""}${speaks}`;
    const credential = records.transaction(() => addAccount(parts, account, by.name, detail));
    return reply.code(201).send(credential);
  });

  app.delete("/gateways/:id", { schema: removeGateway }, async (request, reply) => {
    removeAccount(parts, request.params.id, ["gateway"], auth.account(request).name);
    return reply.code(204).send();
  });
}

function viewGateway(stored: Stored): GatewayView {
  const account = stored.account as Extract<typeof stored.account, { role: "gateway" }>;
  const { name: username, districts, mayImport, accepts } = account;
  return { username, districts, mayImport, ...(accepts && { accepts }), ...viewMade(stored) };
}

function addUsers(app: Api, parts: Parts): void {
  const { records, auth } = parts;
  app.get("/users", { schema: listUser }, async (request) => {
    const users = USER_ROLES.flatMap((role) => records.credentials.list(role));
    const page = pageByKey(users, nameOf, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map(viewUser) };
  });

  app.post("/users", { schema: addUser }, async (request, reply) => {
    const by = auth.account(request).name;
    const credential = records.transaction(() => addAccount(parts, request.body, by, request.body.role));
    return reply.code(201).send(credential);
  });

  app.delete("/users/:id", { schema: removeUser }, async (request, reply) => {
    const by = auth.account(request).name;
    // So the last admin cannot lock everyone out.
    if (by === request.params.id)
      throw new ProblemError("conflict", "You cannot remove your own account: ask another admin.");
    removeAccount(parts, request.params.id, USER_ROLES, by);
    return reply.code(204).send();
  });
}

function viewUser(stored: Stored): UserView {
  const { name: username, role } = stored.account;
  return { username, role: role as UserView["role"], ...viewMade(stored) };
}

type Deps = Pick<Parts, "records" | "now" | "disconnect">;

/** Call it in a transaction. Throws a 409 problem if the name is taken. */
function addAccount({ records, now }: Deps, account: Account, by: string, detail?: string) {
  if (records.crews.get(account.name)) {
    throw new ProblemError("conflict", `A crew is called "${account.name}".`);
  }
  if (records.credentials.byName(account.name)) {
    throw new ProblemError("conflict", `The name "${account.name}" is taken. Remove it first to get a new password.`);
  }
  const password = newSecret();
  const at = now();
  records.credentials.add({ account, secretHash: hashSecret(password), createdAt: at, createdBy: by });
  records.audit.add({ at, by, what: `${nounOf(account)}.add`, target: account.name, ...(detail ? { detail } : {}) });
  return { username: account.name, password };
}

/** Removes an account of one of these roles and closes its connections. Throws a 404 problem if there is none. */
function removeAccount(deps: Deps, name: string, roles: readonly Account["role"][], by: string): void {
  const { records } = deps;
  const account = records.credentials.byName(name)?.account;
  if (!account || !roles.includes(account.role)) throw notFound(roles.includes("admin") ? "user" : roles[0]!, name);
  records.transaction(() => {
    records.credentials.remove(name);
    records.crews.leave(name);
    records.audit.add({ at: deps.now(), by, what: `${nounOf(account)}.remove`, target: name });
  });
  deps.disconnect(name);
}

function nounOf(account: Account): string {
  return account.role === "device" || account.role === "gateway" ? account.role : "user";
}

function viewMade(stored: { createdAt: number; createdBy: string }) {
  return { createdAt: new Date(stored.createdAt).toISOString(), createdBy: stored.createdBy };
}
