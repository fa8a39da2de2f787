import { Worker } from "node:worker_threads";
import { isTooMuch } from "./check.ts";
import type { CheckedRules, CheckedText, FromThread, ToThread } from "./check-thread.ts";

/** The rules could not be read in the time or the memory there is for it: that is a fault of theirs. */
export class RulesTooHard extends Error {
  override readonly name = "RulesTooHard";
}

/** Time of a processor. On a busy machine, where the thread steps back, that much takes longer, but not for ever. */
const CHECK_MS_MAX = 2_000;
const LASTS_MS_MAX = 20_000;
const LOOK_EVERY_MS = 100;
const MEMORY_MB_MAX = 256;

type Options = { readonly checkMsMax?: number; readonly thread?: URL };

/**
 * Rules that people send are read in a thread of their own, one text after the other, and the thread is ended when one
 * takes more than 2 seconds of a processor: there are texts that take hours. It is started by the first, and again after an end.
 */
export function createRulesChecker({
  checkMsMax = CHECK_MS_MAX,
  thread: source = new URL("./check-thread.ts", import.meta.url),
}: Options = {}) {
  let thread: Promise<Worker> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let ids = 0;

  function start(): Promise<Worker> {
    const worker = new Worker(source, { resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB_MAX } });
    worker.unref();
    worker.once("exit", () => {
      thread = undefined;
    });
    return new Promise((resolve, reject) => {
      worker.once("message", () => resolve(worker)); // it is ready
      worker.once("error", reject);
    });
  }

  /** Rejects with `RulesTooHard`, or with `signal.reason`. */
  function ask<T extends CheckedText | CheckedRules>(
    question: Omit<ToThread, "id"> & object,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const answer = last.then(() => askNow<T>(question, signal));
    last = answer.catch(() => {});
    return answer;
  }

  async function askNow<T>(question: object, signal: AbortSignal | undefined): Promise<T> {
    thread ??= start();
    const worker = await thread;
    signal?.throwIfAborted();
    const id = ++ids;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const take = (message: FromThread) => "id" in message && message.id === id && resolve(message.result as T);
    const fail = (cause: Error & { readonly code?: string }) => {
      const isMemory = cause.code === "ERR_WORKER_OUT_OF_MEMORY";
      const why = isMemory
        ? `take more than ${MEMORY_MB_MAX} MiB to read: split them`
        : "cannot be read: simplify them";
      reject(new RulesTooHard(`The rules ${why}.`, { cause }));
    };
    const onAbort = () => reject(signal!.reason);
    const end = () => reject(new RulesTooHard("The rules cannot be read: simplify them."));
    const tooLong = () =>
      reject(new RulesTooHard(`The rules take longer than ${checkMsMax / 1_000} s to read: simplify or split them.`));
    const before = await worker.cpuUsage();
    async function look(): Promise<void> {
      const { user, system } = await worker.cpuUsage(before);
      if ((user + system) / 1_000 > checkMsMax) tooLong();
    }
    worker.on("message", take).once("error", fail).once("exit", end);
    signal?.addEventListener("abort", onAbort, { once: true });
    const limit = setTimeout(tooLong, LASTS_MS_MAX);
    // A thread that has just ended cannot be asked; it has said so itself.
    const looking = setInterval(() => void look().catch(() => {}), LOOK_EVERY_MS);
    worker.postMessage({ ...question, id });
    try {
      return await promise;
    } catch (error) {
      await worker.terminate();
      throw error;
    } finally {
      clearTimeout(limit);
      clearInterval(looking);
      worker.off("message", take).off("error", fail).off("exit", end);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  return {
    /** What the API answers to a rules file, as JSON. `known`: ids of the rules in force. */
    text: async (yaml: string, known: readonly string[], signal?: AbortSignal) =>
      (await ask<CheckedText>({ yaml, known }, signal)).body,
    async data(rules: readonly unknown[], signal?: AbortSignal): Promise<CheckedRules> {
      if (isTooMuch(rules)) throw new RulesTooHard("The rules have too many parts, or are nested too deep.");
      return ask<CheckedRules>({ rules }, signal);
    },
  };
}
