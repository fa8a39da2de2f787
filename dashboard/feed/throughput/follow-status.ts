import { signal } from "@preact/signals";
import { request } from "../../api/client.ts";
import { addSample, type Sample, type StatusView, sampleOf } from "./status-history.ts";

const ASK_EVERY_MS = 3_000;

/** Kept while the page lives, also when another part of it is looked at meanwhile. */
const samples = signal<readonly Sample[]>([]);

/** Asks every few seconds while it is open. */
export function followStatus() {
  const status = signal<StatusView | undefined>(undefined);
  const problem = signal<unknown>(undefined);
  const over = new AbortController();

  async function ask(): Promise<void> {
    if (document.visibilityState !== "visible") return;
    try {
      const answer = await request<StatusView>("GET", "/status", undefined, over.signal);
      status.value = answer;
      samples.value = addSample(samples.peek(), sampleOf(answer));
      problem.value = undefined;
    } catch (error) {
      if (!over.signal.aborted) problem.value = error;
    }
  }

  void ask();
  const timer = setInterval(() => void ask(), ASK_EVERY_MS);
  return {
    ...{ status, problem, samples },
    close(): void {
      clearInterval(timer);
      over.abort();
    },
  };
}
