import type { MappingChange } from "../../contract/mapping.ts";
import { isId } from "../../model/ids.ts";
import type { Log } from "../../model/log.ts";
import type { Message, Source } from "../../model/message.ts";
import { type Fault, fault, type Rejection } from "../../model/rejection.ts";
import { filterMatches } from "../../model/topic-filter.ts";
import type { ReadingTopic } from "../../model/topics.ts";
import type { Records } from "../../store/records.ts";
import { type CheckedMapping, checkMapping, type OpenedText } from "./check.ts";
import { type CompiledMapping, compileMapping } from "./compile.ts";
import { createUnmapped } from "./unmapped.ts";

export const MAPPINGS_MAX = 500;
const ROUTES_MAX = 10_000;
/** As many versions as the records give at a start. */
const VERSIONS_MAX = 5;

/** One version; without `compiled` the mapping was removed with it. */
type Version = { readonly change: MappingChange; readonly compiled: CompiledMapping | undefined };

export type MappingEntry = { readonly change: MappingChange; readonly compiled: CompiledMapping };
export type MappingAuthor = { readonly by: string; readonly reason: string; readonly ifVersion?: number };
export type MappingOutcome<Mistake> =
  | MappingEntry
  | { readonly removed: true }
  | { readonly mistakes: readonly Mistake[] }
  | { readonly refused: "conflict" | "missing"; readonly detail: string };

/**
 * The mappings in force, and their versions. A version holds from a place in the journal on: whoever reads a message
 * again later (the store after it was lost, a consumer that lags) reads it as it was read the first time. What is driven
 * again out of the quarantine has a new place, and so the newest version.
 */
export function createMappingBook<Mistake>(parts: {
  readonly records: Pick<Records, "transaction"> & {
    readonly mappings: Pick<Records["mappings"], "add" | "newest">;
    readonly audit: Pick<Records["audit"], "add">;
    readonly credentials: Pick<Records["credentials"], "byName">;
  };
  open(text: string, file: string): OpenedText<Mistake>;
  /** The number the next message of the journal gets. */
  nextSeq(): number;
  readonly now: () => number;
  readonly log: Log;
}) {
  const { records, open, now, log } = parts;
  /** Newest first. */
  const versions = new Map<string, Version[]>();
  const routes = new Map<string, string>();
  const unmapped = createUnmapped();
  const last = createLast();
  const check = (text: string, file = "mapping.yaml"): CheckedMapping<Mistake> => checkMapping(open(text, file));

  function lay(change: MappingChange): Version {
    const { mapping: id, version, text } = change;
    const checked = text === undefined ? undefined : check(text, `${id}.yaml`);
    if (checked && !checked.mapping)
      log.error({ mapping: id, mistakes: checked.mistakes.slice(0, 3) }, "a mapping cannot be read any more");
    const compiled = checked?.mapping && compileMapping(id, version, checked.mapping);
    const made = { change, compiled };
    versions.set(id, [made, ...(versions.get(id) ?? [])].slice(0, VERSIONS_MAX));
    routes.clear();
    return made;
  }

  for (const change of records.mappings.newest()) lay(change);

  function entry(id: string): MappingEntry | undefined {
    const [newest] = versions.get(id) ?? [];
    return newest?.compiled && { change: newest.change, compiled: newest.compiled };
  }

  const entries = (): MappingEntry[] => [...versions.keys()].sort().flatMap((id) => entry(id) ?? []);

  function put(id: string, text: string, author: MappingAuthor): MappingOutcome<Mistake> {
    const checked = check(text, `${id}.yaml`);
    if (!checked.mapping) return { mistakes: checked.mistakes };
    const known = entry(id);
    const conflict = conflictWith(id, known, author);
    if (conflict) return conflict;
    if (!known && entries().length >= MAPPINGS_MAX)
      return { refused: "conflict", detail: `There are ${MAPPINGS_MAX} mappings already.` };
    const made = lay(write(id, author, text));
    unmapped.forget(made.compiled!);
    return { change: made.change, compiled: made.compiled! };
  }

  function remove(id: string, author: MappingAuthor): MappingOutcome<Mistake> {
    const known = entry(id);
    if (!known) return { refused: "missing", detail: `There is no mapping "${id}".` };
    const conflict = conflictWith(id, known, author);
    if (conflict) return conflict;
    lay(write(id, author, undefined));
    return { removed: true };
  }

  function conflictWith(id: string, known: MappingEntry | undefined, { ifVersion }: MappingAuthor) {
    const version = known?.change.version ?? 0;
    if (ifVersion === undefined || ifVersion === version) return undefined;
    const detail = known
      ? `${id} is version ${version} since ${new Date(known.change.at).toISOString()}, by ${known.change.by}.`
      : `There is no mapping "${id}".`;
    return { refused: "conflict" as const, detail };
  }

  function write(id: string, { by, reason }: MappingAuthor, text: string | undefined): MappingChange {
    const version = (versions.get(id)?.[0]?.change.version ?? 0) + 1;
    const at = now();
    return records.transaction(() => {
      const what = text === undefined ? "mapping.removed" : "mapping.changed";
      records.audit.add({ at, by, what, target: id, detail: `version ${version}: ${reason}` });
      const change = {
        mapping: id,
        version,
        at,
        by,
        reason,
        fromSeq: parts.nextSeq(),
        ...(text !== undefined && { text }),
      };
      return records.mappings.add(change);
    });
  }

  function find({ topic, source, seq }: Pick<Message, "topic" | "source" | "seq">): CompiledMapping | Fault {
    const id = topic.startsWith("in/") ? doorOf(topic) : routeOf(topic, source);
    if (id === undefined) return fault("unmapped", "No mapping reads this topic.");
    const own = versions.get(id);
    const found = own?.find(({ change }) => change.fromSeq <= seq);
    return (
      found?.compiled ?? fault("unmapped", own ? `There was no mapping ${id} then.` : `There is no mapping ${id}.`)
    );
  }

  /** Of a gateway what it was given; else the first that reads the topic. */
  function routeOf(topic: string, { role, name }: Source): string | undefined {
    const key = `${role} ${name} ${topic}`;
    const known = routes.get(key);
    if (known !== undefined) return known;
    const account = role === "gateway" ? records.credentials.byName(name)?.account : undefined;
    const accepts = account?.role === "gateway" ? (account.accepts ?? []) : [];
    const given = accepts.find(({ topics }) => topics.some((one) => filterMatches(one, topic)))?.mapping;
    const found = given ?? entries().find(({ compiled }) => compiled.reads(topic))?.change.mapping;
    if (found === undefined) return undefined;
    if (routes.size >= ROUTES_MAX) routes.clear();
    routes.set(key, found);
    return found;
  }

  /** Of an external broker: it says whether a device is there. */
  function isStatus(topic: string): boolean {
    const found = entries().find(({ compiled }) => compiled.reads(topic))?.compiled;
    return found?.spec.status !== undefined && topic.endsWith(`/${found.spec.status.level}`);
  }

  /** Whether what waits in quarantine would be read by this mapping, were it driven again. */
  function isFor(id: string, { topic, detail, reason }: Pick<Rejection, "topic" | "detail" | "reason">): boolean {
    if (topic.startsWith("in/")) return doorOf(topic) === id;
    if (detail.startsWith(`Mapping ${id}: `)) return true;
    return reason === "unmapped" && (detail.includes(` mapping ${id}`) || entry(id)?.compiled.reads(topic) === true);
  }

  /** The same right as over topics of our own. */
  function refusal({ role, name }: Source, at: ReadingTopic): Fault | undefined {
    const account = records.credentials.byName(name)?.account;
    const no = (why: string) => fault("not_allowed", `${name} ${why}.`);
    if (role === "gateway" && account?.role === "gateway")
      return account.districts.includes(at.district) ? undefined : no(`does not speak for district ${at.district}`);
    if (role === "device" && account?.role === "device") {
      const isOwn = account.sensorId === at.sensorId && account.kind === at.kind;
      return isOwn ? undefined : no(`speaks for ${account.sensorId} only, and not for ${at.sensorId}`);
    }
    return role === "gateway" || role === "device" ? no("has no credential any more") : undefined;
  }

  return {
    check,
    entry,
    entries,
    put,
    remove,
    /** What decoding asks. */
    context: { find, refusal, unmapped: unmapped.note, read: last.note },
    isStatus,
    unmapped: unmapped.list,
    /** The last message that a mapping has read. */
    lastRead: last.of,
    isFor,
    /** Credentials have changed: what a gateway may use is looked up again. */
    forgetRoutes: () => routes.clear(),
  };
}

const LAST_BYTES_MAX = 16 * 1024;
const LAST_EVERY_MS = 1_000;

/** Of each mapping the last message it has read, for people who look at what it does: at most one a second. In memory only. */
function createLast() {
  const messages = new Map<string, Message>();
  function note(message: Message, mapping: string): void {
    const { receivedAt, payload } = message;
    const known = messages.get(mapping);
    if (known && Math.abs(receivedAt - known.receivedAt) < LAST_EVERY_MS) return;
    if (payload.byteLength > LAST_BYTES_MAX || (!known && messages.size >= MAPPINGS_MAX)) return;
    messages.set(mapping, { ...message, payload: new Uint8Array(payload) });
  }
  return { note, of: (mapping: string) => messages.get(mapping) };
}

function doorOf(topic: string): string | undefined {
  const [id] = topic.slice(3).split(/[?/]/, 1);
  return id !== undefined && isId(id) ? id : undefined;
}
