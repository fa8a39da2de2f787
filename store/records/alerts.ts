import type {
  Alert,
  AlertMode,
  AlertState,
  Audience,
  Handling,
  Review,
  Severity,
  TimelineEntry,
  Transition,
} from "../../model/alert.ts";
import type { IncidentNews } from "../../model/incident.ts";
import type { Kind } from "../../model/kinds.ts";
import { type Sentence, say } from "../../model/sentence.ts";
import type { Database } from "./database.ts";
import type { IncidentRecords } from "./incidents.ts";
import { allOf, type Condition, equal, oneOf, oneOfMany, pageSize, parseCursor, toPage } from "./query.ts";

export type AlertEvent = { readonly id: number; readonly at: number; readonly what: string; readonly alert: Alert };
type IncidentEvent = {
  readonly id: number;
  readonly at: number;
  readonly what: string;
  readonly incident: IncidentNews;
};
/** What is told live, in one order. */
export type Event = AlertEvent | IncidentEvent;

export type AlertFilter = {
  readonly state?: readonly AlertState[];
  readonly handling?: readonly Handling[];
  readonly severity?: readonly Severity[];
  readonly audience?: Audience;
  readonly district?: string;
  readonly kind?: Kind;
  readonly rule?: string | readonly string[];
  readonly sensor?: string;
  /** Kept from being told, or not. */
  readonly suppressed?: boolean;
  /** Alerts of rules that are being tried out, and those of the past, are left out of every list and count unless asked for. */
  /** Live ones only where it is left out. */
  readonly mode?: readonly AlertMode[];
};

type ChangeByPeople = { handling?: Handling; assignee?: string | null; review?: Review };

// Handling and assignee are people's: a transition of the engine does not touch them. Nor does it touch what makes the id
// (rule, subject, start): each column that is set is written to all of its indexes.
const SAVE_ALERT = `INSERT INTO alerts (id, rule, sensor, district, kind, severity, audience, state, mode, started_at, body)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET district = excluded.district, kind = excluded.kind, severity = excluded.severity,
    audience = excluded.audience, state = excluded.state, mode = excluded.mode, body = excluded.body
  RETURNING handling, assignee, suppressed_by, review`;
const ROW = `id, handling, assignee, suppressed_by, review, body,
  (SELECT incident FROM incident_members WHERE alert = alerts.id) AS incident`;

/** `now` stamps the events: they are deleted by age, whatever moment of the past an alert is about. */
export function createAlertRecords(
  db: Database,
  writeEvent: WriteEvent,
  now: () => number,
  incidents: Pick<IncidentRecords, "member" | "handled" | "refresh">,
) {
  const timeline = createTimeline(db);

  /** Answers what people and the noise control have added to it. */
  function save(alert: Transition["alert"]): Omit<AlertRow, "id" | "body" | "incident"> {
    const { id, rule, subject, kind, severity, audience, state, mode = "live", startedAt } = alert;
    const about = [rule.id, subject.sensorId ?? null, subject.district ?? null, kind];
    const insert = db.statement(SAVE_ALERT);
    const row = insert.get(id, ...about, severity, audience, state, mode, startedAt, JSON.stringify(alert));
    return row as Omit<AlertRow, "id" | "body" | "incident">;
  }

  function addEntry(id: string, entry: TimelineEntry): Alert {
    timeline.add(id, entry, "people");
    const alert = get(id)!;
    tell(alert, entry);
    return alert;
  }

  /** Events are what is told, live and on MQTT: nobody is told of a rule that is being tried out, nor of the past. */
  function tell(alert: Alert, { what }: TimelineEntry): void {
    if (alert.mode === undefined) writeEvent(now(), what, alert);
  }

  /**
   * Creates or changes the alert, adds the timeline entry and an event, unless an entry with the same `what` and `at`
   * is there already (a replay after a crash): then nothing changes and the answer is undefined. `suppressedBy`: what
   * keeps it from being told; without it that stays as it was.
   */
  function apply({ alert, entry }: Transition, suppressedBy?: string): Alert | undefined {
    return db.transaction(() => {
      const { entries, due } = timeline.before(alert.id, entry);
      const said = entry.what === "verdict" ? withVerdict(alert) : alert;
      if (!due || !said) return undefined;
      const row = save(said);
      if (suppressedBy !== undefined) setSuppressed(alert.id, suppressedBy);
      timeline.add(alert.id, due, "engine");
      const { at, knownAt, what, by, note, says } = due;
      const all = [...entries, { at, knownAt, what, by, note, ...(says && { says }) }];
      const incident = incidents.member(alert.id)?.incident ?? null;
      const applied = alertOf(said, { ...row, suppressed_by: suppressedBy ?? row.suppressed_by, incident }, all);
      tell(applied, due);
      return applied;
    });
  }

  /** A verdict says what an alert means, never how it is: that may have changed since it was made. */
  function withVerdict({ id, verdict, audience, says: judged }: Transition["alert"]): Transition["alert"] | undefined {
    const row = find(id);
    if (!row) return undefined;
    const known = JSON.parse(row.body) as Transition["alert"];
    const says = known.says && { ...known.says, verdict: judged?.verdict };
    return { ...known, verdict, audience, ...(says && { says }) };
  }

  function setSuppressed(id: string, by: string | undefined): void {
    db.statement("UPDATE alerts SET suppressed_by = ? WHERE id = ?").run(by ?? null, id);
  }

  /** What keeps it from being told from now on; undefined: nothing. Adds the entry and an event. */
  function suppress(id: string, by: string | undefined, entry: TimelineEntry): void {
    db.transaction(() => {
      setSuppressed(id, by);
      addEntry(id, entry);
    });
  }

  /**
   * What people do. Undefined if there is no such alert. Adds the entry and an event. `alone`: nothing else is done to its
   * incident in the same go.
   */
  function handle(id: string, change: ChangeByPeople, entry: TimelineEntry, alone = true): Alert | undefined {
    return db.transaction(() => {
      const row = find(id);
      if (!row) return undefined;
      const handling = change.handling ?? row.handling;
      const assignee = change.assignee === undefined ? row.assignee : change.assignee;
      const review = change.review === undefined ? row.review : JSON.stringify(change.review);
      const sql = "UPDATE alerts SET handling = ?, assignee = ?, review = ? WHERE id = ?";
      db.statement(sql).run(handling, assignee, review, id);
      const incident = incidents.handled(id, handling, assignee ?? undefined);
      const handled = addEntry(id, entry);
      if (alone && incident !== undefined) incidents.refresh(incident, now(), "changed");
      return handled;
    });
  }

  function find(id: string): AlertRow | undefined {
    const row = db.statement(`SELECT ${ROW} FROM alerts WHERE id = ?`).get(id);
    return row as AlertRow | undefined;
  }

  function get(id: string): Alert | undefined {
    const row = find(id);
    return row && withTimelines([row])[0];
  }

  /** Newest start first; `cursor` is opaque, from a former page. Pending alerts are left out unless asked for. */
  function list(filter: AlertFilter, limit: number, cursor?: string): { items: Alert[]; next?: string } {
    const size = pageSize(limit);
    const items = withTimelines(listAlertRows(db, filter, size + 1, cursor));
    return toPage(items, size, ({ startedAt, id }) => ({ key: startedAt, id }));
  }

  function withTimelines(rows: readonly AlertRow[]): Alert[] {
    const timelines = timeline.of(rows.map((row) => row.id));
    return rows.map((row) => alertOf(JSON.parse(row.body) as Transition["alert"], row, timelines.get(row.id) ?? []));
  }

  return {
    apply,
    suppress,
    handle,
    get,
    list,
    /** What these (people, crews) were given to do: firing and not closed, whatever its audience; the newest start first. */
    assigned: (names: readonly string[], limit: number) => withTimelines(listAssigned(db, names, limit)),
    /** The ids of all that are not over, whoever is told of them, but for those about the service itself. */
    openIds: () => openIds(db),
    /** Those that something happened to in a time range (`from <= known < to`), and those that fired all along; oldest start first. */
    touched: (range: { from: number; to: number }, limit: number) => withTimelines(listTouched(db, range, limit)),
    /** Alerts of the past that became known in a time range. */
    countHistory: (range: { from: number; to: number }) => countHistory(db, range),
    countsByRule: (filter: AlertFilter & { sensors?: readonly string[] } = {}) => countAlertsByRule(db, filter),
    /** Open alerts of every state but resolved and retracted, for `/metrics`. */
    openCounts: () => countOpenAlerts(db),
    /** Those that fire and nobody has closed, by where, how bad and how far; `quiet`: people keep them from being told. */
    openByDistrict: () => countByDistrict(db),
  };
}

function alertOf(
  said: Transition["alert"],
  { handling, assignee, suppressed_by, review, incident }: Omit<AlertRow, "id" | "body">,
  timeline: readonly TimelineEntry[],
): Alert {
  return {
    ...said,
    handling,
    assignee: assignee ?? undefined,
    suppressedBy: suppressed_by ?? undefined,
    incident: incident ?? undefined,
    review: review === null ? undefined : (JSON.parse(review) as Review),
    timeline,
  };
}

type AlertRow = {
  id: string;
  handling: Handling;
  assignee: string | null;
  suppressed_by: string | null;
  review: string | null;
  incident: string | null;
  body: string;
};

const OPEN = "state IN ('pending', 'firing')";
const LIVE = "mode = 'live'";

/** Newest start first. The inner query decides by an index alone; only the rows of the page are read. */
function listAlertRows(db: Database, filter: AlertFilter, limit: number, cursor?: string): AlertRow[] {
  const { sql, values } = allOf([...conditions(filter), ...before(cursor)]);
  const rows = db.statement(
    `SELECT ${ROW} FROM alerts WHERE rowid IN
       (SELECT rowid FROM alerts INDEXED BY ${indexFor(filter)} WHERE ${sql} ORDER BY started_at DESC, id DESC LIMIT ?)
     ORDER BY started_at DESC, id DESC`,
  );
  return rows.all(...values, limit) as AlertRow[];
}

const HISTORY = `SELECT count(*) AS n FROM alerts WHERE mode = 'history' AND id IN
  (SELECT alert FROM timeline WHERE known_at >= ? AND known_at < ? AND what = 'firing')`;

const countHistory = (db: Database, { from, to }: { from: number; to: number }): number =>
  (db.statement(HISTORY).get(from, to) as { n: number }).n;

const TOUCHED = `SELECT ${ROW} FROM alerts
  WHERE ${LIVE} AND state <> 'pending' AND (id IN (SELECT alert FROM timeline WHERE known_at >= ? AND known_at < ?)
    OR (state = 'firing' AND started_at < ?))
  ORDER BY started_at, id LIMIT ?`;

/** What happened in a time range: alerts with an entry in it, and those that have been firing since before its end. */
function listTouched(db: Database, { from, to }: { from: number; to: number }, limit: number): AlertRow[] {
  return db.statement(TOUCHED).all(from, to, to, limit) as AlertRow[];
}

/** How many alerts each rule raised; pending ones are left out unless asked for, as in lists. */
function countAlertsByRule(
  db: Database,
  filter: AlertFilter & { sensors?: readonly string[] },
): Readonly<Record<string, number>> {
  const { sql, values } = allOf([...conditions(filter), ...oneOfMany("sensor", filter.sensors)]);
  const index = filter.sensors ? "alerts_sensor" : indexFor(filter);
  const rows = db.statement(
    `SELECT rule, count(*) AS n FROM alerts INDEXED BY ${index} WHERE ${sql} GROUP BY rule ORDER BY rule`,
  );
  return Object.fromEntries((rows.all(...values) as { rule: string; n: number }[]).map(({ rule, n }) => [rule, n]));
}

const openIds = (db: Database): string[] =>
  db
    .statement(`SELECT id FROM alerts WHERE ${OPEN} AND kind <> 'service'`)
    .all()
    .map((row) => (row as { id: string }).id);

/** Not what another alert explains, or what flaps. */
const OF_DISTRICT = `SELECT district, severity, handling, suppressed_by IS NOT NULL AS quiet, count(*) AS n
  FROM alerts WHERE ${OPEN} AND state = 'firing' AND ${LIVE} AND handling <> 'closed'
    AND (suppressed_by IS NULL OR suppressed_by LIKE 'silence:%' OR suppressed_by LIKE 'maintenance:%')
  GROUP BY 1, 2, 3, 4`;

type OfDistrict = { district: string | null; severity: Severity; handling: Handling; quiet: number; n: number };

const countByDistrict = (db: Database) =>
  (db.statement(OF_DISTRICT).all() as OfDistrict[]).map(({ district, severity, handling, quiet, n }) => ({
    district: district ?? undefined,
    severity,
    handling,
    quiet: quiet === 1,
    count: n,
  }));

function countOpenAlerts(db: Database): { severity: Severity; audience: Audience; count: number }[] {
  const rows = db.statement(
    `SELECT severity, audience, count(*) AS count FROM alerts WHERE ${OPEN} AND ${LIVE} GROUP BY severity, audience`,
  );
  return (rows.all() as { severity: Severity; audience: Audience; count: number }[]).map((row) => ({ ...row }));
}

/**
 * Named here because SQLite without statistics guesses: it would rather look up a common state and sort all of its
 * alerts than walk the newest ones.
 */
function indexFor(filter: AlertFilter): string {
  if (filter.sensor !== undefined) return "alerts_sensor";
  if (filter.rule !== undefined) return "alerts_rule";
  if (filter.suppressed) return "alerts_suppressed";
  const states = filter.state ?? [];
  const open = states.length > 0 && states.every((state) => state === "pending" || state === "firing");
  return open ? "alerts_open" : "alerts_list";
}

function listAssigned(db: Database, names: readonly string[], limit: number): AlertRow[] {
  const sql = `SELECT ${ROW} FROM alerts INDEXED BY alerts_assigned
    WHERE assignee IN (SELECT value FROM json_each(?)) AND state = 'firing' AND handling <> 'closed' AND mode = 'live'
    ORDER BY started_at DESC, id DESC LIMIT ?`;
  return db.statement(sql).all(JSON.stringify(names), limit) as AlertRow[];
}

function conditions(filter: AlertFilter): Condition[] {
  const { state, handling, severity, audience, district, kind, rule, sensor, suppressed, mode = ["live"] } = filter;
  return [
    ...(state === undefined ? [{ sql: "state <> 'pending'", values: [] }] : oneOf("state", state)),
    ...(indexFor(filter) === "alerts_open" ? [{ sql: OPEN, values: [] }] : []),
    ...oneOf("handling", handling),
    ...oneOf("severity", severity),
    ...equal("audience", audience),
    ...equal("district", district),
    ...equal("kind", kind),
    ...oneOf("rule", rule === undefined ? undefined : [rule].flat()),
    ...equal("sensor", sensor),
    ...oneOf("mode", mode),
    ...(suppressed === undefined ? [] : [{ sql: `suppressed_by IS ${suppressed ? "NOT NULL" : "NULL"}`, values: [] }]),
  ];
}

function before(cursor: string | undefined): Condition[] {
  if (cursor === undefined) return [];
  const { key, id } = parseCursor(cursor);
  return [{ sql: "(started_at, id) < (?, ?)", values: [key, id] }];
}

type EntryRow = {
  alert: string;
  at: number;
  known_at: number;
  what: string;
  by_whom: string | null;
  note: string | null;
  says: string | null;
  work: string | null;
};
type OwnEntryRow = EntryRow & { engine: number };

const ADD_ENTRY =
  "INSERT INTO timeline (alert, at, known_at, what, by_whom, note, says, work, engine) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
const ENTRIES = `SELECT alert, at, known_at, what, by_whom, note, says, work FROM timeline
  WHERE alert IN (SELECT value FROM json_each(?)) ORDER BY alert, id`;
const ENTRIES_OF_ONE =
  "SELECT alert, at, known_at, what, by_whom, note, says, work, engine FROM timeline WHERE alert = ? ORDER BY id";

/** A crash between a jump of the clock and the next save: what is judged again then may end otherwise than was said. */
const ENDS_ANEW = "Its end was worked out anew after a restart.";
const GOES_ON = { note: "It had begun before, and goes on.", says: say("late.goesOn", {}) };

/** What happened to alerts and what people did about them, entry by entry; nothing is ever changed or removed. */
function createTimeline(db: Database) {
  /** All entries of one alert, and the one to be added; undefined if the engine has said it before. */
  function before(alert: string, entry: TimelineEntry): { entries: TimelineEntry[]; due: TimelineEntry | undefined } {
    const rows = db.statement(ENTRIES_OF_ONE).all(alert) as OwnEntryRow[];
    const ofEngine = rows.filter(({ engine }) => engine === 1);
    const isSaid = ({ what, at }: TimelineEntry) => ofEngine.some((row) => row.what === what && row.at === at);
    const due = isSaid(entry) ? entry : asSaidOnce(alert, entry, ofEngine);
    return { entries: rows.map(entryOf), due: isSaid(due) ? undefined : due };
  }

  /** An alert begins once and ends once: what comes on top of that corrects what was said. */
  function asSaidOnce(alert: string, entry: TimelineEntry, ofEngine: readonly OwnEntryRow[]): TimelineEntry {
    const { what, at } = entry;
    if (!ofEngine.some((row) => row.what === what)) return entry;
    const { state, mode } = stateOf(alert);
    if (what === "resolved" && state === "resolved") {
      return { ...entry, what: "corrected", note: entry.note ?? ENDS_ANEW };
    }
    // After a crash with a wrong clock, what fires is taken for history and then for an alert of today, as which it began.
    const isKnown = ofEngine.some((row) => row.what === "corrected" && row.at === at);
    const goesOn = what === "firing" && (isKnown || (state === "firing" && mode === "live"));
    return goesOn ? { ...entry, what: "corrected", ...GOES_ON } : entry;
  }

  function stateOf(alert: string): { state?: AlertState; mode?: string } {
    return db.statement("SELECT state, mode FROM alerts WHERE id = ?").get(alert) ?? {};
  }

  function add(alert: string, entry: TimelineEntry, from: "engine" | "people"): void {
    const { at, knownAt, what, by, note, says, parts, photos } = entry;
    const text = says === undefined ? null : JSON.stringify(says);
    const work = parts === undefined && photos === undefined ? null : JSON.stringify({ parts, photos });
    const own = from === "engine" ? 1 : 0;
    db.statement(ADD_ENTRY).run(alert, at, knownAt, what, by ?? null, note ?? null, text, work, own);
  }

  /** In the order in which it was written down: a clock may be set back. */
  function of(alerts: readonly string[]): ReadonlyMap<string, TimelineEntry[]> {
    const entries = new Map(alerts.map((alert) => [alert, [] as TimelineEntry[]]));
    const rows =
      alerts.length === 1
        ? db.statement(ENTRIES_OF_ONE).all(alerts[0]!)
        : db.statement(ENTRIES).all(JSON.stringify(alerts));
    for (const row of rows as EntryRow[]) entries.get(row.alert)?.push(entryOf(row));
    return entries;
  }

  return { before, add, of };
}

function entryOf({ at, known_at: knownAt, what, by_whom, note, says, work }: EntryRow): TimelineEntry {
  const done = work === null ? {} : (JSON.parse(work) as Pick<TimelineEntry, "parts" | "photos">);
  const entry = { at, knownAt, what, by: by_whom ?? undefined, note: note ?? undefined, ...done };
  return says === null ? entry : { ...entry, says: JSON.parse(says) as Sentence };
}

export type EventLimits = { readonly messages: number; readonly bytes: number; readonly since: number };
const YOUNG = "SELECT id FROM events WHERE id > ? AND at >= ? ORDER BY id LIMIT 1";
const BEYOND = `SELECT id FROM (SELECT id, sum(octet_length(alert)) OVER (ORDER BY id DESC) AS bytes FROM events
  WHERE id > ? AND id <= ?) WHERE bytes > ? ORDER BY id DESC LIMIT 1`;

type EventRow = { id: number; at: number; what: string; alert: string; incident: string | null };
type Listener = (event: Event) => void;

/** Writes the event of a change, in the transaction of the change. `at` is the service's clock. */
type WriteEvent = (at: number, what: string, alert: Alert) => void;

export function createEventRecords(db: Database) {
  const listeners: Listener[] = [];

  function write(at: number, what: string, alert: Alert): void {
    const insert = db.statement("INSERT INTO events (at, what, alert) VALUES (?, ?, ?)");
    const id = Number(insert.run(at, what, JSON.stringify(alert)).lastInsertRowid);
    afterCommit({ id, at, what, alert });
  }

  function writeIncident(at: number, what: string, incident: IncidentNews): void {
    const insert = db.statement("INSERT INTO events (at, what, alert, incident) VALUES (?, ?, '', ?)");
    const id = Number(insert.run(at, what, JSON.stringify(incident)).lastInsertRowid);
    afterCommit({ id, at, what, incident });
  }

  function afterCommit(event: Event): void {
    db.afterCommit(() => {
      for (const listener of listeners) listener(event);
    });
  }

  /** Events after `id`, oldest first. */
  function after(id: number, limit: number): readonly Event[] {
    const rows = db.statement("SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?").all(id, Math.max(0, limit));
    return (rows as EventRow[]).map(({ id, at, what, alert, incident }) =>
      incident === null
        ? { id, at, what, alert: JSON.parse(alert) as Alert }
        : { id, at, what, incident: JSON.parse(incident) as IncidentNews },
    );
  }

  /**
   * The id behind which at most so many events, of so many bytes and not older than `since`, stand before `to`; `after`
   * where all of them do.
   */
  function startWithin(after: number, to: number, { messages, bytes, since }: EventLimits): number {
    const oldest = db.statement("SELECT min(id) AS id FROM events").get() as { id: number | null };
    const youngEnough = db.statement(YOUNG).get(after, since) as { id: number } | undefined;
    const start = Math.max(after, to - messages, (oldest.id ?? to + 1) - 1, (youngEnough?.id ?? to + 1) - 1);
    const tooMuch = db.statement(BEYOND).get(start, to, bytes) as { id: number } | undefined;
    return Math.min(to, tooMuch?.id ?? start);
  }

  /** The newest id ever given, also if that event has been deleted since. */
  function newestId(): number {
    const row = db.statement("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get();
    return (row as { seq: number } | undefined)?.seq ?? 0;
  }

  function deleteBefore(time: number): number {
    return db.transaction(() => Number(db.statement("DELETE FROM events WHERE at < ?").run(time).changes));
  }

  /** Called after the transaction that wrote them has committed. */
  const onEvent = (listener: Listener) => void listeners.push(listener);

  return { events: { after, startWithin, newestId, deleteBefore, onEvent }, write, writeIncident };
}
