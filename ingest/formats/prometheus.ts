import { fault } from "../../model/rejection.ts";
import { momentOf } from "./fields.ts";
import { type Format, oneFault, type Sample } from "./format.ts";
import { doubleOf, type Field, readProtobuf, signed, textOf } from "./protobuf.ts";

const NOT_A_REQUEST = fault("malformed_reading", "It is not a WriteRequest of Prometheus remote write 1.0.");
const SAMPLES_MAX = 10_000;
const TIMESERIES = 1;

/**
 * Prometheus remote write 1.0, uncompressed: the series of the same labels but for their name are one sample for each
 * moment. NaN, and with it the marker of a stale series, is no value.
 */
export const prometheus: Format = {
  answer: 204,
  topics: [],
  wants: [],
  open(payload) {
    const request = readProtobuf(payload);
    if (!request) return oneFault(NOT_A_REQUEST);
    const samples = new Map<string, { labels: Record<string, unknown>; time: unknown; fields: Map<string, unknown> }>();
    let stale = 0;
    let count = 0;
    for (const { number, bytes } of request) {
      if (number !== TIMESERIES || !bytes) continue;
      const series = readProtobuf(bytes);
      if (!series) return oneFault(NOT_A_REQUEST);
      const labels = labelsOf(series);
      const { __name__: name, ...others } = labels;
      const key = JSON.stringify(Object.entries(others));
      for (const one of series) {
        if (one.number !== 2 || !one.bytes) continue;
        count += 1;
        if (count > SAMPLES_MAX)
          return oneFault(fault("too_large", `There are more than ${SAMPLES_MAX} samples in it.`));
        const { value, at } = sampleOf(one.bytes);
        if (Number.isNaN(value)) {
          stale += 1;
          continue;
        }
        const place = `${at} ${key}`;
        const known = samples.get(place) ?? { labels: others, time: momentOf(at), fields: new Map() };
        known.fields.set(String(name ?? ""), value);
        samples.set(place, known);
      }
    }
    return { items: [...samples.values()] satisfies Sample[], ignored: stale };
  },
  cut(payload, bytesMax, itemsMax) {
    const request = readProtobuf(payload);
    // What cannot be read is refused as a whole, by its reason.
    if (!request) return payload.byteLength <= bytesMax ? [payload] : undefined;
    const series = request.filter(({ number, bytes }) => number === TIMESERIES && bytes);
    return pieces(series, bytesMax, itemsMax);
  },
};

/** A request is its series one after the other: any run of them is a request, too. */
function pieces(series: readonly Field[], bytesMax: number, itemsMax: number): Uint8Array[] | undefined {
  const found: Uint8Array[] = [];
  let piece: Uint8Array[] = [];
  let [size, items] = [0, 0];
  const flush = () => {
    if (piece.length > 0) found.push(Buffer.concat(piece));
    piece = [];
    [size, items] = [0, 0];
  };
  for (const { bytes } of series) {
    const head = header(bytes!.length);
    const more = head.length + bytes!.length;
    const samples = readProtobuf(bytes!)?.filter(({ number }) => number === 2).length ?? 1;
    if (more > bytesMax || samples > itemsMax) return undefined;
    if (size + more > bytesMax || items + samples > itemsMax) flush();
    piece.push(head, bytes!);
    size += more;
    items += samples;
  }
  flush();
  return found;
}

function header(length: number): Uint8Array {
  const bytes = [(TIMESERIES << 3) | 2];
  let rest = length;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

function labelsOf(series: readonly Field[]): Record<string, unknown> {
  const labels: Record<string, unknown> = Object.create(null);
  for (const { number, bytes } of series) {
    if (number !== 1 || !bytes) continue;
    const parts = readProtobuf(bytes) ?? [];
    const part = (wanted: number) => parts.find((one) => one.number === wanted);
    const [name, value] = [part(1), part(2)];
    if (name) labels[textOf(name)] = value ? textOf(value) : "";
  }
  return labels;
}

function sampleOf(bytes: Uint8Array): { readonly value: number; readonly at: number } {
  // What is 0 is left out.
  let [value, at] = [0, 0];
  for (const field of readProtobuf(bytes) ?? []) {
    if (field.number === 1) value = doubleOf(field);
    if (field.number === 2 && field.varint !== undefined) at = signed(field.varint, 64);
  }
  return { value, at };
}
