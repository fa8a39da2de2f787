import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig } from "vite";

const DIST = join(import.meta.dirname, "dist");

/** `npm run build`: dashboard/ becomes dashboard/dist, which the API serves at `/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [{ name: "compress", closeBundle: () => compress(join(DIST, "assets")) }],
  build: {
    target: "es2023",
    cssTarget: ["chrome123", "firefox121", "safari17.5"], // light-dark() stays as it is
    outDir: "dist",
    emptyOutDir: true,
    // The policy of the page allows images as data:, but no fonts or scripts; small pictures may be inlined.
    assetsInlineLimit: 2_048,
    // Vite's polyfill for old browsers would be a script of its own.
    modulePreload: { polyfill: false },
  },
});

/** Once at the build, so that the service sends the small form without compressing anything itself. */
function compress(dir: string): void {
  for (const name of readdirSync(dir).filter((one) => /\.(js|css|svg)$/.test(one))) {
    const bytes = readFileSync(join(dir, name));
    const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    writeFileSync(join(dir, `${name}.br`), brotliCompressSync(bytes, { params }));
    writeFileSync(join(dir, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  }
}
