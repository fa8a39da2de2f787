import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin, type Rolldown, transformWithOxc } from "vite";

const SHARED =
  /dashboard\/(shell|words|api|live|parts|messages\/(messages|en\/(first|alerts|map|sensors)))|\/messages\/en\/metrics\.ts|node_modules\/@?preact|\/model\/(alert|city-metrics|kinds|metrics|site|stand-ins|time)\.ts/;
const DIST = join(import.meta.dirname, "dist");

/** `npm run build`: dashboard/ becomes dashboard/dist, which the API serves at `/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [preloadDesk(), serviceWorker(), { name: "compress", closeBundle: () => compress(join(DIST, "assets")) }],
  // The thread that draws base maps is a module of its own.
  worker: { format: "es" },
  build: {
    target: "es2023",
    cssTarget: ["chrome123", "firefox121", "safari17.5"], // light-dark() stays as it is
    outDir: "dist",
    emptyOutDir: true,
    // The policy of the page allows images as data:, but no fonts or scripts; small pictures may be inlined.
    assetsInlineLimit: 2_048,
    // Vite's polyfill for old browsers would be a script of its own.
    modulePreload: { polyfill: false },
    // On a slow line each file costs a round trip: one style sheet, one chunk of what every page uses, one for each page.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "preload", test: /preload-helper/, priority: 1 },
            { name: "shared", test: SHARED },
            // Large, and changed less often than the page that edits rules.
            { name: "codemirror", test: /node_modules\/(@codemirror|@lezer|@marijn|crelt|style-mod|w3c-keyname)/ },
          ],
        },
      },
    },
  },
});

/** The shell comes together with the document's small script, not after it, and the desk, which most people open, as well. */
function preloadDesk(): Plugin {
  return {
    name: "preload-desk",
    transformIndexHtml: {
      order: "post",
      handler: (_html, { bundle = {} }) =>
        [...withImports(bundle, /\/(start|desk\/desk)\.tsx$/)].map((file) => ({
          tag: "link",
          injectTo: "head" as const,
          attrs: { rel: "modulepreload", crossorigin: true, href: `/${file}` },
        })),
    },
  };
}

/** The chunks of these modules, and what they import. */
function withImports(bundle: Rolldown.OutputBundle, modules: RegExp): Set<string> {
  const wanted = new Set<string>();
  const add = (file: string) => {
    const chunk = bundle[file];
    if (chunk?.type !== "chunk" || wanted.has(file)) return;
    wanted.add(file);
    chunk.imports.forEach(add);
  };
  for (const chunk of Object.values(bundle)) {
    if (chunk.type === "chunk" && modules.test(chunk.facadeModuleId ?? "")) add(chunk.fileName);
  }
  return wanted;
}

/**
 * The worker that lets `/crew` open without a connection: a file of its own at the root, or it could not stand before the
 * whole page. It is told which files that takes, in every language, and a hash over them: a new build is a new worker.
 */
function serviceWorker(): Plugin {
  const source = join(import.meta.dirname, "crew/service-worker.ts");
  return {
    name: "service-worker",
    enforce: "post",
    async generateBundle(_options, bundle) {
      const files = shellOf(bundle).sort();
      const html = bundle["index.html"] as Rolldown.OutputAsset;
      const { code } = await transformWithOxc(readFileSync(source, "utf8"), source);
      const version = createHash("sha256").update(`${files} ${html.source} ${code}`).digest("hex").slice(0, 16);
      const shell = ["/", "/city-metrics.js", "/icon.svg", "/manifest.webmanifest", ...files.map((file) => `/${file}`)];
      const told = `const SHELL = ${JSON.stringify(shell)};\nconst VERSION = "${version}";\n`;
      this.emitFile({ type: "asset", fileName: "service-worker.js", source: told + code });
    },
  };
}

/** The document's scripts and styles, the crews' page, the languages, and what these import. */
function shellOf(bundle: Rolldown.OutputBundle): string[] {
  const styles = Object.keys(bundle).filter((file) => file.endsWith(".css"));
  const entries = Object.values(bundle).flatMap((one) => (one.type === "chunk" && one.isEntry ? [one.fileName] : []));
  return [...entries, ...styles, ...withImports(bundle, /\/(start\.tsx|crew\/crew\.tsx|messages\/(en|de|es)\.ts)$/)];
}

/** Once at the build, so that the service sends the small form without compressing anything itself. */
function compress(dir: string): void {
  for (const name of readdirSync(dir).filter((one) => /\.(js|css|svg)$/.test(one))) {
    const bytes = readFileSync(join(dir, name));
    const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    writeFileSync(join(dir, `${name}.br`), brotliCompressSync(bytes, { params }));
    writeFileSync(join(dir, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  }
}
