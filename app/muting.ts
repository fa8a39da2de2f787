import { z } from "zod";
import { type Figure, gauge, type Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import { MINUTE_MS } from "../model/time.ts";
import { MUTED } from "../store/records/store-state.ts";
import type { Records } from "../store/records.ts";

const Mark = z.discriminatedUnion("why", [
  z.object({ why: z.literal("restored"), backupAt: z.number() }),
  z.object({ why: z.literal("second") }),
]);
type Mark = z.output<typeof Mark>;

export const MUTING_TICK_MS = 5_000;
/** After a start another service with our mark has been heard of within this time, if there is one. */
const HEARD_WITHIN_MS = 10 * MINUTE_MS;

/**
 * Whether this service tells anybody of alerts. One that was restored from a backup does not until somebody says that it is
 * the real one (`takeOver`), nor does one that finds another at work on a copy of its data folder: people would hear
 * everything twice, and of a past that is over. What is to be told waits meanwhile. Never by the name of the machine,
 * which changes with every container.
 */
export function createMuting(parts: {
  readonly records: { readonly storeState: Records["storeState"]; readonly audit: Pick<Records["audit"], "add"> };
  readonly takeOver: boolean;
  /** Another service writes with our mark, and was there before. */
  isOutranked(): boolean;
  readonly now: () => number;
  readonly log: Log;
}) {
  const { records, takeOver, isOutranked, now, log } = parts;
  const { storeState, audit } = records;
  const startedAt = now();
  let mark = Mark.optional().catch(undefined).parse(storeState.get(MUTED));

  if (mark && takeOver) {
    audit.add({ at: now(), by: "lamppost", what: "service.take-over", target: "alerts", detail: wordsOf(mark) });
    log.info({}, "people are told of alerts again: this is the real service (--take-over)");
    save(undefined);
  } else if (mark) log.warn({}, wordsOf(mark));

  function save(next: Mark | undefined): void {
    storeState.set(MUTED, next);
    mark = next;
  }

  /** Call it every few seconds. */
  function tick(): void {
    if (mark?.why === "restored") return;
    const isSecond = isOutranked();
    if (isSecond && !mark) {
      save({ why: "second" });
      log.warn({}, wordsOf(mark!));
    } else if (!isSecond && mark && Math.abs(now() - startedAt) > HEARD_WITHIN_MS) {
      save(undefined);
      log.info({}, "people are told of alerts again: nothing was heard of the other service for ten minutes");
    }
  }

  function health(): readonly Health[] {
    return mark ? [{ part: "muted", state: "degraded", ready: true, reason: wordsOf(mark) }] : [];
  }

  return {
    tick,
    isMuted: () => mark !== undefined,
    health,
    figures: (): readonly Figure[] => [
      gauge(
        "lamppost_muted",
        "1 while nobody is told of alerts, because this may not be the real service.",
        mark ? 1 : 0,
      ),
    ],
  };
}

function wordsOf(mark: Mark): string {
  const because =
    mark.why === "restored"
      ? `this data folder was restored from the backup of ${new Date(mark.backupAt).toISOString()}, and the service it was made of may still run`
      : "another service works on a copy of this data folder, and was there before";
  return `Nobody is told of alerts: ${because}. If this is the real one, start it with: lamppost start --take-over`;
}
