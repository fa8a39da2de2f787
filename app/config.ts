import { isIP } from "node:net";
import { resolve } from "node:path";
import { z } from "zod";
import { languageOfLocale } from "../messages/problems.ts";
import { BUILT_IN_METRICS } from "../model/metrics.ts";
import {
  cityFilters,
  mqttUrl,
  type NotifySettings,
  notifyAllow,
  type SmtpSettings,
  smtpFrom,
  smtpUrl,
} from "../model/notify-settings.ts";
import { LANGUAGES, type Language } from "../model/sentence.ts";
import { SITE_DEFAULTS, type SiteSettings } from "../model/site.ts";
import { HOUR_MS } from "../model/time.ts";
import { isTimeZone, machineZone } from "../model/zone.ts";
import type { TlsFiles } from "./certificates.ts";
import { combinations } from "./config-combinations.ts";
import { readSecret } from "./files.ts";
import { holidays } from "./holidays-file.ts";
import { attributionOf, mapFileMistakes, mapFiles, type NamedMapFile, tilesUrl } from "./map-settings.ts";
import { readMetricsFile } from "./metrics-file.ts";

/** The only place that reads the environment. Every mistake is reported, not just the first; the CLI then exits with 78. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(`bad configuration:\n${mistakes.map((mistake) => `  ${mistake}`).join("\n")}`);
    this.mistakes = mistakes;
  }
}

const text = (fallback: string) => z.string().trim().min(1).default(fallback);
const whole = (min: number, max: number) =>
  z
    .string()
    .transform((given) => (/^\d+$/.test(given) ? Number(given) : Number.NaN))
    .refine((number) => number >= min && number <= max, `a whole number from ${min} to ${max} was expected`);
const number = (min: number, max: number) =>
  z
    .string()
    .transform((given) => (/^-?\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN))
    .refine((value) => value >= min && value <= max, `a number from ${min} to ${max} was expected`);
/** "52.52,13.40": degrees north and east. */
const place = z
  .string()
  .transform((given) => {
    const [, lat, lon] = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(given) ?? [];
    return { lat: Number(lat), lon: Number(lon) };
  })
  .refine(
    ({ lat, lon }) => Math.abs(lat) <= 90 && Math.abs(lon) <= 180,
    "degrees north and east were expected, such as 48.21,16.37 (south and west are negative)",
  );
const port = whole(0, 65_535);
const portOrOff = z
  .string()
  .transform((given) => (given === "off" ? "off" : /^\d+$/.test(given) ? Number(given) : Number.NaN))
  .refine((given) => given === "off" || given <= 65_535, "a whole number from 0 to 65535 was expected, or off");
const onOff = z.enum(["on", "off"], { error: "on or off was expected" }).transform((value) => value === "on");
const commaList = z
  .string()
  .default("")
  .transform((list) => list.split(",").flatMap((part) => part.trim() || []));
/** `10.0.0.1`, or a range of them such as `10.0.0.0/24`. */
function isAddress(text: string): boolean {
  const [address = "", bits = "0", ...more] = text.split("/");
  const family = isIP(address);
  return family > 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}
const addresses = commaList.refine((list) => list.every(isAddress), "IP addresses were expected");
const httpUrl = z.url({ protocol: /^https?$/, error: "an http:// or https:// URL was expected" });

/** Settings that hold a secret. Each may come from a file instead, named by the setting's name and _FILE. */
const SECRETS = [
  "LAMPPOST_ADMIN_TOKEN",
  "LAMPPOST_MQTT_SOURCE_URL",
  "LAMPPOST_MQTT_SOURCE_PASSWORD",
  "LAMPPOST_SMTP_URL",
  "LAMPPOST_SMTP_PASSWORD",
  "INFLUX_TOKEN",
  "INFLUX_PASSWORD",
] as const;
type SecretFile = `${(typeof SECRETS)[number]}_FILE`;
const fileOf = (name: (typeof SECRETS)[number]): SecretFile => `${name}_FILE`;
const SECRET_FILES = Object.fromEntries(SECRETS.map((name) => [fileOf(name), z.string().optional()])) as Record<
  SecretFile,
  z.ZodOptional<z.ZodString>
>;
const SCHEMA = z.object({
  ...SECRET_FILES,
  LAMPPOST_DATA_DIR: text("./data"),
  LAMPPOST_HTTP_HOST: text("127.0.0.1"),
  LAMPPOST_HTTP_PORT: port.default(8080),
  LAMPPOST_HTTPS_PORT: port.optional(),
  LAMPPOST_HTTPS_HOST: z.string().trim().min(1).optional(),
  LAMPPOST_MQTT_HOST: text("127.0.0.1"),
  LAMPPOST_MQTT_PORT: portOrOff.default(1883),
  LAMPPOST_MQTTS_PORT: port.optional(),
  LAMPPOST_MQTTS_HOST: z.string().trim().min(1).optional(),
  LAMPPOST_TLS_CERT: commaList,
  LAMPPOST_TLS_KEY: commaList,
  LAMPPOST_TLS_CLIENT_CA: z.string().optional(),
  LAMPPOST_TLS_CRL: z.string().optional(),
  LAMPPOST_PROXY_PROTOCOL_FROM: addresses,
  LAMPPOST_MQTT_WS: onOff.default(true),
  LAMPPOST_MQTT_CONNECTIONS_MAX: whole(1, 1_000_000).default(12_000),
  LAMPPOST_MQTT_CONNECTIONS_PER_ADDRESS_MAX: whole(1, 1_000_000).default(1_000),
  LAMPPOST_MQTT_CONNECTIONS_PER_ACCOUNT_MAX: whole(1, 1_000_000).default(2_000),
  LAMPPOST_MQTT_SUBSCRIPTIONS_PER_CLIENT_MAX: whole(1, 100_000).default(100),
  LAMPPOST_MQTT_SUBSCRIPTIONS_PER_USER_MAX: whole(1, 100_000).default(1_000),
  LAMPPOST_MQTT_UNRELEASED_PER_ACCOUNT_MAX: whole(20, 1_000_000).default(10_000),
  LAMPPOST_MQTT_SESSIONS_PER_ACCOUNT_MAX: whole(0, 10_000).default(20),
  LAMPPOST_MQTT_SESSION_DAYS_MAX: whole(1, 90).default(7),
  LAMPPOST_MQTT_SESSION_MESSAGES_MAX: whole(1, 1_000_000).default(10_000),
  LAMPPOST_MQTT_SESSION_MIB_MAX: whole(1, 1_024).default(16),
  LAMPPOST_MQTT_DEVICE_PACKETS_PER_S: whole(1, 1_000_000).default(100),
  LAMPPOST_MQTT_GATEWAY_PACKETS_PER_S: whole(1, 1_000_000).default(20_000),
  LAMPPOST_DEVICE_READINGS_PER_S: whole(1, 1_000_000).default(1_000),
  LAMPPOST_GATEWAY_READINGS_PER_S: whole(1, 1_000_000).optional(),
  LAMPPOST_MQTT_READ_PAST_BYTES_MAX: whole(65_536, 67_108_864).default(1_048_576),
  LAMPPOST_MQTT_SOURCE_URL: mqttUrl.optional(),
  LAMPPOST_MQTT_SOURCE_PASSWORD: z.string().optional(),
  LAMPPOST_MQTT_SOURCE_CLIENT_ID: text("lamppost-source"),
  LAMPPOST_MQTT_SOURCE_TOPICS: cityFilters,
  LAMPPOST_MQTT_SOURCE_CA: z.string().optional(),
  LAMPPOST_MQTT_SOURCE_READINGS_PER_S: whole(1, 1_000_000).default(50_000),
  LAMPPOST_STORE: z.enum(["duckdb", "influxdb"], { error: "duckdb or influxdb was expected" }).default("duckdb"),
  LAMPPOST_ADMIN_TOKEN: z
    .string()
    .min(32, "at least 32 characters were expected; openssl rand -hex 32 makes one")
    .optional(),
  LAMPPOST_SIMULATE: z.enum(["off", "city"], { error: "off or city was expected" }).default("off"),
  LAMPPOST_SIMULATE_PACE: whole(1, 48).default(1),
  LAMPPOST_AUTO_ENROL: z.enum(["gateways", "off"], { error: "gateways or off was expected" }).default("gateways"),
  LAMPPOST_NEW_SENSORS_PER_HOUR: whole(0, 1_000_000).default(2_000),
  LAMPPOST_MQTT_SOURCE_NEW_SENSORS_PER_HOUR: whole(0, 1_000_000).default(100_000),
  LAMPPOST_SENSORS_MAX: whole(1, 1_000_000).default(100_000),
  LAMPPOST_HISTORY_AFTER_HOURS: whole(1, 168).default(24),
  LAMPPOST_TIME_ZONE: z
    .string()
    .max(64)
    .refine(isTimeZone, "there is no such time zone; write a name such as Europe/Vienna")
    .default(machineZone),
  LAMPPOST_HOLIDAYS: holidays.default([]),
  LAMPPOST_LANGUAGE: z.enum(LANGUAGES, { error: "en, de or es was expected" }).default("en"),
  LAMPPOST_PLACE: place.optional(),
  LAMPPOST_NOMINAL_VOLTAGE: number(1, 1_000_000).default(SITE_DEFAULTS.nominalVoltage),
  LAMPPOST_NOMINAL_FREQUENCY: number(1, 1_000).default(SITE_DEFAULTS.nominalFrequency),
  LAMPPOST_ALTITUDE_M: number(-500, 9_000).optional(),
  LAMPPOST_METRICS_FILE: z.string().optional(),
  LAMPPOST_RULES_DIR: z.string().optional(),
  LAMPPOST_PUBLIC_URL: httpUrl.optional(),
  LAMPPOST_SMTP_URL: smtpUrl.optional(),
  LAMPPOST_SMTP_PASSWORD: z.string().optional(),
  LAMPPOST_SMTP_FROM: smtpFrom.optional(),
  LAMPPOST_SMTP_PLAINTEXT_ALLOW: commaList,
  LAMPPOST_NOTIFY_ALLOW: notifyAllow,
  LAMPPOST_NOTIFY_HOLD_S: whole(0, 3_600).default(60),
  LAMPPOST_RETENTION_RAW_DAYS: whole(1, 36_500).default(90),
  LAMPPOST_RETENTION_HOURLY_DAYS: whole(1, 36_500).default(730),
  LAMPPOST_RETENTION_DAILY_DAYS: whole(0, 36_500).default(0),
  LAMPPOST_RETENTION_PHOTO_DAYS: whole(1, 36_500).default(365),
  LAMPPOST_PHOTOS_MIB: whole(1, 1_048_576).default(2_048),
  LAMPPOST_JOURNAL_KEEP_HOURS: whole(0, 8_760).default(24),
  LAMPPOST_JOURNAL_KEEP_MIB: whole(0, 1_048_576).default(1024),
  LAMPPOST_INFLUX_REWRITE_MIN: whole(0, 10_080).default(60),
  LAMPPOST_QUARANTINE_MIB: whole(1, 1_048_576).default(1_024),
  LAMPPOST_QUARANTINE_SENDER_PERCENT: whole(1, 100).default(10),
  LAMPPOST_NEW_RECORDS: z.enum(["refuse", "accept"], { error: "refuse or accept was expected" }).default("refuse"),
  LAMPPOST_DISK_FREE_MIN_MIB: whole(1, 1_048_576).default(256),
  LAMPPOST_HTTP_ALLOWED_HOSTS: commaList,
  LAMPPOST_HTTP_TRUSTED_PROXIES: addresses,
  LAMPPOST_HTTP_CONNECTIONS_MAX: whole(20, 100_000).default(2_000),
  LAMPPOST_HTTP_CONNECTIONS_PER_ADDRESS_MAX: whole(4, 100_000).default(256),
  LAMPPOST_HTTP_REQUEST_TIMEOUT_S: whole(1, 600).default(15),
  LAMPPOST_QUERIES_MAX: whole(1, 64).default(3),
  LAMPPOST_QUERIES_PER_ACCOUNT_MAX: whole(1, 64).default(2),
  LAMPPOST_QUERY_TIMEOUT_S: whole(1, 3_600).default(30),
  LAMPPOST_EXPORTS_MAX: whole(1, 1_000).default(24),
  LAMPPOST_EXPORTS_PER_ACCOUNT_MAX: whole(1, 1_000).default(4),
  LAMPPOST_HOME_ASSISTANT: onOff.default(false),
  LAMPPOST_PUBLIC_PAGE: onOff.default(false),
  LAMPPOST_MAP_FILE: commaList.refine((list) => list.length <= 8, "8 files at most"),
  LAMPPOST_MAP_TILES_URL: tilesUrl.optional(),
  LAMPPOST_MAP_ATTRIBUTION: z.string().max(300).optional(),
  LAMPPOST_LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error"], { error: "debug, info, warn or error was expected" })
    .default("info"),
  INFLUX_URL: httpUrl.optional(),
  INFLUX_TOKEN: z.string().optional(),
  INFLUX_ORG: z.string().optional(),
  INFLUX_BUCKET: z.string().optional(),
  INFLUX_DATABASE: z
    .string()
    .regex(/^(?!\.{1,2}$)[^/\\]+$/, "InfluxDB 1.x takes no name with a slash or backslash")
    .optional(),
  INFLUX_USERNAME: z.string().optional(),
  INFLUX_PASSWORD: z.string().optional(),
});

const QUARANTINE_ITEMS_MAX = 1_000_000;

type Values = z.output<typeof SCHEMA>;

export const VARIABLES = Object.keys(SCHEMA.shape) as readonly (keyof Values)[];

export type InfluxFlavour =
  | { readonly token: string; readonly org: string; readonly bucket: string }
  | { readonly database: string; readonly username?: string; readonly password?: string };

export type StoreConfig =
  | { readonly kind: "duckdb" }
  | { readonly kind: "influxdb"; readonly url: string; readonly flavour: InfluxFlavour };

/** An external broker to read from. */
export type MqttSourceConfig = {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly caFile?: string };
  readonly username?: string;
  readonly password?: string;
  readonly clientId: string;
  readonly topics: readonly string[];
  readonly readingsPerS: number;
};

export type Config = {
  readonly dataDir: string;
  readonly http: Readonly<{
    host: string;
    port: number;
    /** HTTPS, beside it. */
    tls?: { readonly host: string; readonly port: number } | undefined;
    allowedHosts: readonly string[];
    proxiesTrusted: readonly string[];
    connectionsMax: number;
    /** Addresses of trusted proxies have no limit of their own. */
    connectionsPerAddressMax: number;
    /** All of a request, head and body, must have come by then. */
    requestMs: number;
    /** Running at a time, of all accounts and of one. */
    queriesMax: number;
    queriesPerAccountMax: number;
    queryMs: number;
    exportsMax: number;
    exportsPerAccountMax: number;
  }>;
  readonly mqtt: {
    readonly host: string;
    /** Undefined: MQTT over TLS only. */
    readonly port?: number | undefined;
    readonly webSocket: boolean;
    readonly tls?: { readonly host: string; readonly port: number } | undefined;
    readonly connectionsMax: number;
    readonly connectionsPerAddressMax: number;
    readonly connectionsPerAccountMax: number;
    readonly subscriptionsPerClientMax: number;
    readonly subscriptionsPerUserMax: number;
    readonly unreleasedPerAccountMax: number;
    readonly sessionsPerAccountMax: number;
    /** What subscribers that are away are told when they are back. */
    readonly replay: { readonly messages: number; readonly bytes: number; readonly ageMs: number };
    readonly devicePacketsPerS: number;
    readonly gatewayPacketsPerS: number;
    readonly readPastBytesMax: number;
  };
  /** Of MQTT over TLS and of HTTPS; undefined where there is neither. */
  readonly tls?: TlsFiles | undefined;
  /** Balancers whose connections (MQTT, MQTT over TLS, HTTPS) begin with a PROXY header. */
  readonly proxyProtocolFrom: readonly string[];
  /** Readings of an account, by MQTT and by HTTP each; a person may post as many as a gateway. */
  readonly readingsPerS: { readonly device: number; readonly gateway: number };
  readonly mqttSource?: MqttSourceConfig;
  readonly store: StoreConfig;
  readonly adminToken?: string;
  readonly simulate: "off" | "city";
  /** So much faster the days of the simulated city pass. */
  readonly simulatePace: number;
  /** Sensors first seen through a gateway or an external broker: whether, and how many, they register by themselves. */
  readonly enrolment: Readonly<{
    autoEnrol: boolean;
    sensorsMax: number;
    gatewayPerHour: number;
    brokerPerHour: number;
  }>;
  /** Live readings older than this, beyond the delay of their feed, are history. */
  readonly historyAfterMs: number;
  /** Where the city's days begin: daily figures, reports, quiet hours and sentences. An IANA name. */
  readonly timeZone: string;
  /** Days like Sundays: "12-25" of every year, or "2026-04-06". */
  readonly holidays: readonly string[];
  /** Of messages to targets that name none. */
  readonly language: Language;
  /** Where the city is, in degrees. */
  readonly place: { readonly lat: number; readonly lon: number } | undefined;
  /** What is usual in this city: outside it a value is suspect. */
  readonly site: SiteSettings;
  readonly rulesDir?: string;
  readonly notify: NotifySettings;
  readonly retentionRawDays: number;
  readonly retentionHourlyDays: number;
  /** 0: for ever. */
  readonly retentionDailyDays: number;
  /** Of what people took at alerts. */
  readonly photos: { readonly days: number; readonly bytesMax: number };
  readonly diskFreeBytesMin: number;
  /** What was written to InfluxDB within this time is held in the journal. */
  readonly rewriteWindowMs: number;
  readonly journalKeep: { readonly forMs: number; readonly bytesMax: number };
  /** The store of the settings is another than before, and that is meant: its former readings stay there. */
  readonly startEmpty?: boolean;
  /** Somebody says that this is the real service, not one restored from a backup or a copy of it. */
  readonly takeOver?: boolean;
  /** Begin with an empty records.db although the data folder is not new. */
  readonly quarantine: Readonly<{ itemsMax: number; bytesMax: number; senderShare: number }>;
  readonly acceptNewRecords: boolean;
  /** For the fault harness only, see `createFaultPoint`. */
  readonly faultAt?: string;
  /** For the fault harness only: small journal segments, so that a short life turns over many. */
  readonly faultSegmentBytes?: number;
  /** Sensors and alerts are told to Home Assistant by config topics. */
  readonly homeAssistant: boolean;
  readonly page: { readonly isPublic: boolean; readonly tilesUrl?: string; readonly mapAttribution?: string };
  /** What maps are drawn from; looked at already. */
  readonly mapFiles: readonly NamedMapFile[];
  readonly logLevel: "debug" | "info" | "warn" | "error";
};

/** Throws `ConfigError` with every mistake. An empty variable counts as not set; `overrides` come from the command line. */
export function loadConfig(given: NodeJS.ProcessEnv = process.env, overrides: NodeJS.ProcessEnv = {}): Config {
  const env = { ...given, ...overrides };
  const values = parse(env);
  return {
    dataDir: resolve(values.LAMPPOST_DATA_DIR),
    http: {
      host: values.LAMPPOST_HTTP_HOST,
      port: values.LAMPPOST_HTTP_PORT,
      tls: listenerOf(values.LAMPPOST_HTTPS_HOST ?? values.LAMPPOST_HTTP_HOST, values.LAMPPOST_HTTPS_PORT),
      allowedHosts: values.LAMPPOST_HTTP_ALLOWED_HOSTS,
      proxiesTrusted: values.LAMPPOST_HTTP_TRUSTED_PROXIES,
      connectionsMax: values.LAMPPOST_HTTP_CONNECTIONS_MAX,
      connectionsPerAddressMax: values.LAMPPOST_HTTP_CONNECTIONS_PER_ADDRESS_MAX,
      requestMs: values.LAMPPOST_HTTP_REQUEST_TIMEOUT_S * 1_000,
      queriesMax: values.LAMPPOST_QUERIES_MAX,
      queriesPerAccountMax: values.LAMPPOST_QUERIES_PER_ACCOUNT_MAX,
      queryMs: values.LAMPPOST_QUERY_TIMEOUT_S * 1_000,
      exportsMax: values.LAMPPOST_EXPORTS_MAX,
      exportsPerAccountMax: values.LAMPPOST_EXPORTS_PER_ACCOUNT_MAX,
    },
    mqtt: {
      host: values.LAMPPOST_MQTT_HOST,
      port: values.LAMPPOST_MQTT_PORT === "off" ? undefined : values.LAMPPOST_MQTT_PORT,
      webSocket: values.LAMPPOST_MQTT_WS,
      connectionsMax: values.LAMPPOST_MQTT_CONNECTIONS_MAX,
      connectionsPerAddressMax: values.LAMPPOST_MQTT_CONNECTIONS_PER_ADDRESS_MAX,
      connectionsPerAccountMax: values.LAMPPOST_MQTT_CONNECTIONS_PER_ACCOUNT_MAX,
      subscriptionsPerClientMax: values.LAMPPOST_MQTT_SUBSCRIPTIONS_PER_CLIENT_MAX,
      subscriptionsPerUserMax: values.LAMPPOST_MQTT_SUBSCRIPTIONS_PER_USER_MAX,
      unreleasedPerAccountMax: values.LAMPPOST_MQTT_UNRELEASED_PER_ACCOUNT_MAX,
      sessionsPerAccountMax: values.LAMPPOST_MQTT_SESSIONS_PER_ACCOUNT_MAX,
      replay: {
        messages: values.LAMPPOST_MQTT_SESSION_MESSAGES_MAX,
        bytes: values.LAMPPOST_MQTT_SESSION_MIB_MAX * 1_048_576,
        ageMs: values.LAMPPOST_MQTT_SESSION_DAYS_MAX * 86_400_000,
      },
      devicePacketsPerS: values.LAMPPOST_MQTT_DEVICE_PACKETS_PER_S,
      gatewayPacketsPerS: values.LAMPPOST_MQTT_GATEWAY_PACKETS_PER_S,
      readPastBytesMax: values.LAMPPOST_MQTT_READ_PAST_BYTES_MAX,
      tls: listenerOf(values.LAMPPOST_MQTTS_HOST ?? values.LAMPPOST_MQTT_HOST, values.LAMPPOST_MQTTS_PORT),
    },
    tls: tlsFiles(values),
    proxyProtocolFrom: values.LAMPPOST_PROXY_PROTOCOL_FROM,
    readingsPerS: {
      device: values.LAMPPOST_DEVICE_READINGS_PER_S,
      // Who allows more packets means readings: most packets carry one.
      gateway: values.LAMPPOST_GATEWAY_READINGS_PER_S ?? Math.max(20_000, values.LAMPPOST_MQTT_GATEWAY_PACKETS_PER_S),
    },
    mqttSource: mqttSourceConfig(values),
    store: storeConfig(values),
    adminToken: values.LAMPPOST_ADMIN_TOKEN,
    simulate: values.LAMPPOST_SIMULATE,
    simulatePace: values.LAMPPOST_SIMULATE_PACE,
    enrolment: {
      autoEnrol: values.LAMPPOST_AUTO_ENROL === "gateways",
      sensorsMax: values.LAMPPOST_SENSORS_MAX,
      gatewayPerHour: values.LAMPPOST_NEW_SENSORS_PER_HOUR,
      brokerPerHour: values.LAMPPOST_MQTT_SOURCE_NEW_SENSORS_PER_HOUR,
    },
    historyAfterMs: values.LAMPPOST_HISTORY_AFTER_HOURS * HOUR_MS,
    timeZone: values.LAMPPOST_TIME_ZONE,
    holidays: values.LAMPPOST_HOLIDAYS,
    language: values.LAMPPOST_LANGUAGE,
    place: values.LAMPPOST_PLACE,
    site: {
      nominalVoltage: values.LAMPPOST_NOMINAL_VOLTAGE,
      nominalFrequency: values.LAMPPOST_NOMINAL_FREQUENCY,
      ...(values.LAMPPOST_ALTITUDE_M !== undefined && { altitudeM: values.LAMPPOST_ALTITUDE_M }),
    },
    rulesDir: values.LAMPPOST_RULES_DIR,
    notify: {
      publicUrl: values.LAMPPOST_PUBLIC_URL,
      smtp: smtpConfig(values),
      allow: values.LAMPPOST_NOTIFY_ALLOW,
      holdMs: values.LAMPPOST_NOTIFY_HOLD_S * 1_000,
    },
    retentionRawDays: values.LAMPPOST_RETENTION_RAW_DAYS,
    retentionHourlyDays: values.LAMPPOST_RETENTION_HOURLY_DAYS,
    retentionDailyDays: values.LAMPPOST_RETENTION_DAILY_DAYS,
    photos: {
      days: values.LAMPPOST_RETENTION_PHOTO_DAYS,
      bytesMax: values.LAMPPOST_PHOTOS_MIB * 1024 * 1024,
    },
    rewriteWindowMs: values.LAMPPOST_INFLUX_REWRITE_MIN * 60_000,
    journalKeep: {
      forMs: values.LAMPPOST_JOURNAL_KEEP_HOURS * HOUR_MS,
      bytesMax: values.LAMPPOST_JOURNAL_KEEP_MIB * 1024 * 1024,
    },
    quarantine: {
      itemsMax: QUARANTINE_ITEMS_MAX,
      bytesMax: values.LAMPPOST_QUARANTINE_MIB * 1024 * 1024,
      senderShare: values.LAMPPOST_QUARANTINE_SENDER_PERCENT / 100,
    },
    acceptNewRecords: values.LAMPPOST_NEW_RECORDS === "accept",
    diskFreeBytesMin: values.LAMPPOST_DISK_FREE_MIN_MIB * 1024 * 1024,
    faultAt: env.LAMPPOST_FAULT_AT || undefined,
    faultSegmentBytes: env.LAMPPOST_FAULT_SEGMENT_KIB ? Number(env.LAMPPOST_FAULT_SEGMENT_KIB) * 1024 : undefined,
    homeAssistant: values.LAMPPOST_HOME_ASSISTANT,
    page: {
      isPublic: values.LAMPPOST_PUBLIC_PAGE,
      tilesUrl: values.LAMPPOST_MAP_TILES_URL,
      mapAttribution: values.LAMPPOST_MAP_ATTRIBUTION ?? attributionOf(values.LAMPPOST_MAP_TILES_URL),
    },
    mapFiles: mapFiles(values.LAMPPOST_MAP_FILE),
    logLevel: values.LAMPPOST_LOG_LEVEL,
  };
}

/** What the commands that talk to a running service need. */
export type ClientConfig = {
  dataDir: string;
  adminToken?: string;
  /** Of whoever sits at the terminal. */
  language: Language;
};

/** Of whoever sits at the terminal. */
export const clientLanguage = (env: NodeJS.ProcessEnv = process.env): Language =>
  languageOfLocale(env.LC_ALL || env.LC_MESSAGES || env.LANG);

export function clientConfig(env: NodeJS.ProcessEnv = process.env): ClientConfig {
  const mistakes: string[] = [];
  const adminToken = secretOf("LAMPPOST_ADMIN_TOKEN", env, mistakes);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  const language = clientLanguage(env);
  return { dataDir: resolve(env.LAMPPOST_DATA_DIR || "./data"), adminToken, language };
}

/** From the setting or its file; undefined where neither is set, and with a mistake where the file cannot serve. */
function secretOf(name: (typeof SECRETS)[number], env: NodeJS.ProcessEnv, mistakes: string[]): string | undefined {
  const file = env[fileOf(name)];
  if (!file) return env[name] || undefined;
  const mistake = (text: string) => void mistakes.push(`${fileOf(name)}: ${text}`);
  if (env[name]) return mistake(`${name} is set as well; give one of the two`) as undefined;
  try {
    return readSecret(file);
  } catch (error) {
    return mistake((error as Error).message) as undefined;
  }
}

function parse(env: NodeJS.ProcessEnv): Values {
  const mistakes: string[] = [];
  const secrets = SECRETS.map((name) => [name, secretOf(name, env, mistakes)] as const);
  const given: Record<string, string | undefined> = {
    ...Object.fromEntries(VARIABLES.filter((name) => env[name]).map((name) => [name, env[name]])),
    ...Object.fromEntries(secrets.filter(([, secret]) => secret !== undefined)),
  };
  const result = SCHEMA.safeParse(given);
  if (!result.success)
    mistakes.push(...result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`));
  if (env.LAMPPOST_METRICS_FILE) {
    const { mistakes: wrong } = readMetricsFile(env.LAMPPOST_METRICS_FILE, BUILT_IN_METRICS);
    mistakes.push(...wrong.map((mistake) => `LAMPPOST_METRICS_FILE: ${mistake}`));
  }
  mistakes.push(...mapFileMistakes(result.data?.LAMPPOST_MAP_FILE));
  mistakes.push(...unknownVariables(env), ...combinations(given), ...tooFewThreads(given, env.UV_THREADPOOL_SIZE));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return result.data!;
}

/** Threads that `./lamppost` gives the process, and those that the journal, the writes and the files need beside queries. */
const THREADS = 16;
const THREADS_BESIDE = 5;

/** A query of DuckDB holds a thread while it runs: where they have all of them, not even the journal comes to its own. */
function tooFewThreads(given: Record<string, string | undefined>, pool: string | undefined): string[] {
  const queries = Number(given.LAMPPOST_QUERIES_MAX ?? 0);
  const threads = Number(pool) || THREADS;
  const needed = queries + THREADS_BESIDE;
  if (given.LAMPPOST_STORE === "influxdb" || queries <= 3 || needed <= threads) return [];
  return [
    `LAMPPOST_QUERIES_MAX: ${queries} queries of DuckDB at a time need ${needed} threads, and there are ${threads}; start with UV_THREADPOOL_SIZE=${needed}, or set at most ${Math.max(3, threads - THREADS_BESIDE)}`,
  ];
}

/** A misspelt name would otherwise be ignored in silence. */
function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter(
      (name) => name.startsWith("LAMPPOST_") && !(VARIABLES as readonly string[]).includes(name) && !IGNORED.has(name),
    )
    .map((name) => `${name}: there is no such setting; .env.example lists them`);
}

/** Not settings: read by the test suite and handed to the fault harness. */
const IGNORED = new Set([
  "LAMPPOST_NO_SKIPS",
  "LAMPPOST_CHROMIUM",
  "LAMPPOST_TEST_INFLUXD2",
  "LAMPPOST_FAULT_AT",
  "LAMPPOST_FAULT_SEGMENT_KIB",
]);

const listenerOf = (host: string, port: number | undefined) => (port === undefined ? undefined : { host, port });

function tlsFiles(values: Values): TlsFiles | undefined {
  if (values.LAMPPOST_MQTTS_PORT === undefined && values.LAMPPOST_HTTPS_PORT === undefined) return undefined;
  const pairs = values.LAMPPOST_TLS_CERT.map((certFile, at) => ({ certFile, keyFile: values.LAMPPOST_TLS_KEY[at]! }));
  return { pairs, clientCaFile: values.LAMPPOST_TLS_CLIENT_CA, crlFile: values.LAMPPOST_TLS_CRL };
}

function smtpConfig(values: Values): SmtpSettings | undefined {
  const { LAMPPOST_SMTP_URL: address, LAMPPOST_SMTP_PASSWORD: password } = values;
  if (address === undefined) return undefined;
  const from = values.LAMPPOST_SMTP_FROM!;
  const url = new URL(address);
  if (password !== undefined) url.password = encodeURIComponent(password);
  const isAllowed = values.LAMPPOST_SMTP_PLAINTEXT_ALLOW.some(
    (host) => host.toLowerCase() === url.hostname.toLowerCase(),
  );
  return { url: password === undefined ? address : url.href, from, ...(isAllowed ? { plaintextAllowed: true } : {}) };
}

function mqttSourceConfig(values: Values): MqttSourceConfig | undefined {
  if (!values.LAMPPOST_MQTT_SOURCE_URL) return undefined;
  const { secure, ...address } = values.LAMPPOST_MQTT_SOURCE_URL;
  return {
    ...address,
    ...(values.LAMPPOST_MQTT_SOURCE_PASSWORD !== undefined && { password: values.LAMPPOST_MQTT_SOURCE_PASSWORD }),
    ...(secure && { tls: { caFile: values.LAMPPOST_MQTT_SOURCE_CA } }),
    clientId: values.LAMPPOST_MQTT_SOURCE_CLIENT_ID,
    topics: values.LAMPPOST_MQTT_SOURCE_TOPICS,
    readingsPerS: values.LAMPPOST_MQTT_SOURCE_READINGS_PER_S,
  };
}

function storeConfig(values: Values): StoreConfig {
  if (values.LAMPPOST_STORE === "duckdb") return { kind: "duckdb" };
  const flavour: InfluxFlavour = values.INFLUX_DATABASE
    ? { database: values.INFLUX_DATABASE, username: values.INFLUX_USERNAME, password: values.INFLUX_PASSWORD }
    : { token: values.INFLUX_TOKEN!, org: values.INFLUX_ORG!, bucket: values.INFLUX_BUCKET! };
  return { kind: "influxdb", url: values.INFLUX_URL!, flavour };
}
