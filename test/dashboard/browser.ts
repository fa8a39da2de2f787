import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { type City, HOME } from "../helpers/city.ts";
import { needs, programPath } from "../helpers/needs.ts";

const CHROMIUM = process.env.LAMPPOST_CHROMIUM;
/** For `describe.runIf`: without Chromium the suite says so and is skipped; in CI that is a failure. */
export const HAS_BROWSER = CHROMIUM !== undefined || needs("chromium");
const SHOTS = join(import.meta.dirname, "screenshots");
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
export const SIZES = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;
export type Theme = "light" | "dark" | "contrast";

/** One for all test files of a process, which takes it along when it ends: each visit has a profile of its own. */
let browser: Promise<Browser> | undefined;

/** Throws where there is no built page, because every test would fail without saying why. */
async function openBrowser(): Promise<Browser> {
  if (!existsSync(join(HOME, "dashboard/dist/index.html")))
    throw new Error("npm run build first: dashboard/dist is missing");
  return chromium.launch({
    executablePath: CHROMIUM ?? programPath("chromium")!,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
      "--disable-sync",
    ],
  });
}

/** What a file's tests have left open: pages go on asking their service. */
export async function closeVisits(): Promise<void> {
  const opened = await browser;
  await Promise.all(opened?.contexts().map((context) => context.close()) ?? []);
}

export type Visit = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page complained about and asked of others: both must stay empty. */
  readonly complaints: readonly string[];
  goTo(path: string): Promise<void>;
  close(): Promise<void>;
};

export type VisitOptions = {
  /** A token to sign in with; without it nobody is signed in. */
  readonly token?: string;
  readonly size?: keyof typeof SIZES;
  readonly theme?: Theme;
  readonly language?: string;
  readonly touch?: boolean;
};

/** A fresh browser profile at the service, signed in if wished, that notes every complaint. */
export async function visit(city: Pick<City, "http">, options: VisitOptions = {}): Promise<Visit> {
  browser ??= openBrowser();
  const context = await (await browser).newContext({
    viewport: SIZES[options.size ?? "desk"],
    baseURL: city.http,
    locale: options.language ?? "en-GB",
    timezoneId: "Europe/Berlin",
    hasTouch: options.touch ?? false,
    isMobile: options.touch ?? false,
  });
  context.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.stack ?? error.message}`));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(city.http))
      complaints.push(`asks ${request.url()}`);
  });
  const { theme } = options;
  if (theme) await context.addInitScript((kept) => localStorage.setItem("lamppost", kept), JSON.stringify({ theme }));
  if (options.token) await context.request.post("/api/v1/session", { data: { token: options.token } });
  return {
    page,
    context,
    complaints,
    goTo: async (path) => void (await page.goto(path)),
    close: () => context.close(),
  };
}

/** A picture for people to look at, in a folder that git does not keep; none in `npm test`, where nobody looks. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (process.env.TESTS_MODE === "quick") return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

/** The same in each theme, with a picture of each. Another theme is other colours and nothing else, so that one page serves for all. */
export async function expectEachTheme(page: Page, name: string): Promise<void> {
  await expectAccessible(page);
  for (const theme of ["light", "dark", "contrast"] satisfies Theme[]) {
    await page.evaluate((chosen) => document.documentElement.setAttribute("data-theme", chosen), theme);
    if (theme !== "light") await expectAccessible(page, ["color-contrast"]);
    await shoot(page, `${name}-${theme}`);
  }
}

type Axe = {
  run(context: Document, options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
};

/** Fails with every violation that axe finds: WCAG 2.2 A and AA, and its best practices, or `only` some of its rules. */
export async function expectAccessible(page: Page, only?: readonly string[]): Promise<void> {
  // By the debugger and not by a script element, which the page's policy would refuse, and rightly.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(readFileSync(AXE, "utf8"));
  const options = { resultTypes: ["violations"], ...(only ? { runOnly: only } : {}) };
  const found = await page.evaluate(async (wanted) => {
    const { axe } = window as unknown as { axe: Axe };
    const { violations } = await axe.run(document, wanted);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }, options);
  expect(found).toEqual([]);
}
