import { defineConfig } from "vite";

/** `npm run build`: dashboard/ becomes dashboard/dist, which the API serves at `/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
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
