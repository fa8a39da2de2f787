/** A row of the records: opaque to them. State "" removes it. */
export type StateRow = { readonly rule: string; readonly subject: string; readonly state: string };

/** An alert whose rule or sensor is gone, or whose rule now says something else: someone has to end it. */
export type Orphan = { readonly row: StateRow; readonly startedAt: number | undefined; readonly fit?: string };

type TableOptions<Key> = {
  /** What its rows have in place of a rule's id, which never starts with "~", in the order of loading. None: all other rows. */
  readonly names?: readonly string[];
  readonly keys: () => Iterable<Key>;
  /** A key as it is now, "" for what is gone. The rows will be written: what is noted of the disk goes on from them. */
  readonly rowsOf: (key: Key) => readonly StateRow[];
  /** Goes on from these rows. Answers the alerts that nothing watches any more, for the caller to end. */
  readonly load: (rows: readonly StateRow[]) => readonly Orphan[];
  /** All of a key, where `rowsOf` gives what is new. */
  readonly wholeOf?: (key: Key) => readonly StateRow[];
  readonly onBegin?: () => void;
};

export type StateTable<Key> = {
  /** Call it before the key changes. */
  mark(key: Key): void;
  /** Call it before the key may change; if it did, `mark` it. */
  keep(key: Key): void;
  markAll(): void;
  /** Hands everything over, as rows, to a table of the same names. What had not been saved is part of the next save. */
  close(): StateRow[];
};

export type States = ReturnType<typeof createStates>;

/**
 * What the rules remember, and its way to disk: a table for each kind of thing, whose keys are marked as they change.
 *
 * A save is everything as it was at one moment, from which the journal is read on after a crash. `begin` is that moment.
 * `collect` makes the rows, some keys at a time; readings may come in between, because a key is written down before it
 * changes. Then `rows` go into one transaction with the journal's offset of that moment, and `saved` says that they are
 * on disk. Those of a save that failed are part of the next one.
 */
export function createStates() {
  type Table = Pick<TableOptions<never>, "names" | "load"> & {
    begin(isRoundOver: boolean): void;
    collect(keysMax: number): number;
  };
  const tables = new Set<Table>();
  const collected = new Map<string, StateRow>();
  let later: StateRow[] = [];
  /** Keys that are marked; and those of them that no save of this round has had. */
  const counts = { marked: 0, first: 0 };

  function add(rows: readonly StateRow[]): void {
    for (const row of rows) collected.set(`${row.rule} ${row.subject}`, row);
  }

  function open<Key>({ names, keys, rowsOf, load, wholeOf = rowsOf, onBegin }: TableOptions<Key>): StateTable<Key> {
    const marked = new Set<Key>();
    const due = new Set<Key>();
    const saved = new Set<Key>();
    const table: Table = { names, load, begin, collect };
    tables.add(table);

    function begin(isRoundOver: boolean): void {
      if (isRoundOver) saved.clear();
      for (const key of marked) {
        due.add(key);
        if (!isRoundOver) saved.add(key);
      }
      marked.clear();
      onBegin?.();
    }

    /** Answers how many keys are left to others. */
    function collect(keysMax: number): number {
      let left = keysMax;
      for (const key of due) {
        if (left === 0) break;
        keep(key);
        left -= 1;
      }
      return left;
    }

    function keep(key: Key): void {
      if (due.size > 0 && due.delete(key)) add(rowsOf(key));
    }

    function note(key: Key): void {
      if (marked.has(key)) return;
      marked.add(key);
      counts.marked += 1;
      if (!saved.has(key)) counts.first += 1;
    }

    return {
      keep,
      mark(key: Key): void {
        keep(key);
        note(key);
      },
      markAll(): void {
        for (const key of keys()) note(key);
      },
      close(): StateRow[] {
        collect(Number.POSITIVE_INFINITY);
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

  /** `isRoundOver`: what comes next counts as not saved, see `isManyNew`. */
  function begin(isRoundOver = true): void {
    add(later);
    later = [];
    counts.marked = 0;
    counts.first = 0;
    for (const table of tables) table.begin(isRoundOver);
  }

  /**
   * So many keys have changed that a save of their own is worth it, which stays short then. Keys that change all the time
   * are not: they would be written again and again.
   */
  const isManyNew = (count: number) => counts.first >= count && counts.marked <= 2 * counts.first;

  /** Makes the rows of so many keys. False once there are no more. */
  function collect(keysMax: number): boolean {
    let left = keysMax;
    for (const table of tables) left = table.collect(left);
    return left === 0;
  }

  /** A save in one go. */
  function snapshot(isRoundOver = true): StateRow[] {
    begin(isRoundOver);
    collect(Number.POSITIVE_INFINITY);
    return rows();
  }

  const rows = (): StateRow[] => [...collected.values()];

  function load(all: readonly StateRow[]): Orphan[] {
    const owned = new Set([...tables].flatMap(({ names = [] }) => names));
    const known = all.filter(({ state }) => state !== "");
    return [...tables].flatMap(({ names, load }) => {
      const own = names
        ? names.flatMap((name) => known.filter(({ rule }) => rule === name))
        : known.filter(({ rule }) => !owned.has(rule));
      return own.length > 0 ? load(own) : [];
    });
  }

  return { open, put, begin, isManyNew, collect, rows, snapshot, saved: () => collected.clear(), load };
}
