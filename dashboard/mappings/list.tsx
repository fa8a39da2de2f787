import type { MappingView, UnmappedView } from "../../contract/mapping.ts";
import "./mappings.css";
import { useState } from "preact/hooks";
import { Section } from "../admin/parts.tsx";
import { formatCount } from "../feed/formats.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { Loading, loadAll, Problem, useLoaded } from "../parts/state.tsx";
import { buttons, numbers, Table } from "../parts/table.tsx";
import { Moment } from "../words/time.tsx";
import { mappingHref, senderHref } from "./mappings-api.ts";

const SHOWN_AT_ONCE = 20;
const PAYLOAD_CHARS_MAX = 120;
const ASK_EVERY_MS = 15_000;

/** `/admin?tab=mappings`: who is heard and not known, and the mappings. */
export function Mappings() {
  return (
    <>
      <Unmapped />
      <InForce />
    </>
  );
}

function Unmapped() {
  const t = messages.value.mappings;
  const [most, setMost] = useState(SHOWN_AT_ONCE);
  const load = (signal: AbortSignal) => loadAll<UnmappedView>("/unmapped", signal);
  const { found: senders, problem } = useLoaded(load, [], ASK_EVERY_MS);
  return (
    <Section title={t.unmapped} hint={t.unmappedHint}>
      <Problem of={problem} />
      {!senders && problem === undefined && <Loading />}
      {senders?.length === 0 && <p class="note">{t.unmappedNone}</p>}
      {senders !== undefined && senders.length > 0 && (
        <Table
          label={t.unmapped}
          class="tall"
          columns={[
            { head: t.device, name: t.device },
            { head: t.through, name: t.through },
            ...numbers(t.count),
            { head: t.lastSeen, name: t.lastSeen },
            { head: t.lastMessage, name: t.lastMessage },
            buttons(t.map),
          ]}
          rows={senders.slice(0, most).map((one) => ({ key: `${one.mapping} ${one.device}`, cells: cellsOf(one) }))}
        />
      )}
      {senders !== undefined && senders.length > most && (
        <div>
          <Button onClick={() => setMost(most + SHOWN_AT_ONCE)}>{t.more}</Button>
        </div>
      )}
    </Section>
  );
}

function cellsOf({ device, mapping, sender, count, lastSeen, payload }: UnmappedView) {
  const t = messages.value.mappings;
  return [
    <>
      <code>{device}</code>
      {mapping !== undefined && <small class="quiet"> /in/{mapping}</small>}
    </>,
    sender.split(":").at(-1),
    formatCount(count),
    <Moment at={lastSeen} />,
    payload === "" ? (
      <small class="quiet">{t.notKept}</small>
    ) : (
      <code class="mapping-sample">
        {payload.length > PAYLOAD_CHARS_MAX ? `${payload.slice(0, PAYLOAD_CHARS_MAX)} …` : payload}
      </code>
    ),
    <a class="button" href={senderHref(device, mapping)} aria-label={`${t.map}: ${device}`}>
      {t.map}
    </a>,
  ];
}

function InForce() {
  const t = messages.value.mappings;
  const { found: mappings, problem } = useLoaded((signal) => loadAll<MappingView>("/mappings", signal));
  return (
    <Section
      title={t.list}
      hint={t.listHint}
      action={
        <a class="button" href="/new-mapping">
          {t.add}
        </a>
      }
    >
      <Problem of={problem} />
      {!mappings && problem === undefined && <Loading />}
      {mappings?.length === 0 && <p class="note">{t.listNone}</p>}
      {mappings !== undefined && mappings.length > 0 && (
        <Table
          label={t.list}
          class="tall"
          columns={[
            { head: t.name, name: t.name },
            { head: t.format, name: t.format },
            ...numbers(t.sensors, t.version),
            { head: t.topics, name: t.topics },
            { head: t.changed, name: t.changed },
          ]}
          rows={mappings.map(({ id, title, format, sensors, version, topics, at, by }) => ({
            key: id,
            cells: [
              <>
                <a href={mappingHref(id)}>{id}</a>
                {title !== undefined && <small class="quiet"> {title}</small>}
              </>,
              format,
              formatCount(sensors),
              version,
              topics.length > 0 ? <code>{topics.join(" ")}</code> : "–",
              <>
                <Moment at={at} /> <small class="quiet">{t.by(by)}</small>
              </>,
            ],
          }))}
        />
      )}
    </Section>
  );
}
