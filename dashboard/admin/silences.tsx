import { useState } from "preact/hooks";
import type { SilenceView } from "../../contract/silence.ts";
import { AUDIENCES, SEVERITIES } from "../../model/alert.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { CheckField, FieldGroup, SelectField, TextField } from "../parts/fields.tsx";
import { EditForm, typed, typedList, typedTags, wrongAt } from "../parts/forms.tsx";
import { query } from "../shell/router.ts";
import { Moment } from "../words/time.tsx";
import { AdminSection, AskOnce, DaysField, ownZone, useAll } from "./parts.tsx";

/** Silences and maintenance windows: those that are on or planned, or those that have ended (`&ended=true`). */
export function Silences() {
  const { admin: t } = messages.value;
  const ended = query.value.get("ended") === "true";
  const { items, problem, reload } = useAll<SilenceView>(`/silences?ended=${ended}`);
  const [adding, setAdding] = useState(false);
  const [going, setGoing] = useState<SilenceView>();

  async function add(body: Readonly<Record<string, unknown>>): Promise<void> {
    await request("POST", "/silences", body);
    setAdding(false);
    reload();
  }

  return (
    <AdminSection
      {...{ title: t.tabs.silences, hint: t.silencesHint, problem, loading: !items }}
      add={adding ? undefined : t.addSilence}
      onAdd={() => setAdding(true)}
    >
      {adding && <SilenceForm onAdd={add} onCancel={() => setAdding(false)} />}
      <p>
        <a href={`/admin?tab=silences${ended ? "" : "&ended=true"}`}>{ended ? t.showCurrent : t.showEnded}</a>
      </p>
      {items?.length === 0 && <p class="note">{ended ? t.noEnded : t.noSilences}</p>}
      <ul class="admin-cards">
        {items?.map((silence) => (
          <SilenceCard key={silence.id} silence={silence} onEnd={() => setGoing(silence)} />
        ))}
      </ul>
      {going && (
        <AskOnce
          {...{ question: t.endSilence(going.reason), hint: t.endSilenceHint, action: t.endIt }}
          onYes={async () => {
            await request("DELETE", `/silences/${going.id}`);
            reload();
          }}
          onClose={() => setGoing(undefined)}
        />
      )}
    </AdminSection>
  );
}

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

type SilenceFormProps = {
  readonly onAdd: (body: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly onCancel: () => void;
};

const KINDS = ["air", "traffic", "energy", "service"] as const;

export function SilenceForm({ onAdd, onCancel }: SilenceFormProps) {
  const { admin: t } = messages.value;
  const [isMaintenance, setMaintenance] = useState(false);
  return (
    <EditForm
      {...{ title: t.addSilence, submitLabel: t.add, fields: SILENCE_FIELDS, onCancel }}
      onSubmit={(data) => onAdd(silenceOf(data))}
    >
      {(problem) => (
        <>
          <SelectField
            {...{ label: t.silenceKind, name: "kind", wrong: wrongAt(problem, "kind") }}
            options={(["silence", "maintenance"] as const).map((kind) => [kind, t.silenceKinds[kind]] as const)}
            onChoose={(kind) => setMaintenance(kind === "maintenance")}
          />
          <TextField
            {...{ label: t.reason, name: "reason", hint: t.reasonHint, required: true }}
            wrong={wrongAt(problem, "reason")}
          />
          <MatcherFields problem={problem} />
          <WhenFields {...{ problem, isMaintenance }} />
        </>
      )}
    </EditForm>
  );
}

function MatcherFields({ problem }: { problem: unknown }) {
  const { admin: t, words } = messages.value;
  const field = (name: string) => ({
    label: t.matcher[name]!,
    name: matchField(name),
    wrong: wrongAt(problem, `matchers/${name}`),
  });
  const isInside = MATCHERS.some((name) => wrongAt(problem, `matchers/${name}`) !== undefined);
  const any = ["", t.any] as const;
  return (
    <FieldGroup legend={t.matchers} wrong={isInside ? undefined : wrongAt(problem, "matchers")}>
      <p class="quiet admin-wide">{t.matchersHint}</p>
      {["district", "sensor", "rule", "gateway"].map((name) => (
        <TextField key={name} {...field(name)} />
      ))}
      <SelectField options={[any, ...KINDS.map((one) => [one, words.kind[one]] as const)]} {...field("kind")} />
      <SelectField
        options={[any, ...SEVERITIES.map((one) => [one, words.severity[one]] as const)]}
        {...field("severity")}
      />
      <SelectField
        options={[any, ...AUDIENCES.map((one) => [one, words.audience[one]] as const)]}
        {...field("audience")}
      />
      <TextField hint={t.tagHint} {...field("tag")} />
    </FieldGroup>
  );
}

function WhenFields({ problem, isMaintenance }: { problem: unknown; isMaintenance: boolean }) {
  const { admin: t } = messages.value;
  const [weekly, setWeekly] = useState(false);
  const isWeekly = weekly && isMaintenance;
  const moment = (name: string) => ({ name, type: "datetime-local" as const, wrong: wrongAt(problem, name) });
  const time = (name: string, part: string) => ({ name, required: true, wrong: wrongAt(problem, `weekly/${part}`) });
  const inside = ["days", "from", "to", "zone"].some((part) => wrongAt(problem, `weekly/${part}`) !== undefined);
  return (
    <FieldGroup legend={t.when} wrong={inside ? undefined : wrongAt(problem, "weekly")}>
      <TextField label={t.startsAt} hint={t.startsAtHint} {...moment("startsAt")} />
      <TextField label={t.endsAt} hint={isWeekly ? t.endsAtWeeklyHint : t.endsAtHint} {...moment("endsAt")} />
      {isMaintenance && (
        <div class="admin-wide">
          <CheckField label={t.everyWeek} name="weekly" on={weekly} onChange={setWeekly} />
        </div>
      )}
      {isWeekly && (
        <>
          <TextField label={t.from} type="time" value="22:00" {...time("weeklyFrom", "from")} />
          <TextField label={t.until} type="time" value="04:00" {...time("weeklyTo", "to")} />
          <TextField label={t.timeZone} value={ownZone()} {...time("zone", "zone")} />
          <DaysField wrong={wrongAt(problem, "weekly/days")} />
        </>
      )}
    </FieldGroup>
  );
}

export const MATCHERS = ["rule", "district", "sensor", "gateway", "kind", "severity", "audience", "tag"] as const;
export const SILENCE_FIELDS: readonly string[] = [
  ...["kind", "matchers", "startsAt", "endsAt", "weekly", "reason"],
  ...MATCHERS.map((name) => `matchers/${name}`),
];

/** The name of a matcher's field: the form has a `kind` of its own. */
export const matchField = (name: string): string => `match-${name}`;

/** The body of `POST /silences`: what was left empty is left out. */
export function silenceOf(data: FormData): Readonly<Record<string, unknown>> {
  return {
    kind: typed(data, "kind"),
    matchers: matchersOf(data),
    startsAt: momentOf(data, "startsAt"),
    endsAt: momentOf(data, "endsAt"),
    weekly: data.has("weekly") ? weeklyOf(data) : undefined,
    reason: typed(data, "reason") ?? "",
  };
}

function matchersOf(data: FormData): Readonly<Record<string, unknown>> {
  const named = MATCHERS.filter((name) => name !== "tag").map((name) => {
    const list = typedList(data, matchField(name));
    return [name, list?.length === 1 ? list[0] : list] as const;
  });
  return { ...Object.fromEntries(named), tag: typedTags(data, matchField("tag")) };
}

/** `<input type="datetime-local">` says the viewer's own time; the service wants a zone. */
function momentOf(data: FormData, name: string): string | undefined {
  const text = typed(data, name);
  return text === undefined ? undefined : new Date(text).toISOString();
}

function weeklyOf(data: FormData) {
  return {
    days: data.getAll("days"),
    from: typed(data, "weeklyFrom") ?? "",
    to: typed(data, "weeklyTo") ?? "",
    zone: typed(data, "zone") ?? "",
  };
}
