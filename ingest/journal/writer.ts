import type { Log } from "../../model/log.ts";
import { HOUR_MS } from "../../model/time.ts";
import { createCommitter } from "./committer.ts";
import type { JournalFs } from "./fs.ts";
import { createGathering } from "./gathering.ts";
import type { JournalWriter, RecoveryReport } from "./journal.ts";
import { nodeFs } from "./node-fs.ts";
import { type Booked, recover } from "./recovery.ts";
import { createSegments, type FaultPoint } from "./segments.ts";
import { createSpaceWatch } from "./space.ts";

export type JournalOptions = {
  readonly dir: string;
  /** A segment is closed before it would grow beyond this. 64 MiB. */
  readonly segmentBytes?: number;
  /** Below this much free space messages are refused. 256 MiB. */
  readonly freeBytesMin?: number;
  /** What one sync makes durable at most, and the size of the chunks handed on. 1 MiB. */
  readonly batchBytesMax?: number;
  /** More than this waiting for the disk: messages are refused. 32 MiB. */
  readonly waitingBytesMax?: number;
  /** A released segment is kept for so long after its last record, for a rebuild of the store … 0. */
  readonly keepForMs?: number;
  /** … the oldest only while all of them together have no more bytes than this. 1 GiB. */
  readonly keepBytesMax?: number;
  /** After this time a segment is closed although it has room, so that its records can be deleted. 1 h. */
  readonly rotateAfterMs?: number;
  /** How often a full disk is looked at again. 1 s. */
  readonly probeEveryMs?: number;
  /** The consumers' durable offsets: shows records that are missing at either end, and keeps their numbers from being given again. */
  readonly booked?: Booked;
};

export type JournalPorts = {
  readonly fs?: JournalFs;
  readonly now: () => number;
  readonly log: Log;
  /** Called at points where a test harness may stop the process. */
  readonly at?: (point: FaultPoint) => void;
};

export type OpenJournal = {
  readonly writer: JournalWriter;
  readonly recovery: RecoveryReport;
  /** Looks at once whether a full disk has room again. */
  readonly probe: () => Promise<void>;
};

/**
 * Opens (or begins) the journal in `dir`; one process may hold it. @throws what the file system throws, except for a full
 * disk: then the journal opens in the state "full".
 */
export async function openJournalWriter(options: JournalOptions, ports: JournalPorts): Promise<OpenJournal> {
  const { dir, segmentBytes = 64 * 1024 * 1024, freeBytesMin = 256 * 1024 * 1024, booked } = options;
  const { fs = nodeFs, log, at } = ports;
  const recovered = await recover({ fs, dir, log }, segmentBytes, booked);
  const { report, salt } = recovered;
  const { keepForMs = 0, keepBytesMax = 1024 ** 3, rotateAfterMs = HOUR_MS } = options;
  const segments = createSegments(
    { dir, segmentBytes, salt, keepForMs, keepBytesMax, rotateAfterMs },
    { fs, log, now: ports.now, at },
    recovered.segments,
  );
  const space = createSpaceWatch(fs, dir, freeBytesMin, ports.now);
  const gathering = createGathering(
    {
      batchBytesMax: Math.min(options.batchBytesMax ?? 1024 * 1024, segmentBytes),
      waitingBytesMax: options.waitingBytesMax ?? 32 * 1024 * 1024,
    },
    salt,
  );
  const { probeEveryMs = 1_000 } = options;
  const committer = createCommitter({ first: report.next, probeEveryMs }, { segments, space, gathering, log });
  // A segment is made now, not at the first append: its name is what keeps the numbers from going backwards.
  await committer.begin(recovered.lastIsFresh);
  return { writer: committer.writer, recovery: report, probe: committer.probe };
}
