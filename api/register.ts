import type { SensorChange } from "../contract/register.ts";
import type { Account } from "../model/people.ts";
import type { Place } from "../model/place.ts";
import { readingTopic } from "../model/topics.ts";
import type { Sensor } from "../store/records/sensors.ts";
import type { Parts } from "./api.ts";
import { invalid, ProblemError } from "./problems.ts";

/** Places a sensor is known to have stood in; the oldest of more are forgotten. */
const PLACES_MAX = 50;
/** Sensors in a line of those that took each other's place. */
export const SUCCESSORS_MAX = 20;

type Records = Parts["records"];
/** What the functions here need of the register, so that a file can be tried out beside it. */
export type Register = Pick<Parts, "now"> & {
  readonly records: {
    readonly sensors: Pick<Records["sensors"], "get" | "retired" | "save" | "retire">;
    readonly credentials: Pick<Records["credentials"], "byName" | "change" | "remove">;
  };
};

/** Throws a problem while a file that counts already is being carried out: it would undo what is changed now. */
export function checkIdle({ registerImports }: Pick<Records, "registerImports">): void {
  if (!registerImports.isUnderway()) return;
  throw new ProblemError("unavailable", "A file of sensors is being taken in.", { retryAfterS: 5 });
}

/** Those with a password, and those that sensors are known to speak through. */
export function knownGateways(records: {
  readonly sensors: Pick<Records["sensors"], "after">;
  readonly credentials: Pick<Records["credentials"], "list">;
}): ReadonlySet<string> {
  const names = new Set(records.credentials.list("gateway").map(({ account }) => account.name));
  for (const { gateway } of records.sensors.after(undefined)) if (gateway !== undefined) names.add(gateway);
  return names;
}

/** What of a sensor may be said anew; undefined stays, null goes. */
type Fields = Omit<SensorChange, "replaces" | "replacesFrom">;

/** The sensor with the change; where it stands elsewhere then, it has a history of places from `now` on. */
export function changedSensor(sensor: Sensor, change: Fields, now: number): Sensor {
  const { name, district, lat, lon, intervalS, tags = {}, gateway } = change;
  const own = {
    name: changed(sensor.name, name),
    lat: changed(sensor.lat, lat),
    lon: changed(sensor.lon, lon),
    intervalS: changed(sensor.intervalS, intervalS),
    gateway: changed(sensor.gateway, gateway),
  };
  const merged = Object.entries({ ...sensor.tags, ...tags }).filter((tag): tag is [string, string] => tag[1] !== null);
  const next = { ...sensor, ...own, district: district ?? sensor.district, tags: Object.fromEntries(merged) };
  return isElsewhere(sensor, next) ? { ...next, places: placesOf(sensor, next, now) } : next;
}

const changed = <T>(old: T | undefined, value: T | null | undefined) =>
  value === undefined ? old : (value ?? undefined);

/** Coordinates that were not known before tell where it has stood all along. */
function isElsewhere(old: Sensor, next: Sensor): boolean {
  if (old.district !== next.district) return true;
  return old.lat !== undefined && old.lon !== undefined && (old.lat !== next.lat || old.lon !== next.lon);
}

function placesOf(old: Sensor, next: Sensor, now: number): readonly Place[] {
  const { places = [placeOf(old, old.createdAt)] } = old;
  return [...places, placeOf(next, now)].slice(-PLACES_MAX);
}

const placeOf = ({ district, lat, lon }: Sensor, from: number): Place => ({
  district,
  ...(lat === undefined ? {} : { lat }),
  ...(lon === undefined ? {} : { lon }),
  from,
});

/** Its own account where it now stands; undefined if that is as it was, or it has none. */
export function movedAccount({ records }: Pick<Register, "records">, sensor: Sensor): Account | undefined {
  const account = records.credentials.byName(sensor.id)?.account;
  if (account?.role !== "device" || account.district === sensor.district) return undefined;
  return { ...account, district: sensor.district, former: formerDistricts(sensor) };
}

export function formerDistricts({ places = [], district }: Sensor): readonly string[] {
  return [...new Set(places.map((place) => place.district))].filter((one) => one !== district);
}

/** Call it in a transaction. Answers whose connections are to be closed, so that they come back with what they may now. */
export function keepSensor(register: Register, sensor: Sensor): readonly string[] {
  register.records.sensors.save([sensor]);
  const account = movedAccount(register, sensor);
  if (!account) return [];
  register.records.credentials.change(account);
  return [account.name];
}

/** The same: takes a sensor off the register, and its password with it. */
export function retireSensor({ records, now }: Register, sensor: Sensor): readonly string[] {
  records.sensors.retire(sensor, now());
  if (records.credentials.byName(sensor.id)?.account.role !== "device") return [];
  records.credentials.remove(sensor.id);
  return [sensor.id];
}

/** The same: `successor` stands where the other stood, which goes off the register. Throws a problem where it cannot. */
export function linkSuccessor(register: Register, successor: Sensor, id: string, from: number): readonly string[] {
  const { sensors } = register.records;
  const former = sensors.get(id) ?? sensors.retired(id);
  if (!former) throw invalid("/replaces", `There is no sensor "${id}".`);
  if (former.kind !== successor.kind) {
    throw invalid("/replaces", `${id} is ${former.kind}, and ${successor.id} is ${successor.kind}.`);
  }
  if (former.replacedBy !== undefined && former.replacedBy !== successor.id) {
    throw new ProblemError("conflict", `${former.replacedBy} has taken the place of ${id} already.`);
  }
  if (lineOf(sensors, former).some(({ sensor }) => sensor.id === successor.id)) {
    throw new ProblemError("conflict", `${id} took the place of ${successor.id} itself.`);
  }
  unlinkFormer(register, successor);
  sensors.save([{ ...successor, replaces: { sensorId: id, from } }]);
  const replaced = { ...former, replacedBy: successor.id };
  if (former.retiredAt === undefined) return retireSensor(register, replaced);
  sensors.save([replaced]);
  return [];
}

/** Nobody's successor any more; the other stays off the register. */
export function unlinkFormer({ records: { sensors } }: Register, { replaces }: Sensor): void {
  const former = replaces && (sensors.retired(replaces.sensorId) ?? sensors.get(replaces.sensorId));
  if (former) sensors.save([{ ...former, replacedBy: undefined }]);
}

export type Stretch = { readonly sensor: Sensor; readonly to: number };

/**
 * The sensor and those whose place it took, newest first, each up to when the next one did. What a sensor sent before
 * it took the place is its own history all the same: it may have measured a while beside the other.
 */
export function lineOf(sensors: Pick<Records["sensors"], "get" | "retired">, sensor: Sensor): Stretch[] {
  const line: Stretch[] = [];
  let to = Number.POSITIVE_INFINITY;
  for (let one: Sensor | undefined = sensor; one && line.length < SUCCESSORS_MAX; ) {
    const { replaces }: Sensor = one;
    line.push({ sensor: one, to });
    to = Math.min(replaces?.from ?? Number.NEGATIVE_INFINITY, to);
    one = replaces && (sensors.retired(replaces.sensorId) ?? sensors.get(replaces.sensorId));
  }
  return line;
}

/** What people have to do elsewhere after a change. */
export function adviceFor({ records }: Pick<Register, "records">, old: Sensor, sensor: Sensor): string[] {
  const { id, gateway, district } = sensor;
  if (old.district === district) return [];
  const topic = readingTopic({ ...sensor, sensorId: id });
  const former = readingTopic({ ...old, sensorId: id });
  const moved = `${id} publishes to ${topic} from now on; what comes on ${former} is refused, and its sender is told so.`;
  const speaker = gateway === undefined ? undefined : records.credentials.byName(gateway)?.account;
  if (speaker?.role !== "gateway" || speaker.districts.includes(district)) return [moved];
  return [moved, `The gateway ${gateway} does not speak for ${district}: add it with that district, or use another.`];
}
