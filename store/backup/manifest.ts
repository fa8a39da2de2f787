import { z } from "zod";

/** Of the backup itself: what is where, and how it is checked. */
export const BACKUP_FORMAT = 1;
export const MANIFEST = "manifest.json";
export const RECORDS = "records.db";
export const READINGS = "readings.duckdb";
export const JOURNAL = "journal";
export const PHOTOS = "photos";
/** What admins sent to draw maps from. */
export const MAP = "map";

/** Nothing else is ever taken out of a backup: a name cannot lead out of the folder. */
export const isBackupFile = (name: string): boolean =>
  name === RECORDS ||
  name === READINGS ||
  /^journal\/\d{20}\.journal$/.test(name) ||
  /^photos\/[0-9a-f]{32}\.(?:jpg|png|webp)$/.test(name) ||
  /^map\/[a-z0-9][a-z0-9._-]{0,59}\.(?:pmtiles|geojson)$/.test(name);

const Manifest = z.object({
  format: z.literal(BACKUP_FORMAT),
  /** Version of the service that made it. */
  service: z.string(),
  /** `user_version` of records.db. */
  recordsSchema: z.number().int(),
  createdAt: z.iso.datetime(),
  /** "influxdb": the readings are not in here; InfluxDB's own tools back them up. */
  store: z.string(),
  /** Where exactly, without secrets; of backups of earlier versions unknown, as what follows. */
  place: z.string().optional(),
  /** The mark of this installation's points in InfluxDB. */
  installation: z.string().optional(),
  /** Everything before this number of the journal is booked in `records.db`. */
  position: z.number().int().optional(),
  /** Where the readings are not in here: how to copy them at the same moment. */
  copyReadings: z.string().optional(),
  files: z.array(z.object({ name: z.string(), bytes: z.number().int(), sha256: z.string() })),
});

export type Manifest = z.output<typeof Manifest>;

/** The backup is not whole, or is none. The message says what is wrong with it. */
export class BackupDamaged extends Error {
  override readonly name = "BackupDamaged";
}

/** The backup was made by a newer version of the service; the message names both. */
class BackupTooNew extends Error {
  override readonly name = "BackupTooNew";
}

/** Throws `BackupDamaged` or `BackupTooNew`. `known`: what this service can read. */
export function parseManifest(text: string, known: { service: string; recordsSchema: number }): Manifest {
  const json = parseJson(text);
  const format = (json as { format?: unknown } | undefined)?.format;
  if (typeof format === "number" && format > BACKUP_FORMAT)
    throw new BackupTooNew(
      `the backup has format ${format}; this lamppost (${known.service}) knows formats up to ${BACKUP_FORMAT}`,
    );
  const manifest = Manifest.safeParse(json).data;
  if (!manifest) throw new BackupDamaged("its manifest cannot be read");
  const { service, recordsSchema } = manifest;
  if (recordsSchema > known.recordsSchema)
    throw new BackupTooNew(
      `the backup has schema version ${recordsSchema} (lamppost ${service}); this lamppost (${known.service}) knows versions up to ${known.recordsSchema}`,
    );
  return manifest;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Throws `BackupDamaged` naming the first file that is missing, extra or not as it was written. */
export function checkFiles(manifest: Manifest, found: ReadonlyMap<string, { bytes: number; sha256: string }>): void {
  for (const { name, bytes, sha256 } of manifest.files) {
    const file = found.get(name);
    if (!file) throw new BackupDamaged(`${name} is missing`);
    if (file.bytes !== bytes) throw new BackupDamaged(`${name} has ${file.bytes} bytes instead of ${bytes}`);
    if (file.sha256 !== sha256) throw new BackupDamaged(`${name} is not what was written (its SHA-256 differs)`);
  }
  const listed = new Set(manifest.files.map(({ name }) => name));
  const extra = [...found.keys()].find((name) => !listed.has(name));
  if (extra !== undefined) throw new BackupDamaged(`${extra} is not in its manifest`);
  if (!listed.has(RECORDS)) throw new BackupDamaged(`${RECORDS} is missing`);
}
