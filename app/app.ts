import { readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { loadRuleSet } from "../alerts/rules/check.ts";
import { createLive } from "../api/live.ts";
import { createApi } from "../api/server.ts";
import { type AccessEvent, auditEntry, createStatusAudit } from "../broker/events.ts";
import { createForwarding } from "../broker/subscribers.ts";
import { isAdopting } from "../ingest/adoption.ts";
import { createShedBooks } from "../ingest/books.ts";
import { checkReading } from "../ingest/check-reading.ts";
import { type DecodeContext, decodeMessage, openMessages } from "../ingest/decode.ts";
import { createDeviceFaults, DEVICE_FAULTS_TICK_MS } from "../ingest/device-faults.ts";
import { createEnrolment, createQuotaDriver, ENROLMENT_TICK_MS, quarantineFigures } from "../ingest/enrolment.ts";
import { createJournalReader } from "../ingest/journal/reader.ts";
import { decodeChunk, splitChunk } from "../ingest/journal/record.ts";
import { bookedOffsets, journalFigures, journalHealth, markJournal, reportRecovery } from "../ingest/journal/status.ts";
import { createLedgerService } from "../ingest/ledger.ts";
import { LEDGER_TICK_MS } from "../ingest/ledger-check.ts";
import type { MqttSourcePorts } from "../ingest/mqtt-source/options.ts";
import { startMqttSource } from "../ingest/mqtt-source/source.ts";
import { conflictOf, createNotices, redriveItems } from "../ingest/quarantine.ts";
import { UPKEEP_TICK_MS } from "../ingest/store-upkeep.ts";
import { createStoreWriter } from "../ingest/store-writer.ts";
import { createWorker } from "../ingest/worker.ts";
import { gatherHealth, type Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import { newestValue } from "../model/newest.ts";
import { createSites } from "../model/site.ts";
import { createSettledClock } from "../model/time.ts";
import { createZone } from "../model/zone.ts";
import { createSimulations } from "../simulators/runs/simulations.ts";
import { createBackups } from "../store/backup/stage.ts";
import { startClockWatch } from "../store/clock-watch.ts";
import { withCorrectedRollups } from "../store/corrected-rollups.ts";
import { withCorrections } from "../store/corrected-store.ts";
import { createCorrections, readAllCorrected } from "../store/corrections.ts";
import { examineStore } from "../store/influx/examine.ts";
import { checkMapFile } from "../store/map/check-map-file.ts";
import { MAP_FOLDER, openMapFiles } from "../store/map/map-files.ts";
import { createPhotos } from "../store/photos.ts";
import { ensureAdminToken } from "../store/records/accounts.ts";
import { closeToOthers, isInUse, lockDataDir } from "../store/records/data-dir.ts";
import { openRecords } from "../store/records.ts";
import { withRollups } from "../store/resolutions.ts";
import { startStorageLimits } from "../store/retention.ts";
import { callersOf, hostName, listenOptions, sourceOptions } from "./addresses.ts";
import { startAlerts } from "./alerts-start.ts";
import { createBackground } from "./background.ts";
import { CERTIFICATE_TICK_MS, createCertificateWatch, readTls } from "./certificates.ts";
import type { Config } from "./config.ts";
import { type Edge, startEdge } from "./edge/link.ts";
import { startHomeAssistant } from "./home-assistant-start.ts";
import { createFaultPoint, createStopStack, type StopStack, wallClock } from "./lifecycle.ts";
import { startMappings } from "./mappings-start.ts";
import { createMuting, MUTING_TICK_MS } from "./muting.ts";
import { startRules } from "./rules-start.ts";
import { explainStart } from "./start-error.ts";
import { startStore } from "./store-start.ts";

export type App = {
  readonly http: string;
  readonly mqtt: string;
  readonly https: string | undefined;
  /** Undefined when it is configured nowhere and the file is gone. */
  readonly adminToken: string | undefined;
  readonly adminTokenFile: string;
  /** Reads the TLS files again; undefined where there are none. */
  readonly readAgain: (() => void) | undefined;
  /** The parts that did not end in their time; empty after a stop in order. */
  stop(): Promise<readonly string[]>;
};

const FORMER_TICK_MS = 30_000;
const HOME_ASSISTANT_TICK_MS = 5_000;
const UNDO_TICK_MS = 10 * 60_000;
const HOME = join(import.meta.dirname, "..");
/** Streets and districts of the simulated city; `tools/street-map.ts` makes it. */
const CITY_MAP = join(HOME, "simulators/lindenau.geojson");
const PAGE_DIR = join(HOME, "dashboard/dist");
const VERSION = (JSON.parse(readFileSync(join(HOME, "package.json"), "utf8")) as { version: string }).version;

/**
 * Composition root of the core thread; `edge/thread.ts` is that of the edge thread. Sinks start before sources, so that nothing
 * arrives before there is somewhere to put it, and stop in the opposite order: listeners, journal, consumers, stores.
 * Throws `StartError` when a part cannot start, or `signal` is aborted meanwhile; what had started is stopped.
 */
export async function startApp(
  config: Config,
  log: Log,
  onFatal: (error: Error) => void,
  signal?: AbortSignal,
): Promise<App> {
  const stops = createStopStack({ log, signal, at: createFaultPoint(config.faultAt) });
  try {
    return await start(config, log, onFatal, stops);
  } catch (error) {
    log.debug({ err: error }, "the service could not start");
    await stops.stop();
    throw explainStart(error, config);
  }
}

async function start(config: Config, log: Log, onFatal: (error: Error) => void, stops: StopStack): Promise<App> {
  const { onStop } = stops;
  const now = wallClock;
  const uptime = () => performance.now();
  const path = (name: string) => join(config.dataDir, name);
  const at = createFaultPoint(config.faultAt);
  const files = loadRuleSet(config.rulesDir ?? join(HOME, "alerts/rules"));

  const { tls } = config;
  const material = tls && readTls(tls);
  const listeners = listenOptions(config, material);
  const source = sourceOptions(config);

  const lock = lockDataDir(config.dataDir);
  // What was cut off may still write: only the end of the process gives the folder to another one then.
  onStop("data folder", (isClean) => (isClean ? lock.release() : undefined));
  closeToOthers(config.dataDir, log);
  const mustBeThere = !config.acceptNewRecords && isInUse(config.dataDir);
  const { quarantine } = config;
  const records = openRecords({
    path: path("records.db"),
    now,
    log: log.child({ module: "records" }),
    mustBeThere,
    quarantine,
  });
  onStop("records", () => records.close());
  const background = createBackground(log.child({ module: "background" }), onStop);
  startClockWatch({ records, background, now, uptime, log: log.child({ module: "clock" }) });
  const adminTokenFile = path("admin-token");
  const adminToken = ensureAdminToken(records.credentials, {
    file: adminTokenFile,
    configured: config.adminToken,
    now: now(),
  });
  const started = await startStore(config, records, background, now, log.child({ module: "store" }));
  const { store } = started;
  onStop("reading store", () => store.close());
  // For everybody but the books and what removes, moves or repairs: they need what was received.
  const sensorOf = (id: string) => records.sensors.get(id) ?? records.sensors.retired(id);
  const kindOf = (id: string) => sensorOf(id)?.kind;
  const siteOf = createSites(config.site);
  const siteOfId = (id: string) => siteOf(sensorOf(id));
  const rollups = withCorrectedRollups(store, { ...records, kindOf, siteOf: siteOfId });
  const read = withCorrections({ ...store, rollups }, records.corrections, siteOfId);
  const rules = startRules({
    files,
    records,
    store: read,
    zone: config.timeZone,
    place: config.place,
    holidays: config.holidays,
    now,
    log: log.child({ module: "rules" }),
  });

  // The edge thread opens the journal now and its listeners last.
  const edge = await startEdge(
    {
      journalDir: path("journal"),
      diskFreeBytesMin: config.diskFreeBytesMin,
      logLevel: config.logLevel,
      faultAt: config.faultAt,
      segmentBytes: config.faultSegmentBytes,
      journalKeep: config.journalKeep,
      booked: bookedOffsets(records.offsets),
    },
    onFatal,
  );
  onStop("edge thread", () => edge.close(6_000), 7_000);
  reportRecovery(edge.recovery, log);

  // The consumers, and the whole fan-out.
  const notices = createNotices((topic, payload) => {
    edge.publish({ topic, payload, qos: 0 }).catch(() => {});
  }, now);
  // What the audit cannot take on a full disk waits until it can.
  const auditBroker = background.handler("audit of the broker", (event: AccessEvent) =>
    records.audit.add(auditEntry(event)),
  );
  const statusAudit = createStatusAudit(auditBroker, now);
  const mappings = startMappings({
    records,
    nextSeq: () => edge.state().journal.next,
    now,
    log: log.child({ module: "mappings" }),
  });
  const enrolment = createEnrolment(records, config.enrolment, now, siteOf, mappings.context);
  const storeWriter = createStoreWriter({
    store,
    records: { ...records, offsets: started.offsets },
    now,
    log: log.child({ module: "store-writer" }),
    onRejection: notices.notice,
    upkeep: started.upkeep({
      // What is missing was reported by the consumers.
      reader: createJournalReader({ dir: path("journal"), onGap: () => {} }),
      first: () => Math.max(edge.recovery.first, edge.state().journal.first),
      end: edge.recovery.next,
      context: enrolment.context,
    }),
    at,
  });
  const muting = createMuting({
    records,
    takeOver: config.takeOver === true,
    isOutranked: storeWriter.isOutranked,
    now,
    log: log.child({ module: "alerts" }),
  });
  let bridge: ReturnType<typeof startMqttSource> | undefined;
  const live = createLive(now);
  const alerts = startAlerts(
    {
      rules: rules.book,
      records,
      first: edge.recovery.first,
      now,
      log: log.child({ module: "alerts" }),
      listening: () => edge.state().journal.state === "open",
      ...(source ? { brokerIsAway: () => bridge?.isAway() ?? true } : {}),
      caughtUp: () => worker.pendingMessages("alerts") === 0,
      untaken: () => worker.untakenMessages("alerts"),
      monotonic: uptime,
      correct: (readings) => readAllCorrected(records.corrections, readings, siteOfId),
      readings: read,
      kindOf,
      readAgain: readAgainFrom(openReader(path("journal"), log, onStop), enrolment.context),
      publish: (message) => edge.publish({ ...message, qos: 1 }),
      notify: config.notify,
      isMuted: muting.isMuted,
      replayLimits: config.mqtt.replay,
      historyAfterMs: config.historyAfterMs,
      zone: config.timeZone,
      language: config.language,
      current: (kind, sensorId, metric) => newestValue(live.find(kind, sensorId), metric),
      place: config.place,
      holidays: config.holidays,
      background,
    },
    onStop,
  );
  onStop("alerts", () => alerts.close());
  const faults = createDeviceFaults(records, now);
  const forwarding = createForwarding(
    { isHeard: edge.isHeard, forward: edge.forward, onUnregistered: statusAudit.noticeUnregistered },
    edge.recovery.next,
  );
  const refill = started.refill({
    reader: openReader(path("journal"), log, onStop),
    first: edge.recovery.first,
    context: enrolment.context,
  });
  onStop("refill", () => refill.stop());
  const up = Promise.withResolvers<void>();
  const worker = createWorker({
    openReader: () => openReader(path("journal"), log, onStop),
    decodeChunk,
    splitChunk,
    newcomers: enrolment.enrolled,
    decode: (message) => decodeMessage(message, enrolment.context),
    inOne: records.relaxed,
    consumers: [
      refill.before(storeWriter),
      alerts.consumer,
      live.consumer(edge.recovery.next),
      forwarding.consumer,
      faults.consumer(edge.recovery.next),
    ], // the whole fan-out
    end: edge.recovery.next,
    watch: { consumer: alerts.consumer.name, moved: edge.taken },
    beginWhen: up.promise,
    log: log.child({ module: "worker" }),
    onRejection: (rejection, others) => {
      notices.notice(rejection, others);
      statusAudit.notice(rejection);
    },
    at,
  });
  onStop("worker", () => worker.stop());
  onStop("store upkeep", () => storeWriter.stop());
  edge.onCommit((chunk) => ("bytes" in chunk ? worker.committed(chunk) : worker.advanced(chunk.to)));

  const ledger = createLedgerService({
    records,
    store,
    pendingMessages: () => worker.pendingMessages("store"),
    offset: () => records.offsets.get("store") ?? 1,
    isWhole: () => refill.holdsFrom() === Number.POSITIVE_INFINITY && storeWriter.isWhole(),
    // The consumers report what is missing.
    openReader: () => createJournalReader({ dir: path("journal"), onGap: () => {} }),
    rawDays: config.retentionRawDays,
    now,
    log: log.child({ module: "ledger" }),
  });
  onStop("ledger", () => ledger.close());

  background.every("books", LEDGER_TICK_MS, () => ledger.tick());
  const lookAfterStore = () => {
    if (refill.holdsFrom() === Number.POSITIVE_INFINITY) void storeWriter.tick();
  };
  background.every("store upkeep", UPKEEP_TICK_MS, lookAfterStore);
  // Only where a full disk stopped one half-way: else the request that brought it sees to it.
  background.every("import of sensors", 5_000, () => void records.registerImports.carryOut());
  background.every("alerts by the clock", alerts.tickEveryMs, () => alerts.tick());
  const home = startHomeAssistant({
    isOn: config.homeAssistant,
    file: path("home-assistant.json"),
    records,
    live,
    publish: (message) => edge.publish({ ...message, qos: 1 }),
  });
  background.every("Home Assistant", HOME_ASSISTANT_TICK_MS, home.tick);
  background.every("who tells of alerts", MUTING_TICK_MS, muting.tick);
  const mark = () => markJournal(records.offsets, edge.state().journal.next);
  background.every("mark of the journal", 5_000, mark);
  background.every("faults of devices", DEVICE_FAULTS_TICK_MS, () => faults.tick());
  background.every("audit of statuses", 5_000, () => statusAudit.tick());
  const quotas = createQuotaDriver({
    enrolment,
    records,
    append: edge.append,
    now,
    log: log.child({ module: "quotas" }),
  });
  onStop("quota driver", () => quotas.stop());
  background.every("passwords that were replaced", FORMER_TICK_MS, records.credentials.endFormer);
  background.every("removals that can be undone", UNDO_TICK_MS, records.undos.prune);
  background.every("replaced passwords", FORMER_TICK_MS, records.credentials.endFormer);
  background.every("removals", UNDO_TICK_MS, records.undos.prune);
  background.every("quotas", ENROLMENT_TICK_MS, () => void quotas.tick());
  const map = await openMapFiles({
    dir: path(MAP_FOLDER),
    named: config.mapFiles,
    simulated: config.simulate === "city" ? { path: CITY_MAP, ...checkMapFile(CITY_MAP) } : undefined,
    diskFreeBytesMin: config.diskFreeBytesMin,
    log: log.child({ module: "map" }),
  });
  const backups = createBackups({
    dataDir: config.dataDir,
    diskFreeBytesMin: config.diskFreeBytesMin,
    store,
    settled: () => limits.retention.run(),
    records,
    version: VERSION,
    now,
    log: log.child({ module: "backup" }),
  });
  const release = () => edge.release(Math.min(worker.releasable(), refill.holdsFrom()), storeWriter.holdsFrom());
  background.every("journal release", 5_000, () => void (backups.mayRemove() && release()));
  const photos = createPhotos({
    dir: path("photos"),
    records,
    bytesMax: config.photos.bytesMax,
    diskFreeBytesMin: config.diskFreeBytesMin,
    now,
  });
  const limits = startStorageLimits({
    store: { ...store, rollups },
    records,
    rawDays: config.retentionRawDays,
    hourlyDays: config.retentionHourlyDays,
    dailyDays: config.retentionDailyDays,
    photos: { days: config.photos.days, removeBefore: photos.removeBefore },
    held: () => !backups.mayRemove() || isAdopting(records.storeState) || storeWriter.isShared(),
    background,
    now,
    log: log.child({ module: "retention" }),
  });
  onStop("storage limits", () => limits.stop());

  // From here on messages come in.
  records.credentials.onChange(({ name, credential }) => edge.setCredential(name, credential));
  onStop("journal mark", mark);
  onStop("listeners and journal", () => edge.close(6_000), 7_000); // again: before the consumers of what they take
  const address = await edge.listen(
    { ...listeners, credentials: records.credentials.list(), keptSessions: records.mqttSessions.list() },
    {
      onEvent: auditBroker,
      onNewSecret: records.credentials.noteUse,
      onShed: createShedBooks(records, now, log),
      sessions: {
        ...records.mqttSessions,
        save: (session) => records.mqttSessions.save(session, alerts.handedOver()),
        replay: alerts.replay,
      },
    },
  );
  alerts.tell();
  bridge = source && startMqttSource(source, { ...bridgePorts(edge, log), isStatus: mappings.isStatus }); // the other door
  onStop("mqtt source", () => bridge?.close(3_000));

  let https: Awaited<ReturnType<ReturnType<typeof createApi>["listenTls"]>> | undefined;
  const certificates =
    material &&
    createCertificateWatch({
      files: tls!,
      first: material,
      use: (renewed) => {
        edge.renewTls(renewed);
        https?.renew(renewed);
      },
      now,
      log: log.child({ module: "tls" }),
    });
  if (certificates) background.every("TLS certificate", CERTIFICATE_TICK_MS, certificates.look);

  const parts = [
    () => troubles(worker.health()),
    storeWriter.health,
    refill.health,
    alerts.health,
    muting.health,
    () => journalHealth(edge.state(), edge.recovery),
    started.health,
    ledger.health,
    enrolment.health,
    bridge?.health ?? (() => []),
    certificates?.health ?? (() => []),
    () => https?.health() ?? [],
    background.health,
  ];
  const health = () => gatherHealth(parts);
  alerts.watch(health);
  const corrections = createCorrections({
    store,
    records,
    rules: alerts.rules,
    siteOf: siteOfId,
    now,
  });
  const simulations = createSimulations({
    dir: path("recordings"),
    credentials: records.credentials,
    sensors: records.sensors,
    autoEnrol: config.enrolment.autoEnrol,
    subscribe: live.subscribe,
    disconnect: edge.disconnect,
    background,
    now,
    log,
  });
  onStop("simulations", () => simulations.close());
  const zone = createZone(config.timeZone);
  const api = createApi({
    records,
    photos,
    store: withRollups(read, records.rollups, now, zone),
    zone,
    submit: edge.append,
    check: (at, value, receivedAt) => checkReading(at, value, receivedAt, siteOf(records.sensors.get(at.sensorId))),
    rules: rules.book.rules,
    ruleBook: rules.deps(alerts.consumer.failures),
    ledger,
    faults,
    examineStore: () => examineStore(store, config),
    notifications: alerts.notifications,
    backup: backups.start,
    simulations,
    corrections,
    mappings: mappings.deps,
    conflictOf: (item) => conflictOf(item, enrolment.context),
    redrive: (ids, by, edit) =>
      redriveItems({ append: edge.append, quarantine: records.quarantine, now }, ids, by, edit),
    health,
    figures: () => [
      ...edge.state().figures,
      ...worker.figures(),
      ...storeWriter.figures(),
      ...alerts.figures(),
      ...muting.figures(),
      ...journalFigures(edge.state(), edge.recovery),
      ...forwarding.figures(),
      ...started.figures(),
      ...ledger.figures(),
      ...enrolment.figures(),
      ...quarantineFigures(records.quarantine.use()),
      ...(bridge?.figures() ?? []),
      ...background.figures(),
    ],
    live,
    map,
    disconnect: edge.disconnect,
    background,
    now,
    settled: createSettledClock(now, uptime).now,
    log: log.child({ module: "api" }),
    options: {
      version: VERSION,
      page: { dir: PAGE_DIR, ...config.page },
      ...callersOf(config),
    },
  });
  onStop("api", () => api.close());
  // Who comes while thousands of others do waits here, and not for his own second try.
  await api.listen({ host: config.http.host, port: config.http.port, backlog: 4_096 });

  if (config.http.tls && material) {
    const { host, port } = config.http.tls;
    https = await api.listenTls({ host, port, material, proxiesTrusted: config.proxyProtocolFrom });
    onStop("HTTPS", https.close);
  }

  const http = `http://${hostName(config.http.host)}:${(api.server.address() as AddressInfo).port}`;
  const mqtt =
    config.mqtt.port === undefined
      ? `mqtts://${hostName(config.mqtt.tls!.host)}:${address.port}`
      : `mqtt://${hostName(config.mqtt.host)}:${address.port}`;
  const httpsUrl = https && `https://${hostName(config.http.tls!.host)}:${https.port}`;
  writeFileSync(path("service.json"), JSON.stringify({ pid: process.pid, http, mqtt, https: httpsUrl }));
  onStop("service.json", () => rmSync(path("service.json"), { force: true }));
  simulations.open({ http, mqtt, token: adminToken });
  up.resolve();
  lookAfterStore();
  const readAgain = certificates?.look;
  return { http, mqtt, https: httpsUrl, adminToken, adminTokenFile, readAgain, stop: stops.stop };
}

/** The consumers speak for themselves; the worker adds only what goes wrong between them and the journal. */
const troubles = (parts: readonly Health[]) =>
  parts.filter(({ state }) => state !== "ok").map((health) => ({ ...health, part: `worker ${health.part}` }));

function openReader(dir: string, log: Log, onStop: StopStack["onStop"]) {
  const reader = createJournalReader({ dir, onGap: (gap) => log.error(gap, "journal records are missing") });
  onStop("journal reader", () => reader.close());
  return reader;
}

/** What waits of one sender, for the rules, beyond what fits into memory. */
function readAgainFrom(reader: ReturnType<typeof openReader>, context: DecodeContext) {
  return async (from: number, before: number) => {
    const { to, messages } = await reader.read(from, before, 128 * 1024);
    // Nothing is there any more: what waited is lost to the rules, but what comes after it is not held up.
    if (to <= from) return { from, to: before, readings: [], rejections: [], messages: [] };
    return openMessages(from, to, messages, (message) => decodeMessage(message, context));
  };
}

function bridgePorts(edge: Edge, log: Log): MqttSourcePorts {
  const own = log.child({ module: "mqtt-source" });
  return { append: edge.append, now: wallClock, random: Math.random, log: own };
}
