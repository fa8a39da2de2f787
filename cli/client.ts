import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { z } from "zod";
import { type ClientConfig, clientConfig } from "../app/config.ts";
import { readSecret } from "../app/files.ts";
import { createServiceClient, type ServiceClient } from "../client/client.ts";
import { LANGUAGES, type Language } from "../model/sentence.ts";

export type ServiceOptions = {
  readonly url?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
  readonly lang?: Language;
};

/** What `lamppost start` leaves in its data directory. */
const SERVICE_FILE = z.object({ pid: z.number(), http: z.string(), mqtt: z.string() });

export type Service = {
  readonly client: ServiceClient;
  readonly token: string;
  /** Undefined when only `--url` is known. */
  readonly mqtt: string | undefined;
};

/** The options of every command that talks to a running service. */
export function withService(command: Command, example: string): Command {
  return withAddress(command).addHelpText("after", `\nExample:\n  $ lamppost ${example}`);
}

/** The same without the example. */
export function withAddress(command: Command): Command {
  return command
    .option("--url <url>", "HTTP address of the service (default: the one that runs on the data directory)")
    .option(
      "--token-file <file>",
      "file with the admin token, - for standard input (default: LAMPPOST_ADMIN_TOKEN or its _FILE, else <data>/admin-token)",
    )
    .addOption(
      new Option("--token <token>", "the token itself, which others on this machine can then read").conflicts(
        "tokenFile",
      ),
    )
    .addOption(
      new Option("--lang <language>", "of what people read (default: LC_ALL, LC_MESSAGES or LANG)").choices(LANGUAGES),
    )
    .option("--json", "print JSON");
}

/** In which what is printed for people is written. */
export const languageOf = ({ lang }: ServiceOptions, config: Partial<ClientConfig> = clientConfig()): Language =>
  lang ?? config.language ?? "en";

/** Finds the service by the options, else by the data directory. Throws an error that says what to do. */
export function findService(
  options: ServiceOptions,
  config: Omit<ClientConfig, "language"> & Partial<ClientConfig> = clientConfig(),
): Service {
  const running = options.url ? undefined : runningService(config.dataDir);
  const url = options.url ?? running?.http;
  if (!url)
    throw new Error(
      `no service runs on ${config.dataDir}; start one with "lamppost start", set LAMPPOST_DATA_DIR, or give --url and --token-file`,
    );
  if (!URL.canParse(url)) throw new Error(`--url ${url} is not a URL; an example is http://127.0.0.1:8080`);
  const given = options.tokenFile === undefined ? options.token : readSecret(options.tokenFile);
  const token = given ?? config.adminToken ?? tokenFile(config.dataDir);
  if (!token)
    throw new Error(`there is no admin token in ${config.dataDir}; give --token-file or set LAMPPOST_ADMIN_TOKEN`);
  return {
    client: createServiceClient({ url, token, language: languageOf(options, config) }),
    token,
    mqtt: running?.mqtt,
  };
}

function runningService(dataDir: string): z.output<typeof SERVICE_FILE> | undefined {
  try {
    return SERVICE_FILE.safeParse(JSON.parse(readFileSync(join(dataDir, "service.json"), "utf8"))).data;
  } catch {
    return undefined;
  }
}

function tokenFile(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, "admin-token"), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
