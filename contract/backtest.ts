import { z } from "zod";
import type { TimelineEntry, Transition } from "../model/alert.ts";
import { parseDuration } from "../model/time.ts";
import { type AlertView, viewAlert } from "./alert.ts";
import { type EpochTimes, Id, type Sent, Time, type View } from "./common.ts";
import { FiguresBody } from "./rule.ts";

const span = z.string().refine((text) => text === "0s" || parseDuration(text) !== undefined, {
  error: "Write a whole number followed by s, m, h or d, such as 1d.",
});
const spanOfTime = {
  from: Time,
  to: Time,
  warmUp: span.default("1d").describe("Read so much before `from`, so that windows are full when the span begins"),
  sensor: Id.optional().describe("Only this sensor"),
};
export const BacktestOne = z
  .strictObject({ ...spanOfTime, rule: z.looseObject({}).optional().describe("Instead of the one in force") })
  .meta({ id: "BacktestOfRule" });
export type BacktestOne = Sent<typeof BacktestOne>;
export const BacktestMany = z
  .strictObject({ ...spanOfTime, rules: z.array(z.looseObject({})).min(1).max(1_000) })
  .meta({ id: "BacktestOfRules" });
export type BacktestMany = Sent<typeof BacktestMany>;

/** An alert as a backtest tells it: without what only people and the live service know. */
const BacktestAlertBody = z.looseObject({
  id: z.string(),
  startedAt: Time,
}) as unknown as z.ZodType<
  Omit<AlertView, "handling" | "timeline"> & {
    readonly timeline: readonly Omit<AlertView["timeline"][number], "knownAt" | "by">[];
  }
>;
/** The same as in the records, without what only the live service knows: its timeline goes by event time. */
export type BacktestAlert = Omit<Transition["alert"], "mode"> & {
  readonly timeline: readonly Omit<TimelineEntry, "knownAt" | "by">[];
};

const figures = { ...FiguresBody.shape };
export const BacktestBody = z
  .looseObject({
    from: Time,
    to: Time,
    readings: z.number().int(),
    figures: FiguresBody,
    byRule: z.array(z.object({ rule: z.string(), ...figures })),
    // The noisiest first.
    bySubject: z.array(z.object({ rule: z.string(), subject: z.string(), ...figures })),
    // By start; `dropped` is how many beyond the limit of those that are kept, counted nowhere else.
    alerts: z.array(BacktestAlertBody),
    dropped: z.number().int(),
    // Rules that threw.
    failures: z.array(z.object({ rule: z.string(), failure: z.string() })),
    // Rules that history cannot show: what they watch is not stored.
    notTried: z.array(z.object({ rule: z.string(), why: z.string() })).optional(),
  })
  .meta({ id: "Backtest" });
export type BacktestView = View<typeof BacktestBody>;
export type BacktestAlertView = BacktestView["alerts"][number];
export type BacktestResult = EpochTimes<Omit<BacktestView, "alerts">, "from" | "to"> & {
  readonly alerts: readonly BacktestAlert[];
};
export type RuleFigures = BacktestView["byRule"][number];
export type SubjectFigures = BacktestView["bySubject"][number];

const iso = (time: number) => new Date(time).toISOString();

/** With times in ISO 8601 UTC, as the API and the command line show it. */
export function viewBacktest(result: BacktestResult): BacktestView {
  return {
    ...result,
    from: iso(result.from),
    to: iso(result.to),
    alerts: result.alerts.map(viewBacktestAlert),
  };
}

function viewBacktestAlert({ timeline, ...alert }: BacktestAlert): BacktestAlertView {
  const { handling: _, timeline: __, ...view } = viewAlert({ ...alert, handling: "open", timeline: [] });
  return { ...view, timeline: timeline.map((line) => ({ ...line, at: iso(line.at) })) };
}
