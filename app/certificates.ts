import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import { DAY_MS } from "../model/time.ts";
import type { KeyPair, TlsMaterial } from "../model/tls.ts";
import { readSmallFile } from "./files.ts";
import { StartError } from "./start-error.ts";

export type TlsFiles = {
  /** The first is shown to who asks for no name, or for none that the others have. */
  readonly pairs: readonly { readonly certFile: string; readonly keyFile: string }[];
  /** Of client certificates: who signs them, and which are taken back. */
  readonly clientCaFile?: string | undefined;
  readonly crlFile?: string | undefined;
};

const WARN_BEFORE_MS = 30 * DAY_MS;
/** How often the files are looked at. */
export const CERTIFICATE_TICK_MS = 10_000;

/** Throws if they cannot be read or do not fit together. */
export function readTls({ pairs, clientCaFile, crlFile }: TlsFiles): TlsMaterial {
  const [first, ...others] = pairs.map(readPair);
  const clientCa = clientCaFile === undefined ? undefined : readSmallFile(clientCaFile);
  if (clientCa !== undefined && !parsed(() => new X509Certificate(clientCa)))
    throw new StartError(`${clientCaFile} holds no certificate in PEM form: check LAMPPOST_TLS_CLIENT_CA`, 78);
  const crl = crlFile === undefined ? undefined : readSmallFile(crlFile);
  if (crl !== undefined && !crl.includes("-----BEGIN X509 CRL-----"))
    throw new StartError(`${crlFile} holds no revocation list in PEM form: check LAMPPOST_TLS_CRL`, 78);
  return { ...first!, others, clientCa, crl };
}

function readPair({ certFile, keyFile }: TlsFiles["pairs"][number]): KeyPair {
  const cert = readSmallFile(certFile);
  const key = readSmallFile(keyFile);
  const certificate = parsed(() => new X509Certificate(cert));
  const privateKey = parsed(() => createPrivateKey(key));
  if (!certificate) throw new StartError(`${certFile} holds no certificate in PEM form: check LAMPPOST_TLS_CERT`, 78);
  if (!privateKey)
    throw new StartError(
      `${keyFile} holds no private key in PEM form, or one with a passphrase: check LAMPPOST_TLS_KEY`,
      78,
    );
  if (!certificate.checkPrivateKey(privateKey))
    throw new StartError(
      `${certFile} and ${keyFile} do not belong together: check LAMPPOST_TLS_CERT and LAMPPOST_TLS_KEY`,
      78,
    );
  return { cert, key };
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

type WatchOptions = {
  readonly files: TlsFiles;
  /** What is in use. */
  readonly first: TlsMaterial;
  use(material: TlsMaterial): void;
  readonly now: () => number;
  readonly log: Log;
};

/**
 * Takes certificate, key and lists of client certificates into use when their files change; connections that are there
 * stay. What cannot be read, or is half written, changes nothing: the old ones go on, and the health says why.
 */
export function createCertificateWatch({ files, first, use, now, log }: WatchOptions) {
  let inUse = first;
  let trouble: string | undefined;

  function look(): void {
    try {
      const material = readTls(files);
      trouble = undefined;
      if (JSON.stringify(material) === JSON.stringify(inUse)) return;
      use(material);
      inUse = material;
      log.info({ certificates: ends() }, "the TLS certificates were read again");
    } catch (error) {
      const { message } = error as Error;
      if (trouble !== message) log.error({ err: error }, "the TLS files cannot be used; the old ones go on");
      trouble = message;
    }
  }

  /** When each of them ends. */
  const ends = () =>
    [inUse, ...(inUse.others ?? [])].map(({ cert }, at) => ({
      file: files.pairs[at]!.certFile,
      until: new Date(new X509Certificate(cert).validTo).toISOString(),
    }));

  function health(): Health {
    const part = "TLS certificate";
    if (trouble !== undefined) return { part, state: "degraded", ready: true, reason: trouble };
    const over = ends().filter(({ until }) => Date.parse(until) - now() <= WARN_BEFORE_MS);
    if (over.length === 0) return { part, state: "ok", ready: true };
    const reasons = over.map(
      ({ file, until }) =>
        `${file} ${Date.parse(until) < now() ? "has expired on" : "expires on"} ${until.slice(0, 10)}`,
    );
    return { part, state: "degraded", ready: true, reason: reasons.join("; ") };
  }

  return { look, health };
}
