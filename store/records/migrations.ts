/** The `user_version` of the oldest file that can be read: that of the first step. */
export const VERSION_MIN = 9;

/**
 * The schema, step by step, each of which makes the file's `user_version` one more. The first is that of the oldest file
 * supported, whole. Append only; a step that was released never changes. Times are epoch milliseconds: INTEGER from our
 * own clock, REAL where a device may have said them, because those can carry fractions.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE sensors (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, district TEXT NOT NULL, name TEXT, lat REAL, lon REAL,
    interval_s REAL, tags TEXT NOT NULL, gateway TEXT, created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE credentials (
    name TEXT PRIMARY KEY, secret_hash TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- body: the engine's part as JSON; the columns are what lists filter by and what people set.
  CREATE TABLE alerts (
    id TEXT NOT NULL UNIQUE, rule TEXT NOT NULL, sensor TEXT, district TEXT, kind TEXT NOT NULL,
    severity TEXT NOT NULL, audience TEXT NOT NULL, state TEXT NOT NULL, handling TEXT NOT NULL DEFAULT 'open',
    assignee TEXT, started_at REAL NOT NULL, body TEXT NOT NULL, suppressed_by TEXT, mode TEXT NOT NULL DEFAULT 'live',
    review TEXT
  ) STRICT;
  -- Holds every column a list filters by, so that a rare combination is found without reading the alerts themselves.
  CREATE INDEX alerts_list
    ON alerts (started_at, id, state, handling, severity, audience, district, kind, rule, sensor, mode, suppressed_by);
  CREATE INDEX alerts_rule ON alerts (rule, started_at, id);
  CREATE INDEX alerts_sensor ON alerts (sensor, started_at, id);
  CREATE INDEX alerts_open ON alerts (started_at, id) WHERE state IN ('pending', 'firing');
  CREATE INDEX alerts_suppressed ON alerts (started_at, id) WHERE suppressed_by IS NOT NULL;
  CREATE INDEX alerts_reviewed ON alerts (rule, review ->> '$.is') WHERE review IS NOT NULL;
  CREATE INDEX alerts_stats ON alerts (rule, started_at, state, suppressed_by);

  CREATE TABLE timeline (
    id INTEGER PRIMARY KEY, alert TEXT NOT NULL REFERENCES alerts (id), at REAL NOT NULL, known_at REAL NOT NULL,
    what TEXT NOT NULL, by_whom TEXT, note TEXT, engine INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX timeline_order ON timeline (alert, known_at, id);
  -- What happened in a shift: by when the service knew.
  CREATE INDEX timeline_known ON timeline (known_at);
  CREATE UNIQUE INDEX timeline_once ON timeline (alert, what, at) WHERE engine = 1;

  -- AUTOINCREMENT: an id that was told to a client is never used again, also after old events are deleted.
  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, what TEXT NOT NULL, alert TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_at ON events (at);

  CREATE TABLE rule_states (
    rule TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (rule, subject)
  ) STRICT;

  CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT, journal_seq INTEGER NOT NULL, item INTEGER NOT NULL, reason TEXT NOT NULL,
    detail TEXT NOT NULL, received_at INTEGER NOT NULL, source TEXT NOT NULL, topic TEXT NOT NULL, sensor TEXT,
    district TEXT, kind TEXT, redriven_at INTEGER, redriven_by TEXT, payload BLOB, UNIQUE (journal_seq, item)
  ) STRICT;
  CREATE INDEX quarantine_received ON quarantine (received_at);
  CREATE INDEX quarantine_reason ON quarantine (reason);
  CREATE INDEX quarantine_sensor ON quarantine (sensor);

  CREATE TABLE ledger (
    day TEXT NOT NULL, sensor TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (day, sensor, outcome)
  ) STRICT, WITHOUT ROWID;
  -- The same books without the sensors, so that the totals of years are a few thousand rows.
  CREATE TABLE ledger_days (
    day TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, outcome)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE offsets (consumer TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by_whom TEXT NOT NULL, what TEXT NOT NULL,
    target TEXT NOT NULL, detail TEXT, hash TEXT NOT NULL
  ) STRICT;

  -- What the storage limits took away, so that the books can be compared with what is there.
  CREATE TABLE removed (
    what TEXT NOT NULL, sensor TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (what, sensor)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE removal_plans (
    kind TEXT NOT NULL, before INTEGER NOT NULL, sensor TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (kind, sensor)
  ) STRICT, WITHOUT ROWID;

  -- Rollups to compute: each hour that readings were booked for, and each day one of its hours was computed for.
  CREATE TABLE rollups_due (
    kind TEXT NOT NULL, resolution TEXT NOT NULL, start INTEGER NOT NULL, received_day INTEGER NOT NULL,
    touched INTEGER NOT NULL, PRIMARY KEY (kind, resolution, start, received_day)
  ) STRICT, WITHOUT ROWID;
  -- at: some from before this time were removed; pending: some may be, the removal has begun.
  CREATE TABLE rollup_cuts (
    kind TEXT NOT NULL, resolution TEXT NOT NULL, at INTEGER, pending INTEGER, PRIMARY KEY (kind, resolution)
  ) STRICT, WITHOUT ROWID;

  -- Who is signed in on the page, and passwords people chose themselves. Both go with the account.
  CREATE TABLE sessions (
    id_hash TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES credentials (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL, used_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_account ON sessions (account);
  CREATE TABLE passwords (
    name TEXT PRIMARY KEY REFERENCES credentials (name) ON DELETE CASCADE, hash TEXT NOT NULL, set_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Whom to tell of alerts, and what is on its way to them. recipients: who heard of an alert that is not over yet.
  CREATE TABLE targets (
    id TEXT PRIMARY KEY, body TEXT NOT NULL, state TEXT NOT NULL DEFAULT '{"failures":0}'
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, notice TEXT NOT NULL, alert TEXT NOT NULL,
    body TEXT NOT NULL, group_key TEXT, batch TEXT, due_at INTEGER NOT NULL, first_due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, refusals INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'pending',
    error TEXT, done_at INTEGER,
    UNIQUE (target, notice)
  ) STRICT;
  CREATE INDEX outbox_due ON outbox (target, due_at, id) WHERE state = 'pending';
  CREATE INDEX outbox_alert ON outbox (target, alert, id) WHERE state = 'pending';
  CREATE INDEX outbox_group ON outbox (target, group_key, batch, due_at) WHERE state = 'pending';
  CREATE INDEX outbox_done ON outbox (done_at) WHERE state <> 'pending';
  CREATE TABLE recipients (alert TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (alert, target)) STRICT, WITHOUT ROWID;
  CREATE TABLE escalations (
    alert TEXT NOT NULL, target TEXT NOT NULL, due_at INTEGER NOT NULL, PRIMARY KEY (alert, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX escalations_due ON escalations (due_at);

  -- Silences, and what people have been told of alerts. noise.body: the row as JSON; the columns are what is looked up.
  CREATE TABLE silences (id INTEGER PRIMARY KEY AUTOINCREMENT, ends_at INTEGER, ended_at INTEGER, ended_by TEXT,
    body TEXT NOT NULL) STRICT;
  CREATE TABLE noise (
    alert TEXT NOT NULL UNIQUE REFERENCES alerts (id), series TEXT NOT NULL, at REAL NOT NULL, known INTEGER NOT NULL,
    open INTEGER NOT NULL, owed INTEGER NOT NULL, due INTEGER, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX noise_series ON noise (series, at);
  CREATE INDEX noise_known ON noise (series, known);
  CREATE INDEX noise_open ON noise (open) WHERE open = 1;
  CREATE INDEX noise_owed ON noise (series) WHERE owed = 1;
  CREATE INDEX noise_due ON noise (due) WHERE due IS NOT NULL;
  -- Where open alerts stand in the city's trees, by rule: how a parent finds its children and they their parents.
  CREATE TABLE noise_places (
    rule TEXT NOT NULL, place TEXT NOT NULL, alert TEXT NOT NULL, PRIMARY KEY (rule, place, alert)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX noise_places_alert ON noise_places (alert);

  -- Rules being tried out: their alerts are kept, and left out of every list unless asked for. And what people changed.
  CREATE TABLE rule_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, at INTEGER NOT NULL, by_whom TEXT NOT NULL,
    what TEXT NOT NULL, reason TEXT NOT NULL, version TEXT, body TEXT, figures TEXT
  ) STRICT;
  CREATE INDEX rule_changes_rule ON rule_changes (rule, id)`,

  // What waits in quarantine until its sender may bring new sensors again.
  `CREATE INDEX quarantine_waiting ON quarantine (source, id)
    WHERE reason = 'enrolment_quota' AND redriven_at IS NULL`,

  // How much of the quarantine each sender has ('' is all), so that its limits cost the same however full it is.
  `ALTER TABLE quarantine ADD COLUMN bytes INTEGER
    AS (200 + length(CAST(detail AS BLOB)) + length(CAST(topic AS BLOB)) + coalesce(length(payload), 0)) VIRTUAL;
  CREATE INDEX quarantine_source ON quarantine (source, id);
  CREATE TABLE quarantine_use (source TEXT PRIMARY KEY, items INTEGER NOT NULL, bytes INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
  INSERT INTO quarantine_use SELECT source, count(*), sum(bytes) FROM quarantine GROUP BY source;
  INSERT INTO quarantine_use SELECT '', count(*), coalesce(sum(bytes), 0) FROM quarantine`,

  // What is known of the reading store (its address, its life, what it still owes), as JSON; and what was booked as
  // stored, by the day it was measured on, so that a store that lost something is noticed.
  `CREATE TABLE store_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE stored_counts (
    kind TEXT NOT NULL, day INTEGER NOT NULL, sensor TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, day, sensor)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX stored_counts_day ON stored_counts (day)`,

  // The line of the books that a row is counted in, where that is not its sensor: names that nobody has registered.
  `ALTER TABLE quarantine ADD COLUMN booked TEXT`,

  // What people found out about readings, and how sensors are calibrated. body: the row as JSON. folded: the rules have
  // taken it up: 1 that it holds, 2 that it was revoked.
  `CREATE TABLE corrections (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sensor TEXT NOT NULL, body TEXT NOT NULL, revoked_at INTEGER, revoked_by TEXT,
    revoke_reason TEXT, folded INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX corrections_sensor ON corrections (sensor, id);
  CREATE TABLE calibrations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sensor TEXT NOT NULL, body TEXT NOT NULL, ended_at INTEGER, ended_by TEXT
  ) STRICT;
  CREATE INDEX calibrations_sensor ON calibrations (sensor, id)`,

  // Where a sensor has stood (JSON), whose place it took and since when, and who took its place; a sensor that was taken
  // off the register keeps its row, so that what it sent can be asked for.
  `ALTER TABLE sensors ADD COLUMN places TEXT;
  ALTER TABLE sensors ADD COLUMN replaces TEXT;
  ALTER TABLE sensors ADD COLUMN replaces_from INTEGER;
  ALTER TABLE sensors ADD COLUMN replaced_by TEXT;
  ALTER TABLE sensors ADD COLUMN retired_at INTEGER`,

  // Single values of readings that went on: which metric, and the moment of the reading. `item` is then its place in the
  // message and so many thousands more, one for each value that was refused of it: the table stays as it is.
  `ALTER TABLE quarantine ADD COLUMN metric TEXT;
  ALTER TABLE quarantine ADD COLUMN measured_at REAL`,

  // A file of sensors on its way into the register: it counts once the row 0 is there.
  `CREATE TABLE register_staged (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT`,

  // What became of single values, beside the items: on the rows of 'received'.
  ["ledger", "ledger_days"]
    .flatMap((table) =>
      ["taken", "suspect", "missing", "refused", "repeated"].map(
        (name) => `ALTER TABLE ${table} ADD COLUMN ${name} INTEGER NOT NULL DEFAULT 0`,
      ),
    )
    .join(";"),

  // Counters of the newest messages of sensors that say no time, as JSON; and messages that were sent again, by their
  // place in the journal: when readings are written again, these are not.
  `CREATE TABLE counters (sensor TEXT PRIMARY KEY, newest TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE resends (journal_seq INTEGER NOT NULL, item INTEGER NOT NULL, PRIMARY KEY (journal_seq, item))
    STRICT, WITHOUT ROWID`,
  // What was refused of each sensor lately, as JSON, for whoever sets devices up.
  `CREATE TABLE device_faults (sensor TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT`,
  // Of two values of one moment that disagree: what an operator decided, keep the old or take the new.
  `ALTER TABLE quarantine ADD COLUMN decision TEXT`,
  // The same as 'counters' a row each: more of them are kept, and only what is new is written.
  `CREATE TABLE counted (sensor TEXT NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL,
    again INTEGER NOT NULL, PRIMARY KEY (sensor, seq, digest)) STRICT, WITHOUT ROWID;
  INSERT OR IGNORE INTO counted SELECT sensor, CAST(value ->> 0 AS INTEGER), value ->> 1, CAST(value ->> 2 AS INTEGER),
    CAST(value ->> 3 AS INTEGER) FROM counters, json_each(newest);
  DELETE FROM counters`,
  // What the service's own entries say, as a sentence and its parameters, for readers of any language.
  `ALTER TABLE timeline ADD COLUMN says TEXT`,
  // Whether something of the alert may have reached the target (2: it may, and its beginning was dropped since); and of a mail, who refused it, as JSON.
  `ALTER TABLE recipients ADD COLUMN heard INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE outbox ADD COLUMN refused_by TEXT`,
  // Alerts of one cause. members: what an incident knows of an alert, also of those that are in none (yet); links: what
  // an alert is near to, from its start on, to find who belongs together; notes: what people did to an incident.
  `CREATE TABLE incidents (
    id TEXT NOT NULL UNIQUE, district TEXT NOT NULL, started_at REAL NOT NULL, state TEXT NOT NULL, handling TEXT NOT NULL,
    severity TEXT NOT NULL, part_of TEXT, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incidents_list ON incidents (started_at, id, part_of, state, handling, severity, district);
  CREATE INDEX incidents_firing ON incidents (started_at, id) WHERE state = 'firing' AND part_of IS NULL;
  CREATE INDEX incidents_part ON incidents (part_of) WHERE part_of IS NOT NULL;
  CREATE TABLE incident_members (
    alert TEXT PRIMARY KEY, incident TEXT, firing INTEGER NOT NULL, told INTEGER NOT NULL, audience TEXT NOT NULL,
    severity INTEGER NOT NULL, news TEXT NOT NULL, body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX incident_members_of ON incident_members (incident, firing, told, audience, severity)
    WHERE incident IS NOT NULL;
  CREATE TABLE incident_links (
    key TEXT NOT NULL, start REAL NOT NULL, alert TEXT NOT NULL, reach REAL NOT NULL, PRIMARY KEY (key, start, alert)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX incident_links_alert ON incident_links (alert);
  CREATE INDEX incident_links_reach ON incident_links (reach);
  CREATE TABLE incident_notes (
    id INTEGER PRIMARY KEY, incident TEXT NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL, by_whom TEXT, note TEXT
  ) STRICT;
  CREATE INDEX incident_notes_of ON incident_notes (incident, id);
  ALTER TABLE events ADD COLUMN incident TEXT`,
  // Who works together, as JSON; and what someone has to do, found by whom it was given to.
  `CREATE TABLE crews (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX alerts_assigned ON alerts (assignee, started_at, id) WHERE assignee IS NOT NULL AND state = 'firing'`,
  // Mappings of other makers' messages, every version of them: from which place in the journal on each one holds.
  `CREATE TABLE mapping_changes (
    id INTEGER PRIMARY KEY, mapping TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, by_whom TEXT NOT NULL,
    reason TEXT NOT NULL, from_seq INTEGER NOT NULL, text TEXT
  ) STRICT;
  CREATE INDEX mapping_changes_of ON mapping_changes (mapping, id)`,
  // Of MQTT clients that are to hear what they miss: up to which event they have. ends_at: of those that are away.
  `CREATE TABLE mqtt_sessions (
    name TEXT NOT NULL, client_id TEXT NOT NULL, subscriptions TEXT NOT NULL, cursor INTEGER NOT NULL,
    expiry_s INTEGER NOT NULL, ends_at INTEGER, PRIMARY KEY (name, client_id)
  ) STRICT, WITHOUT ROWID`,
  // A secret that was replaced and is taken until the new one is used. What people removed, as JSON, for as long as it can
  // be undone. What districts are called and where they end, as JSON.
  `ALTER TABLE credentials ADD COLUMN former_hash TEXT;
  ALTER TABLE credentials ADD COLUMN former_until INTEGER;
  CREATE TABLE removals_undoable (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by_whom TEXT NOT NULL, what TEXT NOT NULL,
    name TEXT NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE districts (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID`,
  // What work people say they did (parts, photos), as JSON; and the photos, whose bytes are files. used: said with a deed.
  `ALTER TABLE timeline ADD COLUMN work TEXT;
  CREATE TABLE photos (
    id TEXT PRIMARY KEY, alert TEXT NOT NULL, type TEXT NOT NULL, bytes INTEGER NOT NULL, by_whom TEXT NOT NULL,
    at INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX photos_alert ON photos (alert);
  CREATE INDEX photos_at ON photos (at)`,
  // What people keep for themselves: filters by name, and sensors they follow. It goes with the account.
  `CREATE TABLE saved_views (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL REFERENCES credentials (name) ON DELETE CASCADE,
    page TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, created_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX saved_views_of ON saved_views (account, page, name);
  CREATE TABLE favourites (
    account TEXT NOT NULL REFERENCES credentials (name) ON DELETE CASCADE, sensor TEXT NOT NULL,
    PRIMARY KEY (account, sensor)
  ) STRICT, WITHOUT ROWID;

  -- What one shift tells the next, and who has read it (JSON). Notes on what a chart shows. Displays on walls, by token.
  CREATE TABLE handover_notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by_whom TEXT NOT NULL, text TEXT NOT NULL,
    seen TEXT NOT NULL DEFAULT '[]'
  ) STRICT;
  CREATE INDEX handover_notes_at ON handover_notes (at);
  CREATE TABLE annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sensor TEXT NOT NULL, metric TEXT, begins INTEGER NOT NULL,
    ends INTEGER NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL, by_whom TEXT NOT NULL
  ) STRICT;
  CREATE INDEX annotations_of ON annotations (sensor, begins);
  CREATE INDEX annotations_in ON annotations (begins);
  CREATE TABLE wall_displays (
    id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, districts TEXT NOT NULL,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL, used_at INTEGER
  ) STRICT, WITHOUT ROWID`,
  // How people want to be told (JSON), the browsers they have set up, and the key pair push services know us by (JWK).
  `CREATE TABLE personal_notify (
    account TEXT PRIMARY KEY REFERENCES credentials (name) ON DELETE CASCADE, body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE push_subscriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL REFERENCES credentials (name) ON DELETE CASCADE,
    endpoint TEXT NOT NULL UNIQUE, p256dh TEXT NOT NULL, auth TEXT NOT NULL, label TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX push_subscriptions_of ON push_subscriptions (account);
  CREATE TABLE push_keys (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT`,
  // Why a quarantined item was dismissed; and messages that are not as they came, by their place in the journal.
  `ALTER TABLE quarantine ADD COLUMN because TEXT;
  CREATE INDEX quarantine_dismissed ON quarantine (id) WHERE decision = 'dismiss';
  CREATE TABLE edits (
    journal_seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, by_whom TEXT NOT NULL, item INTEGER NOT NULL
  ) STRICT`,
];

/** Of a file of this version of the service. */
export const VERSION = VERSION_MIN + MIGRATIONS.length - 1;
