/** The page opens without a connection from now on. Browsers have workers for https and localhost only. */
export function registerWorker(): void {
  navigator.serviceWorker?.register("/service-worker.js").catch(() => {}); // it works without, too
}
