/** A row of the records: opaque to them. State "" removes it. */
export type StateRow = { readonly rule: string; readonly subject: string; readonly state: string };

type TableOptions<Key> = {
  /** What its rows have in place of a rule's id, which never starts with "~", in the order of loading. None: all other rows. */
  readonly names?: readonly string[];
  readonly keys: () => Iterable<Key>;
  /** A key as it is now, "" for what is gone. The rows will be written: what is noted of the disk goes on from them. */
  readonly rowsOf: (key: Key) => readonly StateRow[];
  /** Goes on from these rows, as far as the rules and sensors of now are those they were written for. */
  readonly load: (rows: readonly StateRow[]) => void;
  /** All of a key, where `rowsOf` gives what is new. */
  readonly wholeOf?: (key: Key) => readonly StateRow[];
  /** A save begins. */
  readonly onSave?: () => void;
};

export type StateTable<Key> = {
  /** The key has changed. */
  mark(key: Key): void;
  markAll(): void;
  /** Hands everything over, as rows, to a table of the same names. What had not been saved is part of the next save. */
  close(): StateRow[];
};

export type States = ReturnType<typeof createStates>;

/**
 * What the rules remember, and its way to disk: a table for each kind of thing, whose keys are marked as they change.
 *
 * `snapshot` is everything that has changed, as it is now: its rows go into one transaction with the journal's offset, from which
 * the journal is read on after a crash, and `saved` says that they are on disk. Those of a save that failed are part of
 * the next one.
 */
export function createStates() {
  type Table = Pick<TableOptions<never>, "names" | "load"> & {
    take(isRoundOver: boolean): void;
  };
  const tables = new Set<Table>();
  const collected = new Map<string, StateRow>();
  let later: StateRow[] = [];
  /** Keys that are marked; and those of them that no save of this round has had. */
  const counts = { marked: 0, first: 0 };

  function add(rows: readonly StateRow[]): void {
    for (const row of rows) collected.set(`${row.rule} ${row.subject}`, row);
  }

  function open<Key>({ names, keys, rowsOf, load, wholeOf = rowsOf, onSave }: TableOptions<Key>): StateTable<Key> {
    const marked = new Set<Key>();
    const saved = new Set<Key>();
    const table: Table = { names, load, take };
    tables.add(table);

    function take(isRoundOver: boolean): void {
      onSave?.();
      if (isRoundOver) saved.clear();
      const changed = [...marked];
      marked.clear();
      for (const key of changed) {
        if (!isRoundOver) saved.add(key);
        add(rowsOf(key));
      }
    }

    function mark(key: Key): void {
      if (marked.has(key)) return;
      marked.add(key);
      counts.marked += 1;
      if (!saved.has(key)) counts.first += 1;
    }

    return {
      mark,
      markAll(): void {
        for (const key of keys()) mark(key);
      },
      close(): StateRow[] {
        for (const key of marked) later.push(...rowsOf(key));
        tables.delete(table);
        return [...keys()].flatMap(wholeOf);
      },
    };
  }

  /** A row by itself, for the next save. */
  function put(row: StateRow): void {
    later.push(row);
  }

  /**
   * So many keys have changed that a save of their own is worth it, which stays short then. Keys that change all the time
   * are not: they would be written again and again.
   */
  const isManyNew = (count: number) => counts.first >= count && counts.marked <= 2 * counts.first;

  /** `isRoundOver`: what comes next counts as not saved, see `isManyNew`. */
  function snapshot(isRoundOver = true): StateRow[] {
    add(later);
    later = [];
    counts.marked = 0;
    counts.first = 0;
    for (const table of tables) table.take(isRoundOver);
    return [...collected.values()];
  }

  function load(all: readonly StateRow[]): void {
    const owned = new Set([...tables].flatMap(({ names = [] }) => names));
    const known = all.filter(({ state }) => state !== "");
    for (const { names, load } of tables) {
      const own = names
        ? names.flatMap((name) => known.filter(({ rule }) => rule === name))
        : known.filter(({ rule }) => !owned.has(rule));
      if (own.length > 0) load(own);
    }
  }

  return { open, put, isManyNew, snapshot, saved: () => collected.clear(), load };
}
