import { isKind, KINDS, type Kind } from "../../model/kinds.ts";
import { createZoneClock } from "../../model/local-time.ts";
import { createTimeReader } from "../../model/mapping.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import { type Fault, fault, isFault } from "../../model/rejection.ts";
import { filterMatches } from "../../model/topic-filter.ts";
import type { ReadingTopic } from "../../model/topics.ts";
import { momentOf } from "../formats/fields.ts";
import type { About, Format, Sample } from "../formats/format.ts";
import { openJson } from "../formats/json.ts";
import { FORMATS } from "../formats/registry.ts";
import type { Condition, MessageMapping, MetricSpec, ReadingSpec } from "./schema.ts";
import { aboutValue, compileTemplate, type Lookup, namesIn, slug } from "./template.ts";
import { createMetricReader, type MetricReader } from "./values.ts";

/** One item of a message, after the mapping. */
export type Mapped = {
  readonly items: readonly MappedItem[];
  /** Things that hold no reading. */
  readonly ignored: number;
  readonly statuses: readonly { readonly sensorId: string; readonly online: boolean }[];
};

export type MappedItem = { readonly device?: string; readonly bytes?: Uint8Array } & (
  | {
      readonly at: ReadingTopic;
      /** With our names, as on a topic of ours. */
      readonly value: Readonly<Record<string, unknown>>;
      /** Fields that are not taken. */
      readonly unused: readonly string[];
    }
  | { readonly why: Fault; readonly at?: ReadingTopic }
);

export type CompiledMapping = {
  readonly id: string;
  readonly version: number;
  readonly format: Format;
  readonly spec: MessageMapping;
  readonly answer: number;
  /** What of a request must be kept with the message. */
  readonly wants: ReadonlySet<string>;
  /** Whether it reads messages of an external broker to this topic. */
  reads(topic: string): boolean;
  apply(payload: Uint8Array, about: About): Mapped;
  /** The same before a message is kept: then `apply` need not open it again. */
  look(payload: Uint8Array, about: About): Mapped;
};

/** What goes into one reading, of the kind that is asked for. */
type Item = {
  readonly when: (lookup: Lookup) => boolean;
  readonly kind: ((lookup: Lookup) => string | undefined) | undefined;
  readonly fixedKind: Kind | undefined;
  readonly sensor: ((lookup: Lookup) => string | undefined) | undefined;
  readonly district: ((lookup: Lookup) => string | undefined) | undefined;
  readonly readers: Readonly<Record<Kind, Readers>>;
  readonly constants: Readonly<Record<string, number>>;
};

/** In their order, and where those of a column are; `elsewhere`: those that are asked whatever fields there are. */
type Readers = {
  readonly all: readonly MetricReader[];
  readonly byColumn: ReadonlyMap<string, readonly number[]>;
  readonly elsewhere: readonly number[];
};

type Entry = {
  readonly sensorId: string;
  readonly district: string | undefined;
  readonly kind: Kind | undefined;
  readonly items: readonly Item[] | undefined;
};

const NO_VALUES_NAMES_MAX = 5;

/** A mapping, checked and with its base under it, ready for messages. Nothing of it throws, whatever comes. */
export function compileMapping(id: string, version: number, spec: MessageMapping): CompiledMapping {
  const format: Format = FORMATS[spec.format ?? "json"];
  const topics = spec.topics ?? format.topics;
  const except = spec.except ?? [];
  const deviceOf = spec.device === undefined ? undefined : compileTemplate(spec.device);
  const timeOf = spec.time && createTimeOf(spec.time);
  const items = (spec.readings ?? [{ metrics: [] }]).map((one) => compileItem(one, spec, spec.metrics ?? []));
  const entries = new Map<string, Entry>();
  for (const { device, sensor, district, kind, metrics } of spec.sensors ?? []) {
    const own = metrics && [compileItem({ metrics }, spec, [])];
    const entry = { sensorId: sensor, district, kind, items: own };
    entries.set(device, entry);
    if (!entries.has(device.toLowerCase())) entries.set(device.toLowerCase(), entry);
  }
  const known = knownColumns(spec);
  const options = { rows: spec.rows?.in, metricColumn: spec.rows?.metricColumn, valueColumn: spec.rows?.valueColumn };

  function apply(payload: Uint8Array, about: About): Mapped {
    if (spec.status && about.levels.at(-1) === spec.status.level) return openStatus(payload, about);
    const opened = format.open(payload, about, options);
    const found = opened.items.flatMap((item) => (isFault(item) ? [{ why: item }] : mapSample(item, about)));
    const statuses = (opened.statuses ?? []).flatMap(({ device, online, below }) => {
      const others = below ? [...entries].filter(([name]) => name.startsWith(`${device}/`)) : [];
      if (others.length > 0) {
        const ids = new Set([entryOf(device), ...others.map(([, one]) => one)].flatMap((one) => one?.sensorId ?? []));
        return [...ids].map((sensorId) => ({ sensorId, online }));
      }
      const sensorId = entryOf(device)?.sensorId ?? sensorByTemplate(device, about);
      return sensorId === undefined ? [] : [{ sensorId, online }];
    });
    return { items: found, ignored: opened.ignored ?? 0, statuses };
  }

  const entryOf = (device: string) => entries.get(device) ?? entries.get(device.toLowerCase());

  /** Where only the sender is known. */
  function sensorByTemplate(device: string, about: About): string | undefined {
    const made = items
      .find(({ sensor }) => sensor)
      ?.sensor?.((name) => (name === "device" ? device : aboutValue(about, name)));
    return made === undefined ? undefined : slug(made) || undefined;
  }

  function openStatus(payload: Uint8Array, about: About): Mapped {
    const { column, online, offline } = spec.status!;
    const none: Mapped = { items: [], ignored: 1, statuses: [] };
    const opened = column === undefined ? undefined : openJson(payload);
    const said = opened && "value" in opened ? (opened.value as Record<string, unknown> | null)?.[column!] : undefined;
    // Who writes JSON today wrote the bare word before.
    const word = said ?? new TextDecoder().decode(payload.subarray(0, 64)).trim();
    if (typeof word !== "string") return none;
    const isOne = (words: readonly string[]) => words.some((one) => one.toLowerCase() === word.toLowerCase());
    const above = { ...about, levels: about.levels.slice(0, -1) };
    const device = deviceOf?.((name) => aboutValue(above, name));
    if (device === undefined || (!isOne(online) && !isOne(offline))) return none;
    const sensorId = entryOf(device)?.sensorId ?? sensorByTemplate(device, above);
    return sensorId === undefined ? none : { items: [], ignored: 0, statuses: [{ sensorId, online: isOne(online) }] };
  }

  function mapSample(given: Sample, about: About): MappedItem[] {
    const sample = spec.prefix ? withoutPrefix(given, spec.prefix) : given;
    const { fields, labels = {}, bytes } = sample;
    let device: string | undefined;
    let ends: ReadonlyMap<string, unknown> | undefined;
    const endsOf = () => {
      ends ??= byEnds(fields, known.names);
      return ends;
    };
    let numbered: ReadonlyMap<string, unknown> | undefined;
    const numberedOf = () => {
      numbered ??= byNumbers(fields);
      return numbered;
    };
    const lookup: Lookup = (name) => {
      if (name === "device" && device !== undefined) return device;
      const field = name.startsWith("*.")
        ? endsOf().get(name.slice(2))
        : name.endsWith("*")
          ? numberedOf().get(name)
          : fields.get(name);
      if (field !== undefined) return field;
      return Object.hasOwn(labels, name) ? labels[name] : aboutValue(about, name);
    };
    device = deviceOf?.(lookup) ?? sample.device;
    const part = bytes && { bytes };
    if (device === undefined)
      return [{ ...part, why: fault("malformed_reading", "The message does not say which device it is from.") }];
    const entry = entryOf(device);
    const time = timeOf?.(lookup) ?? sample.time;
    const found: MappedItem[] = [];
    let lacking: { why: Fault; at?: ReadingTopic } | undefined;
    for (const item of entry?.items ?? items) {
      if (!item.when(lookup)) continue;
      const at = placeOf(item, entry, lookup, device);
      if (isFault(at)) {
        lacking ??= { why: at };
        continue;
      }
      const value = valuesOf(item, at.kind, sample, lookup);
      if (value === undefined) {
        lacking ??= { at, why: noValues(sample) };
        continue;
      }
      if (time !== undefined && time !== null) value.measuredAt = time;
      if (sample.seq !== undefined) value.seq = sample.seq;
      found.push({ ...part, device, at, value, unused: unusedOf(fields, known) });
    }
    if (found.length > 0) return found;
    const why = lacking?.why ?? fault("no_values", "No part of the mapping is for a message like this one.");
    return [{ ...part, device, why, ...(lacking?.at && { at: lacking.at }) }];
  }

  function placeOf(item: Item, entry: Entry | undefined, lookup: Lookup, device: string): ReadingTopic | Fault {
    const made = entry ? entry.sensorId : item.sensor?.(lookup);
    const sensorId = entry ? entry.sensorId : made === undefined ? "" : slug(made);
    if (sensorId === "") return fault("unmapped", `There is no sensor for the device "${device.slice(0, 100)}" in it.`);
    const saidKind = entry?.kind ?? item.kind?.(lookup);
    if (saidKind === undefined || !isKind(saidKind))
      return fault("unmapped", `It does not say of which kind ${sensorId} is (${KINDS.join(", ")}).`);
    if (entry?.kind !== undefined && item.fixedKind !== undefined && item.fixedKind !== entry.kind)
      return fault("no_values", `${sensorId} is of kind ${entry.kind}, and this is about ${item.fixedKind}.`);
    const district = slug(entry?.district ?? item.district?.(lookup) ?? "");
    if (district === "") return fault("unmapped", `It does not say in which district ${sensorId} stands.`);
    return { sensorId, kind: saidKind, district, imported: false };
  }

  function noValues({ fields, empty }: Sample): Fault {
    if (empty !== undefined) return fault("no_values", empty);
    const names = [...fields.keys()].slice(0, NO_VALUES_NAMES_MAX).map((name) => name.slice(0, 40));
    return fault("no_values", `None of its fields is mapped${names.length > 0 ? `: ${names.join(", ")}` : ""}.`);
  }

  const wants = new Set([
    ...format.wants,
    ...[...known.names].filter((name) => /^(?:header|query)\.|^path$/.test(name)),
  ]);
  const looked = createLooked();
  const read = (payload: Uint8Array, about: About): Mapped => {
    const topic = about.levels.join("/");
    if (topic !== "" && except.some((one) => filterMatches(one, topic))) return { items: [], ignored: 1, statuses: [] };
    return apply(payload, about);
  };
  return {
    id,
    version,
    format,
    spec,
    answer: spec.answer ?? format.answer,
    wants,
    reads: (topic) =>
      topics.some((one) => filterMatches(one, topic)) && !except.some((one) => filterMatches(one, topic)),
    apply: (payload, about) => looked.take(payload, about) ?? read(payload, about),
    look(payload, about) {
      const mapped = read(payload, about);
      looked.add(payload, about, mapped);
      return mapped;
    },
  };
}

const LOOKED_MESSAGES_MAX = 500;
const LOOKED_ITEMS_MAX = 5_000;

/** What came of messages that are on their way to the journal and back: by when they came, and by their bytes. */
function createLooked() {
  const messages = new Map<
    number,
    { readonly payload: Uint8Array; readonly params: string; readonly mapped: Mapped }
  >();
  let items = 0;
  const paramsOf = ({ params }: About) => [...params].join("\n");

  function drop(receivedAt: number): void {
    items -= messages.get(receivedAt)?.mapped.items.length ?? 0;
    messages.delete(receivedAt);
  }

  function add(payload: Uint8Array, about: About, mapped: Mapped): void {
    drop(about.receivedAt);
    // The journal takes the bytes themselves along.
    messages.set(about.receivedAt, { payload: Uint8Array.from(payload), params: paramsOf(about), mapped });
    items += mapped.items.length;
    while (messages.size > LOOKED_MESSAGES_MAX || items > LOOKED_ITEMS_MAX) drop(messages.keys().next().value!);
  }

  function take(payload: Uint8Array, about: About): Mapped | undefined {
    const found = messages.size === 0 ? undefined : messages.get(about.receivedAt);
    if (!found || found.params !== paramsOf(about) || Buffer.compare(found.payload, payload) !== 0) return undefined;
    drop(about.receivedAt);
    return found.mapped;
  }

  return { add, take };
}

function compileItem(given: ReadingSpec, spec: MessageMapping, before: readonly MetricSpec[]): Item {
  const {
    sensor = spec.sensor,
    district = spec.district,
    kind = spec.kind,
    when = [],
    metrics,
    constants = {},
  } = given;
  const writing = { decimal: spec.decimal ?? ".", thousands: spec.thousands, missing: spec.missing ?? [] };
  const own = (of: Kind): MetricSpec[] =>
    spec.own ? METRICS_OF[of].map((name) => ({ column: name, metric: name, missing: [] })) : [];
  const readersOf = (of: Kind) =>
    indexReaders(
      [...before, ...metrics, ...own(of)]
        .filter(({ metric }) => METRICS_OF[of].includes(metric))
        .map((one) => createMetricReader(one, writing, conditionsOf(one.when ?? []), spec.time?.stepS)),
    );
  return {
    when: conditionsOf(when),
    kind: kind === undefined ? undefined : compileTemplate(kind),
    fixedKind: kind !== undefined && isKind(kind) ? kind : undefined,
    sensor: sensor === undefined ? undefined : compileTemplate(sensor),
    district: district === undefined ? undefined : compileTemplate(district),
    readers: { air: readersOf("air"), traffic: readersOf("traffic"), energy: readersOf("energy") },
    constants,
  };
}

const NO_LABELS: Readonly<Record<string, unknown>> = Object.freeze({});

function indexReaders(all: readonly MetricReader[]): Readers {
  const byColumn = new Map<string, number[]>();
  const elsewhere: number[] = [];
  for (const [at, { column, isElsewhere }] of all.entries()) {
    if (isElsewhere) elsewhere.push(at);
    else byColumn.set(column, [...(byColumn.get(column) ?? []), at]);
  }
  return { all, byColumn, elsewhere };
}

/**
 * The first column that is there says the metric. undefined where none is. A base has a hundred columns and a message a few
 * fields: these are looked up, not those.
 */
function valuesOf({ readers, constants }: Item, kind: Kind, sample: Sample, lookup: Lookup) {
  const value: Record<string, unknown> = {};
  let any = false;
  const { fields, labels = NO_LABELS, intervalS } = sample;
  const { all, byColumn, elsewhere } = readers[kind];
  const places = elsewhere.slice();
  for (const name of fields.keys()) for (const at of byColumn.get(name) ?? NO_PLACES) places.push(at);
  for (const name in labels) if (!fields.has(name)) for (const at of byColumn.get(name) ?? NO_PLACES) places.push(at);
  if (places.length > 1) places.sort(byNumber);
  for (const at of places) {
    const { metric, column, read } = all[at]!;
    if (value[metric] !== undefined && value[metric] !== null) continue;
    const one = read(lookup, intervalS);
    if (one === undefined) continue;
    value[metric] = one;
    // How well it was heard is no reading by itself.
    any ||= !Object.hasOwn(labels, column);
  }
  return any ? { ...constants, ...value } : undefined;
}

const NO_PLACES: readonly number[] = Object.freeze([]);
const byNumber = (a: number, b: number) => a - b;

function conditionsOf(conditions: readonly Condition[]): (lookup: Lookup) => boolean {
  return (lookup) =>
    conditions.every(({ column, is, has, above, below }) => {
      const value = lookup(column);
      if (has !== undefined && has !== (value !== undefined && value !== null)) return false;
      if (is && !is.some((one) => one === value || String(one) === String(value))) return false;
      const number = above === undefined && below === undefined ? 0 : Number(value ?? Number.NaN);
      return !(above !== undefined && !(number > above)) && !(below !== undefined && !(number < below));
    });
}

/** `*.Power` is the first field of this name one level down; not one that the mapping names in full. */
function byEnds(fields: ReadonlyMap<string, unknown>, named: ReadonlySet<string>): ReadonlyMap<string, unknown> {
  const ends = new Map<string, unknown>();
  for (const [name, value] of fields) {
    const dot = name.indexOf(".");
    if (dot < 0 || named.has(name)) continue;
    const end = name.slice(dot + 1);
    if (!ends.has(end)) ends.set(end, value);
  }
  return ends;
}

/** `temperature_*` is the first field with a number in the place of the star. */
function byNumbers(fields: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const numbered = new Map<string, unknown>();
  for (const [name, value] of fields) {
    const pattern = patternOf(name);
    if (pattern !== undefined && !numbered.has(pattern)) numbered.set(pattern, value);
  }
  return numbered;
}

function patternOf(name: string): string | undefined {
  const last = name.charCodeAt(name.length - 1);
  return last >= DIGIT_0 && last <= DIGIT_9 ? name.replace(/\d+$/, "*") : undefined;
}

const [DIGIT_0, DIGIT_9] = [0x30, 0x39];

type Known = { readonly names: ReadonlySet<string>; readonly ends: ReadonlySet<string> };

/** Every name that the mapping speaks of: a field that is one of them is not told as left out. */
function knownColumns(spec: MessageMapping): Known {
  const names = new Set<string>();
  const ofConditions = (list: readonly Condition[] = []) => list.forEach(({ column }) => void names.add(column));
  const ofMetrics = (list: readonly MetricSpec[] = []) => {
    for (const { column, unitColumn, when } of list) {
      names.add(column);
      if (unitColumn !== undefined) names.add(unitColumn);
      ofConditions(when);
    }
  };
  ofMetrics(spec.metrics);
  for (const { when, metrics, ...texts } of spec.readings ?? []) {
    ofConditions(when);
    ofMetrics(metrics);
    for (const text of [texts.sensor, texts.district, texts.kind])
      namesIn(text ?? "").forEach((name) => void names.add(name));
  }
  for (const { metrics } of spec.sensors ?? []) ofMetrics(metrics);
  for (const name of spec.time?.columns ?? []) names.add(name);
  for (const text of [spec.device, spec.sensor, spec.district, spec.kind])
    namesIn(text ?? "").forEach((name) => void names.add(name));
  if (spec.own) for (const kind of KINDS) for (const name of METRICS_OF[kind]) names.add(name);
  const ends = new Set([...names].filter((name) => name.startsWith("*.")).map((name) => name.slice(2)));
  return { names, ends };
}

function unusedOf(fields: ReadonlyMap<string, unknown>, { names, ends }: Known): string[] {
  const unused: string[] = [];
  for (const name of fields.keys()) {
    if (names.has(name)) continue;
    const pattern = patternOf(name);
    if (pattern !== undefined && names.has(pattern)) continue;
    const dot = ends.size > 0 ? name.indexOf(".") : -1;
    if (dot < 0 || !ends.has(name.slice(dot + 1))) unused.push(name);
  }
  return unused;
}

function withoutPrefix(sample: Sample, prefix: string): Sample {
  const fields = new Map<string, unknown>();
  for (const [name, value] of sample.fields)
    fields.set(name.startsWith(prefix) ? name.slice(prefix.length) : name, value);
  return { ...sample, fields };
}

type TimeSpec = NonNullable<MessageMapping["time"]>;

/** The time in the mapping's columns; undefined (the time of receipt) where it is not there, or says no zone and the mapping knows none. */
function createTimeOf({ columns, patterns, zone, stamp, stepS }: TimeSpec): (lookup: Lookup) => unknown {
  const read = createTimeReader(patterns);
  const clock = zone === undefined ? undefined : createZoneClock(zone);
  const backMs = stamp === "end" && stepS !== undefined ? stepS * 1000 : 0;
  return (lookup) => {
    const parts = columns
      .map((name) => lookup(name))
      .filter((part) => part !== undefined && part !== null && part !== "");
    if (parts.length < columns.length) return undefined;
    const raw = parts
      .map((part) => String(part))
      .join(" ")
      .slice(0, 100);
    const said = read(raw);
    // Whoever judges times says what is wrong with it.
    if (said === undefined) return raw;
    if (said.isInstant) return momentOf(said.ms - backMs);
    return clock === undefined ? undefined : momentOf(clock(said.ms - backMs).at);
  };
}
