import { messages } from "../../messages/messages.ts";
import { Moment } from "../../words/time.tsx";
import { MATCHERS, type SilenceView } from "./silence-data.ts";

const CHIP = { active: "chip on", scheduled: "chip", ended: "chip" } as const;

export function SilenceCard({ silence, onEnd }: { silence: SilenceView; onEnd: () => void }) {
  const { admin: t } = messages.value;
  const { kind, state, reason, createdAt, createdBy, endedAt, endedBy } = silence;
  return (
    <li class="admin-card">
      <div class="admin-card-head">
        <h3>{reason}</h3>
        <span class="chip">{t.silenceKinds[kind]}</span>
        <span class={CHIP[state]}>{t.silenceStates[state]}</span>
        {state !== "ended" && (
          <div class="buttons">
            <button type="button" class="button" aria-label={`${t.endIt}: ${reason}`} onClick={onEnd}>
              {t.endIt}
            </button>
          </div>
        )}
      </div>
      <Matchers silence={silence} />
      <When silence={silence} />
      <p class="quiet">
        {t.added} <Moment at={createdAt} as="time" /> {t.by(createdBy)}
        {endedAt && endedBy && (
          <>
            , {t.endedBy(endedBy)} <Moment at={endedAt} as="time" />
          </>
        )}
      </p>
    </li>
  );
}

function Matchers({ silence: { matchers } }: { silence: SilenceView }) {
  const { admin: t } = messages.value;
  const chips = MATCHERS.flatMap((name) => {
    const value = matchers[name];
    if (value === undefined) return [];
    const said = typeof value === "string" ? value : Array.isArray(value) ? value.join(", ") : tagsOf(value);
    return [`${t.matcher[name]}: ${said}`];
  });
  return (
    <p class="admin-chips">
      {chips.map((chip) => (
        <span key={chip} class="chip">
          {chip}
        </span>
      ))}
    </p>
  );
}

const tagsOf = (tags: object): string =>
  Object.entries(tags)
    .map((pair) => pair.join("="))
    .join(", ");

function When({ silence }: { silence: SilenceView }) {
  const { admin: t } = messages.value;
  const { weekly, window, startsAt, endsAt, state } = silence;
  const days = weekly?.days.map((day) => t.weekdays[day]).join(", ");
  return (
    <p>
      {weekly && days && <>{t.weekly(days, weekly.from, weekly.to, weekly.zone)}. </>}
      {weekly && window && state === "scheduled" && (
        <>
          {t.next}: <Moment at={window.from} as="time" />.
        </>
      )}
      {!weekly && (
        <>
          <Moment at={startsAt} as="time" /> – {endsAt ? <Moment at={endsAt} as="time" /> : t.openEnd}
        </>
      )}
    </p>
  );
}
