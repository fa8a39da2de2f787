import { parseDimming } from "./dimming.ts";
import { isMetricName } from "./metrics.ts";
import { numberOf, PLACE_TAGS } from "./site.ts";
import { STAND_INS_MAX } from "./stand-ins.ts";

const LIST = /^\s*-?\d+(\.\d+)?(\s*,\s*-?\d+(\.\d+)?)*\s*$/;

/**
 * What is wrong, in words, with a tag that says something of a sensor's place; undefined for any other. One that cannot
 * be read says nothing to `createSites`, so it is looked at where it is written.
 */
export function placeTagMistake(name: string, value: string): string | undefined {
  if (name === "dimming" && parseDimming(value) === undefined) {
    return 'dimming has up to 12 times of the day with a share: "22:00=70 05:00=100" is 70 % from ten to five.';
  }
  if (name === "standIns") return standInsMistake(value);
  if (!Object.hasOwn(PLACE_TAGS, name)) return undefined;
  const tag = name as keyof typeof PLACE_TAGS;
  if (numberOf({ [tag]: value }, tag) !== undefined) return undefined;
  const [low, high] = PLACE_TAGS[tag];
  return `${name} is a number from ${low} to ${high}, with a decimal point.`;
}

function standInsMistake(text: string): string | undefined {
  const parts = text.split(";").filter((part) => part.trim() !== "");
  if (parts.length === 0 || parts.length > STAND_INS_MAX) return `standIns has 1 to ${STAND_INS_MAX} metrics.`;
  for (const part of parts) {
    const [name = "", list, more] = part.split("=");
    if (!isMetricName(name.trim())) return `standIns: "${name.trim().slice(0, 40)}" is no metric.`;
    if (list === undefined || more !== undefined || !LIST.test(list) || list.split(",").length > STAND_INS_MAX)
      return `standIns: numbers were expected for ${name.trim()}, as in "temperature=-55,0; pm25=0".`;
  }
  return undefined;
}
