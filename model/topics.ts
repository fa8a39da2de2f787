import { isId } from "./ids.ts";
import { isKind, type Kind } from "./kinds.ts";
import { TOPIC_BYTES_MAX } from "./message.ts";

/**
 * The only place that knows how topics are spelt.
 *
 * city/<district>/<kind>/<sensorId>            readings
 * city/<district>/<kind>/<sensorId>/status     "online" | "offline" (retained, last will)
 * city/<district>/<kind>/<sensorId>/rejected   what was wrong with a message, from the service to the device
 * import/<district>/<kind>/<sensorId>          readings older than the lateness limit (gateways with the import right)
 * alerts/<district>/<severity>/<alertId>       alerts, from the service (retained while they fire)
 */
export type ReadingTopic = {
  readonly district: string;
  readonly kind: Kind;
  readonly sensorId: string;
  /** History on purpose: exempt from the lateness limit. */
  readonly imported: boolean;
};

export type SensorTopic = ReadingTopic & { readonly channel: "readings" | "status" | "rejected" };

/** undefined for anything that is not one of the four `city/` and `import/` forms above. */
export function parseSensorTopic(topic: string): SensorTopic | undefined {
  const parts = topic.split("/");
  if (parts.length < 4 || parts.length > 5) return undefined;
  const [root, district, kind, sensorId, last] = parts as [string, string, string, string, string?];
  const imported = root === "import";
  if (root !== "city" && !imported) return undefined;
  if (!isId(district) || !isKind(kind) || !isId(sensorId)) return undefined;
  if (last === undefined) return { district, kind, sensorId, imported, channel: "readings" };
  if (imported || (last !== "status" && last !== "rejected")) return undefined;
  return { district, kind, sensorId, imported, channel: last };
}

/** Of another maker: what it says is read by a mapping. What came over HTTP for a mapping has one that begins with `in/`. */
export function isForeignTopic(topic: string): boolean {
  return !topic.startsWith("city/") && !topic.startsWith("import/");
}

/** A topic from outside that may be longer than the doors allow, cut to what they do. */
export function cutTopic(topic: string): string {
  return topic.length > TOPIC_BYTES_MAX ? topic.slice(0, TOPIC_BYTES_MAX).toWellFormed() : topic;
}

export function readingTopic(at: { district: string; kind: Kind; sensorId: string; imported?: boolean }): string {
  return `${at.imported ? "import" : "city"}/${at.district}/${at.kind}/${at.sensorId}`;
}

export function statusTopic(at: { district: string; kind: Kind; sensorId: string }): string {
  return `${readingTopic(at)}/status`;
}

export function rejectedTopic(at: { district: string; kind: Kind; sensorId: string }): string {
  return `${readingTopic(at)}/rejected`;
}

/** In the place of the district, for alerts of none: no district can have this id. */
export const WHOLE_CITY = "city";

export function alertTopic(at: { district: string; severity: string; id: string }): string {
  return `alerts/${at.district}/${at.severity}/${at.id}`;
}
