/** As much of a JSON Schema as the one of the rules says. */
export type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
};

type Option = {
  readonly label: string;
  readonly type: "property" | "enum";
  readonly apply?: string;
  readonly boost?: number;
};
type Completions = { readonly from: number; readonly options: readonly Option[] };

/** What may stand at `offset` of a YAML text in block style, by the schema of the whole; undefined where nothing is known. */
export function completionsAt(schema: Schema, text: string, offset: number): Completions | undefined {
  const before = text.slice(0, offset).split("\n");
  const [, lead, key, word] = /^((?: |- )*)(?:([\w-]+): +)?([\w-]*)$/.exec(before.at(-1)!) ?? [];
  if (lead === undefined || word === undefined) return undefined;
  const lines = text.split("\n").map(readLine);
  const at = before.length - 1;
  const { path, siblings } = placeOf(lines, at, lead.length);
  const holders = path.reduce((found, step) => found.flatMap((one) => stepInto(one, step)), alternatives(schema));
  const fitting = holders.filter((one) => fits(one, siblings));
  const options =
    key === undefined
      ? fitting.flatMap((one) => keysOf(one, siblings))
      : fitting.flatMap((one) => stepInto(one, key)).flatMap(valuesOf);
  const unique = new Map(options.map((one) => [one.label, one]));
  return unique.size === 0 ? undefined : { from: offset - word.length, options: [...unique.values()] };
}

type Line = {
  readonly column: number;
  readonly dash: number;
  readonly key: string | undefined;
  readonly value: string;
};

/** `column`: where the key stands, behind the dash of a list's item; `dash`: where that stands, or -1. */
function readLine(text: string): Line {
  const [, lead = "", key, value = ""] = /^((?: |- )*)(?:([\w-]+):(?: +(.*))?$)?/.exec(text)!;
  return { column: text.trim() === "" ? Infinity : lead.length, dash: lead.lastIndexOf("-"), key, value };
}

const ITEM = Symbol("an item of a list");
type Step = string | typeof ITEM;

/** The keys that lead to the map around a line, from the outside, and what else that map has. */
function placeOf(lines: readonly Line[], at: number, column: number) {
  const path: Step[] = [];
  const siblings = new Map<string, string>();
  let edge = column;
  for (let i = at; i >= 0; i--) {
    const line = lines[i]!;
    const own = i === at ? column : line.column;
    if (own < edge && line.key !== undefined && i !== at) {
      path.unshift(line.key);
      edge = own;
    } else if (own === edge && path.length === 0 && line.key !== undefined && i !== at) {
      siblings.set(line.key, line.value);
    }
    if (own === edge && line.dash >= 0) {
      path.unshift(ITEM);
      // A list may stand below its key without an indent.
      edge = line.dash + 1;
    }
  }
  for (const line of lines.slice(at + 1)) {
    if (line.column < column || (line.column === column && line.dash >= 0)) break;
    if (line.column === column && line.key !== undefined) siblings.set(line.key, line.value);
  }
  return { path, siblings };
}

function alternatives(schema: Schema): readonly Schema[] {
  const several = schema.anyOf ?? schema.oneOf;
  return several ? several.flatMap(alternatives) : [schema];
}

function stepInto(schema: Schema, step: Step): readonly Schema[] {
  const next = step === ITEM ? schema.items : schema.properties?.[step];
  return next ? alternatives(next) : [];
}

/** Conditions differ by their `type`: once it is written, only the fields of that one are of use. */
function fits({ properties = {} }: Schema, siblings: ReadonlyMap<string, string>): boolean {
  return Object.entries(properties).every(
    ([key, { const: wanted }]) => wanted === undefined || !siblings.has(key) || siblings.get(key) === wanted,
  );
}

function keysOf({ properties = {}, required = [] }: Schema, siblings: ReadonlyMap<string, string>): Option[] {
  const missing = Object.entries(properties).filter(([key]) => !siblings.has(key));
  return missing.map(([label, schema]) => {
    const isBlock = alternatives(schema).every(({ type }) => type === "object" || type === "array");
    const boost = required.includes(label) ? 1 : 0;
    return { label, type: "property", apply: isBlock ? `${label}:` : `${label}: `, boost };
  });
}

function valuesOf({ enum: several, const: only, type, default: preset }: Schema): Option[] {
  const values = several ?? (type === "boolean" ? [true, false] : [only ?? preset]);
  return values
    .filter((one) => one !== undefined && typeof one !== "object")
    .map((one) => ({ label: String(one), type: "enum" }));
}
