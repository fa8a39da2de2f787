/** The cursor of a page was not made by this service: a client's mistake, not a fault of the database. */
export class RecordBadCursor extends Error {
  override readonly name = "RecordBadCursor";
}

/** The file is missing or empty although its data folder is in use; restore a backup. */
export class RecordsMissing extends Error {
  override readonly name = "RecordsMissing";
}

/** The file is not a sound SQLite database; restore a backup. */
export class RecordsDamaged extends Error {
  override readonly name = "RecordsDamaged";
}

/** Another process works on the data directory. */
export class DataDirInUse extends Error {
  override readonly name = "DataDirInUse";
}
