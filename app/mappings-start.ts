import { openYaml } from "../alerts/rules/yaml-file.ts";
import type { Door, DoorOutcome, MappingDeps, MappingEntry } from "../api/deps.ts";
import { aboutMessage } from "../ingest/foreign.ts";
import { uncompressSnappy } from "../ingest/formats/snappy.ts";
import { BASE_NAMES, readBase } from "../ingest/mappings/bases.ts";
import { createMappingBook } from "../ingest/mappings/book.ts";
import { type CompiledMapping, compileMapping } from "../ingest/mappings/compile.ts";
import { suggestMapping, suggestSensor } from "../ingest/mappings/suggest.ts";
import { doorTopic, tryMapping } from "../ingest/mappings/trial.ts";
import { parseTime } from "../ingest/reading-time.ts";
import type { Log } from "../model/log.ts";
import { PAYLOAD_BYTES_MAX, READINGS_PER_MESSAGE_MAX } from "../model/message.ts";
import type { Records } from "../store/records.ts";

type MappingsStart = {
  readonly records: Records;
  /** The number the next message of the journal gets. */
  readonly nextSeq: () => number;
  readonly now: () => number;
  readonly log: Log;
};

/** The mappings in force: what decoding asks of them, what people do with them, and their HTTP door. */
export function startMappings({ records, nextSeq, now, log }: MappingsStart) {
  const book = createMappingBook({ records, open: openYaml, nextSeq, now, log });
  records.credentials.onChange(() => book.forgetRoutes());
  const viewed = <T extends object>(outcome: T) => ("compiled" in outcome ? viewEntry(outcome as never) : outcome);

  const deps: MappingDeps = {
    entries: () => book.entries().map(viewEntry),
    entry: (id) => {
      const found = book.entry(id);
      return found && viewEntry(found);
    },
    put: (id, yaml, author) => viewed(book.put(id, yaml, author)) as ReturnType<MappingDeps["put"]>,
    remove: (id, author) => viewed(book.remove(id, author)) as ReturnType<MappingDeps["remove"]>,
    versions: (id, limit, cursor) => records.mappings.of(id, limit, cursor),
    check: (yaml) => book.check(yaml).mistakes,
    attempt(by, asked, payload, receivedAt) {
      if ("mapping" in by) {
        const found = book.entry(by.mapping);
        return found && { mistakes: [], ...tryMapping(found.compiled, asked, payload, receivedAt) };
      }
      const { mapping, mistakes } = book.check(by.yaml);
      if (!mapping) return { mistakes, readings: [], refused: [], fields: [], statuses: [], ignored: 0 };
      return { mistakes, ...tryMapping(compileMapping("trial", 1, mapping), asked, payload, receivedAt) };
    },
    unmapped: book.unmapped,
    async suggest(sender, district) {
      const { mapping, device, topic, payload, lastAt } = sender;
      const stranger = { device, topic, payload, receivedAt: lastAt, district };
      const found = mapping === "" ? undefined : book.entry(mapping);
      if (mapping !== "" && !found) return undefined;
      if (found)
        return { mapping, isNew: false, yaml: suggestSensor(found.change.text!, found.compiled.spec, stranger) };
      const yaml = await suggestMapping(stranger);
      return { mapping: freeId(yaml), isNew: true, yaml };
    },
    lastRead: book.lastRead,
    isFor: book.isFor,
    bases: () =>
      BASE_NAMES.map((name) => {
        const { title, source, format, note } = readBase(name) as Record<string, string>;
        return { name, title: title!, source: source!, format: format!, ...(note !== undefined && { note }) };
      }),
    door(id) {
      const found = book.entry(id);
      return found && doorOf(found.compiled);
    },
  };
  /** By what it is over, such as `tts-2`. */
  function freeId(yaml: string): string {
    const [, stem = "mapping"] = /^(?:base|format): ([a-z0-9-]+)/.exec(yaml) ?? [];
    const ids = [stem, ...Array.from({ length: 500 }, (_, at) => `${stem}-${at + 2}`)];
    return ids.find((id) => !book.entry(id))!;
  }

  return { context: book.context, isStatus: book.isStatus, deps };
}

function viewEntry({ change, compiled }: { change: MappingEntry["change"]; compiled: CompiledMapping }): MappingEntry {
  const { spec, format } = compiled;
  return {
    change,
    format: spec.format ?? "json",
    ...(spec.title !== undefined && { title: spec.title }),
    sensors: spec.sensors?.length ?? 0,
    topics: spec.topics ?? format.topics,
  };
}

const OPEN_ARRAY = 0x5b;

function doorOf(compiled: CompiledMapping): Door {
  const { id, spec, format, answer } = compiled;
  return {
    id,
    format: spec.format ?? "json",
    answer,
    ...(spec.header !== undefined && { header: spec.header }),
    topic: (asked) => doorTopic(compiled, asked),
    cut(body) {
      if (format.cut) return format.cut(body, PAYLOAD_BYTES_MAX, READINGS_PER_MESSAGE_MAX);
      return body.byteLength > PAYLOAD_BYTES_MAX ? undefined : [body];
    },
    uncompress: uncompressSnappy,
    look(topic, payload, receivedAt) {
      const { items } = compiled.look(payload, aboutMessage({ topic, receivedAt }));
      return items.map((item): DoorOutcome => {
        if ("why" in item) return { reason: item.why.reason, detail: item.why.detail };
        const measuredAt = parseTime(item.value.measuredAt);
        return {
          sensorId: item.at.sensorId,
          ...(measuredAt !== undefined && { measuredAt: new Date(measuredAt).toISOString() }),
        };
      });
    },
    isList: (body) => body.find((byte) => byte > 0x20) === OPEN_ARRAY,
  };
}
