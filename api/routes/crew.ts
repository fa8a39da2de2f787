import { createHash } from "node:crypto";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { Time } from "../../contract/common.ts";
import { type Alert, HANDLINGS, SEVERITIES, VERDICTS } from "../../model/alert.ts";
import { viewAlert } from "../../model/alert-view.ts";
import type { Sensor } from "../../store/records.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";

/** The worst so many are sent: nobody drives to more in a day, and a phone has to keep them. */
const SHOWN_MAX = 300;
const PAGE = 1_000;
const ALERTS_MAX = 10_000;

const Warning = z.object({
  id: z.string(),
  rule: z.object({ id: z.string(), title: z.string() }),
  subject: z.object({
    sensorId: z.string().optional(),
    district: z.string().optional(),
    gateway: z.string().optional(),
    tag: z.object({ name: z.string(), value: z.string() }).optional(),
  }),
  severity: z.enum(SEVERITIES),
  handling: z.enum(HANDLINGS),
  assignee: z.string().optional(),
  startedAt: Time,
  explanation: z.string(),
  verdict: z.object({ is: z.enum(VERDICTS), why: z.string() }).optional(),
  expected: z.object({ at: Time, from: Time, to: Time }).optional(),
  counted: z.number().int().optional().describe("How many alerts it speaks for, such as the sensors behind a gateway"),
  people: z
    .array(z.object({ at: Time, what: z.string(), by: z.string(), note: z.string().optional() }))
    .describe("What people did with it, oldest first"),
});

const List = z
  .object({
    alerts: z.array(Warning),
    left: z.number().int().describe("Open warnings that are not in the list, because there are too many"),
    sensors: z.array(
      z.object({ id: z.string(), name: z.string().optional(), lat: z.number().optional(), lon: z.number().optional() }),
    ),
    advice: z.record(z.string(), z.string()).describe("What to do, by the rule's id"),
  })
  .meta({ id: "CrewList" });
type List = z.infer<typeof List>;

const schema = {
  tags: ["alerts"],
  summary: "The crews' list in one answer: open warnings, where their sensors are, what to do",
  description:
    "The worst first. Without those that are suppressed: what an outage of a gateway explains is not told one by one. With If-None-Match the answer is 304 while nothing has changed.",
  response: answers({ 200: List }),
};

export function addCrew(app: Api, parts: Pick<Parts, "records" | "ruleBook">): void {
  app.get("/crew", { schema }, async (request, reply) => {
    const list = crewList(parts);
    const etag = `"${createHash("sha256").update(JSON.stringify(list)).digest("base64url").slice(0, 22)}"`;
    reply.header("etag", etag);
    if (request.headers["if-none-match"] === etag) return notModified(reply);
    return list;
  });
}

/** The schema knows no answer without a body. */
const notModified = (reply: FastifyReply) => reply.code(304).send() as never;

function crewList({ records, ruleBook }: Pick<Parts, "records" | "ruleBook">): List {
  const open = openWarnings(records);
  const shown = open.slice(0, SHOWN_MAX);
  const about = new Set(shown.flatMap(({ subject }) => subject.sensorId ?? []));
  const rules = new Set(shown.map(({ rule }) => rule.id));
  return {
    alerts: shown.map(viewWarning),
    left: open.length - shown.length,
    sensors: [...about].flatMap((id) => viewPlace(records.sensors.get(id)) ?? []),
    advice: Object.fromEntries(
      [...rules].flatMap((id) => {
        const advice = ruleBook.entry(id)?.rule.advice;
        return advice === undefined ? [] : [[id, advice] as const];
      }),
    ),
  };
}

/** For crews, told, and not closed; the worst first, the newest start within. */
function openWarnings({ alerts }: Parts["records"]): Alert[] {
  const found: Alert[] = [];
  let cursor: string | undefined;
  do {
    const page = alerts.list({ state: ["firing"], audience: "crews", suppressed: false }, PAGE, cursor);
    found.push(...page.items.filter(({ handling }) => handling !== "closed"));
    cursor = page.next;
  } while (cursor !== undefined && found.length < ALERTS_MAX);
  return found.sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));
}

function viewWarning(alert: Alert): List["alerts"][number] {
  const { id, rule, subject, severity, handling, assignee, startedAt, explanation, verdict, expected, timeline } =
    viewAlert(alert);
  return {
    ...{ id, rule: { id: rule.id, title: rule.title }, subject, severity, handling, startedAt, explanation },
    ...(assignee === undefined ? {} : { assignee }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(expected === undefined ? {} : { expected }),
    ...(alert.children?.length ? { counted: alert.children.length } : {}),
    people: timeline.flatMap(({ at, what, by, note }) =>
      by === undefined ? [] : [{ at, what, by, ...(note === undefined ? {} : { note }) }],
    ),
  };
}

function viewPlace(sensor: Sensor | undefined): List["sensors"][number] | undefined {
  if (!sensor) return undefined;
  const { id, name, lat, lon } = sensor;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(lat === undefined || lon === undefined ? {} : { lat, lon }),
  };
}
