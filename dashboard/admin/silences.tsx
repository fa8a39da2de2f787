import { useEffect, useRef, useState } from "preact/hooks";
import type { NewSilence, SilencePreviewView, SilenceView } from "../../contract/silence.ts";
import { AUDIENCES, SEVERITIES } from "../../model/alert.ts";
import { type Draft, send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check, Field, Group, typed, typedList, typedTags } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { query } from "../shell/router.ts";
import { Moment } from "../words/time.tsx";
import { fromLocalInput, zone } from "../words/zone.ts";
import { Calendar, cardIdOf } from "./calendar.tsx";
import { DaysField, Managed, useManaged } from "./parts.tsx";

/** Silences and maintenance windows: those that are on or planned, or those that have ended (`&ended=true`). */
export function Silences() {
  const { admin: t } = messages.value;
  const ended = query.value.get("ended") === "true";
  const list = useManaged<SilenceView>(`/silences?ended=${ended}`);

  async function add(data: FormData): Promise<void> {
    await send("POST", "/silences", silenceOf(data));
    list.done();
  }

  return (
    <Managed
      title={t.tabs.silences}
      hint={t.silencesHint}
      list={list}
      add={t.addSilence}
      ask={({ id, reason }) => ({
        question: t.endSilence(reason),
        hint: t.endSilenceHint,
        action: t.endIt,
        path: `/silences/${id}`,
      })}
    >
      {list.open && <SilenceForm onAdd={add} onCancel={list.close} />}
      <p>
        <a href={`/admin?tab=silences${ended ? "" : "&ended=true"}`}>{ended ? t.showCurrent : t.showEnded}</a>
      </p>
      {!ended && list.items && list.items.length > 0 && <Calendar silences={list.items} />}
      {list.items?.length === 0 && <p class="note">{ended ? t.noEnded : t.noSilences}</p>}
      <ul class="stack">
        {list.items?.map((silence) => (
          <SilenceCard key={silence.id} silence={silence} onEnd={() => list.setGoing(silence)} />
        ))}
      </ul>
    </Managed>
  );
}

const CHIP = { active: "chip on", scheduled: "chip", ended: "chip" } as const;

function SilenceCard({ silence, onEnd }: { silence: SilenceView; onEnd: () => void }) {
  const { admin: t } = messages.value;
  const { kind, state, reason, createdAt, createdBy, endedAt, endedBy } = silence;
  return (
    <li class="card box" id={cardIdOf(silence)} tabIndex={-1}>
      <div class="card-head cluster">
        <h3>{reason}</h3>
        <span class="chip">{t.silenceKinds[kind]}</span>
        <span class={CHIP[state]}>{t.silenceStates[state]}</span>
        {state !== "ended" && (
          <div class="cluster">
            <Button aria-label={`${t.endIt}: ${reason}`} onClick={onEnd}>
              {t.endIt}
            </Button>
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
    <p class="cluster">
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

type SilenceFormProps = { readonly onAdd: (data: FormData) => Promise<void>; readonly onCancel: () => void };

const KINDS = ["air", "traffic", "energy", "service"] as const;

function SilenceForm({ onAdd, onCancel }: SilenceFormProps) {
  const { admin: t } = messages.value;
  const [kind, setKind] = useState("silence");
  return (
    <Form class="panel" title={t.addSilence} submitLabel={t.add} onSubmit={onAdd} onCancel={onCancel}>
      <div class="fields">
        <Field
          label={t.silenceKind}
          name="kind"
          value={kind}
          onChoose={setKind}
          options={(["silence", "maintenance"] as const).map((one) => [one, t.silenceKinds[one]] as const)}
        />
        <Field label={t.reason} name="reason" hint={t.reasonHint} required />
        <MatcherFields />
        <WhenFields isMaintenance={kind === "maintenance"} />
      </div>
      <Coverage />
    </Form>
  );
}

const ASK_AFTER_MS = 400;

/** What the silence would cover, as the form stands, before it is saved. What is wrong with it is said on saving. */
function Coverage() {
  const { alert: t } = messages.value;
  const line = useRef<HTMLParagraphElement>(null);
  const [found, setFound] = useState<SilencePreviewView>();

  useEffect(() => {
    const form = line.current!.closest("form")!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asked = new AbortController();

    async function ask(): Promise<void> {
      asked.abort();
      asked = new AbortController();
      const { signal } = asked;
      const matchers = matchersOf(new FormData(form));
      const isEmpty = Object.values(matchers).every((value) => value === undefined);
      const answer = isEmpty
        ? undefined
        : await send("POST", "/silences/preview", { matchers }, signal).catch(() => undefined);
      if (!signal.aborted) setFound(answer);
    }

    const askSoon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void ask(), ASK_AFTER_MS);
    };
    form.addEventListener("input", askSoon);
    return () => {
      form.removeEventListener("input", askSoon);
      clearTimeout(timer);
      asked.abort();
    };
  }, []);

  return (
    <p ref={line} role="status">
      {found && t.covers(found.sensors, found.openAlerts)}
    </p>
  );
}

function MatcherFields() {
  const { admin: t, words } = messages.value;
  const field = (name: string) => ({
    label: t.matcher[name]!,
    name: matchField(name),
    part: `matchers/${name}`,
  });
  const any = ["", t.any] as const;
  return (
    <Group legend={t.matchers} part="matchers">
      <p class="quiet whole">{t.matchersHint}</p>
      {(["district", "sensor", "rule", "gateway"] as const).map((name) => (
        <Field key={name} {...field(name)} />
      ))}
      <Field options={[any, ...KINDS.map((one) => [one, words.kind[one]] as const)]} {...field("kind")} />
      <Field options={[any, ...SEVERITIES.map((one) => [one, words.severity[one]] as const)]} {...field("severity")} />
      <Field options={[any, ...AUDIENCES.map((one) => [one, words.audience[one]] as const)]} {...field("audience")} />
      <Field hint={t.tagHint} {...field("tag")} />
    </Group>
  );
}

function WhenFields({ isMaintenance }: { isMaintenance: boolean }) {
  const { admin: t } = messages.value;
  const [weekly, setWeekly] = useState(false);
  const isWeekly = weekly && isMaintenance;
  return (
    <Group legend={t.when} part="weekly">
      <Field label={t.startsAt} name="startsAt" type="datetime-local" hint={t.startsAtHint} />
      <Field label={t.endsAt} name="endsAt" type="datetime-local" hint={isWeekly ? t.endsAtWeeklyHint : t.endsAtHint} />
      {isMaintenance && (
        <div class="whole">
          <Check label={t.everyWeek} name="weekly" on={weekly} onChange={setWeekly} />
        </div>
      )}
      {isWeekly && (
        <>
          <Field label={t.from} name="weeklyFrom" part="weekly/from" type="time" value="22:00" required />
          <Field label={t.until} name="weeklyTo" part="weekly/to" type="time" value="04:00" required />
          <Field label={t.timeZone} name="zone" part="weekly/zone" value={zone.value} required />
          <DaysField part="weekly/days" />
        </>
      )}
    </Group>
  );
}

const MATCHERS = ["rule", "district", "sensor", "gateway", "kind", "severity", "audience", "tag"] as const;

/** The name of a matcher's field: the form has a `kind` of its own. */
const matchField = (name: string): string => `match-${name}`;

/** The body of `POST /silences`: what was left empty is left out. */
function silenceOf(data: FormData): Draft<NewSilence> {
  return {
    kind: typed(data, "kind"),
    matchers: matchersOf(data),
    startsAt: momentOf(data, "startsAt"),
    endsAt: momentOf(data, "endsAt"),
    weekly: data.has("weekly") ? weeklyOf(data) : undefined,
    reason: typed(data, "reason") ?? "",
  };
}

function matchersOf(data: FormData): Draft<NewSilence["matchers"]> {
  const named = MATCHERS.filter((name) => name !== "tag").map((name) => {
    const list = typedList(data, matchField(name));
    return [name, list?.length === 1 ? list[0] : list] as const;
  });
  return { ...Object.fromEntries(named), tag: typedTags(data, matchField("tag")) };
}

/** `<input type="datetime-local">` says the city's time; the service wants a zone. */
function momentOf(data: FormData, name: string): string | undefined {
  const text = typed(data, name);
  return text === undefined ? undefined : new Date(fromLocalInput(text)).toISOString();
}

function weeklyOf(data: FormData) {
  return {
    days: data.getAll("days").map(String),
    from: typed(data, "weeklyFrom") ?? "",
    to: typed(data, "weeklyTo") ?? "",
    zone: typed(data, "zone") ?? "",
  };
}
