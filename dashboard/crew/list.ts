import type { AlertView, CrewListView, CrewSensorView, CrewWarningView } from "../../contract/alert.ts";
import { returnedIn, SEVERITIES, type Severity } from "../../model/alert.ts";
import { DAY_MS } from "../../model/time.ts";
import { language } from "../shell/preferences.ts";
import { titleOf } from "../words/tell.ts";
import { districtName } from "../words/words.ts";
import type { Item } from "./queue.ts";

/** Who has it: the one it is assigned to, or whoever acknowledged it or began the work last. */
export function holderOf({ assignee, handling, people }: CrewWarningView): string | undefined {
  if (assignee !== undefined) return assignee;
  if (handling === "open") return undefined;
  return people.findLast(({ what }) => what === "acknowledged" || what === "started")?.by;
}

/** The warning as it will be when what waits has arrived. */
export function applyWaiting(warning: CrewWarningView, waiting: readonly Item[]): CrewWarningView {
  const starts = waiting.find(({ alertId, action }) => alertId === warning.id && action === "start");
  return starts ? { ...warning, handling: "in-progress", assignee: starts.user } : warning;
}

/** The warning as the alert says it is now; nothing where nobody need go any more. */
export function merge(warning: CrewWarningView, alert: AlertView): CrewWarningView[] {
  if (warning.id !== alert.id) return [warning];
  const { handling, assignee, timeline } = alert;
  if (alert.state !== "firing" || handling === "closed" || returnedIn(timeline)) return [];
  const { assignee: _, ...known } = warning;
  const people = timeline.flatMap(({ by, ...deed }) => (by === undefined ? [] : [{ ...deed, by }]));
  return [{ ...known, handling, people, ...(assignee === undefined ? {} : { assignee }) }];
}

/** The `date` of an answer is in whole seconds and was under way: less than this is no difference. */
const SAME_MS = 5_000;

/** How far the service's clock is ahead of this one. */
export function aheadOf(saidByService: number, now: number): number {
  const ahead = saidByService - now;
  return Math.abs(ahead) < SAME_MS ? 0 : ahead;
}

export const ORDERS = ["urgent", "near"] as const;
export type Order = (typeof ORDERS)[number];

/** Everything that is wrong at one place: a crew drives there once. */
export type Card = {
  readonly key: string;
  /** The worst first. */
  readonly warnings: readonly CrewWarningView[];
  readonly severity: Severity;
  /** The sensor's place, if it is about sensors. */
  readonly place?: CrewSensorView;
  readonly district?: string;
  readonly distanceM?: number;
  /** Until the first forecast comes true; 0 where something is wrong already. */
  readonly daysLeft: number;
  readonly whose: "mine" | "free" | "others";
};

export type CardContext = {
  readonly me: string | undefined;
  /** The crews one belongs to. */
  readonly crews?: readonly string[] | undefined;
  /** In the service's time. */
  readonly now: number;
  readonly position?: Position | undefined;
  readonly order: Order;
};

/** One card for each place or incident, in the order wished. Whose they are is left to the sections of the page. */
export function cardsOf(list: Pick<CrewListView, "alerts" | "sensors">, about: CardContext): Card[] {
  const places = new Map(list.sensors.map((one) => [one.id, one]));
  const groups = Map.groupBy(list.alerts, (warning) => placeKey(warning, places));
  return [...groups].map(([key, warnings]) => cardOf(key, warnings, places, about)).sort(comparison(about.order));
}

/** Sensors on one lamp post have one position, to about a metre. Without a position a sensor is a place of its own. */
function placeKey({ id, subject, incident }: CrewWarningView, places: ReadonlyMap<string, CrewSensorView>): string {
  // What has one cause is one journey, wherever it shows.
  if (incident !== undefined) return `incident ${incident}`;
  const { sensorId, gateway, district, tag } = subject;
  const place = sensorId === undefined ? undefined : places.get(sensorId);
  if (place?.lat !== undefined && place.lon !== undefined) return `${place.lat.toFixed(5)},${place.lon.toFixed(5)}`;
  if (sensorId !== undefined) return `sensor ${sensorId}`;
  if (gateway !== undefined) return `gateway ${gateway}`;
  return tag === undefined ? (district ?? id) : `${district} ${tag.name}=${tag.value}`;
}

function cardOf(
  key: string,
  found: readonly CrewWarningView[],
  places: ReadonlyMap<string, CrewSensorView>,
  about: CardContext,
): Card {
  const { me, crews = [], now, position } = about;
  const warnings = found.toSorted(
    (a, b) => bySeverity(a, b) || daysLeft(a, now) - daysLeft(b, now) || subjectOf(a).localeCompare(subjectOf(b)),
  );
  const worst = warnings[0]!;
  const place = warnings.map(({ subject }) => places.get(subject.sensorId ?? "")).find((one) => one !== undefined);
  const holders = warnings.map(holderOf);
  const { lat, lon } = place ?? {};
  return {
    key,
    warnings,
    severity: worst.severity,
    ...(place ? { place } : {}),
    ...(worst.subject.district === undefined ? {} : { district: worst.subject.district }),
    ...(position && lat !== undefined && lon !== undefined ? { distanceM: distanceM(position, { lat, lon }) } : {}),
    daysLeft: Math.min(...warnings.filter((one) => one.severity === worst.severity).map((one) => daysLeft(one, now))),
    whose: holders.some((one) => one !== undefined && (one === me || crews.includes(one)))
      ? "mine"
      : holders.includes(undefined)
        ? "free"
        : "others",
  };
}

/** The sensor's own name, or what else it is about. */
export function nameOfCard({ place, warnings, district }: Card): string {
  const { sensorId, gateway, tag } = warnings[0]!.subject;
  const tagged = tag && `${tag.name} ${tag.value}`;
  return place?.name ?? sensorId ?? gateway ?? tagged ?? (district ? districtName(district) : titleOf(warnings[0]!));
}

/** What whoever gave the work wrote to those who do it. */
export function givenWith({ people, assignee }: CrewWarningView): { by: string; words: string } | undefined {
  const given = people.findLast(({ what }) => what === "assigned");
  const words = given?.note?.split(/^to [^:]+: /)[1];
  return assignee === undefined || words === undefined ? undefined : { by: given!.by, words };
}

const subjectOf = ({ subject, id }: CrewWarningView) => `${subject.sensorId ?? ""} ${id}`;

/** Whole days until the best estimate; 0 for what is no forecast. */
function daysLeft({ expected }: CrewWarningView, now: number): number {
  return expected ? daysUntil(expected.at, now) : 0;
}

export const daysUntil = (at: string, now: number): number => Math.max(0, Math.floor((Date.parse(at) - now) / DAY_MS));

/**
 * Leaves every card in the section where it was first seen, and writes down where that is for new ones. What one takes
 * goes to one's own at once.
 */
export function keepSections(cards: readonly Card[], seen: Map<string, Card["whose"]>): Card[] {
  for (const { key, whose } of cards) if (!seen.has(key) || whose === "mine") seen.set(key, whose);
  return cards.map((card) => ({ ...card, whose: seen.get(card.key)! }));
}

export const bySeverity = (a: { severity: Severity }, b: { severity: Severity }) =>
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

export type Position = { readonly lat: number; readonly lon: number };

const EARTH_RADIUS_M = 6_371_000;
const radians = (degrees: number) => (degrees * Math.PI) / 180;

/** Metres along the surface of a round earth (the haversine formula): good to half a percent. */
export function distanceM(a: Position, b: Position): number {
  const [dLat, dLon] = [radians(b.lat - a.lat) / 2, radians(b.lon - a.lon) / 2];
  const chord = Math.sin(dLat) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(dLon) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** "350 m", "1.2 km": as one says it while walking or driving. */
export function describeDistance(metres: number): string {
  const far = metres >= 1_000;
  const value = far ? metres / 1_000 : Math.round(metres / 10) * 10;
  const unit = far ? "kilometer" : "meter";
  return new Intl.NumberFormat(language.value, {
    style: "unit",
    unit,
    maximumFractionDigits: far && value < 10 ? 1 : 0,
  }).format(value);
}

export type Device = "android" | "apple" | "other";

/** A phone has a map application of its own and a scheme that opens it; elsewhere there is a page. */
export function deviceOf(userAgent: string, isTouch: boolean): Device {
  if (/iPhone|iPad/.test(userAgent)) return "apple";
  return isTouch || /Android/.test(userAgent) ? "android" : "other";
}

/** RFC 5870 for `geo:`; its query with a name in brackets is what Android's map applications understand. */
export function mapLink({ lat, lon }: Position, name: string, device: Device): string {
  const at = `${lat},${lon}`;
  const label = encodeURIComponent(name.replaceAll(/[()]/g, " "));
  if (device === "android") return `geo:${at}?q=${at}(${label})`;
  if (device === "apple") return `maps:?ll=${at}&q=${label}`;
  return `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=18/${lat}/${lon}`;
}
