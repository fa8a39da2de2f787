import { randomInt } from "node:crypto";
import { isId } from "../../model/ids.ts";
import { metricRowOf } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { DAY_MS } from "../../model/time.ts";
import { StoreError } from "../reading-store.ts";
import type { Records } from "../records.ts";

/** A suspect value stands in `pm25_suspect` instead of `pm25`, so that whoever asks for `pm25` gets good ones only. */
export const SUSPECT = "_suspect";

/** Later than this is history: kept by the day it was received, as DuckDB keeps everything. */
const HISTORY_FROM_MS = DAY_MS;
/** All of them sort and compare as text; 16 digits hold every exact number. */
const SEQ_DIGITS = 16;

/**
 * The mark of what we wrote: this installation's id, for history with the UTC day of its receipt: `1a2b3c4d.20261129`. It
 * makes our points recognisable among others', and retention by receipt possible: the server deletes by tags, not fields.
 * A later message of one moment (`store/moments.ts`) has a point of its own, and so a mark: `1a2b3c4d.p1`.
 */
function markOf(installation: string, { measuredAt, receivedAt, part }: Reading): string {
  const mark = receivedAt - measuredAt < HISTORY_FROM_MS ? installation : historyMark(installation, receivedAt);
  return part === undefined ? mark : `${mark}.p${part}`;
}

/** `receivedAt`: any time of that day. */
export function historyMark(installation: string, receivedAt: number): string {
  return `${installation}.${new Date(receivedAt).toISOString().slice(0, 10).replaceAll("-", "")}`;
}

/** Of rollups in the slot of what was booked too late (`lateSlot`). */
export const lateMark = (installation: string, rawFrom: number) => `${historyMark(installation, rawFrom)}.p0`;

/** The start of the day of receipt, undefined for the plain mark, NaN for a mark that is not ours. */
export function dayOfMark(installation: string, mark: string): number | undefined {
  if (mark === installation) return undefined;
  const rest = mark.startsWith(installation) ? mark.slice(installation.length) : "";
  if (/^\.p\d+$/.test(rest)) return undefined;
  const day = /^\.(\d{4})(\d{2})(\d{2})(?:\.p\d+)?$/.exec(rest);
  return day ? Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3])) : Number.NaN;
}

/**
 * One reading as one line: `air,district=north,installation=1a2b3c4d,sensorId=air-1 pm25=12.5,receipt_1a2b3c4d="…" 1795255200000`.
 * Metrics are floats, so that no field can ever change its type; our bookkeeping is one text field, which `mean(*)` passes
 * over and which costs the server half of what two numbers do. Nothing needs escaping, because nothing is let in that
 * would: what is not an id, a metric of the kind or a finite number throws `StoreError` "refused".
 */
export function toLine(reading: Reading, installation: string): string {
  const { kind, sensorId, district, measuredAt, quality } = reading;
  if (!isId(sensorId) || !isId(district)) throw refused("its sensor id or district is not an id");
  if (!Number.isSafeInteger(measuredAt)) throw refused("its time is not a whole number of milliseconds");
  let fields = "";
  for (const [metric, value] of Object.entries(reading.values)) {
    if (!metricRowOf(kind, metric)) throw refused("it has a metric its kind does not have");
    if (typeof value !== "number" || !Number.isFinite(value)) throw refused("a value of it is not a finite number");
    fields += `${metric}${quality && metric in quality ? SUSPECT : ""}=${value},`;
  }
  if (quality) {
    const stray = Object.keys(quality).some((metric) => !metricRowOf(kind, metric));
    if (stray) throw refused("it flags a metric its kind does not have");
  }
  const tags = `district=${district},installation=${markOf(installation, reading)},sensorId=${sensorId}`;
  return `${kind},${tags} ${fields}${receiptField(installation)}="${receiptOf(reading)}" ${measuredAt}`;
}

/**
 * The name of our bookkeeping carries this installation's id: the first point of a shard fixes the type of a field, and no
 * other writer's point shall be able to keep all of ours out.
 */
export const receiptField = (installation: string) => `receipt_${installation}`;

/**
 * The number in the journal, when it was received, and what few readings have: whether it was imported, whether the clock
 * was never set, the device's own counter, the number of the part, and values before calibration.
 */
function receiptOf({ journalSeq, receivedAt, imported, clock, seq, part, raw }: Reading): string {
  if (!Number.isSafeInteger(journalSeq) || journalSeq < 0) throw refused("its number in the journal is not one");
  if (!Number.isSafeInteger(receivedAt)) throw refused("its time of receipt is not a whole number of milliseconds");
  const usual = `${String(journalSeq).padStart(SEQ_DIGITS, "0")} ${receivedAt}${imported ? " imported" : ""}`;
  if (clock === undefined && seq === undefined && part === undefined && raw === undefined) return usual;
  const values = Object.entries(raw ?? {}).map(([metric, value]) => `${metric}:${value}`);
  if (values.some((one) => !RAW_VALUE.test(one))) throw refused("a value before calibration is not a finite number");
  const rare = [
    ...(clock ? [" clock"] : []),
    ...(seq === undefined ? [] : [` seq=${seq}`]),
    ...(part === undefined ? [] : [` part=${part}`]),
    ...(values.length > 0 ? [` raw=${values.join(",")}`] : []),
  ];
  return usual + rare.join("");
}

const RAW_VALUE = /^\w+:-?\d[\d.e+-]*$/;
const RECEIPT = /^(\d{16}) (-?\d{1,16})( imported)?( clock)?(?: seq=(-?\d+))?(?: part=(\d+))?(?: raw=([\w:.,+-]+))?$/;

type Receipt = Pick<Reading, "journalSeq" | "receivedAt" | "imported" | "clock" | "seq" | "part" | "raw">;

export function parseReceipt(text: unknown): Receipt | undefined {
  const parts = RECEIPT.exec(String(text));
  if (!parts) return undefined;
  const [, journalSeq, receivedAt, imported, clock, seq, part, raw] = parts;
  return {
    journalSeq: Number(journalSeq),
    receivedAt: Number(receivedAt),
    ...(imported && { imported: true }),
    ...(clock && { clock: true }),
    ...(seq && { seq: Number(seq) }),
    ...(part && { part: Number(part) }),
    ...(raw && {
      raw: Object.fromEntries(raw.split(",").map((one) => [one.split(":")[0], Number(one.split(":")[1])])),
    }),
  };
}

/** A pattern for receipts of messages before `seq`: InfluxQL compares texts by patterns only. */
export function receiptsBefore(seq: number): string {
  if (!Number.isSafeInteger(seq)) throw new RangeError("seqBefore must be whole");
  const digits = String(Math.max(0, seq)).padStart(SEQ_DIGITS, "0");
  // Equal up to some digit, and lower there; what follows does not matter.
  const ways = [...digits].flatMap((digit, place) => {
    if (digit === "0") return [];
    return `${digits.slice(0, place)}${digit === "1" ? "0" : `[0-${Number(digit) - 1}]`}`;
  });
  return ways.length > 0 ? `^(${ways.join("|")})` : "^nothing$";
}

const refused = (why: string) => new StoreError("refused", `the reading cannot be written: ${why}`);

const NAME = "installation";

/**
 * What tells this installation's points from everyone else's in a shared database: 8 hexadecimal digits, made once and
 * kept in the records, so that they come along in a backup.
 */
export function installationId(offsets: Records["offsets"]): string {
  const known = offsets.get(NAME);
  const id = known ?? randomInt(1, 2 ** 32);
  if (known === undefined) offsets.set(NAME, id);
  return markOfInstallation(id);
}

const markOfInstallation = (id: number) => id.toString(16).padStart(8, "0");

/** The same of a copy of the records; undefined where it has none yet. */
export function knownInstallation(offsets: ReadonlyMap<string, number>): string | undefined {
  const id = offsets.get(NAME);
  return id === undefined ? undefined : markOfInstallation(id);
}
