import { useState } from "preact/hooks";

/** One request at a time, and what became of it: for buttons and forms. */
export function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();

  /** True if it went well. */
  async function attempt(work: () => Promise<void>): Promise<boolean> {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(error);
      return false;
    } finally {
      setBusy(false);
    }
  }

  return { busy, problem, attempt };
}
