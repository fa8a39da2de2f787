import { z } from "zod";
import { AUDIENCES, HANDLINGS, REVIEWS, SEVERITIES, STATES, VERDICTS } from "../model/alert.ts";
import { KINDS } from "../model/kinds.ts";
import { Time } from "./common.ts";

const Entry = z.object({
  at: Time.describe("When it was so"),
  knownAt: Time.describe("When the service knew"),
  what: z.string(),
  by: z.string().optional(),
  note: z.string().optional(),
});

const EvidenceBody = z.looseObject({
  measuredAt: Time,
  metric: z.string().optional(),
  value: z.number().optional(),
  quality: z.literal("suspect").optional(),
  window: z.looseObject({ from: Time, samples: z.number(), expected: z.number().optional() }).optional(),
  note: z.string().optional(),
});

export const AlertBody = z
  .object({
    id: z.string(),
    rule: z.object({ id: z.string(), version: z.string(), title: z.string(), source: z.string() }),
    subject: z.object({
      sensorId: z.string().optional(),
      district: z.string().optional(),
      gateway: z.string().optional(),
      tag: z.object({ name: z.string(), value: z.string() }).optional(),
    }),
    kind: z.enum([...KINDS, "service"]).describe("service: about Lamppost itself"),
    severity: z.enum(SEVERITIES),
    audience: z.enum(AUDIENCES),
    state: z.enum(STATES),
    handling: z.enum(HANDLINGS),
    assignee: z.string().optional(),
    startedAt: Time,
    firedAt: Time.optional(),
    resolvedAt: Time.optional(),
    metric: z.string().optional(),
    value: z.number().optional(),
    limit: z.number().optional(),
    unit: z.string().optional(),
    explanation: z.string(),
    evidence: z.array(EvidenceBody),
    timeline: z.array(Entry),
    suppressedBy: z.string().optional().describe("What keeps it from being told: a silence, another rule, flapping"),
    mode: z.literal("shadow").optional().describe("Said by a rule that is being tried out: nobody is told"),
    verdict: z
      .object({ is: z.enum(VERDICTS), why: z.string() })
      .optional()
      .describe("The city or the sensor?"),
    expected: z.object({ at: Time, from: Time, to: Time }).optional().describe("When a forecast expects the limit"),
    children: z.array(z.string()).readonly().optional().describe("Ids of the alerts that a quorum counted"),
    correctedBy: z.object({ sensorId: z.string(), measuredAt: Time, receivedAt: Time }).optional(),
    review: z.object({ is: z.enum(REVIEWS), by: z.string(), at: Time, note: z.string() }).optional(),
  })
  .meta({ id: "Alert" });
