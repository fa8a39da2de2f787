import { z } from "zod";
import { byId, DistrictId, pageOf } from "../../contract/common.ts";
import {
  DistrictBody,
  DistrictsQuery,
  type DistrictView,
  NewDistrict,
  SavedDistrictBody,
  type SavedDistrictView,
} from "../../contract/district.ts";
import { type District, isInside, type Outline, readOutline } from "../../model/district.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { answers, notFound, ProblemError } from "../problems.ts";

const tags = ["sensors"];
/** What is said of more nobody has sensors in. */
const DISTRICTS_MAX = 2_000;
const OUTSIDE_SHOWN = 20;
const BODY_BYTES_MAX = 1024 * 1024;

const list = {
  tags,
  summary: "The districts and how many sensors each has",
  querystring: DistrictsQuery,
  response: answers({ 200: pageOf(DistrictBody) }),
};
const put = {
  tags,
  summary: "Say how a district is called and where it ends",
  description: "Which districts there are is said by the sensors. What is left out is forgotten.",
  params: z.object({ id: DistrictId }),
  body: NewDistrict,
  response: answers({ 200: SavedDistrictBody }, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Forget a district's name and outline; its sensors stay",
  params: byId,
  response: answers({ 204: z.undefined() }, 404),
};

export function addDistricts(app: Api, { records, auth, now }: Parts): void {
  app.get("/districts", { schema: list }, async (request) => {
    const withOutlines = request.query.outlines === "true";
    const counted = records.sensors.districts();
    const known = new Set(counted.map(({ district }) => district));
    const empty = records.districts.list().filter(({ id }) => !known.has(id));
    const all = [
      ...counted,
      ...empty.map(({ id }) => ({ district: id, sensors: 0, kinds: { air: 0, traffic: 0, energy: 0 } })),
    ];
    const page = pageByKey(all, ({ district }) => district, request.query.limit, request.query.cursor);
    const items = page.items.map((one): DistrictView => {
      const { name, outline } = records.districts.get(one.district) ?? {};
      return {
        ...one,
        ...(name && { name }),
        ...(outline && { hasOutline: true }),
        ...(outline && withOutlines ? { outline: outline as DistrictView["outline"] } : {}),
      };
    });
    return { ...page, items };
  });

  app.put("/districts/:id", { schema: put, bodyLimit: BODY_BYTES_MAX }, async (request) => {
    const { id } = request.params;
    const { name, outline: drawn } = request.body;
    const outline = drawn === undefined ? undefined : (readOutline(drawn) as Outline);
    if (!records.districts.get(id) && records.districts.count() >= DISTRICTS_MAX)
      throw new ProblemError("conflict", `At most ${DISTRICTS_MAX} districts have a name or an outline.`);
    const district: District = { id, ...(name && { name }), ...(outline && { outline }) };
    records.transaction(() => {
      records.districts.save(district);
      const detail = [name ?? "no name", outline ? "with an outline" : "no outline"].join(", ");
      records.audit.add({ at: now(), by: auth.account(request).name, what: "district.save", target: id, detail });
    });
    return viewSaved(district, placedIn(id));
  });

  app.delete("/districts/:id", { schema: remove }, async (request, reply) => {
    const { id } = request.params;
    const district = records.districts.get(id);
    if (!district) throw notFound("district", id);
    const by = auth.account(request).name;
    records.transaction(() => {
      records.undos.add(id, { what: "district", district }, by);
      records.districts.remove(id);
      records.audit.add({ at: now(), by, what: "district.remove", target: id });
    });
    return reply.code(204).send();
  });

  const placedIn = (district: string) =>
    records.sensors
      .list({ district })
      .flatMap(({ id, lat, lon }) => (lat === undefined || lon === undefined ? [] : [{ id, lat, lon }]));
}

type Placed = { readonly id: string; readonly lat: number; readonly lon: number };

/** With whether its sensors stand in it: a wrong outline shows there first. */
function viewSaved({ id, ...said }: District, sensors: readonly Placed[]): SavedDistrictView {
  const { outline } = said;
  const saved = { district: id, ...said } as SavedDistrictView;
  if (!outline) return saved;
  const outside = sensors.filter(({ lat, lon }) => !isInside(outline, lat, lon)).map((one) => one.id);
  return { ...saved, inside: sensors.length - outside.length, outside: outside.slice(0, OUTSIDE_SHOWN) };
}
