import type { MappingTrialView } from "../../contract/mapping.ts";
import type { Message } from "../../model/message.ts";
import { TOPIC_BYTES_MAX } from "../../model/message.ts";
import type { Sensor } from "../../store/records/sensors.ts";
import { decodeForeign } from "../foreign.ts";
import type { CompiledMapping } from "./compile.ts";

const VALUE_CHARS_MAX = 64;

/** What a sender says beside its payload. */
export type Asked = {
  readonly topic?: string | undefined;
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  readonly path?: string | undefined;
};

/** What stands as the topic of a message that came over HTTP: the mapping, and what it needs to know of the request. */
export function doorTopic(
  { id, wants }: Pick<CompiledMapping, "id" | "wants">,
  { headers, query, path }: Asked,
): string {
  const params = new URLSearchParams();
  for (const name of wants) {
    const [where, key = ""] = name.split(/\.(.*)/s);
    const value = where === "header" ? headers?.[key] : where === "query" ? query?.[key] : path;
    if (value !== undefined && value !== "") params.set(name, value.slice(0, VALUE_CHARS_MAX));
  }
  const text = params.toString();
  return (text === "" ? `in/${id}` : `in/${id}?${text}`).slice(0, TOPIC_BYTES_MAX);
}

type Trial = Omit<MappingTrialView, "mistakes">;

/** What would become of a message, if every sensor were registered: nothing is kept. */
export function tryMapping(compiled: CompiledMapping, asked: Asked, payload: Uint8Array, receivedAt: number): Trial {
  const topic = asked.topic ?? doorTopic(compiled, asked);
  const source = { via: "http", role: "gateway", name: "trial" } as const;
  const message: Message = { seq: 1, receivedAt, source, topic, payload };
  const sensors = new Map<string, Sensor>();
  const decoded = decodeForeign(message, {
    // Each stands where the mapping says; of one that only says that it is there, nothing more is known.
    sensor: (id) => sensors.get(id) ?? { id, kind: "air", district: "", tags: {}, createdAt: 0 },
    enrol: ({ sensorId: id, kind, district }) => ({ id, kind, district, tags: {}, createdAt: 0 }),
    mappings: {
      find: () => compiled,
      refusal: (_source, { sensorId: id, kind, district }) => {
        sensors.set(id, { id, kind, district, tags: {}, createdAt: 0 });
        return undefined;
      },
    },
  });
  return {
    readings: decoded.readings.map(({ sensorId, kind, district, measuredAt, values }) => ({
      sensorId,
      kind,
      district,
      measuredAt: new Date(measuredAt).toISOString(),
      values: values as Record<string, number>,
    })),
    refused: decoded.rejections.map(({ index, reason, detail, metric }) => ({
      index,
      reason,
      detail,
      ...(metric && { metric }),
    })),
    fields: [...decoded.valuesOf].flatMap(([sensorId, { unknown }]) =>
      [...(unknown?.keys() ?? [])].map((name) => ({ sensorId, name })),
    ),
    statuses: decoded.statuses.map(({ sensorId, online }) => ({ sensorId, online })),
    ignored: decoded.ignored,
  };
}
