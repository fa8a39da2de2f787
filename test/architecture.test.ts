import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * The import rules of docs/architecture.md, read from the sources. Folders are roles: a file that needs two of them
 * belongs into app/ (wiring), cli/ or tools/.
 */
const HOME = resolve(import.meta.dirname, "..");
const ROLES = [
  "model",
  "messages",
  "contract",
  "client",
  "broker",
  "ingest",
  "store",
  "alerts",
  "api",
  "simulators",
  "dashboard",
];
/** These wire the roles: they may know two folders at once. */
const ROOTS = ["app", "cli", "tools"];
/** These may be imported from the named file by the named folders, beside `model/`, which everyone may import. */
const PORTS: Record<string, readonly string[]> = {
  "store/reading-store.ts": ["ingest", "alerts", "api"],
  "store/records.ts": ["ingest", "alerts", "api"],
};
/** Who says something to people. The rest makes sentences of `model/sentence.ts`, and others say them. */
const SPEAKERS = ["alerts", "api", "dashboard"];
/** They answer nobody outside, but what they say is served as it is: it has its type from the contract, and checks nothing. */
const TYPES_OF_CONTRACT = ["store", "ingest"];
const HOMES: Record<string, readonly string[]> = {
  aedes: ["broker"],
  "mqtt-packet": ["broker"],
  ws: ["broker"],
  mqtt: ["ingest", "simulators"],
  "@duckdb/node-api": ["store"],
  "@influxdata/influxdb-client": ["store"],
  "node-cron": ["store"],
  fastify: ["api"],
  "fastify-type-provider-zod": ["api"],
  "prom-client": ["api"],
  yaml: ["alerts", "simulators", "app"],
  nodemailer: ["alerts"],
  suncalc: ["alerts"],
  "eventsource-parser": ["client", "dashboard"],
  commander: ["cli"],
  "cli-progress": ["cli"],
  "csv-parse": ["simulators"],
  pino: ["app", "cli"],
  vite: ["dashboard"],
  preact: ["dashboard"],
  "@preact/signals": ["dashboard"],
  uplot: ["dashboard"],
  leaflet: ["dashboard"],
  pmtiles: ["dashboard"],
  "@mapbox": ["dashboard"],
  pbf: ["dashboard"],
  "geojson-vt": ["dashboard"],
  "@fastify": ["api"],
  "@codemirror": ["dashboard"],
  "@lezer": ["dashboard"],
};
const ANYWHERE = ["zod"];

type Import = { file: string; folder: string; isLocal: boolean; isType: boolean; target: string };

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

const files = [...ROLES, ...ROOTS]
  .filter((folder) => existsSync(join(HOME, folder)))
  .flatMap((folder) => sources(join(HOME, folder)))
  .map((path) => relative(HOME, path));

const folderOf = (file: string) => file.slice(0, file.indexOf("/"));

/** `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")` and workers' `new URL("x", import.meta.url)`. */
const IMPORT = /^(?:import|export)\b(?:[^"';]*?\sfrom)?\s*"([^"]+)"|(?:import|new URL)\("([^"]+)"/gm;

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(HOME, file), "utf8");
  return [...text.matchAll(IMPORT)]
    .map(([whole, from, onDemand]) => ({ whole, specifier: (from ?? onDemand)! }))
    .map(({ whole, specifier }) => ({
      file,
      folder: folderOf(file),
      isType: whole.startsWith("import type"),
      isLocal: specifier.startsWith("."),
      target: specifier.startsWith(".") ? relative(HOME, join(HOME, dirname(file), specifier)) : specifier,
    }));
});
const local = imports.filter(({ isLocal }) => isLocal);
const packages = imports.filter(({ isLocal, target }) => !isLocal && !target.startsWith("node:"));

function allowed({ folder, target, isType }: Import): boolean {
  const to = folderOf(target);
  if (ROOTS.includes(folder)) return true;
  if (to === folder) return true;
  if (folder === "model") return false;
  if (to === "messages") return SPEAKERS.includes(folder);
  if (to === "client") return folder === "simulators";
  if (to === "contract") return folder !== "broker" && (isType || !TYPES_OF_CONTRACT.includes(folder));
  // What is in the records is said where it is kept: its types only, so that nobody goes around the port.
  const port = isType && target.startsWith("store/records/") ? "store/records.ts" : target;
  return to === "model" || (PORTS[port]?.includes(folder) ?? false);
}

const textOf = (file: string) => readFileSync(join(HOME, file), "utf8");
/** What runs in the process of the service. */
const service = files.filter((file) => !/^(cli|tools|dashboard)\//.test(file));
/** Sockets only: broker/ cannot reach disk or records (the import rules above). */
const withoutSockets = service.filter((file) => !file.startsWith("broker/"));

/**
 * Timers beside those of `background.ts`, how many in each file. A new one goes through `background.ts`; it belongs here
 * only if its callback cannot meet the disk, a database or a store: what the world did there would end the process.
 */
const BARE_TIMERS = {
  "app/background.ts": 2,
  // The harness, and waits that only settle a promise.
  "app/lifecycle.ts": 2,
  "api/connections.ts": 5,
  // Ends a socket whose header does not come.
  "api/https.ts": 1,
  "alerts/rules/checker.ts": 2,
  "ingest/retry.ts": 3,
  // Ways out that end a request, a socket or a thread that takes too long.
  "alerts/notify/http-post.ts": 1,
  "api/turns.ts": 3,
  "store/influx/client.ts": 2,
  "store/duckdb/instance.ts": 1,
  // The default of a port; the service hands in the one of `background.ts`. And a loop whose promise catches everything.
  "alerts/notify/notifier.ts": 1,
  "alerts/publisher.ts": 1,
  // The edge thread (and all of broker/): sockets, and messages to the core. The journal catches what the disk does.
  "app/edge/thread.ts": 1,
  "ingest/journal/writer.ts": 2,
  // An external broker's connection: the append it waits for settles a promise.
  "ingest/mqtt-source/connection.ts": 4,
  "ingest/mqtt-source/source.ts": 3,
  // Threads of their own, whose end is told and harms no one; what they save catches a full disk.
  "simulators/publisher.ts": 2,
  "simulators/runs/run-thread.ts": 1,
  "simulators/simulate.ts": 1,
  "simulators/speaker.ts": 1,
};

/** Why what they do on an event cannot end the process. A new one uses `background.handler`. */
const LISTENERS: Record<string, string> = {
  "api/connections.ts": "its audit is a guarded handler",
  "api/server.ts": "counts a request whose client left",
  "api/routes/walls.ts": "takes a screen off its list",
  "api/streams.ts": "gives a connection up when the records cannot be read, and takes it off its list",
  "app/edge/link.ts": "hands on to handlers that are guarded",
  "app/lifecycle.ts": "is the net below them",
  "simulators/runs/recorder.ts": "the errors of its own file",
  "simulators/sorter.ts": "removes its own files when the process ends",
  "simulators/runs/run-thread.ts": "a thread of its own",
  "store/backup/stage.ts": "the end of its own archive",
};

/** Files that reach themselves by what they import, each circle once (Tarjan: strongly connected parts of the graph). */
function circles(edges: readonly Import[]): string[][] {
  const targets = Map.groupBy(edges, ({ file }) => file);
  const [indices, lowest] = [new Map<string, number>(), new Map<string, number>()];
  const stack: string[] = [];
  const found: string[][] = [];
  function visit(file: string): void {
    indices.set(file, indices.size);
    lowest.set(file, indices.get(file)!);
    stack.push(file);
    for (const { target } of targets.get(file) ?? []) {
      if (!indices.has(target)) visit(target);
      else if (!stack.includes(target)) continue;
      lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== indices.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) found.push(circle.sort());
  }
  for (const file of targets.keys()) if (!indices.has(file)) visit(file);
  return found;
}

const show = (list: Import[]) => list.map(({ file, target }) => `${file} -> ${target}`);

describe("the house", () => {
  it("reads enough to mean something", () => {
    expect(files.length).toBeGreaterThan(60);
    expect(local.length).toBeGreaterThan(100);
  });

  it("folders import only model/, the contract where somebody outside is answered or asked, and the two ports", () => {
    expect(show(local.filter((one) => !allowed(one)))).toEqual([]);
  });

  it("every package has one home", () => {
    const stray = packages.filter(({ folder, target }) => {
      const [scope, inScope] = target.split("/") as [string, string?];
      const name = scope.startsWith("@") ? `${scope}/${inScope}` : scope;
      if (ANYWHERE.includes(name)) return false;
      const homes = HOMES[name] ?? HOMES[scope] ?? [];
      return folder !== "tools" && !homes.includes(folder);
    });
    expect(show(stray)).toEqual([]);
  });

  it("model, messages and contract import zod only", () => {
    const pure = packages.filter(({ folder }) => folder === "model" || folder === "messages" || folder === "contract");
    expect(show(pure.filter(({ target }) => target !== "zod"))).toEqual([]);
  });

  it("the page takes types only from the contract: no schema goes to the browser", () => {
    const loaded = files.filter(
      (file) => file.startsWith("dashboard/") && /^(?:import|export) (?!type )[^;]*\/contract\//m.test(textOf(file)),
    );
    expect(loaded).toEqual([]);
  });

  it("only app/config.ts reads the environment", () => {
    const readers = files.filter((file) => /process\.env\b/.test(readFileSync(join(HOME, file), "utf8")));
    expect(
      readers.filter(
        (file) => file !== "app/config.ts" && file !== "app/metrics-file.ts" && !file.startsWith("tools/"),
      ),
    ).toEqual([]);
  });

  it("model and conditions do not know the clock", () => {
    const pure = files.filter((file) => /^(?:model|messages|alerts\/conditions)\//.test(file));
    const clocks = pure.filter((file) =>
      /Date\.now\(|new Date\(\)|performance\.now|setTimeout|setInterval/.test(readFileSync(join(HOME, file), "utf8")),
    );
    expect(clocks).toEqual([]);
  });

  it("leaves the top folder to the launcher and what tools look for there", () => {
    expect(readdirSync(HOME).filter((name) => /\.tsx?$/.test(name))).toEqual(["vitest.config.ts"]);
  });

  it("keeps the checks of the service out of the page: what it takes from model/ does not load zod", () => {
    const loads = imports.filter(({ isType }) => !isType);
    const reached = new Set(loads.filter(({ folder }) => folder === "dashboard").map(({ target }) => target));
    for (const file of reached) for (const { target } of loads.filter((one) => one.file === file)) reached.add(target);
    expect(reached).toContain("model/alert.ts");
    expect(reached).not.toContain("zod");
  });
  it.each(["dashboard", "api", "contract", "cli", "client", "ingest", "messages", "model", "store"])(
    "has no import circles in %s, types and imports on demand included",
    (of) => {
      expect(circles(local.filter(({ folder }) => folder === of))).toEqual([]);
    },
  );

  it("keeps a file to one idea: none over 600 lines", () => {
    expect(files.filter((file) => textOf(file).split("\n").length > 601)).toEqual([]);
  });

  it("has figures made by the helpers of model/health.ts only", () => {
    const byHand = files.filter((file) => /\btype: "(?:counter|gauge)"/.test(textOf(file)));
    expect(byHand).toEqual(["model/health.ts"]);
  });

  it("has no console output outside the command line and the benchmarks", () => {
    const loud = files.filter(
      (file) => !/^(cli|tools)\//.test(file) && /console\./.test(readFileSync(join(HOME, file), "utf8")),
    );
    expect(loud).toEqual([]);
  });

  it("has timers and cron in background.ts only, but for those that touch neither disk nor store", () => {
    const found = withoutSockets.flatMap((file): [string, number][] => {
      const timers = textOf(file).match(/(?<![.\w])(?:setTimeout|setInterval|setImmediate|schedule)\(/g);
      return timers ? [[file, timers.length]] : [];
    });
    expect(Object.fromEntries(found)).toEqual(BARE_TIMERS);
  });

  it("has nobody listen to events who can reach disk or records, but for those that are known", () => {
    const listening = service.filter(
      (file) =>
        /\.(?:on|once|addListener|prependListener)\("/.test(textOf(file)) &&
        /\b[Rr]ecords\b|node:fs"/.test(textOf(file)),
    );
    expect(listening.sort()).toEqual(Object.keys(LISTENERS).sort());
  });
});
