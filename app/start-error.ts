import { relative } from "node:path";
import type { Config } from "./config.ts";

/** Why the service could not start, in one sentence that names the setting, and the code to exit with. */
export class StartError extends Error {
  override readonly name = "StartError";
  /** 78 where only another setting or right helps, 1 where the same start may succeed later. */
  readonly exitCode: 1 | 78;

  constructor(message: string, exitCode: 1 | 78, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

type Known = {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly syscall?: string;
  readonly path?: string;
  readonly address?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly errcode?: number;
};

const SQLITE_FULL = 13;
const SQLITE_NO_ACCESS = new Set([3, 8, 14]);

export function explainStart(error: unknown, config: Config): StartError {
  if (error instanceof StartError) return error;
  const known = (error ?? {}) as Known;
  const { code, syscall, path, errcode, name } = known;
  const isListening = syscall === "listen" || syscall === "bind" || syscall === "getaddrinfo";
  const found =
    (isListening && listening(known, config)) ||
    (path !== undefined && file(known, path, config)) ||
    (errcode !== undefined && sqlite(errcode & 0xff, config));
  if (found) return new StartError(...found, error);
  if (code === "ENOSPC" || code === "EDQUOT") return new StartError(...diskFull(config), error);
  // These say in their own words what to do.
  if (name === "RuleMistakes") return new StartError(`the rules have mistakes:\n${known.message}`, 78, error);
  return new StartError(known.message || String(error), 1, error);
}

type Found = readonly [message: string, exitCode: 1 | 78];

/** The MQTT listeners' errors come from the edge thread, the other listeners are HTTP and HTTPS. */
function listening({ name, code, port, address, hostname }: Known, config: Config): Found | undefined {
  const [plain, what] = name === "EdgeError" ? ([config.mqtt, "MQTT"] as const) : ([config.http, "HTTP"] as const);
  const at = address ?? hostname ?? plain.host;
  const isPlains = port === undefined ? at === plain.host : port === plain.port;
  const tls = isPlains ? undefined : plain.tls;
  const { host } = tls ?? plain;
  const isOwnHost = tls !== undefined && host !== plain.host;
  const hostSetting = `LAMPPOST_${what}${isOwnHost ? "S" : ""}_HOST`;
  const portSetting = `LAMPPOST_${what}${tls ? "S" : ""}_PORT`;
  switch (code) {
    case "EADDRINUSE":
      return [
        `port ${port} on ${host} is in use by another program: stop it, or set ${portSetting} to another port`,
        1,
      ];
    case "EACCES":
      return [
        `port ${port} may not be opened by this user (below 1024 it takes the right CAP_NET_BIND_SERVICE): set ${portSetting} to a higher port`,
        78,
      ];
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return [`this machine has no address ${host} (${code}): set ${hostSetting} to one that it has, or to 0.0.0.0`, 1];
    default:
      return undefined;
  }
}

const WORDS: Record<string, string> = {
  ENOENT: "is not there",
  EACCES: "may not be read or written by this user",
  EPERM: "may not be read or written by this user",
  EROFS: "is on a file system that is read-only",
  ENOTDIR: "is not a folder, or a part of its path is not",
  EEXIST: "is not a folder",
  EISDIR: "is a folder, not a file",
};

function file({ code = "", message }: Known, path: string, config: Config): Found | undefined {
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(config);
  if (code === "") return [`${message}: check ${settingOf(path, config)}`, 78]; // a file that is none, or far too large
  const words = WORDS[code];
  if (!words) return undefined;
  return [`${path} ${words} (${code}): check ${settingOf(path, config)}`, 78];
}

function settingOf(path: string, { dataDir, rulesDir, tls, mqttSource }: Config): string {
  if (tls?.pairs.some(({ certFile }) => certFile === path)) return "LAMPPOST_TLS_CERT";
  if (tls?.pairs.some(({ keyFile }) => keyFile === path)) return "LAMPPOST_TLS_KEY";
  if (path === tls?.clientCaFile) return "LAMPPOST_TLS_CLIENT_CA";
  if (path === tls?.crlFile) return "LAMPPOST_TLS_CRL";
  if (path === mqttSource?.tls?.caFile) return "LAMPPOST_MQTT_SOURCE_CA";
  const isIn = (folder: string) => !relative(folder, path).startsWith("..") || !relative(path, folder).startsWith("..");
  if (rulesDir !== undefined && isIn(rulesDir)) return "LAMPPOST_RULES_DIR";
  return isIn(dataDir) ? `LAMPPOST_DATA_DIR (${dataDir})` : "the installation";
}

function sqlite(errcode: number, config: Config): Found | undefined {
  if (errcode === SQLITE_FULL) return diskFull(config);
  if (!SQLITE_NO_ACCESS.has(errcode)) return undefined;
  return [`the databases in ${config.dataDir} may not be written by this user: check LAMPPOST_DATA_DIR`, 78];
}

const diskFull = ({ dataDir }: Config): Found => [
  `the disk of LAMPPOST_DATA_DIR (${dataDir}) is full: free some space`,
  1,
];
