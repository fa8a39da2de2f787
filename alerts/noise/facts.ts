import type { Alert } from "../../model/alert.ts";
import type { AlertFacts } from "../../model/silence.ts";

/** What silences and other rules look at in an alert. */
export type About = Pick<Alert, "subject" | "kind" | "severity" | "audience"> & { readonly rule: string };

/** What the registry says of a sensor. */
export type KnownSensor = {
  readonly district: string;
  readonly gateway?: string;
  readonly tags: Readonly<Record<string, string>>;
};

export function aboutOf({ rule, subject, kind, severity, audience }: Omit<Alert, "handling" | "timeline">): About {
  return { rule: rule.id, subject, kind, severity, audience };
}

/** With the sensor's place in the city's trees: its gateway and its tags, as the registry has them now. */
export function factsOf(
  { rule, subject, kind, severity, audience }: About,
  sensor: KnownSensor | undefined,
): AlertFacts {
  const { sensorId, tag } = subject;
  return {
    rule,
    kind,
    severity,
    audience,
    sensor: sensorId,
    district: subject.district ?? sensor?.district,
    gateway: subject.gateway ?? sensor?.gateway,
    tags: tag ? { ...sensor?.tags, [tag.name]: tag.value } : (sensor?.tags ?? {}),
  };
}

/** One rule and one subject: what can flap. Alerts about the service itself have no subject but their title. */
export function seriesOf({
  rule,
  subject: { sensorId, gateway, district, tag },
}: Pick<Alert, "rule" | "subject">): string {
  const what = sensorId ?? gateway ?? (tag ? `${district ?? ""} ${tag.name}=${tag.value}` : (district ?? rule.title));
  return `${rule.id}\n${what}`;
}
