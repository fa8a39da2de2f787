import { type Fault, fault } from "../../model/rejection.ts";
import { fieldsOf, isRecord } from "./fields.ts";
import { type About, type Format, oneFault, type Sample } from "./format.ts";
import { openJson } from "./json.ts";

const DATASTREAM = /Datastreams\(((?:'[^']{1,100}'|[\w-]{1,100}))\)\/Observations$/;
const ROWS_MAX = 5_000;

/**
 * OGC SensorThings 1.1, the way in: an Observation (at `…/Datastreams(17)/Observations` or with its Datastream in it),
 * or the data arrays of CreateObservations. The Datastream is the device; its value is the field `result`.
 */
export const sensorthings: Format = {
  answer: 201,
  topics: ["v1.0/#", "v1.1/#"],
  wants: ["path"],
  open(payload, about) {
    const opened = openJson(payload);
    if ("reason" in opened) return oneFault(opened);
    const { value } = opened;
    if (Array.isArray(value)) return { items: value.flatMap(openDataArray) };
    return isRecord(value) ? { items: [observation(value, about)] } : oneFault(NOT_AN_OBSERVATION);
  },
};

const NOT_AN_OBSERVATION = fault("malformed_reading", "It is neither an Observation nor a list of data arrays.");

function observation(value: Readonly<Record<string, unknown>>, { levels, params }: About): Sample | Fault {
  const path = params.get("path") ?? levels.join("/");
  const id = DATASTREAM.exec(path)?.[1] ?? linkedId(value.Datastream);
  if (id === undefined) return fault("malformed_reading", "The Observation names no Datastream.");
  return sample(id, value.result, value.phenomenonTime);
}

/** A number as it is, a text in quotes: as an address writes it. */
function linkedId(datastream: unknown): string | undefined {
  const id = isRecord(datastream) ? datastream["@iot.id"] : undefined;
  if (typeof id === "number") return String(id);
  return typeof id === "string" ? `'${id}'` : undefined;
}

function sample(id: string, result: unknown, phenomenonTime: unknown): Sample {
  const fields = isRecord(result)
    ? new Map([...fieldsOf(result)].map(([name, one]) => [`result.${name}`, one]))
    : new Map([["result", result]]);
  // Of an interval its end.
  const time = typeof phenomenonTime === "string" ? phenomenonTime.split("/").at(-1) : undefined;
  return { device: `Datastreams(${id})`, fields, ...(time !== undefined && { time }) };
}

function openDataArray(one: unknown): (Sample | Fault)[] {
  const wrong = (why: string) => [fault("malformed_reading", `A data array ${why}.`)];
  if (!isRecord(one)) return wrong("is an object");
  const { components, dataArray } = one;
  const id = linkedId(one.Datastream);
  if (id === undefined) return wrong("names its Datastream");
  if (!Array.isArray(components) || !components.includes("result"))
    return wrong("has components, with result among them");
  if (!Array.isArray(dataArray) || dataArray.length > ROWS_MAX) return wrong("has its rows in dataArray");
  const [value, time] = [components.indexOf("result"), components.indexOf("phenomenonTime")];
  return dataArray.map((row) =>
    Array.isArray(row) && row.length >= components.length
      ? sample(id, row[value], time < 0 ? undefined : row[time])
      : fault("malformed_reading", "A row of the data array has not as many values as there are components."),
  );
}
