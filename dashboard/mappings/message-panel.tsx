import { useId, useState } from "preact/hooks";
import type { MappingTrialView, SeenMessageView } from "../../contract/mapping.ts";
import { messages } from "../messages/messages.ts";
import { Field } from "../parts/fields.tsx";
import { Table } from "../parts/table.tsx";
import { formatTime, Moment } from "../words/time.tsx";
import { formatValue, metricLabel } from "../words/words.ts";
import type { Draft } from "./draft.ts";
import type { Shown } from "./mappings-api.ts";

const NOTHING: Shown = { topic: "", payload: "", isText: true };
const OWN = "own";
const DETAIL_CHARS_MAX = 60;

/** A real message, or one of somebody's own, and what the mapping makes of it. */
export function MessagePanel({ draft, seen }: { draft: Draft; seen: readonly SeenMessageView[] }) {
  const t = messages.value.mappings;
  const id = useId();
  const [chosen, setChosen] = useState(seen.length > 0 ? "0" : OWN);
  const shown = draft.message.value ?? NOTHING;
  const change = (part: Partial<Shown>) => {
    const next = { ...shown, ...part };
    draft.message.value = next.payload === "" ? undefined : next;
  };
  return (
    <section class="panel stack mapping-message" aria-label={t.message}>
      <h2>{t.message}</h2>
      <p class="quiet">{t.messageHint}</p>
      {seen.length > 0 && (
        <Field
          label={t.messageOf}
          name="message"
          value={chosen}
          options={[
            ...seen.map((one, index) => [String(index), describeSeen(one)] as const),
            [OWN, t.messageOwn] as const,
          ]}
          onChoose={(value) => {
            setChosen(value);
            const one = seen[Number(value)];
            draft.message.value = one && shownOf(one);
          }}
        />
      )}
      <div class="field">
        <label for={`${id}-topic`}>{t.topic}</label>
        <input
          id={`${id}-topic`}
          type="text"
          value={shown.topic}
          spellcheck={false}
          autocomplete="off"
          aria-describedby={`${id}-hint`}
          onInput={(event) => change({ topic: event.currentTarget.value.trim() })}
        />
        <small id={`${id}-hint`} class="quiet">
          {t.topicHint}
        </small>
      </div>
      <div class="field">
        <label for={`${id}-payload`}>{t.payload}</label>
        <textarea
          id={`${id}-payload`}
          rows={10}
          value={shown.payload}
          spellcheck={false}
          onInput={(event) => change({ payload: event.currentTarget.value })}
        />
        {!shown.isText && <small class="quiet">{t.isBinary}</small>}
      </div>
      <Result draft={draft} />
    </section>
  );
}

/** As it came, but lines where nothing is changed by them. */
export function shownOf({ topic, payload, isText, receivedAt }: SeenMessageView): Shown {
  return { topic, payload: isText ? inLines(payload) : payload, isText, receivedAt };
}

function inLines(payload: string): string {
  try {
    const value = JSON.parse(payload);
    // A number that JavaScript writes otherwise stays as its sender wrote it.
    return JSON.stringify(value) === payload.trim() ? JSON.stringify(value, undefined, 2) : payload;
  } catch {
    return payload;
  }
}

function describeSeen({ what, receivedAt, device = "", detail = "" }: SeenMessageView): string {
  const t = messages.value.mappings;
  const at = Date.parse(receivedAt);
  const when = formatTime(at, Date.now());
  if (what === "read") return `${when}: ${t.messageRead}`;
  if (what === "unmapped") return `${when}: ${t.messageUnmapped(device)}`;
  const why = detail.replace(/^Mapping [^:]*: /, "");
  return `${when}: ${t.messageRefused(why.length > DETAIL_CHARS_MAX ? `${why.slice(0, DETAIL_CHARS_MAX)} …` : why)}`;
}

function Result({ draft }: { draft: Draft }) {
  const t = messages.value.mappings;
  const tried = draft.tried.value;
  return (
    <div class="stack mapping-result" role="status" aria-label={t.result}>
      <h3>{t.result}</h3>
      {draft.message.value === undefined ? (
        <p class="quiet">{t.resultNone}</p>
      ) : tried === undefined ? (
        <p class="quiet">{t.checking}</p>
      ) : tried.mistakes.length > 0 ? (
        <p class="quiet">{t.resultWaits}</p>
      ) : (
        <Decoded {...(tried as MappingTrialView)} />
      )}
    </div>
  );
}

function Decoded({ readings, refused, fields, statuses, ignored }: MappingTrialView) {
  const { mappings: t, feed, words } = messages.value;
  const unused = [...new Set(fields.map(({ name }) => name))];
  const isNothing = readings.length === 0 && statuses.length === 0;
  return (
    <>
      {isNothing && <p class={refused.length > 0 ? "wrong" : "note"}>{ignored > 0 ? t.ignored : t.noReading}</p>}
      {readings.map(({ sensorId, kind, district, measuredAt, values }, index) => (
        <Table
          key={index}
          label={sensorId}
          class="narrow-table"
          columns={[
            <>
              {sensorId}{" "}
              <small class="quiet">
                {words.kind[kind as keyof typeof words.kind]}, {district}
              </small>
            </>,
            <Moment at={measuredAt} as="time" />,
          ].map((head, at) => ({ head, ...(at === 1 && { class: "number" }) }))}
          rows={Object.entries(values).map(([metric, value]) => ({
            key: metric,
            cells: [metricLabel(metric), formatValue(value, metric)],
          }))}
        />
      ))}
      {statuses.map(({ sensorId, online }) => (
        <p key={sensorId}>{online ? t.online(sensorId) : t.offline(sensorId)}</p>
      ))}
      {refused.map(({ index, reason, detail, metric }) => (
        <p key={`${index} ${metric}`} class="wrong">
          {t.refused}: {feed.reasons[reason as keyof typeof feed.reasons]}. {detail.replace(/^Mapping [^:]*: /, "")}
        </p>
      ))}
      {unused.length > 0 && (
        <p class="quiet">
          {t.unused} <code>{unused.join(", ")}</code>
        </p>
      )}
    </>
  );
}
