import { type Fault, fault, isFault } from "../../model/rejection.ts";
import { readCbor } from "./cbor.ts";
import { isRecord, momentOf } from "./fields.ts";
import { type Format, oneFault, Quantified, type Sample } from "./format.ts";
import { openJson } from "./json.ts";

/** CBOR labels (RFC 8428, table 4). */
const LABELS: Readonly<Record<string, string>> = {
  "-1": "bver",
  "-2": "bn",
  "-3": "bt",
  "-4": "bu",
  "-5": "bv",
  "-6": "bs",
  "0": "n",
  "1": "u",
  "2": "v",
  "3": "vs",
  "4": "vb",
  "5": "s",
  "6": "t",
  "7": "ut",
  "8": "vd",
};
const VERSION = 10;
/** Below it a time is relative to now (RFC 8428, 4.5.3). */
const RELATIVE_S = 2 ** 28;
const RECORDS_MAX = 5_000;

/** IANA's registry of SenML units, as `model/units.ts` spells them; what is not here is spelt the same. */
const UNITS: Readonly<Record<string, string>> = {
  Cel: "°C",
  "%RH": "%",
  "%EL": "%",
  "/": "share",
  EL: "%",
  "ug/m3": "µg/m³",
  "mg/m3": "mg/m³",
  degF: "°F",
  VAs: "VAs",
  var: "var",
  lx: "lx",
  dBW: "dBW",
};

/** SenML (RFC 8428) in JSON or CBOR, whichever it is: records of one device and moment are one sample. */
export const senml: Format = {
  answer: 204,
  topics: [],
  wants: [],
  open(payload, { receivedAt }) {
    const pack = openPack(payload);
    if (isFault(pack)) return oneFault(pack);
    const resolved = resolve(pack, receivedAt);
    return isFault(resolved) ? oneFault(resolved) : { items: samplesOf(resolved) };
  },
};

/** JSON begins with a bracket or with white space, CBOR with the sign of a list. */
function openPack(payload: Uint8Array): readonly unknown[] | Fault {
  const isCbor = (payload[0] ?? 0) >= 0x80;
  if (!isCbor) {
    const opened = openJson(payload);
    if ("reason" in opened) return opened;
    return Array.isArray(opened.value) ? opened.value : fault("malformed_reading", "A SenML pack is an array.");
  }
  const value = readCbor(payload);
  if (!Array.isArray(value)) return fault("malformed_reading", "It is not valid CBOR, or not a list of records.");
  return value.map((record) =>
    isRecord(record)
      ? Object.fromEntries(Object.entries(record).map(([key, one]) => [LABELS[key] ?? key, one]))
      : record,
  );
}

type Resolved = {
  readonly n: string;
  readonly u?: string;
  /** Seconds since 1970; undefined where nothing is said: it is now. */
  readonly t?: number;
  readonly value: unknown;
  /** What the name begins with: the device, where the pack tells the two apart. */
  readonly base: string;
};

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9\-:./_]*$/;
const KNOWN = /^(?:bver|b[ntuvs]|n|u|v|vs|vb|vd|s|t|ut|l)$/;

/** The records of a pack, each for itself (RFC 8428, 4.6), or why the pack may not be used. */
export function resolve(pack: readonly unknown[], receivedAt: number): readonly Resolved[] | Fault {
  if (pack.length > RECORDS_MAX)
    return fault("too_large", `There are ${pack.length} records; ${RECORDS_MAX} are allowed.`);
  const refuse = (index: number, why: string) => fault("malformed_reading", `Record ${index} ${why} (RFC 8428).`);
  let [bn, bt, bu, bv, bs] = ["", undefined as number | undefined, undefined as string | undefined, 0, 0];
  const resolved: Resolved[] = [];
  for (const [index, record] of pack.entries()) {
    if (!isRecord(record)) return refuse(index, "is not an object");
    for (const label of Object.keys(record))
      if (label.endsWith("_") && !KNOWN.test(label))
        return refuse(index, "has a label that ends in _ and is not known here");
    if (record.bver !== undefined && !(Number(record.bver) <= VERSION))
      return refuse(index, "has a bver that is not known");
    const numbers = [record.bt, record.t, record.bv, record.v, record.bs, record.s];
    if (numbers.some((one) => one !== undefined && !Number.isFinite(one)))
      return refuse(index, "has a value that is no number");
    if ([record.bn, record.n, record.bu, record.u].some((one) => one !== undefined && typeof one !== "string"))
      return refuse(index, "has a name or unit that is no text");
    bn = (record.bn as string | undefined) ?? bn;
    bt = (record.bt as number | undefined) ?? bt;
    bu = (record.bu as string | undefined) ?? bu;
    bv = (record.bv as number | undefined) ?? bv;
    bs = (record.bs as number | undefined) ?? bs;
    const value = valueIn(record, bv, bs);
    // Base fields alone.
    if (value === undefined && record.n === undefined) continue;
    const n = bn + ((record.n as string | undefined) ?? "");
    if (!NAME.test(n)) return refuse(index, "has no name, or one with signs that are not allowed");
    if (value === undefined) return refuse(index, "has no value");
    const hasTime = bt !== undefined || record.t !== undefined;
    const t = (bt ?? 0) + ((record.t as number | undefined) ?? 0);
    const at = hasTime && (t >= RELATIVE_S ? t : t === 0 ? undefined : receivedAt / 1000 + t);
    const u = (record.u as string | undefined) ?? bu;
    resolved.push({
      n,
      base: record.n === undefined ? "" : bn,
      value,
      ...(u !== undefined && { u }),
      ...(at && { t: at }),
    });
  }
  return resolved;
}

function valueIn(record: Readonly<Record<string, unknown>>, bv: number, bs: number): unknown {
  if (record.v !== undefined) return Math.round((bv + (record.v as number)) * 1e9) / 1e9;
  if (record.vs !== undefined) return record.vs;
  if (record.vb !== undefined) return record.vb;
  if (record.vd !== undefined) return "";
  return record.s === undefined ? undefined : bs + (record.s as number);
}

/** RFC 9039: `urn:dev:mac:0024befffe804ff1:temperature`. */
const DEVICE_URN = /^(urn:dev:[a-z0-9]+:[^:/]+)(?:[:/_](.+))?$/;

/** A base name is a device; without one it ends at the last sign that parts names. */
function nameOf({ n, base }: Resolved): { readonly device: string; readonly field: string } {
  const device = base.replace(/[:/._-]+$/, "");
  if (device !== "") return { device, field: n.slice(base.length) };
  const [, urn, component] = DEVICE_URN.exec(n) ?? [];
  if (urn !== undefined) return { device: urn, field: component ?? "value" };
  const at = Math.max(n.lastIndexOf(":"), n.lastIndexOf("/"));
  return at > 0 && at < n.length - 1
    ? { device: n.slice(0, at), field: n.slice(at + 1) }
    : { device: n, field: "value" };
}

function samplesOf(records: readonly Resolved[]): Sample[] {
  const samples = new Map<string, { device: string; time: unknown; fields: Map<string, unknown> }>();
  for (const record of records) {
    const { device, field } = nameOf(record);
    const key = JSON.stringify([device, record.t]);
    let sample = samples.get(key);
    if (!sample) {
      sample = {
        device,
        time: record.t === undefined ? undefined : momentOf(Math.round(record.t * 1000)),
        fields: new Map(),
      };
      samples.set(key, sample);
    }
    const { u, value } = record;
    sample.fields.set(field, u === undefined ? value : new Quantified(value, UNITS[u] ?? u));
  }
  return [...samples.values()];
}
