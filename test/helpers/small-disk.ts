import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of the test's own that may be filled without harm. */
export type SmallDisk = {
  readonly folder: string;
  /** Puts ballast on it until only so many bytes are free. */
  fill(leaveBytes: number): void;
  /** Takes the ballast away. */
  free(): void;
  remove(): void;
};

const MIB = 1024 * 1024;

/**
 * Mounts a tmpfs; undefined where that is not allowed, which is said in one line and is an error where nothing may be
 * left out (`LAMPPOST_NO_SKIPS=1`).
 */
export function mountSmallDisk(sizeMib: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), "lamppost-disk-"));
  const ballast = join(folder, "ballast");
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMib}m`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    rmSync(folder, { recursive: true });
    const text = "a tmpfs cannot be mounted here: the tests of a full disk do not run";
    if (process.env.LAMPPOST_NO_SKIPS === "1") throw new Error(`${text}, and LAMPPOST_NO_SKIPS=1 forbids that`);
    process.stderr.write(`${text}\n`);
    return undefined;
  }

  function freeBytes(): number {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  }

  return {
    folder,
    fill(leaveBytes) {
      const chunk = Buffer.alloc(MIB);
      for (let room = freeBytes() - leaveBytes; room > 0; room = freeBytes() - leaveBytes) {
        try {
          writeFileSync(ballast, chunk.subarray(0, Math.min(MIB, room)), { flag: "a" });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
          return; // somebody else has written meanwhile
        }
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove() {
      // Lazily: a process that a failed test left behind may still have files open.
      execFileSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true });
    },
  };
}
