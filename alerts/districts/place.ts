import type { Subject } from "../../model/alert.ts";
import type { Spec } from "../../model/conditions.ts";
import type { WatchedSensor } from "../conditions/condition.ts";

/** Where a sensor is counted: its district, its gateway there, or its value of a tag there. Never across districts. */
export function placeOf(by: Spec<"quorum">["by"], { district, gateway, tags }: WatchedSensor): Subject | undefined {
  if (by === "district") return { district };
  if (by === "gateway") return gateway === undefined ? undefined : { district, gateway };
  const value = Object.hasOwn(tags, by.tag) ? tags[by.tag] : undefined;
  return value === undefined ? undefined : { district, tag: { name: by.tag, value } };
}

/** The place as a text that is part of the alert's identity. */
export function placeText({ district, gateway, tag }: Subject): string {
  const parts = [`district ${district}`];
  if (gateway !== undefined) parts.push(`gateway ${gateway}`);
  if (tag) parts.push(`tag ${tag.name}=${tag.value}`);
  return parts.join(" ");
}

/** The place in a sentence: "behind gateway gw-north". */
export function placeWords({ district, gateway, tag }: Subject): string {
  if (gateway !== undefined) return `behind gateway ${gateway}`;
  return tag ? `with ${tag.name} ${tag.value} in district ${district}` : `in district ${district}`;
}
