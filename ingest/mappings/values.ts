import { createValueReader, readNumber } from "../../model/mapping.ts";
import type { MetricName } from "../../model/metrics.ts";
import { conversion } from "../../model/units.ts";
import { Quantified } from "../formats/format.ts";
import type { MetricSpec } from "./schema.ts";
import type { Lookup } from "./template.ts";

export type MetricReader = {
  readonly metric: MetricName;
  readonly column: string;
  /** It may be found in the topic, the request, or one level down. */
  readonly isElsewhere: boolean;
  /** The value in the metric's unit; null is missing, undefined that there is no such field, a text what is no number. */
  read(lookup: Lookup, intervalS: number | undefined): unknown;
};

const ELSEWHERE = /^(?:\*|topic|header|query)\.|^(?:path|device)$|\*$/;

type Writing = Parameters<typeof createValueReader>[0];

/** Units that messages say are remembered, so many of each metric. */
const UNITS_MAX = 50;

/** How one field becomes a value, as its mapping says. */
export function createMetricReader(
  spec: MetricSpec,
  writing: Writing,
  applies: (lookup: Lookup) => boolean,
  stepS: number | undefined,
): MetricReader {
  const { column, metric, unit, unitColumn, list } = spec;
  const none = [...writing.missing, ...spec.missing];
  const noNumbers = new Set(none.flatMap((text) => readNumber(text, { decimal: "." }) ?? []));
  const converters = new Map<string, Converters | undefined>();

  /** undefined: there is no way from this unit to the metric's. */
  function convertersOf(from: string, intervalS: number | undefined): Converters | undefined {
    const key = `${intervalS ?? ""} ${from}`;
    if (converters.has(key)) return converters.get(key);
    const ofNumber = conversion(from, metric, intervalS);
    const made = ofNumber && {
      ofNumber,
      ofText: createValueReader(writing, { metric, unit: from, missing: spec.missing }, intervalS),
    };
    if (converters.size >= UNITS_MAX) converters.clear();
    converters.set(key, made);
    return made;
  }

  const usualUnit = unit ?? "as is";
  const usual = convertersOf(usualUnit, stepS);

  function read(lookup: Lookup, intervalS: number | undefined): unknown {
    const given = lookup(column);
    if (given === undefined || !applies(lookup)) return undefined;
    const value = given instanceof Quantified ? given.value : given;
    if (value === null) return null;
    const said = given instanceof Quantified ? given.unit : unitColumn && lookup(unitColumn);
    const from = typeof said === "string" && said !== "" ? said : usualUnit;
    const isUsual = from === usualUnit && intervalS === undefined;
    const convert = isUsual ? usual : convertersOf(from, intervalS ?? stepS);
    // Refused as it stands, unit and all.
    if (!convert) return `${String(value).slice(0, 40)} ${from.slice(0, 20)}`;
    const one = Array.isArray(value) ? ofList(value, list) : value;
    if (typeof one === "string") return convert.ofText(one);
    if (typeof one !== "number") return one;
    if (noNumbers.has(one) || Number.isNaN(one)) return null;
    return convert.ofNumber(one);
  }

  return { metric, column, isElsewhere: ELSEWHERE.test(column), read };
}

type Converters = {
  readonly ofNumber: (value: number) => number;
  readonly ofText: (text: string) => number | string | null;
};

/** Of three phases, say. What is no list of numbers stays as it is, and is refused with its reason. */
function ofList(values: readonly unknown[], how: MetricSpec["list"]): unknown {
  const numbers = values.filter((one) => typeof one === "number");
  if (how === undefined || numbers.length === 0) return values;
  switch (how) {
    case "first":
      return numbers[0];
    case "max":
      return Math.max(...numbers);
    case "min":
      return Math.min(...numbers);
    default: {
      const sum = numbers.reduce((total, one) => total + one, 0);
      return how === "sum" ? sum : sum / numbers.length;
    }
  }
}
