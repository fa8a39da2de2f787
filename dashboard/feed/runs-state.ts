import { signal } from "@preact/signals";
import type { RecordingsView, SimulationsView } from "../../contract/simulation.ts";
import { request } from "../api/client.ts";

const ASK_EVERY_MS = 1_500;

/** What runs and what is recorded, asked again while this part is open, and at once after something was done. */
export function followRuns() {
  const simulations = signal<SimulationsView | undefined>(undefined);
  const recordings = signal<RecordingsView | undefined>(undefined);
  const problem = signal<unknown>(undefined);
  const over = new AbortController();

  async function ask(): Promise<void> {
    try {
      const [running, recorded] = await Promise.all([
        request<SimulationsView>("GET", "/simulations", undefined, over.signal),
        request<RecordingsView>("GET", "/recordings", undefined, over.signal),
      ]);
      simulations.value = running;
      recordings.value = recorded;
      problem.value = undefined;
    } catch (error) {
      if (!over.signal.aborted) problem.value = error;
    }
  }

  /** Does something, then looks what came of it. */
  async function act(work: () => Promise<unknown>): Promise<void> {
    await work();
    await ask();
  }

  void ask();
  const timer = setInterval(() => document.visibilityState === "visible" && void ask(), ASK_EVERY_MS);
  return {
    simulations,
    recordings,
    problem,
    act,
    close(): void {
      clearInterval(timer);
      over.abort();
    },
  };
}

export type FollowedRuns = ReturnType<typeof followRuns>;
