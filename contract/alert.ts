import { z } from "zod";
import {
  ALERT_MODES,
  type Alert,
  AUDIENCES,
  type Cause,
  type Evidence,
  type Expected,
  HANDLINGS,
  REVIEWS,
  SEVERITIES,
  STATES,
  type TimelineEntry,
  VERDICTS,
} from "../model/alert.ts";
import { KINDS } from "../model/kinds.ts";
import type { RuleMetric } from "../model/metrics.ts";
import { PHOTO_TYPE_NAMES, PHOTOS_PER_DEED_MAX } from "../model/photo.ts";
import type { Sentence } from "../model/sentence.ts";
import { Flag, Id, KindName, listOf, type Mirrors, type Provided, paging, Time, type View } from "./common.ts";

const SentenceBody = z
  .object({
    key: z.string().describe("Which sentence"),
    params: z.record(z.string(), z.unknown()).describe("What it is about; times are epoch milliseconds"),
  })
  .meta({ id: "Sentence" }) as unknown as z.ZodType<Sentence>;

const SaysBody = z.object({
  title: SentenceBody,
  explanation: z.array(SentenceBody),
  verdict: SentenceBody.optional(),
  advice: SentenceBody.optional(),
});

const Entry = z.object({
  at: Time.describe("When it was so"),
  knownAt: Time.describe("When the service knew"),
  what: z.string(),
  by: z.string().optional(),
  note: z.string().optional(),
  says: SentenceBody.optional().describe("The note, for readers of any language"),
  parts: z.string().optional().describe("What was put in"),
  photos: z.array(z.string()).readonly().optional().describe("GET /alerts/{id}/photos/{photo}"),
});

/** For the document it is any text: metrics are added. */
const Metric = z.string() as unknown as z.ZodType<RuleMetric>;

const EvidenceBody = z.looseObject({
  measuredAt: Time,
  metric: Metric.optional(),
  value: z.number().optional(),
  quality: z.literal("suspect").optional(),
  window: z.looseObject({ from: Time, samples: z.number(), expected: z.number().optional() }).optional(),
  note: z.string().optional(),
  says: SentenceBody.optional(),
});

const SubjectBody = z.object({
  sensorId: z.string().optional(),
  district: z.string().optional(),
  gateway: z.string().optional(),
  tag: z.object({ name: z.string(), value: z.string() }).optional(),
});
const VerdictBody = z.object({ is: z.enum(VERDICTS), why: z.string() });
const ExpectedBody = z.object({ at: Time, from: Time, to: Time });

export const AlertBody = z
  .object({
    id: z.string(),
    rule: z.object({
      id: z.string(),
      version: z.string(),
      title: z.string(),
      source: z.string(),
      formerly: z.string().optional().describe("The rule that this one, at this level, has taken the place of"),
    }),
    subject: SubjectBody,
    kind: z.enum([...KINDS, "service"]).describe("service: about Lamppost itself"),
    severity: z.enum(SEVERITIES).describe("The current one: it rises and falls with the level"),
    level: z.int().optional().describe("Of a rule with levels: at which it is, 1 the mildest"),
    audience: z.enum(AUDIENCES),
    state: z.enum(STATES),
    handling: z.enum(HANDLINGS),
    assignee: z.string().optional(),
    startedAt: Time,
    firedAt: Time.optional(),
    resolvedAt: Time.optional(),
    metric: Metric.optional(),
    value: z.number().optional(),
    limit: z.number().optional(),
    unit: z.string().optional(),
    explanation: z.string().describe("In English, on the city's clocks"),
    says: SaysBody.optional().describe("The same as sentences and their parameters, for readers of any language"),
    evidence: z.array(EvidenceBody),
    timeline: z.array(Entry),
    suppressedBy: z.string().optional().describe("What keeps it from being told: a silence, another rule, flapping"),
    incident: z.string().optional().describe("The incident it is a part of; left out while it stands alone"),
    mode: z
      .enum(["shadow", "history"])
      .optional()
      .describe("Nobody is told: said by a rule that is being tried out, or of the past (imported or old readings)"),
    verdict: VerdictBody.optional().describe("The city or the sensor?"),
    expected: ExpectedBody.optional().describe("When a forecast expects the limit"),
    children: z.array(z.string()).readonly().optional().describe("Ids of the alerts that a quorum counted"),
    correctedBy: z.object({ sensorId: z.string(), measuredAt: Time, receivedAt: Time }).optional(),
    review: z.object({ is: z.enum(REVIEWS), by: z.string(), at: Time, note: z.string() }).optional(),
  })
  .meta({ id: "Alert" });
type Body = View<typeof AlertBody>;
type AlertTime =
  | "startedAt"
  | "firedAt"
  | "resolvedAt"
  | "measuredAt"
  | "receivedAt"
  | "at"
  | "knownAt"
  | "from"
  | "to";
export type AlertView = Provided<Body, Mirrors<Body, Alert, AlertTime>>;

const iso = (time: number) => new Date(time).toISOString();

/** An alert as the API, the live stream and MQTT show it: the same, with times in ISO 8601 UTC. */
export function viewAlert(alert: Alert): AlertView {
  const { startedAt, firedAt, resolvedAt, evidence, timeline, expected, correctedBy, review, ...rest } = alert;
  return {
    ...rest,
    startedAt: iso(startedAt),
    ...(firedAt === undefined ? {} : { firedAt: iso(firedAt) }),
    ...(resolvedAt === undefined ? {} : { resolvedAt: iso(resolvedAt) }),
    ...(expected === undefined ? {} : { expected: viewExpected(expected) }),
    ...(correctedBy === undefined ? {} : { correctedBy: viewCause(correctedBy) }),
    ...(review === undefined ? {} : { review: { ...review, at: iso(review.at) } }),
    evidence: evidence.map(viewEvidence),
    timeline: timeline.map(viewEntry),
  };
}

const viewExpected = ({ at, from, to }: Expected) => ({ at: iso(at), from: iso(from), to: iso(to) });

function viewCause({ sensorId, measuredAt, receivedAt }: Cause) {
  return { sensorId, measuredAt: iso(measuredAt), receivedAt: iso(receivedAt) };
}

function viewEvidence({ measuredAt, window, ...rest }: Evidence): AlertView["evidence"][number] {
  const view = { measuredAt: iso(measuredAt), ...rest };
  return window ? { ...view, window: { ...window, from: iso(window.from) } } : view;
}

function viewEntry(entry: TimelineEntry): AlertView["timeline"][number] {
  return { ...entry, at: iso(entry.at), knownAt: iso(entry.knownAt) };
}

export const AlertsQuery = z.strictObject({
  ...paging,
  state: listOf(STATES),
  handling: listOf(HANDLINGS),
  severity: listOf(SEVERITIES),
  audience: z.enum(AUDIENCES).optional(),
  district: Id.optional(),
  kind: KindName.optional(),
  rule: Id.optional(),
  sensor: Id.optional(),
  suppressed: Flag.describe("Only alerts kept from being told, or only the others"),
  mode: z
    .enum(ALERT_MODES)
    .optional()
    .describe(
      "Left out: live and history. history: alerts of imported or old readings; shadow: of rules that are being tried out",
    ),
});

const PhotoId = z.string().regex(/^[0-9a-f]{32}$/, "the id of a photo was expected");
export const AlertPath = z.object({ id: z.string().min(1).max(100) });
export const PhotoPath = AlertPath.extend({ photo: PhotoId });

/** `POST /alerts/{id}/photos`. */
export const PhotoBody = z
  .object({ id: z.string(), type: z.enum(PHOTO_TYPE_NAMES), bytes: z.int(), width: z.int(), height: z.int() })
  .meta({ id: "Photo" });
export type PhotoView = View<typeof PhotoBody>;

/** What people do to an alert: `POST /alerts/{id}/{action}`. */
export const ALERT_ACTIONS = [
  "acknowledge",
  "assign",
  "comment",
  "start",
  "close",
  "return",
  "reopen",
  "review",
] as const;
export type AlertAction = (typeof ALERT_ACTIONS)[number];

export const AlertActionBody = z
  .strictObject({
    note: z.string().trim().min(1).max(2_000).optional(),
    assignee: Id.optional(),
    parts: z.string().trim().min(1).max(500).optional().describe("What was put in (close, return, comment)"),
    photos: z
      .array(PhotoId)
      .max(PHOTOS_PER_DEED_MAX)
      .optional()
      .describe("Ids of photos of this alert (close, return, comment)"),
    // "unsure" is the older word for unclear.
    verdict: z.enum([...REVIEWS, "unsure"]).optional(),
  })
  .nullish();
export type AlertActionAsk = NonNullable<View<typeof AlertActionBody>>;

/** `GET /crew`: a warning as a phone keeps it. */
const CrewWarning = z.object({
  id: z.string(),
  rule: z.object({ id: z.string(), title: z.string() }),
  subject: SubjectBody,
  severity: z.enum(SEVERITIES),
  handling: z.enum(HANDLINGS),
  assignee: z.string().optional(),
  startedAt: Time,
  explanation: z.string(),
  says: SaysBody.optional(),
  verdict: VerdictBody.optional(),
  expected: ExpectedBody.optional(),
  incident: z.string().optional().describe("The incident it is a part of"),
  counted: z.number().int().optional().describe("How many alerts it speaks for, such as the sensors behind a gateway"),
  people: z
    .array(z.object({ at: Time, what: z.string(), by: z.string(), note: z.string().optional() }))
    .describe("What people did with it, oldest first"),
});

export const CrewListBody = z
  .object({
    alerts: z.array(CrewWarning),
    crews: z
      .array(z.string())
      .optional()
      .describe("Those that who asks belongs to: what is assigned to them is theirs"),
    left: z.number().int().describe("Open warnings that are not in the list, because there are too many"),
    sensors: z.array(
      z.object({ id: z.string(), name: z.string().optional(), lat: z.number().optional(), lon: z.number().optional() }),
    ),
    advice: z.record(z.string(), z.string()).describe("What to do, by the rule's id"),
  })
  .meta({ id: "CrewList" });
export type CrewListView = View<typeof CrewListBody>;
export type CrewWarningView = CrewListView["alerts"][number];
/** What someone did with an alert, as the crews' list and an alert's timeline tell it. */
export type DeedView = Omit<AlertView["timeline"][number], "knownAt">;
/** Where a sensor stands. */
export type CrewSensorView = CrewListView["sensors"][number];

/** `GET /city`: what anyone may see. */
export const CityBody = z
  .object({
    at: Time,
    districts: z.array(
      z.object({
        district: z.string(),
        sensors: z.number().int(),
        alerts: z.object({ info: z.number().int(), warning: z.number().int(), critical: z.number().int() }),
      }),
    ),
    alerts: z.array(
      z.object({
        title: z.string(),
        severity: z.enum(SEVERITIES),
        kind: KindName,
        district: z.string().optional(),
        startedAt: Time,
        explanation: z.string(),
        says: SaysBody.optional(),
        source: z.string(),
      }),
    ),
  })
  .meta({ id: "PublicCity" });
export type CityView = View<typeof CityBody>;
