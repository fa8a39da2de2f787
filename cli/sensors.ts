import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import type { SensorView } from "../contract/reading.ts";
import type { RegisterImportView, SensorChange } from "../contract/register.ts";
import type { Kind } from "../model/kinds.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { gatherTag, parseId, parseKind, parseNumber } from "./options.ts";
import { show, table } from "./output.ts";

const CLEARED = ["name", "lat", "lon", "interval", "gateway", "replaces"] as const;

/** The register of sensors: what changes after one was added. */
export function register(program: Command): void {
  const sensor = program.command("sensor").description("the register: all sensors, whoever speaks for them");
  withService(sensor.command("list").description("list them"), "sensor list --district harbour")
    .option("--district <district>", "only those that stand there", parseId)
    .option("--kind <kind>", "air, traffic or energy", parseKind)
    .option("--retired", "those that were taken off the register")
    .action(listSensors);
  withService(sensor.command("show").description("what is known of one"), "sensor show air-market-1")
    .argument("<sensor>", "its id", parseId)
    .action(showSensor);
  withService(
    sensor.command("edit").description("change what is known of one; its password stays"),
    "sensor edit air-market-1 --district harbour --lat 52.61 --lon 11.02 --tag site=quay",
  )
    .argument("<sensor>", "its id", parseId)
    .option("--name <name>", "a name for people")
    .option("--district <district>", "it moves there: what it sent stays where it stood", parseId)
    .option("--lat <degrees>", "latitude", parseNumber)
    .option("--lon <degrees>", "longitude", parseNumber)
    .option("--interval <seconds>", "seconds between two readings", parseNumber)
    .option("--tag <key=value>", "a tag, such as nominalVoltage=10000; may be repeated", gatherTag)
    .option("--untag <key>", "take a tag away; may be repeated", gatherName)
    .option("--gateway <name>", "which gateway speaks for it", parseId)
    .option("--replaces <sensor>", "whose place it took: that one goes off the register", parseId)
    .option("--replaces-from <time>", "since when, ISO 8601 (default: since this one was added)")
    .option("--clear <what>", `take away ${CLEARED.join(", ")}; may be repeated`, gatherCleared)
    .action(editSensor);
  withService(
    sensor.command("remove").description("take it off the register, with its password; the readings stay"),
    "sensor remove air-market-1",
  )
    .argument("<sensor>", "its id", parseId)
    .action(removeSensor);
  withService(sensor.command("restore").description("put it back on the register"), "sensor restore air-market-1")
    .argument("<sensor>", "its id", parseId)
    .action(restoreSensor);
  withService(
    sensor.command("import").description("take sensors from a CSV file into the register: all of it, or nothing"),
    "sensor import sensors.csv --dry-run",
  )
    .argument("<file>", "CSV with the columns of export; - for standard input")
    .option("--dry-run", "only say what would be done, and every mistake with its line")
    .option("--passwords <file>", "where new passwords are written (0600); it must not be there yet")
    .action(importSensors);
  withService(
    sensor.command("export").description("the register as CSV, for a spreadsheet and for import"),
    "sensor export sensors.csv --locale de",
  )
    .argument("[file]", "where to write it (default: standard output)")
    .option("--locale <locale>", "for the spreadsheets of a country, like de: semicolons, decimal commas, Excel's mark")
    .action(exportSensors);
}

const gatherName = (text: string, before: readonly string[] = []): string[] => [...before, text];

function gatherCleared(text: string, before: readonly (typeof CLEARED)[number][] = []): (typeof CLEARED)[number][] {
  const one = CLEARED.find((name) => name === text);
  if (!one) throw new InvalidArgumentError(`One of ${CLEARED.join(", ")} was expected.`);
  return [...before, one];
}

type ListOptions = ServiceOptions & { readonly district?: string; readonly kind?: Kind; readonly retired?: boolean };

async function listSensors(options: ListOptions): Promise<void> {
  const { district, kind, retired } = options;
  const asked = { district, kind, limit: 1000, ...(retired && { retired: "true" }) };
  const sensors = await findService(options).client.all("/sensors", asked);
  const last = retired ? "off the register since" : "last heard";
  show(options, sensors, () =>
    table(
      ["sensor", "kind", "district", "name", "gateway", last],
      sensors.map((one) => [
        one.id,
        one.kind,
        one.district,
        one.name,
        one.gateway,
        retired ? one.retiredAt : one.lastSeen,
      ]),
    ),
  );
}

async function showSensor(id: string, options: ServiceOptions): Promise<void> {
  const sensor = JSON.parse(await findService(options).client.text(`/api/v1/sensors/${id}`)) as SensorView;
  show(options, sensor, () => sensorText(sensor));
}

function sensorText(sensor: SensorView): string {
  const { lat, lon, places = [], replaces, tags } = sensor;
  const facts: [string, string | number | undefined][] = [
    ["sensor", sensor.id],
    ["name", sensor.name],
    ["kind", sensor.kind],
    ["district", sensor.district],
    ["place", lat === undefined || lon === undefined ? undefined : `${lat}, ${lon}`],
    ["interval", sensor.intervalS === undefined ? undefined : `${sensor.intervalS} s`],
    ["gateway", sensor.gateway],
    [
      "tags",
      Object.entries(tags)
        .map(([key, value]) => `${key}=${value}`)
        .join(" ") || undefined,
    ],
    ["added", sensor.createdAt],
    ["last heard", sensor.lastSeen],
    ["took the place of", replaces && `${replaces.sensorId} on ${replaces.from}`],
    ["replaced by", sensor.replacedBy],
    ["off the register since", sensor.retiredAt],
    ...places.map((place): [string, string] => ["stood in", `${place.district} from ${place.from}`]),
  ];
  const given = facts.filter(([, value]) => value !== undefined);
  const width = Math.max(...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

type EditOptions = ServiceOptions & {
  readonly name?: string;
  readonly district?: string;
  readonly lat?: number;
  readonly lon?: number;
  readonly interval?: number;
  readonly tag?: Readonly<Record<string, string>>;
  readonly untag?: readonly string[];
  readonly gateway?: string;
  readonly replaces?: string;
  readonly replacesFrom?: string;
  readonly clear?: readonly (typeof CLEARED)[number][];
};

async function editSensor(id: string, options: EditOptions): Promise<void> {
  const { name, district, lat, lon, interval, tag, untag = [], gateway, replaces, replacesFrom, clear = [] } = options;
  const gone = Object.fromEntries(clear.map((what) => [what === "interval" ? "intervalS" : what, null]));
  const untagged = Object.fromEntries(untag.map((key) => [key, null]));
  const tags = tag || untag.length > 0 ? { ...tag, ...untagged } : undefined;
  const said = { name, district, lat, lon, intervalS: interval, tags, gateway, replaces, replacesFrom };
  const change: SensorChange = {
    ...Object.fromEntries(Object.entries(said).filter(([, v]) => v !== undefined)),
    ...gone,
  };
  if (Object.keys(change).length === 0)
    throw new Error("nothing to change: give an option such as --name or --district");
  const changed = await findService(options).client.patch(`/sensors/${id}`, change);
  show(options, changed, () => [sensorText(changed), ...changed.advice.map((advice) => `\n${advice}`)].join("\n"));
}

async function removeSensor(id: string, options: ServiceOptions): Promise<void> {
  await findService(options).client.delete(`/sensors/${id}`);
  show(
    options,
    { removed: id },
    () => `${id} is off the register; its readings stay, what it goes on to send is refused`,
  );
}

async function restoreSensor(id: string, options: ServiceOptions): Promise<void> {
  const sensor = await findService(options).client.post(`/sensors/${id}/restore`, {});
  show(options, sensor, () => `${id} is on the register again; "lamppost device add" gives it a password of its own`);
}

type ImportOptions = ServiceOptions & { readonly dryRun?: boolean; readonly passwords?: string };

async function importSensors(path: string, options: ImportOptions): Promise<void> {
  const { client } = findService(options);
  const file = new Uint8Array(readFileSync(path === "-" ? 0 : path));
  const ask = (dryRun: boolean) =>
    client.postFile<RegisterImportView>("/register", file, "text/csv", dryRun ? { dryRun: "true" } : {});
  const tried = await ask(true);
  if (tried.mistakesInAll > 0) {
    show(options, tried, () => [...tried.mistakes.map(mistakeText), ...moreText(tried)].join("\n"));
    process.exitCode = 1;
    return;
  }
  if (options.dryRun) return show(options, tried, () => `would be: ${countsText(tried)}; nothing was changed`);
  // Before the passwords are made: they are told once, and must have a place.
  const target = options.passwords ?? "sensor-passwords.csv";
  const opened = options.json ? undefined : openNew(target);
  const result = await ask(false).catch((error: unknown) => {
    if (opened !== undefined) rmSync(target);
    throw error;
  });
  const { length } = result.passwords;
  if (opened !== undefined) {
    writeSync(opened, passwordLines(result));
    closeSync(opened);
    if (length === 0) rmSync(target);
  }
  const kept = length === 0 ? "" : `\n${length} new passwords are in ${target} (0600); only their hashes are kept here`;
  show(options, result, () => `${countsText(result)}${kept}`);
}

function openNew(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
    const why = isThere ? `${path} is there already` : (error as Error).message;
    throw new Error(`${why}; give --passwords FILE for a place where new passwords can be written`);
  }
}

const passwordLines = ({ passwords }: RegisterImportView) =>
  `username,password\n${passwords.map(({ username, password }) => `${username},${password}\n`).join("")}`;

const countsText = ({ added, changed, unchanged }: RegisterImportView) =>
  `${added} added, ${changed} changed, ${unchanged} as they were`;

const mistakeText = ({ line, column, detail }: RegisterImportView["mistakes"][number]) =>
  `line ${line}${column ? `, ${column}` : ""}: ${detail}`;

function moreText({ mistakes, mistakesInAll }: RegisterImportView): string[] {
  const more = mistakesInAll - mistakes.length;
  const all = `${mistakesInAll} ${mistakesInAll === 1 ? "mistake" : "mistakes"}: nothing was changed`;
  return [more > 0 ? `… and ${more} more` : "", all].filter((text) => text !== "");
}

async function exportSensors(path: string | undefined, options: ServiceOptions & { locale?: string }): Promise<void> {
  const { locale } = options;
  const query = locale === undefined ? "" : `?locale=${encodeURIComponent(locale)}`;
  const text = await findService(options).client.text(`/api/v1/register${query}`);
  // Whoever reads an answer as text loses its mark.
  const file = locale === undefined ? text : `\ufeff${text}`;
  if (path === undefined) process.stdout.write(file);
  else writeFileSync(path, file);
}
