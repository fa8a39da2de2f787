import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const SHARED = /dashboard\/(shell|words|api|live|parts|messages\/(messages|en))|node_modules\/@?preact|\/model\//;
const DIST = join(import.meta.dirname, "dist");

/** `npm run build`: dashboard/ becomes dashboard/dist, which the API serves at `/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [preloadDesk(), { name: "compress", closeBundle: () => compress(join(DIST, "assets")) }],
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
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "shared", test: SHARED }] } } },
  },
});

/** Most people open the desk: its chunk comes together with the shell's, not after it. */
function preloadDesk(): Plugin {
  return {
    name: "preload-desk",
    transformIndexHtml: {
      order: "post",
      handler: (_html, { bundle }) =>
        Object.keys(bundle ?? {})
          .filter((file) => /\/desk-[\w-]+\.js$/.test(file))
          .map((file) => ({ tag: "link", attrs: { rel: "modulepreload", href: `/${file}` } })),
    },
  };
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
