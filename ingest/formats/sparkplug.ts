import { fault } from "../../model/rejection.ts";
import { momentOf } from "./fields.ts";
import { type Format, nothing, oneFault, type Sample } from "./format.ts";
import { doubleOf, type Field, floatOf, readProtobuf, signed, textOf } from "./protobuf.ts";

const NOT_A_PAYLOAD = fault("malformed_reading", "It is not a Sparkplug B payload.");
const METRICS_MAX = 2_000;
/** The datatypes of Sparkplug 3.0 whose numbers have a sign. */
const SIGNED = { int8: 1, int16: 2, int32: 3, int64: 4 } as const;
const SIGNED_32: ReadonlySet<number> = new Set([SIGNED.int8, SIGNED.int16, SIGNED.int32]);

/**
 * Sparkplug B 3.0, `spBv1.0/{group}/{type}/{edge}[/{device}]`. The device is `group/edge/device`. A metric that comes
 * without its name, as all do after a birth, is the field `alias.<number>`: which name it had is not remembered from
 * births, so a mapping names both. What a death says is that the device is offline.
 */
export const sparkplug: Format = {
  answer: 200,
  topics: ["spBv1.0/#"],
  wants: [],
  open(payload, { levels }) {
    const [, group = "", type = "", edge = "", own] = levels;
    const device = [group, edge, ...(own === undefined ? [] : [own])].join("/");
    // With its node every device dies (Sparkplug 3.0, 6.4.19).
    if (type === "NDEATH") return { items: [], ignored: 1, statuses: [{ device, online: false, below: true }] };
    if (type === "DDEATH") return { items: [], ignored: 1, statuses: [{ device, online: false }] };
    if (!/^[ND](?:BIRTH|DATA)$/.test(type)) return nothing();
    const fields = readProtobuf(payload);
    if (!fields) return oneFault(NOT_A_PAYLOAD);
    const samples = samplesOf(fields, device);
    if (!samples) return oneFault(NOT_A_PAYLOAD);
    const statuses = type.endsWith("BIRTH") ? [{ device, online: true }] : [];
    // The birth of a node says mostly what may be asked of it.
    return type === "NBIRTH" ? { items: [], ignored: 1, statuses } : { items: samples, statuses };
  },
};

/** Metrics of one moment are one sample. */
function samplesOf(payload: readonly Field[], device: string): readonly Sample[] | undefined {
  const at = payload.find(({ number }) => number === 1)?.varint;
  const seq = payload.find(({ number }) => number === 3)?.varint;
  const samples = new Map<string, { fields: Map<string, unknown>; time: unknown }>();
  let count = 0;
  for (const { number, bytes } of payload) {
    if (number !== 2 || !bytes) continue;
    count += 1;
    const metric = readProtobuf(bytes);
    if (!metric || count > METRICS_MAX) return undefined;
    const { name, value, time = at } = metricOf(metric);
    const sample = samples.get(String(time)) ?? {
      fields: new Map(),
      time: time === undefined ? undefined : momentOf(Number(time)),
    };
    sample.fields.set(name, value);
    samples.set(String(time), sample);
  }
  return [...samples.values()].map((one) => ({
    ...one,
    device,
    labels: { seq: seq === undefined ? undefined : Number(seq) },
  }));
}

function metricOf(metric: readonly Field[]): { name: string; value: unknown; time?: bigint } {
  const found = (wanted: number) => metric.find(({ number }) => number === wanted);
  const name = found(1);
  const alias = found(2)?.varint;
  const type = Number(found(4)?.varint ?? 0n);
  const time = found(3)?.varint;
  const isNull = found(7)?.varint === 1n;
  return {
    name: name ? textOf(name) : `alias.${alias ?? ""}`,
    value: isNull ? null : valueOfType(found, type),
    ...(time !== undefined && { time }),
  };
}

function valueOfType(found: (number: number) => Field | undefined, type: number): unknown {
  const [int, long, float, double, bool, text] = [found(10), found(11), found(12), found(13), found(14), found(15)];
  if (int?.varint !== undefined) {
    // 32 bits of two's complement; where no type says that there is a sign, what cannot be meant otherwise has one.
    const value = Number(BigInt.asUintN(32, int.varint));
    const hasSign = SIGNED_32.has(type) || (type === 0 && value >= 2 ** 31);
    return hasSign ? signed(int.varint, 32) : value;
  }
  if (long?.varint !== undefined) return type === SIGNED.int64 ? signed(long.varint, 64) : Number(long.varint);
  if (float) return floatOf(float);
  if (double) return doubleOf(double);
  if (bool) return bool.varint === 1n;
  return text ? textOf(text) : null;
}
