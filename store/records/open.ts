import type { Log } from "../../model/log.ts";
import type { QuarantineLimits, Records } from "../records.ts";
import { createCredentialRecords, createSessionRecords } from "./accounts.ts";
import { createAlertRecords, createEventRecords } from "./alerts.ts";
import { createAuditRecords } from "./audit.ts";
import { openDatabase } from "./database.ts";
import { createLedgerRecords, createOffsetRecords, createRemovalRecords } from "./ledger.ts";
import { createNoiseRecords, createSilenceRecords } from "./noise.ts";
import { createDueTimes, createOutboxRecords, createRecipientRecords, createTargetRecords } from "./outbox.ts";
import { createQuarantineRecords } from "./quarantine.ts";
import { createRuleChangeRecords, createRuleStateRecords, createRuleStatsRecords } from "./rules.ts";
import { createSensorRecords } from "./sensors.ts";
import { createRollupRecords, createStoreStateRecords } from "./store-state.ts";

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
