import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * The import rules of docs/architecture.md, read from the sources. Folders are roles: a file that needs two of them
 * belongs into a composition root (app.ts, edge.ts) or the command line.
 */
const HOME = resolve(import.meta.dirname, "..");
const FOLDERS = ["model", "broker", "ingest", "store", "alerts", "api", "simulators", "cli", "bench", "dashboard"];
const ROOTS = [
  "app.ts",
  "addresses.ts",
  "alerts-start.ts",
  "background.ts",
  "rules-start.ts",
  "start-error.ts",
  "simulations-start.ts",
  "store-start.ts",
  "edge.ts",
  "edge-link.ts",
  "edge-news.ts",
  "edge-protocol.ts",
];
/** These may be imported from the named file by the named folders, beside `model/`, which everyone may import. */
const PORTS: Record<string, readonly string[]> = {
  "store/reading-store.ts": ["ingest", "alerts", "api"],
  "store/records.ts": ["ingest", "alerts", "api"],
};
const HOMES: Record<string, readonly string[]> = {
  aedes: ["broker"],
  ws: ["broker"],
  mqtt: ["ingest", "simulators"],
  "@duckdb/node-api": ["store"],
  "@influxdata/influxdb-client": ["store"],
  "node-cron": ["store"],
  fastify: ["api"],
  "fastify-type-provider-zod": ["api"],
  "prom-client": ["api"],
  yaml: ["alerts"],
  nodemailer: ["alerts"],
  commander: ["cli"],
  "cli-progress": ["cli"],
  "csv-parse": ["simulators"],
  pino: ["app.ts", "edge.ts", "cli"],
  vite: ["dashboard"],
  preact: ["dashboard"],
  "@preact/signals": ["dashboard"],
  uplot: ["dashboard"],
  leaflet: ["dashboard"],
};
const ANYWHERE = ["zod"];

type Import = { file: string; folder: string; isLocal: boolean; target: string };

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

const files = [
  ...FOLDERS.flatMap((folder) => {
    try {
      return sources(join(HOME, folder));
    } catch {
      return [];
    }
  }),
  ...readdirSync(HOME)
    .filter((name) => name.endsWith(".ts") && name !== "vitest.config.ts")
    .map((name) => join(HOME, name)),
].map((path) => relative(HOME, path));

const folderOf = (file: string) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : file);

/** `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")` and workers' `new URL("x", import.meta.url)`. */
const IMPORT = /^(?:import|export)\b(?:[^"';]*?\sfrom)?\s*"([^"]+)"|(?:import|new URL)\("([^"]+)"/gm;

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(HOME, file), "utf8");
  const specifiers = [...text.matchAll(IMPORT)].map((match) => (match[1] ?? match[2])!);
  return specifiers.map((specifier) => ({
    file,
    folder: folderOf(file),
    isLocal: specifier.startsWith("."),
    target: specifier.startsWith(".") ? relative(HOME, join(HOME, dirname(file), specifier)) : specifier,
  }));
});
const local = imports.filter(({ isLocal }) => isLocal);
const packages = imports.filter(({ isLocal, target }) => !isLocal && !target.startsWith("node:"));

function allowed({ folder, target }: Import): boolean {
  const to = folderOf(target);
  if (ROOTS.includes(folder) || folder === "cli" || folder === "bench") return true;
  if (to === folder) return true;
  if (folder === "model") return false;
  return to === "model" || (PORTS[target]?.includes(folder) ?? false);
}

const show = (list: Import[]) => list.map(({ file, target }) => `${file} -> ${target}`);

describe("the house", () => {
  it("reads enough to mean something", () => {
    expect(files.length).toBeGreaterThan(60);
    expect(local.length).toBeGreaterThan(100);
  });

  it("folders import only model/ and the two ports", () => {
    expect(show(local.filter((one) => !allowed(one)))).toEqual([]);
  });

  it("every package has one home", () => {
    const stray = packages.filter(({ folder, target }) => {
      const name = target.startsWith("@") ? target.split("/").slice(0, 2).join("/") : target.split("/")[0]!;
      if (ANYWHERE.includes(name)) return false;
      const homes = name.startsWith("@fastify/") ? ["api"] : (HOMES[name] ?? []);
      return folder !== "bench" && !homes.includes(folder);
    });
    expect(show(stray)).toEqual([]);
  });

  it("model imports zod only", () => {
    expect(show(packages.filter(({ folder, target }) => folder === "model" && target !== "zod"))).toEqual([]);
  });

  it("only config.ts reads the environment", () => {
    const readers = files.filter((file) => /process\.env\b/.test(readFileSync(join(HOME, file), "utf8")));
    expect(readers.filter((file) => file !== "config.ts" && !file.startsWith("bench/"))).toEqual([]);
  });

  it("model and conditions do not know the clock", () => {
    const pure = files.filter((file) => file.startsWith("model/") || file.startsWith("alerts/conditions/"));
    const clocks = pure.filter((file) =>
      /Date\.now\(|new Date\(\)|performance\.now|setTimeout|setInterval/.test(readFileSync(join(HOME, file), "utf8")),
    );
    expect(clocks).toEqual([]);
  });

  it("keeps files short: none over 500 lines, median at most 80", () => {
    const lines = files.map((file) => readFileSync(join(HOME, file), "utf8").split("\n").length - 1);
    expect(files.filter((_, i) => lines[i]! > 500)).toEqual([]);
    expect(lines.sort((a, b) => a - b)[Math.floor(lines.length / 2)]).toBeLessThanOrEqual(80);
  });

  it("has no console output outside the command line and the benchmarks", () => {
    const loud = files.filter(
      (file) => !/^(cli|bench)\//.test(file) && /console\./.test(readFileSync(join(HOME, file), "utf8")),
    );
    expect(loud).toEqual([]);
  });
});
