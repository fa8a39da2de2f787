import { z } from "zod";
import { byId, Id, pageOf, paging } from "../../contract/common.ts";
import { addAccount, made, NewCredential, removeAccount, viewMade } from "../accounts.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { ProblemError } from "../problems.ts";

const tags = ["gateways"];
const NewGateway = z
  .strictObject({
    name: Id,
    districts: z.array(Id).min(1).max(100),
    mayImport: z.boolean().optional().describe("May send history (only an admin can give this right)"),
  })
  .meta({ id: "NewGateway" });
const GatewayBody = z
  .object({ username: z.string(), districts: z.array(z.string()), mayImport: z.boolean(), ...made })
  .meta({ id: "Gateway" });

const list = {
  tags,
  summary: "Gateways: devices that speak for the sensors of their districts",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(GatewayBody) }),
};
const add = {
  tags,
  summary: "Add a gateway",
  body: NewGateway,
  response: answers({ 201: NewCredential }, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Take a gateway's password away",
  params: byId,
  response: answers({ 204: z.undefined() }, 404),
};

export function addGateways(app: Api, parts: Parts): void {
  const { records, auth } = parts;
  app.get("/gateways", { schema: list }, async (request) => {
    const gateways = records.credentials.list("gateway");
    const page = pageByKey(gateways, ({ account }) => account.name, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map(viewGateway) };
  });

  app.post("/gateways", { schema: add }, async (request, reply) => {
    const { name, mayImport = false } = request.body;
    const districts = [...new Set(request.body.districts)];
    const by = auth.account(request);
    if (mayImport && by.role !== "admin") throw new ProblemError("forbidden", "Only an admin gives the import right.");
    const account = { role: "gateway", name, districts, mayImport } as const;
    const detail = `${districts.join(", ")}${mayImport ? "; may import" : ""}`;
    const credential = records.transaction(() => addAccount(parts, account, by.name, detail));
    return reply.code(201).send(credential);
  });

  app.delete("/gateways/:id", { schema: remove }, async (request, reply) => {
    removeAccount(parts, request.params.id, ["gateway"], auth.account(request).name);
    return reply.code(204).send();
  });
}

function viewGateway(stored: ReturnType<Parts["records"]["credentials"]["list"]>[number]) {
  const account = stored.account as Extract<typeof stored.account, { role: "gateway" }>;
  const { name: username, districts, mayImport } = account;
  return { username, districts: [...districts], mayImport, ...viewMade(stored) };
}
