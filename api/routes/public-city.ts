import { z } from "zod";
import { KindName, Time } from "../../contract/common.ts";
import { type Alert, SEVERITIES, type Severity } from "../../model/alert.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { ProblemError } from "../problems.ts";

const PAGE = 1_000;
const ALERTS_MAX = 10_000;
const SHOWN_MAX = 100;
/** Anyone may ask, so the records are asked at most so often. */
const AGE_MS = 10_000;

const Count = z.object({ info: z.number().int(), warning: z.number().int(), critical: z.number().int() });
const City = z
  .object({
    at: Time,
    districts: z.array(z.object({ district: z.string(), sensors: z.number().int(), alerts: Count })),
    alerts: z.array(
      z.object({
        title: z.string(),
        severity: z.enum(SEVERITIES),
        kind: KindName,
        district: z.string().optional(),
        startedAt: Time,
        explanation: z.string(),
        source: z.string(),
      }),
    ),
  })
  .meta({ id: "PublicCity" });
type City = z.infer<typeof City>;

const schema = {
  tags: ["city"],
  summary: "What anyone may see of the city, where that is switched on (LAMPPOST_PUBLIC_PAGE)",
  description: "Districts and the alerts about the city itself: no people, no crews' warnings, nothing suppressed.",
  response: answers({ 200: City }, 404),
};

export function addPublicCity(app: Api, { records, options, now }: Pick<Parts, "records" | "options" | "now">): void {
  let shown: City | undefined;
  let shownAt = Number.NEGATIVE_INFINITY;

  app.get("/city", { schema }, async (_request, reply) => {
    if (!options.page.isPublic) throw new ProblemError("not-found", "This city shows no public page.");
    if (!shown || Math.abs(now() - shownAt) >= AGE_MS) {
      shownAt = now();
      shown = lookAtCity(records, shownAt);
    }
    return reply.header("cache-control", `public, max-age=${AGE_MS / 1_000}`).send(shown);
  });
}

function lookAtCity(records: Parts["records"], at: number): City {
  const alerts = openAlerts(records);
  const districts = records.sensors.districts().map(({ district, sensors }) => ({
    ...{ district, sensors },
    alerts: countBySeverity(alerts.filter(({ subject }) => subject.district === district)),
  }));
  return { at: new Date(at).toISOString(), districts, alerts: alerts.slice(0, SHOWN_MAX).map(viewPublic) };
}

function openAlerts(records: Parts["records"]): Alert[] {
  const found: Alert[] = [];
  let cursor: string | undefined;
  do {
    const page = records.alerts.list({ state: ["firing"], audience: "operators" }, PAGE, cursor);
    found.push(...page.items.filter(isForAnyone));
    cursor = page.next;
  } while (cursor !== undefined && found.length < ALERTS_MAX);
  return found;
}

/** About the city, told to operators, and not taken for a fault of the sensor. */
function isForAnyone({ kind, mode, suppressedBy, verdict, handling }: Alert): boolean {
  return kind !== "service" && !mode && !suppressedBy && verdict?.is !== "sensor-fault" && handling !== "closed";
}

function countBySeverity(alerts: readonly Alert[]): Record<Severity, number> {
  const counts = { info: 0, warning: 0, critical: 0 };
  for (const { severity } of alerts) counts[severity] += 1;
  return counts;
}

function viewPublic(alert: Alert): City["alerts"][number] {
  const { rule, severity, kind, subject, startedAt, explanation } = alert;
  return {
    ...{ title: rule.title, source: rule.source, severity, explanation, startedAt: new Date(startedAt).toISOString() },
    kind: kind as City["alerts"][number]["kind"],
    ...(subject.district ? { district: subject.district } : {}),
  };
}
