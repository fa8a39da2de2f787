import type { Log } from "../../model/log.ts";
import type { QuarantineLimits, Records } from "../records.ts";
import { createAlertRecords } from "./alerts.ts";
import { createAuditRecords } from "./audit.ts";
import { createCredentialRecords } from "./credentials.ts";
import { openDatabase } from "./database.ts";
import { createDueTimes } from "./due-times.ts";
import { createEventRecords } from "./events.ts";
import { createLedgerRecords } from "./ledger.ts";
import { createNoiseRecords } from "./noise.ts";
import { createOffsetRecords } from "./offsets.ts";
import { createOutboxRecords } from "./outbox.ts";
import { createQuarantineRecords } from "./quarantine.ts";
import { createRecipientRecords } from "./recipients.ts";
import { createRemovalRecords } from "./removals.ts";
import { createRollupRecords } from "./rollups.ts";
import { createRuleChangeRecords } from "./rule-changes.ts";
import { createRuleStateRecords } from "./rule-states.ts";
import { createRuleStatsRecords } from "./rule-stats.ts";
import { createSensorRecords } from "./sensors.ts";
import { createSessionRecords } from "./sessions.ts";
import { createSilenceRecords } from "./silences.ts";
import { createStoreStateRecords } from "./store-state.ts";
import { createTargetRecords } from "./targets.ts";

/**
 * Opens the records, made if missing. `path` is a file (its folder must exist) or ":memory:". Throws `RecordsTooNew` for
 * a newer service's file, `RecordsDamaged` for one that is not sound, and with `mustBeThere` `RecordsMissing`. One process at a time: see `lockDataDir`.
 */
export function openRecords(options: {
  path: string;
  now: () => number;
  log: Log;
  mustBeThere?: boolean;
  quarantine?: QuarantineLimits;
}): Records {
  const db = openDatabase(options.path, options.log, options.mustBeThere);
  const removals = createRemovalRecords(db);
  const { events, write } = createEventRecords(db);
  return {
    sensors: createSensorRecords(db),
    credentials: createCredentialRecords(db),
    sessions: createSessionRecords(db),
    alerts: createAlertRecords(db, write, options.now),
    silences: createSilenceRecords(db, options.now),
    noise: createNoiseRecords(db),
    events,
    ruleStates: createRuleStateRecords(db),
    ruleChanges: createRuleChangeRecords(db),
    quarantine: createQuarantineRecords(db, removals, options.quarantine),
    ledger: createLedgerRecords(db),
    removals,
    rollups: createRollupRecords(db),
    storeState: createStoreStateRecords(db),
    offsets: createOffsetRecords(db),
    audit: createAuditRecords(db),
    targets: createTargetRecords(db),
    outbox: createOutboxRecords(db),
    recipients: createRecipientRecords(db),
    ruleStats: createRuleStatsRecords(db),
    dueTimes: createDueTimes(db),
    transaction: db.transaction,
    relaxed: db.relaxed,
    close: db.close,
  };
}
