import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

const NICE = 10;

/** Called in a thread: ingest goes first where there are too few cores. On Linux a thread has a priority of its own. */
export function stepBack(): void {
  try {
    setPriority(Number(readlinkSync("/proc/thread-self").split("/").at(-1)), NICE);
  } catch {
    // Elsewhere, or not allowed: the threads share alike.
  }
}
