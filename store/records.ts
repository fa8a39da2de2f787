import type { Log } from "../model/log.ts";
import { createCredentialRecords, createSessionRecords } from "./records/accounts.ts";
import { createAlertRecords, createEventRecords } from "./records/alerts.ts";
import { createAnnotationRecords } from "./records/annotations.ts";
import { createAuditRecords } from "./records/audit.ts";
import { createCalibrationRecords } from "./records/calibrations.ts";
import { createCorrectionRecords } from "./records/corrections.ts";
import { createCrewRecords } from "./records/crews.ts";
import { openDatabase } from "./records/database.ts";
import { createDeviceFaultRecords } from "./records/device-faults.ts";
import { createDistrictRecords } from "./records/districts.ts";
import { createEditRecords } from "./records/edits.ts";
import { createHandoverRecords } from "./records/handover.ts";
import { createIncidentRecords } from "./records/incidents.ts";
import { createLedgerRecords, createOffsetRecords, createRemovalRecords } from "./records/ledger.ts";
import { createMappingRecords } from "./records/mappings.ts";
import { createMqttSessionRecords } from "./records/mqtt-sessions.ts";
import { createNoiseRecords, createSilenceRecords } from "./records/noise.ts";
import { createDueTimes, createOutboxRecords, createRecipientRecords, createTargetRecords } from "./records/outbox.ts";
import { createPhotoRecords } from "./records/photos.ts";
import { createPushRecords } from "./records/push.ts";
import { createQuarantineRecords, type QuarantineLimits } from "./records/quarantine.ts";
import { createRegisterImports } from "./records/register-import.ts";
import { createResendRecords } from "./records/resends.ts";
import { createRuleChangeRecords, createRuleStateRecords, createRuleStatsRecords } from "./records/rules.ts";
import { createSensorRecords } from "./records/sensors.ts";
import { createRollupRecords, createStoreStateRecords } from "./records/store-state.ts";
import { createUndoRecords } from "./records/undos.ts";
import { createViewRecords } from "./records/views.ts";
import { createWallRecords } from "./records/walls.ts";

/**
 * Everything that is not a reading, in one SQLite file: small, relational, transactional. Each user takes the part it
 * needs. All calls are synchronous and throw on a database error; times are epoch milliseconds, `now` comes as an
 * argument where it matters.
 */
export type Records = ReturnType<typeof openRecords>;

/**
 * Opens the records, made if missing. `path` is a file (its folder must exist) or ":memory:". Throws `RecordsOfOtherVersion` for
 * a newer service's file, `RecordsDamaged` for one that is not sound, and with `mustBeThere` `RecordsMissing`. One process at a time: see `lockDataDir`.
 */
export function openRecords(options: {
  path: string;
  now: () => number;
  log: Log;
  mustBeThere?: boolean;
  quarantine?: QuarantineLimits;
}) {
  const db = openDatabase(options.path, options.log, options.mustBeThere);
  const removals = createRemovalRecords(db);
  const { events, write, writeIncident } = createEventRecords(db);
  const incidents = createIncidentRecords(db, writeIncident);
  const sensors = createSensorRecords(db);
  const credentials = createCredentialRecords(db, options.now);
  return {
    sensors,
    credentials,
    registerImports: createRegisterImports(db, { sensors, credentials }),
    sessions: createSessionRecords(db),
    mqttSessions: createMqttSessionRecords(db),
    alerts: createAlertRecords(db, write, options.now, incidents),
    incidents,
    silences: createSilenceRecords(db, options.now),
    noise: createNoiseRecords(db),
    events,
    ruleStates: createRuleStateRecords(db),
    ruleChanges: createRuleChangeRecords(db),
    mappings: createMappingRecords(db),
    quarantine: createQuarantineRecords(db, removals, options.quarantine),
    corrections: createCorrectionRecords(db),
    deviceFaults: createDeviceFaultRecords(db),
    crews: createCrewRecords(db),
    districts: createDistrictRecords(db),
    edits: createEditRecords(db),
    undos: createUndoRecords(db, options.now),
    photos: createPhotoRecords(db),
    calibrations: createCalibrationRecords(db),
    ledger: createLedgerRecords(db),
    removals,
    rollups: createRollupRecords(db),
    storeState: createStoreStateRecords(db),
    resends: createResendRecords(db),
    offsets: createOffsetRecords(db),
    audit: createAuditRecords(db),
    targets: createTargetRecords(db),
    outbox: createOutboxRecords(db),
    recipients: createRecipientRecords(db),
    ruleStats: createRuleStatsRecords(db),
    dueTimes: createDueTimes(db),
    views: createViewRecords(db),
    push: createPushRecords(db),
    handover: createHandoverRecords(db),
    annotations: createAnnotationRecords(db),
    walls: createWallRecords(db),
    /** All or nothing; nested calls join the outer transaction. */
    transaction: db.transaction,
    /** A transaction that is on disk with the next one: for what the journal would say again. */
    relaxed: db.relaxed,
    close: db.close,
  };
}
