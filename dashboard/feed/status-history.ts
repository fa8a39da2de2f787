import type { StatusView } from "../../contract/status.ts";
import type { Point } from "../chart/chart-data.ts";

/** What the page keeps of each answer. Totals only ever grow, until the service starts anew. */
export type Sample = {
  readonly at: number;
  readonly messages: number;
  readonly stored: number;
  readonly repeated: number;
  readonly lag: { readonly store: number; readonly alerts: number; readonly live: number };
};

const KEPT_MS = 30 * 60_000;

/** The figure of this name, and of this label's value; 0 where the service has none. */
export function figureOf(status: StatusView, name: string, label?: string): number {
  const fits = status.figures.filter(
    (one) => one.name === name && (label === undefined || Object.values(one.labels ?? {}).includes(label)),
  );
  return fits.reduce((sum, { value }) => sum + value, 0);
}

export function sampleOf(status: StatusView): Sample {
  const readings = (outcome: string) => figureOf(status, "lamppost_store_readings_total", outcome);
  const lag = (consumer: string) => figureOf(status, "lamppost_consumer_lag_messages", consumer);
  return {
    at: Date.parse(status.at),
    messages: figureOf(status, "lamppost_journal_next_sequence"),
    stored: readings("stored"),
    repeated: readings("duplicate"),
    lag: { store: lag("store"), alerts: lag("alerts"), live: lag("live") },
  };
}

/** With the newest, and without what is older than half an hour. */
export function addSample(samples: readonly Sample[], sample: Sample): Sample[] {
  return [...samples.filter(({ at }) => at > sample.at - KEPT_MS && at < sample.at), sample];
}

/** Longer than this without an answer is a gap and not a slow line. */
const GAP_MS = 30_000;

/** Per second between one sample and the next. A total that fell (a restart) or a gap has no rate. */
export function ratesOf(samples: readonly Sample[], total: "messages" | "stored" | "repeated"): Point[] {
  return samples.slice(1).map((sample, i): Point => {
    const before = samples[i]!;
    const [grown, ms] = [sample[total] - before[total], sample.at - before.at];
    return [sample.at, grown < 0 || ms > GAP_MS ? undefined : (grown * 1_000) / ms];
  });
}

export function lagOf(samples: readonly Sample[], consumer: keyof Sample["lag"]): Point[] {
  return samples.flatMap(({ at, lag }, i): Point[] => {
    const before = samples[i - 1]?.at ?? at;
    return at - before > GAP_MS
      ? [
          [before + 1, undefined],
          [at, lag[consumer]],
        ]
      : [[at, lag[consumer]]];
  });
}
