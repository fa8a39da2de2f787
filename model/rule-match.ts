import type { Kind } from "./kinds.ts";
import type { RuleData } from "./rule.ts";

/** What the rules select by. */
type Selectable = {
  readonly id: string;
  readonly kind: Kind;
  readonly district: string;
  readonly tags: Readonly<Record<string, string>>;
};

/** A test of whether this rule watches a sensor, as far as kind and selection say. Made once for each rule. */
export function matcherOf({ kind, select }: Pick<RuleData, "kind" | "select">): (sensor: Selectable) => boolean {
  const districts = select?.district && new Set([select.district].flat());
  const sensors = select?.sensor && new Set([select.sensor].flat());
  const tags = Object.entries(select?.tag ?? {});
  const without = Object.entries(select?.without ?? {});
  const has = ({ tags: own }: Selectable, name: string, value: string) =>
    Object.hasOwn(own, name) && own[name] === value;
  return (sensor) =>
    (kind === "any" || kind === sensor.kind) &&
    (!districts || districts.has(sensor.district)) &&
    (!sensors || sensors.has(sensor.id)) &&
    tags.every(([name, value]) => has(sensor, name, value)) &&
    !without.some(([name, value]) => has(sensor, name, value));
}
