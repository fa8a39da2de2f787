import { fault } from "../../model/rejection.ts";
import { fieldsOf, isRecord, momentOf } from "./fields.ts";
import { type Format, oneFault, Quantified, type Sample } from "./format.ts";
import { openJson } from "./json.ts";

/** UN/CEFACT Recommendation 20, as `model/units.ts` spells them. */
const UNIT_CODES: Readonly<Record<string, string>> = {
  GQ: "µg/m³",
  GP: "mg/m³",
  "59": "ppm",
  "61": "ppb",
  CEL: "°C",
  KEL: "K",
  FAH: "°F",
  P1: "%",
  C62: "share",
  PAL: "Pa",
  A97: "hPa",
  MBR: "mbar",
  KPA: "kPa",
  "2N": "dB",
  KWT: "kW",
  WTT: "W",
  MAW: "MW",
  KVR: "kvar",
  D44: "var",
  KWH: "kWh",
  WHR: "Wh",
  MWH: "MWh",
  VLT: "V",
  "2Z": "mV",
  KVT: "kV",
  AMP: "A",
  "4K": "mA",
  HTZ: "Hz",
  KMH: "km/h",
  MTS: "m/s",
  SEC: "s",
  MTR: "m",
  MMT: "mm",
  DD: "°",
};

/**
 * Notifications of NGSI-v2 and NGSI-LD: `data` is a list of entities in normalized, key-value or concise form. A single
 * entity, or a list of them, is taken, too. Relations and places are left out.
 */
export const ngsi: Format = {
  answer: 204,
  topics: [],
  wants: [],
  open(payload) {
    const opened = openJson(payload);
    if ("reason" in opened) return oneFault(opened);
    const { value } = opened;
    const data = isRecord(value) && "data" in value ? value.data : value;
    const entities = Array.isArray(data) ? data : [data];
    if (entities.length === 0) return oneFault(fault("malformed_reading", "The notification has no entity in it."));
    return { items: entities.map((entity) => sampleOf(entity)) };
  },
};

/** Orion answers notifications with 200, and nobody reads more. */
export const ngsiV2: Format = { ...ngsi, answer: 200 };

/** `https://uri.etsi.org/ngsi-ld/default-context/no2` and `no2` are the same to us. */
const shortName = (name: string) =>
  name.includes("://") ? name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("#")) + 1) : name;

const OWN = new Set(["id", "@id", "type", "@type", "@context", "scope"]);
const LEFT_OUT = new Set(["Relationship", "GeoProperty", "geo:json", "geo:point", "ListRelationship"]);
const TIMES = ["dateObserved", "TimeInstant", "dateObservedTo", "observedAt", "dateTimeMeasured"];

function sampleOf(entity: unknown): Sample | ReturnType<typeof fault> {
  if (!isRecord(entity)) return fault("malformed_reading", "An entity is a JSON object.");
  const id = entity.id ?? entity["@id"];
  if (typeof id !== "string") return fault("malformed_reading", "The entity has no id.");
  const type = [entity.type ?? entity["@type"]].flat()[0];
  const fields = new Map<string, unknown>();
  const plain: Record<string, unknown> = {};
  let observedAt: string | undefined;
  for (const [key, given] of Object.entries(entity)) {
    if (OWN.has(key)) continue;
    const attribute = attributeOf(Array.isArray(given) ? defaultInstance(given) : given);
    if (attribute === undefined) continue;
    const name = shortName(key);
    const { value, unit, at } = attribute;
    if (at !== undefined && (observedAt === undefined || at > observedAt)) observedAt = at;
    plain[name] = value;
    if (TIMES.includes(name) || name === "dateObservedFrom") continue;
    if (isRecord(value)) for (const [inner, one] of fieldsOf(value)) fields.set(`${name}.${inner}`, one);
    else fields.set(name, unit === undefined ? value : new Quantified(value, UNIT_CODES[unit] ?? unit));
  }
  const { time, intervalS } = timeOf(plain, observedAt);
  return {
    device: id,
    fields,
    labels: { id, type: typeof type === "string" ? shortName(type) : undefined },
    ...(time !== undefined && { time }),
    ...(intervalS !== undefined && { intervalS }),
  };
}

/** Of several instances of an attribute (NGSI-LD, `datasetId`) the one without a data set counts, else the first; other lists are values. */
function defaultInstance(given: readonly unknown[]): unknown {
  const instances = given.filter((one) => isRecord(one) && "value" in one);
  if (instances.length === 0 || instances.length < given.length) return given;
  return instances.find((one) => !("datasetId" in (one as object))) ?? instances[0];
}

/** In any of the three forms, of either version. */
function attributeOf(given: unknown): { value: unknown; unit?: string; at?: string } | undefined {
  if (!isRecord(given)) return { value: given };
  if ((typeof given.type === "string" && LEFT_OUT.has(given.type)) || "object" in given) return undefined;
  if (!("value" in given) && !("@value" in given)) return { value: given };
  const inner = given.value ?? given["@value"];
  const value = isRecord(inner) && "@value" in inner ? inner["@value"] : inner;
  const metadata = isRecord(given.metadata) ? given.metadata : {};
  const said = (name: string) => {
    const one = given[name] ?? metadata[name];
    const bare = isRecord(one) ? one.value : one;
    return typeof bare === "string" ? bare : undefined;
  };
  const [unit, at] = [said("unitCode"), said("observedAt") ?? said("TimeInstant")];
  return { value, ...(unit !== undefined && { unit }), ...(at !== undefined && { at }) };
}

/** Of an interval its end counts, and its length for what is a sum over it. */
function timeOf(plain: Readonly<Record<string, unknown>>, observedAt: string | undefined) {
  const observed = typeof plain.dateObserved === "string" ? plain.dateObserved.split("/") : [];
  const [from, to] = observed.length === 2 ? observed : [plain.dateObservedFrom, plain.dateObservedTo];
  const [start, end] = [Date.parse(String(from)), Date.parse(String(to))];
  const intervalS = end > start ? (end - start) / 1000 : undefined;
  const single =
    observed.length === 2 ? momentOf(end) : TIMES.map((name) => plain[name]).find((one) => typeof one === "string");
  return { time: single ?? observedAt, intervalS };
}
