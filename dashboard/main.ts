// Who this is, is asked before the page's own script is there: on a slow line that is a round trip less. This file is the
// document's only script and imports nothing, so it runs first; `vite.config.ts` has the rest come at the same time.
const who = fetch("/api/v1/session", { headers: { accept: "application/json" }, cache: "no-store" });
who.catch(() => {}); // shown where it is used
void import("./start.tsx").then(({ start }) => start(who));
