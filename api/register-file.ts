import { setImmediate as immediate } from "node:timers/promises";
import type { z } from "zod";
import { SENSOR, TAGS_MAX } from "../contract/account.ts";
import type { RegisterImportView } from "../contract/register.ts";
import { isId } from "../model/ids.ts";
import { isKind, KINDS } from "../model/kinds.ts";
import { placeTagMistake } from "../model/place-tags.ts";
import { hashSecret, newSecret } from "../model/secret.ts";
import { WHOLE_CITY } from "../model/topics.ts";
import type { RegisterChange } from "../store/records/register-import.ts";
import type { Sensor } from "../store/records/sensors.ts";
import type { Parts } from "./api.ts";
import { type Cell, type CsvRow, decodeCsv, readCsv, readNumber, unguarded } from "./csv.ts";
import { ProblemError } from "./problems.ts";
import { changedSensor, keepSensor, knownGateways, linkSuccessor, type Register } from "./register.ts";

/** The columns of the register as a file; tags are columns of their own, named `tag:site`. */
const COLUMNS = ["id", "kind", "district", "name", "lat", "lon", "intervalS", "gateway", "replaces", "login"] as const;
type Column = (typeof COLUMNS)[number];
const TAG = "tag:";
const ALIASES: Readonly<Record<string, Column>> = {
  sensor: "id",
  sensorid: "id",
  latitude: "lat",
  longitude: "lon",
  interval: "intervalS",
  intervals: "intervalS",
};
const YES: ReadonlySet<string> = new Set(["yes", "y", "true", "1", "x", "ja", "j", "si", "sí", "s"]);
const NO: ReadonlySet<string> = new Set(["", "no", "n", "false", "0", "nein"]);

const ROWS_MAX = 20_000;
const TAG_COLUMNS_MAX = 200;
const MISTAKES_MAX = 1_000;
/** The core thread has others to serve: after so long they have their turn. */
const PIECE_MS = 5;
const CHUNK = 500;
/** Changes that are laid down in one transaction. */
const STAGED = 200;

type Deps = Pick<Parts, "now" | "disconnect"> & {
  readonly records: Pick<Parts["records"], "sensors" | "credentials" | "audit" | "transaction" | "registerImports">;
};
type Mistake = RegisterImportView["mistakes"][number];

/** What `GET /register` sends: the header, and the rows in order of the ids, some at a time. */
export function exportRegister({ records }: Pick<Deps, "records">) {
  const tagNames = new Set<string>();
  for (const { tags } of records.sensors.after(undefined)) for (const name of Object.keys(tags)) tagNames.add(name);
  const names = [...tagNames].sort().slice(0, TAG_COLUMNS_MAX);
  return { header: [...COLUMNS, ...names.map((name) => `${TAG}${name}`)], rows: rowsOf(records, names) };
}

function* rowsOf(records: Deps["records"], names: readonly string[]): Generator<Cell[][]> {
  let rows: Cell[][] = [];
  for (const sensor of records.sensors.after(undefined)) {
    const { id, kind, district, name, lat, lon, intervalS, gateway, replaces, tags } = sensor;
    const login = records.credentials.byName(id)?.account.role === "device" ? "yes" : "no";
    const own = [id, kind, district, name, lat, lon, intervalS, gateway, replaces?.sensorId, login];
    rows.push([...own, ...names.map((one) => (Object.hasOwn(tags, one) ? tags[one] : undefined))]);
    if (rows.length < CHUNK) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

/** What a row comes to. `old`: the sensor as it was when the row was looked at. */
type Planned = {
  readonly line: number;
  readonly old: Sensor | undefined;
  readonly sensor: Sensor;
  readonly replaces: string | undefined;
  readonly login: Login | undefined;
};
type Login = { readonly password: string; readonly secretHash: string };

type Plan = { readonly rows: readonly Planned[]; readonly unchanged: number; readonly mistakes: Mistake[] };

/**
 * Takes a file into the register, all of it or nothing, in pieces, so that the service goes on with its work: every row
 * is looked at, what they come to is laid down, and from one moment on it counts. Throws a 409 problem if somebody
 * changed one of the sensors meanwhile.
 */
export async function importRegister(deps: Deps, file: Uint8Array, by: string, isTried: boolean) {
  const turn = createTurn();
  const plan = await planImport(deps, file, turn);
  const { rows, mistakes } = plan;
  const trial = createTrial(deps.records, deps.now(), by);
  if (mistakes.length === 0) await tryOut(trial, rows, mistakes, turn);
  const isApplied = !isTried && mistakes.length === 0;
  if (isApplied && rows.length > 0) await apply(deps, rows, trial, by, turn);
  const added = rows.filter(({ old }) => !old).length;
  return {
    applied: isApplied,
    added,
    changed: rows.length - added,
    unchanged: plan.unchanged,
    mistakes: mistakes.sort((a, b) => a.line - b.line).slice(0, MISTAKES_MAX),
    mistakesInAll: mistakes.length,
    passwords: isApplied
      ? rows.flatMap(({ sensor, login }) => (login ? [{ username: sensor.id, password: login.password }] : []))
      : [],
  } satisfies RegisterImportView;
}

async function planImport(deps: Deps, file: Uint8Array, turn: Turn): Promise<Plan> {
  const mistakes: Mistake[] = [];
  const rows: Planned[] = [];
  const lines = new Map<string, number>();
  const reader = readCsv(decodeCsv(file));
  const head = reader.next().value as CsvRow | undefined;
  if (!head) return { rows, unchanged: 0, mistakes: [{ line: 1, detail: "The file is empty." }] };
  if (head.openQuote !== undefined) return { rows, unchanged: 0, mistakes: [neverClosed(head.openQuote)] };
  const columns = readHeader(head, mistakes);
  let unchanged = 0;
  if (columns) {
    const planned = createPlanner(deps, columns, mistakes, lines);
    let count = 0;
    for (const row of reader) {
      count += 1;
      if (count > ROWS_MAX) {
        mistakes.push({ line: row.line, detail: `A file has at most ${ROWS_MAX} sensors: divide it.` });
        break;
      }
      if (row.openQuote !== undefined) {
        mistakes.push(neverClosed(row.openQuote));
        break;
      }
      const one = planned(row);
      if (one === "unchanged") unchanged += 1;
      else if (one) rows.push(one);
      await turn();
    }
  }
  return { rows, unchanged, mistakes };
}

const neverClosed = (line: number): Mistake => ({ line, detail: "The quote is never closed." });

/** Others have the thread after every few milliseconds. */
function createTurn() {
  let begun = performance.now();
  return async () => {
    if (performance.now() - begun < PIECE_MS) return;
    await immediate();
    begun = performance.now();
  };
}

type Turn = ReturnType<typeof createTurn>;

type Columns = readonly (Column | `tag:${string}`)[];

function readHeader({ line, cells }: CsvRow, mistakes: Mistake[]): Columns | undefined {
  const before = mistakes.length;
  const columns = cells.map((cell): Columns[number] | undefined => {
    if (cell.startsWith(TAG)) {
      const { error } = SENSOR.tagName.safeParse(cell.slice(TAG.length));
      if (error) mistakes.push({ line, column: cell.slice(0, 40), detail: error.issues[0]!.message });
      return cell as `tag:${string}`;
    }
    const plain = cell.toLowerCase();
    const known = COLUMNS.find((one) => one.toLowerCase() === plain) ?? ALIASES[plain];
    if (!known) {
      const detail = `There is no column "${cell.slice(0, 40)}": there are ${COLUMNS.join(", ")}, and ${TAG}… for a tag.`;
      mistakes.push({ line, detail });
    }
    return known;
  });
  for (const [i, column] of columns.entries()) {
    if (column && columns.indexOf(column) !== i) mistakes.push({ line, column, detail: "The column comes twice." });
  }
  if (!columns.includes("id")) mistakes.push({ line, column: "id", detail: "The column id is missing." });
  if (columns.filter((one) => one?.startsWith(TAG)).length > TAG_COLUMNS_MAX) {
    mistakes.push({ line, detail: `A file has at most ${TAG_COLUMNS_MAX} columns of tags.` });
  }
  return mistakes.length === before ? (columns as Columns) : undefined;
}

/** One row after the other: what it makes of a sensor, or its mistakes. */
function createPlanner(deps: Deps, columns: Columns, mistakes: Mistake[], lines: Map<string, number>) {
  const { sensors, credentials } = deps.records;
  const now = deps.now();
  const gateways = knownGateways(deps.records);

  return function plan({ line, cells }: CsvRow): Planned | "unchanged" | undefined {
    const before = mistakes.length;
    const wrong = (column: string, detail: string) => void mistakes.push({ line, column, detail });
    if (cells.length > columns.length)
      wrong(columns.at(-1)!, `There are ${cells.length} cells for ${columns.length} columns.`);
    const cell = (column: Columns[number]) => {
      const i = columns.indexOf(column);
      return i < 0 ? undefined : unguarded(cells[i] ?? "");
    };
    const id = cell("id")!;
    if (!isId(id)) return void wrong("id", "An id is 1 to 64 of a-z, 0-9 and -, and does not start with -.");
    const first = lines.get(id);
    if (first !== undefined) return void wrong("id", `${id} stands in line ${first} already.`);
    lines.set(id, line);
    if (sensors.retired(id)) return void wrong("id", `${id} was taken off the register: put it back first.`);
    const old = sensors.get(id);

    /** null where the cell is empty: then it goes; undefined where there is no such column: then it stays. */
    function read<T>(column: Column, schema: z.ZodType<T>, of: (text: string) => unknown): T | null | undefined {
      const text = cell(column);
      if (text === undefined) return undefined;
      if (text === "") return null;
      const result = schema.safeParse(of(text) ?? text);
      if (result.success) return result.data;
      wrong(column, `"${text.slice(0, 40)}": ${result.error.issues[0]!.message}`);
      return undefined;
    }

    const kind = cell("kind") || old?.kind;
    if (kind === undefined || !isKind(kind)) wrong("kind", `One of ${KINDS.join(", ")} was expected.`);
    else if (old && old.kind !== kind)
      wrong("kind", `${id} is registered as ${old.kind}; a sensor's kind does not change.`);
    const district = cell("district") || old?.district;
    if (district === undefined || !isId(district)) wrong("district", "A district is 1 to 64 of a-z, 0-9 and -.");
    else if (district === WHOLE_CITY) wrong("district", `"${WHOLE_CITY}" stands for alerts of no district.`);
    const gateway = cell("gateway");
    if (gateway && !gateways.has(gateway)) wrong("gateway", `There is no gateway "${gateway.slice(0, 64)}".`);
    const replaces = cell("replaces") || undefined;
    if (replaces !== undefined && !isId(replaces)) wrong("replaces", "The id of a sensor was expected.");
    const login = (cell("login") ?? "").toLowerCase();
    if (!YES.has(login) && !NO.has(login)) wrong("login", "yes or no was expected.");
    const known = credentials.byName(id)?.account;
    const isNewLogin = YES.has(login) && known?.role !== "device";
    if (isNewLogin && known) wrong("login", `The name ${id} is that of a ${known.role}.`);
    const fields = {
      name: old && cell("name") === old.name ? old.name : read("name", SENSOR.name, String),
      lat: read("lat", SENSOR.lat, readNumber),
      lon: read("lon", SENSOR.lon, readNumber),
      intervalS: read("intervalS", SENSOR.intervalS, readNumber),
      gateway: gateway === "" ? null : gateway,
      tags: readTags(columns, cell, old?.tags ?? {}, wrong),
    };
    if (mistakes.length > before) return undefined;
    const added: Sensor = { id, kind: kind as Sensor["kind"], district: district!, tags: {}, createdAt: now };
    const sensor = changedSensor(old ?? added, { ...fields, district: district! }, now);
    if (Object.keys(sensor.tags).length > TAGS_MAX) return void wrong("id", `A sensor has at most ${TAGS_MAX} tags.`);
    const isLinked = replaces !== undefined && replaces !== old?.replaces?.sensorId;
    if (old && !isNewLogin && !isLinked && isSame(old, sensor)) return "unchanged";
    const password = isNewLogin ? newSecret() : undefined;
    return {
      line,
      old,
      sensor,
      replaces: isLinked ? replaces : undefined,
      login: password === undefined ? undefined : { password, secretHash: hashSecret(password) },
    };
  };
}

function readTags(
  columns: Columns,
  cell: (column: Columns[number]) => string | undefined,
  old: Sensor["tags"],
  wrong: (column: string, detail: string) => void,
): Record<string, string | null> {
  const tags: Record<string, string | null> = {};
  for (const column of columns) {
    if (!column.startsWith(TAG)) continue;
    const text = cell(column)!;
    const name = column.slice(TAG.length);
    // What stands on the register already goes through as it is.
    if (text !== "" && (!Object.hasOwn(old, name) || old[name] !== text)) {
      const mistake = SENSOR.tagValue.safeParse(text).error?.issues[0]?.message ?? placeTagMistake(name, text);
      if (mistake !== undefined) wrong(column, mistake);
    }
    tags[name] = text === "" ? null : text;
  }
  return tags;
}

function isSame(a: Sensor, b: Sensor): boolean {
  const fields = ["district", "name", "lat", "lon", "intervalS", "gateway"] as const;
  if (fields.some((field) => a[field] !== b[field])) return false;
  const names = Object.keys(a.tags);
  return names.length === Object.keys(b.tags).length && names.every((name) => a.tags[name] === b.tags[name]);
}

type Trial = ReturnType<typeof createTrial>;

/** The register as the file would make it, beside the one that is: what is written to it are the changes. */
function createTrial(records: Deps["records"], at: number, by: string) {
  const sensors = new Map<string, Sensor>();
  const credentials = new Map<string, RegisterChange>();
  /** Sensors and accounts as they were when somebody looked at them here. */
  const seen = new Map<string, Sensor | undefined>();
  const closed: string[] = [];

  const isRetired = (sensor: Sensor | undefined) => sensor?.retiredAt !== undefined;
  function find(id: string): Sensor | undefined {
    const own = sensors.get(id);
    if (own) return own;
    const known = records.sensors.get(id) ?? records.sensors.retired(id);
    seen.set(id, known);
    return known;
  }
  function save(changed: readonly Sensor[]): void {
    for (const sensor of changed) sensors.set(sensor.id, sensor);
  }

  const register: Register = {
    now: () => at,
    records: {
      sensors: {
        get: (id) => (isRetired(find(id)) ? undefined : find(id)),
        retired: (id) => (isRetired(find(id)) ? find(id) : undefined),
        save,
        retire: (sensor, retiredAt) => save([{ ...sensor, retiredAt }]),
      },
      credentials: {
        byName: (name) => {
          const change = credentials.get(name);
          if (change && "withoutCredential" in change) return undefined;
          return change && "credential" in change ? change.credential : records.credentials.byName(name);
        },
        change: (account) => credentials.set(account.name, { account }) !== undefined,
        remove: (withoutCredential) => credentials.set(withoutCredential, { withoutCredential }) !== undefined,
      },
    },
  };

  function addLogin({ id, kind, district }: Sensor, { secretHash }: Login): void {
    const account = { role: "device", name: id, sensorId: id, kind, district } as const;
    credentials.set(id, { credential: { account, secretHash, createdAt: at, createdBy: by } });
  }

  return {
    register,
    addLogin,
    close: (names: readonly string[]) => void closed.push(...names),
    closed: (): readonly string[] => closed,
    changes: (): RegisterChange[] => [...[...sensors.values()].map((sensor) => ({ sensor })), ...credentials.values()],
    /** Whether nobody has changed what the trial rests on. */
    holds: () => [...seen].every(([id, sensor]) => (records.sensors.get(id) ?? records.sensors.retired(id)) === sensor),
  };
}

async function tryOut(trial: Trial, rows: readonly Planned[], mistakes: Mistake[], turn: Turn): Promise<void> {
  const { register } = trial;
  for (const { sensor, login } of rows) {
    // For `holds`: new ones, too.
    register.records.sensors.get(sensor.id);
    trial.close(keepSensor(register, sensor));
    if (login) trial.addLogin(sensor, login);
    await turn();
  }
  for (const { line, sensor, replaces } of rows) {
    if (replaces === undefined) continue;
    try {
      trial.close(linkSuccessor(register, sensor, replaces, sensor.createdAt));
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      mistakes.push({ line, column: "replaces", detail: error.message });
    }
    await turn();
  }
}

async function apply(deps: Deps, rows: readonly Planned[], trial: Trial, by: string, turn: Turn): Promise<void> {
  const { registerImports: imports, audit, transaction } = deps.records;
  const changes = trial.changes();
  try {
    for (let i = 0; i < changes.length; i += STAGED) {
      imports.stage(changes.slice(i, i + STAGED));
      await turn();
    }
    if (!trial.holds())
      throw new ProblemError("conflict", "Somebody changed one of these sensors meanwhile: import the file again.");
    transaction(() => {
      imports.commit();
      const detail = detailOf(rows);
      audit.add({ at: deps.now(), by, what: "sensor.import", target: `${rows.length} sensors`, detail });
    });
  } finally {
    imports.discard();
  }
  while (imports.carryOut()) await immediate();
  for (const name of trial.closed()) deps.disconnect(name);
}

const NAMED_MAX = 20;

function detailOf(rows: readonly Planned[]): string {
  const added = rows.filter(({ old }) => !old).length;
  const named = (ids: readonly string[]) =>
    ids.length > NAMED_MAX
      ? `${ids.slice(0, NAMED_MAX).join(", ")} and ${ids.length - NAMED_MAX} more`
      : ids.join(", ");
  const moved = rows.flatMap(({ old, sensor }) =>
    old && old.district !== sensor.district ? [`${sensor.id} from ${old.district} to ${sensor.district}`] : [],
  );
  const replaced = rows.flatMap(({ sensor, replaces }) => (replaces ? [`${replaces} by ${sensor.id}`] : []));
  const logins = rows.filter(({ login }) => login).length;
  return [
    `${added} added, ${rows.length - added} changed`,
    ...(logins > 0 ? [`${logins} with a new password`] : []),
    ...(moved.length > 0 ? [`moved ${named(moved)}`] : []),
    ...(replaced.length > 0 ? [`replaced ${named(replaced)}`] : []),
  ].join("; ");
}
