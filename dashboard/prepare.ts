/**
 * Run by npm after an install from the lockfile, so that `npm ci && npm start` has its page. Where the development packages are
 * left out there is nothing to build with: then the page comes from elsewhere (see the Dockerfile) and this is no error.
 */
const vite = await import("vite").catch((error: NodeJS.ErrnoException) => {
  if (error.code === "ERR_MODULE_NOT_FOUND") return undefined;
  throw error;
});
await vite?.build({ root: import.meta.dirname, logLevel: "warn" });
