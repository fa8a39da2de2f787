import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { loadRules } from "../alerts/rules/check.ts";
import { METRICS, METRICS_OF, type MetricRow } from "../model/metrics.ts";
import { REASONS } from "../model/rejection.ts";
import { levelRules } from "../model/rule.ts";
import { HOME, runCli } from "./helpers/city.ts";

/** Documentation is part of the change: what it names must exist, and its tables are those of the code. */
const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ...markdownIn("docs")];
const text = (page: string) => readFileSync(join(HOME, page), "utf8");

function markdownIn(dir: string): string[] {
  return readdirSync(join(HOME, dir), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(dir, name));
}

describe("the documentation", () => {
  it("links only to files that exist", () => {
    const broken = pages.flatMap((page) =>
      [...text(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)]
        .map((match) => join(page, "..", match[1]!))
        .filter((target) => !exists(target))
        .map((target) => `${page} -> ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it("walks through functions that are in the files it names", () => {
    const rows = [...text("docs/architecture.md").matchAll(/^\| (`[^|]*\.tsx?`) \| (`\w+`(?:, `\w+`)*) \|$/gm)];
    expect(rows.length).toBeGreaterThan(5);
    const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const missing = rows.flatMap(([, files, functions]) => {
      const code = names(files!)
        .map((file) => text(file))
        .join("\n");
      const isThere = (name: string) =>
        new RegExp(`(?:function |^ +(?:async )?|const )${name}\\b ?[(=<:]`, "m").test(code);
      return names(functions!)
        .filter((name) => !isThere(name))
        .map((name) => `${files}: ${name}`);
    });
    expect(missing).toEqual([]);
  });

  it("takes a reading through few functions and files", () => {
    const [, way = ""] = text("docs/architecture.md").split("## The way of one reading");
    const rows = [...way.split("\n## ")[0]!.matchAll(/^\| `([^`|]*\.ts)` \| (.*) \|$/gm)];
    expect(rows.at(0)?.[1]).toBe("broker/publish-gate.ts");
    expect(rows.at(-1)?.[1]).toBe("store/duckdb/store.ts");
    expect(new Set(rows.map(([, file]) => file)).size).toBeLessThanOrEqual(12);
    expect(rows.flatMap(([, , functions]) => functions!.split(", ")).length).toBeLessThanOrEqual(25);
  });

  it("names only npm scripts that exist", () => {
    const { scripts } = JSON.parse(text("package.json"));
    const named = pages.flatMap((page) =>
      [...text(page).matchAll(/npm (?:run ([a-z][a-z0-9:-]*)|(start|test)\b)/g)].map(
        (match) => (match[1] ?? match[2])!,
      ),
    );
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !Object.keys(scripts).includes(name))).toEqual([]);
  });

  it("names only commands that exist", async () => {
    const named = pages.flatMap((page) =>
      [...text(page).matchAll(/\.\/lamppost ([a-z]+)(?: ([a-z]+))?/g)].map(([, command, part]) => ({ command, part })),
    );
    expect(named.length).toBeGreaterThan(5);
    const program = new Command();
    for (const file of globSync("cli/*.ts", { cwd: HOME })) {
      if (text(file).includes("export function register(")) (await import(join(HOME, file))).register(program);
    }
    const { stdout } = await runCli(["--help"], { PATH: process.env.PATH });
    const unknown = named.filter(({ command, part }) => {
      const found = program.commands.find((one) => one.name() === command && stdout.includes(`  ${command} `));
      // A word after a command that has no commands of its own is an argument, such as a name.
      const parts = found?.commands.map((one) => one.name()) ?? [];
      return !found || (part !== undefined && parts.length > 0 && !parts.includes(part));
    });
    expect(unknown).toEqual([]);
  });

  it("lists every metric with its unit and limits, as the code has them", () => {
    const table = section("docs/mqtt-contract.md", "metrics");
    expect(table, "docs/mqtt-contract.md between <!-- metrics --> has the rows of model/metrics.ts").toBe(
      metricTable(),
    );
  });

  it("lists every reason, as the code has them", () => {
    expect(section("docs/mqtt-contract.md", "reasons")).toBe(reasonTable());
  });

  it("lists every default rule with its source, as the code has them", () => {
    expect(section("docs/rules.md", "rules")).toBe(ruleTable());
  });
});

/** The lines between `<!-- name -->` and `<!-- /name -->` of a page. */
function section(page: string, name: string): string {
  const [, after = ""] = text(page).split(`<!-- ${name} -->\n`);
  return after.split(`<!-- /${name} -->`)[0]!.trim();
}

function metricTable(): string {
  const kindsOf = (metric: string) =>
    Object.entries(METRICS_OF).flatMap(([kind, list]) => ((list as readonly string[]).includes(metric) ? [kind] : []));
  const rows = Object.entries(METRICS as Record<string, MetricRow>).map(([name, row]) => {
    const kinds = kindsOf(name);
    return `| \`${name}\` | ${row.label} | ${row.unit || "1"} | ${kinds.length === 3 ? "any" : kinds.join(", ")} | ${span(row.fail)} | ${span(row.suspect)} |`;
  });
  return [
    "| key | what | unit | kind | rejected outside | suspect outside |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function reasonTable(): string {
  const rows = Object.entries(REASONS).map(([reason, sentence]) => `| \`${reason}\` | ${sentence} |`);
  return ["| reason | what it means |", "|---|---|", ...rows].join("\n");
}

function ruleTable(): string {
  const levels = loadRules().flatMap((rule) => levelRules(rule).map((one, i) => ({ ...one, level: i + 1 })));
  const rows = levels.map(({ id, level, kind, metric, condition, severity, audience, source, formerly }) => {
    const { type, ...details } = condition;
    const words = Object.entries(details).map(
      ([key, value]) =>
        `${key} ${typeof value === "object" && "times" in value ? `${value.times} x ${value.tag}` : value}`,
    );
    const name = level === 1 ? `\`${id}\`` : `\`${id}\`, level ${level}`;
    const was = formerly === undefined ? "" : ` (was \`${formerly}\`)`;
    return `| ${name}${was} | ${kind}${metric ? ` ${metric}` : ""} | ${type}: ${words.join(", ")} | ${severity}, ${audience} | ${source.text} |`;
  });
  return ["| rule | watches | condition | for | source |", "|---|---|---|---|---|", ...rows].join("\n");
}

const span = ([low, high]: readonly [number, number]) => `${low} … ${high}`;

function exists(path: string): boolean {
  try {
    readFileSync(join(HOME, path));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EISDIR";
  }
}
