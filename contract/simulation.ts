import { z } from "zod";
import { RECORDING_MINUTES_MAX, RUN_MINUTES_MAX, SCENARIO_NAMES, type ScenarioName } from "../model/simulation.ts";
import { type EpochTimes, Id, type Sent, Time, type View } from "./common.ts";

const count = z.number().int();
const minutes = (max: number, usual: number) =>
  z.number().min(1).max(max).default(usual).describe("Ended after so long");
const Some = z.array(Id).min(1).max(1_000).optional();

export const NewRun = z
  .strictObject({
    scenario: z.enum(SCENARIO_NAMES).optional(),
    recording: Id.optional().describe("Its name"),
    speed: z
      .union([z.number().min(0.1).max(1_000), z.literal("max")])
      .default(1)
      .describe("Times as fast; max is all at once, ending now"),
    districts: Some.describe("Only these districts of it"),
    minutes: minutes(RUN_MINUTES_MAX, 60),
  })
  .meta({ id: "NewSimulation" });
export type NewRun = Sent<typeof NewRun>;
/** What is to be played, once it is known to be one of the two. */
export type RunQuestion = Omit<View<typeof NewRun>, "scenario" | "recording"> & {
  readonly source: { readonly scenario: ScenarioName } | { readonly recording: string };
};

const Report = z.object({
  sent: count,
  stored: count,
  duplicates: count,
  quarantined: count,
  balanced: z.boolean(),
  alertsRaised: count,
});
export type RunReport = View<typeof Report>;

export const RunBody = z
  .object({
    id: z.string(),
    scenario: z.enum(SCENARIO_NAMES).optional(),
    recording: z.string().optional(),
    speed: z.union([z.number(), z.literal("max")]),
    districts: z.array(z.string()).optional(),
    by: z.string(),
    startedAt: Time,
    endsAt: Time.describe("At the latest"),
    phase: z.enum(["preparing", "reading", "sending", "booking", "rules"]),
    done: count,
    total: count,
    ended: z
      .object({
        at: Time,
        how: z.enum(["done", "stopped", "failed"]),
        reason: z.string().optional(),
        report: Report.optional(),
      })
      .optional(),
  })
  .meta({ id: "Simulation" });
export type RunView = View<typeof RunBody>;
export type Run = RunQuestion & Omit<EpochTimes<RunView, "startedAt" | "endsAt" | "at">, "scenario" | "recording">;

export const SimulationsBody = z.object({
  refused: z.string().optional().describe("Why nothing can run here"),
  scenarios: z.array(z.enum(SCENARIO_NAMES)),
  districts: z.array(z.string()).describe("Of the scenarios"),
  current: RunBody.optional(),
  last: RunBody.optional(),
});
export type SimulationsView = View<typeof SimulationsBody>;

export const NewRecording = z
  .strictObject({
    name: Id,
    sensors: Some.describe("Only these"),
    districts: Some,
    minutes: minutes(RECORDING_MINUTES_MAX, 10),
  })
  .meta({ id: "NewRecording" });
export type NewRecording = Sent<typeof NewRecording>;
export type RecordingQuestion = View<typeof NewRecording>;

export const RecordingBody = z
  .object({
    name: z.string(),
    by: z.string(),
    sensors: z.array(z.string()).optional(),
    districts: z.array(z.string()).optional(),
    startedAt: Time,
    endsAt: Time,
    readings: count,
    bytes: count,
    missed: count.describe("Left out because the disk was too slow"),
  })
  .meta({ id: "RecordingUnderWay" });
export type RecordingView = View<typeof RecordingBody>;
export type RecordingNow = RecordingQuestion & EpochTimes<RecordingView, "startedAt" | "endsAt">;

const RecordingFileBody = z.object({ name: z.string(), bytes: count, at: Time }).meta({ id: "Recording" });
export type RecordingFile = EpochTimes<View<typeof RecordingFileBody>, "at">;

export const RecordingsBody = z.object({ items: z.array(RecordingFileBody), current: RecordingBody.optional() });
export type RecordingsView = View<typeof RecordingsBody>;
