import type { SensorView } from "../../contract/reading.ts";

type Asked = {
  readonly text: string;
  readonly district: string | undefined;
  readonly kind: string | undefined;
  readonly fits: (sensor: SensorView) => boolean;
};

/** Every word somewhere in what one calls it. */
export function sensorsFor(all: readonly SensorView[], { text, district, kind, fits }: Asked): SensorView[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((sensor) => {
    if ((district && sensor.district !== district) || (kind && sensor.kind !== kind) || !fits(sensor)) return false;
    const said = `${sensor.id} ${sensor.name ?? ""} ${Object.values(sensor.tags).join(" ")}`.toLowerCase();
    return words.every((word) => said.includes(word));
  });
}

const inOrder = new Intl.Collator("en", { numeric: true }).compare;

/** By district, kind, a tag ("tag:owner") or not at all; those without the tag come last, under "". */
export function groupsOf(sensors: readonly SensorView[], by: string): [value: string, sensors: SensorView[]][] {
  const keyOf = (sensor: SensorView): string => {
    if (by === "district" || by === "kind") return sensor[by];
    return by.startsWith("tag:") ? (sensor.tags[by.slice(4)] ?? "") : "";
  };
  const groups = [...Map.groupBy(sensors, keyOf)];
  return groups.sort(([a], [b]) => (a === "" ? 1 : b === "" ? -1 : inOrder(a, b)));
}
