import { SEVERITIES, type Severity } from "../../../model/alert.ts";
import { DAY_MS } from "../../../model/time.ts";
import { type CrewList, holderOf, type Place, type Warning } from "./crew-list.ts";
import { distanceM, type Position } from "./distance.ts";

export const ORDERS = ["urgent", "near"] as const;
export type Order = (typeof ORDERS)[number];

/** Everything that is wrong at one place: a crew drives there once. */
export type Card = {
  readonly key: string;
  /** The worst first. */
  readonly warnings: readonly Warning[];
  readonly severity: Severity;
  /** The sensor's place, if it is about sensors. */
  readonly place?: Place;
  readonly district?: string;
  readonly distanceM?: number;
  /** Until the first forecast comes true; 0 where something is wrong already. */
  readonly daysLeft: number;
  readonly whose: "mine" | "free" | "others";
};

export type About = {
  readonly me: string | undefined;
  /** In the service's time. */
  readonly now: number;
  readonly position?: Position | undefined;
  readonly order: Order;
};

/** One card for each place, in the order wished. Whose they are is left to the sections of the page. */
export function cardsOf(list: Pick<CrewList, "alerts" | "sensors">, about: About): Card[] {
  const places = new Map(list.sensors.map((one) => [one.id, one]));
  const groups = Map.groupBy(list.alerts, (warning) => placeKey(warning, places));
  return [...groups].map(([key, warnings]) => cardOf(key, warnings, places, about)).sort(comparison(about.order));
}

/** Sensors on one lamp post have one position, to about a metre. Without a position a sensor is a place of its own. */
function placeKey({ id, subject }: Warning, places: ReadonlyMap<string, Place>): string {
  const { sensorId, gateway, district, tag } = subject;
  const place = sensorId === undefined ? undefined : places.get(sensorId);
  if (place?.lat !== undefined && place.lon !== undefined) return `${place.lat.toFixed(5)},${place.lon.toFixed(5)}`;
  if (sensorId !== undefined) return `sensor ${sensorId}`;
  if (gateway !== undefined) return `gateway ${gateway}`;
  return tag === undefined ? (district ?? id) : `${district} ${tag.name}=${tag.value}`;
}

function cardOf(key: string, found: readonly Warning[], places: ReadonlyMap<string, Place>, about: About): Card {
  const { me, now, position } = about;
  const warnings = found.toSorted(
    (a, b) => bySeverity(a, b) || daysLeft(a, now) - daysLeft(b, now) || subjectOf(a).localeCompare(subjectOf(b)),
  );
  const worst = warnings[0]!;
  const place = warnings.map(({ subject }) => places.get(subject.sensorId ?? "")).find((one) => one !== undefined);
  const holders = warnings.map(holderOf);
  const { lat, lon } = place ?? {};
  return {
    ...{ key, warnings, severity: worst.severity },
    ...(place ? { place } : {}),
    ...(worst.subject.district === undefined ? {} : { district: worst.subject.district }),
    ...(position && lat !== undefined && lon !== undefined ? { distanceM: distanceM(position, { lat, lon }) } : {}),
    daysLeft: Math.min(...warnings.filter((one) => one.severity === worst.severity).map((one) => daysLeft(one, now))),
    whose: holders.includes(me) && me !== undefined ? "mine" : holders.includes(undefined) ? "free" : "others",
  };
}

const subjectOf = ({ subject, id }: Warning) => `${subject.sensorId ?? ""} ${id}`;

/** Whole days until the best estimate; 0 for what is no forecast. */
function daysLeft({ expected }: Warning, now: number): number {
  return expected ? daysUntil(expected.at, now) : 0;
}

export const daysUntil = (at: string, now: number): number => Math.max(0, Math.floor((Date.parse(at) - now) / DAY_MS));

/** Leaves every card in the section where it was first seen, and writes down where that is for new ones. */
export function keepSections(cards: readonly Card[], seen: Map<string, Card["whose"]>): Card[] {
  for (const { key, whose } of cards) if (!seen.has(key)) seen.set(key, whose);
  return cards.map((card) => ({ ...card, whose: seen.get(card.key)! }));
}

const bySeverity = (a: { severity: Severity }, b: { severity: Severity }) =>
  SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity);
const byDistance = (a: Card, b: Card) => (a.distanceM ?? Infinity) - (b.distanceM ?? Infinity) || 0;
const oldest = ({ warnings }: Card) =>
  warnings.reduce((min, { startedAt }) => (startedAt < min ? startedAt : min), "~");

/** Without a position, what is in one district comes together. The oldest, then keys settle the rest: the order never wavers. */
function comparison(order: Order): (a: Card, b: Card) => number {
  const byUrgency = (a: Card, b: Card) => bySeverity(a, b) || a.daysLeft - b.daysLeft;
  return (a, b) =>
    (order === "near" ? byDistance(a, b) || byUrgency(a, b) : byUrgency(a, b) || byDistance(a, b)) ||
    (a.district ?? "").localeCompare(b.district ?? "") ||
    oldest(a).localeCompare(oldest(b)) ||
    a.key.localeCompare(b.key);
}
