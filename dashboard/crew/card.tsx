import { useEffect, useRef, useState } from "preact/hooks";
import type { CrewWarningView } from "../../contract/alert.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { SeverityMark } from "../parts/show.tsx";
import { tell } from "../words/tell.ts";
import { formatAgo, formatTime, formatUtc } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { zone } from "../words/zone.ts";
import type { CrewState } from "./crew-state.ts";
import { type Card, daysUntil, describeDistance, deviceOf, givenWith, holderOf, mapLink, nameOfCard } from "./list.ts";
import type { Item, Work } from "./queue.ts";
import { WorkForm } from "./work-form.tsx";

/** One place: where it is, everything that is wrong there, and what to press. */
export function CardItem({ crew, card }: { crew: CrewState; card: Card }) {
  const t = messages.value.crew;
  /** Which form is open. */
  const [saying, setSaying] = useState<"close" | "return">();
  const buttons = useRef<HTMLDivElement>(null);
  // The button that was pressed is gone with what it did: who works by key goes on with the next one.
  useEffect(() => {
    if (crew.pressed.peek() !== card.key || saying) return;
    crew.pressed.value = undefined;
    buttons.current?.querySelector<HTMLElement>(".button:last-child")?.focus({ preventScroll: true });
  });
  const name = nameOfCard(card);
  function press(targets: readonly CrewWarningView[], action: Item["action"], work?: Work): void {
    crew.pressed.value = card.key;
    void crew.press(targets, action, name, work);
  }
  const { free, mine } = toDo(crew, card);
  const where = [card.district && districtName(card.district), card.distanceM && describeDistance(card.distanceM)];
  return (
    <li class={`crew-card card box edge ${card.severity}`}>
      <h3>{name}</h3>
      <p class="crew-where">
        {where.filter((one) => one && one !== name).join(" · ")}
        {card.place && card.place.lat === undefined && <span class="quiet"> · {t.unplaced}</span>}
      </p>
      <ul class="stack">
        {card.warnings.map((warning) => (
          <WarningItem key={warning.id} crew={crew} warning={warning} />
        ))}
      </ul>
      <Advice crew={crew} card={card} />
      {saying ? (
        <WorkForm
          doing={saying}
          name={name}
          warnings={saying === "close" ? [...mine, ...free] : mine}
          nameOf={sensorNames(crew, card)}
          onCancel={() => {
            crew.pressed.value = card.key;
            setSaying(undefined);
          }}
          onDone={(which, work) => {
            setSaying(undefined);
            press(which, saying, work);
          }}
        />
      ) : (
        <div class="crew-buttons cluster" ref={buttons}>
          <MapLink card={card} name={name} />
          {mine.length > 0 && (
            <Button aria-label={t.cannotAt(name)} onClick={() => setSaying("return")}>
              {t.cannot}
            </Button>
          )}
          {mine.length + free.length > 0 && (
            <button
              type="button"
              class={`button ${free.length === 0 ? "primary" : ""}`}
              aria-label={t.doneTitle(name)}
              onClick={() => setSaying("close")}
            >
              {t.done}
            </button>
          )}
          {free.length > 0 && (
            <Button class="primary" onClick={() => press(free, "start")}>
              {free.length > 1 ? t.takeAll(free.length) : t.take}
              <span class="hidden">: {name}</span>
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

/** What to do and to bring: once, where several warnings ask for the same. */
function Advice({ crew, card }: { crew: CrewState; card: Card }) {
  const t = messages.value.crew;
  const known = crew.list.value?.advice ?? {};
  const advice = [...new Set(card.warnings.flatMap((warning) => tell(warning).advice ?? known[warning.rule.id] ?? []))];
  if (advice.length === 0) return null;
  return (
    <p class="note">
      <strong>{t.advice}:</strong> {advice.join(" ")}
    </p>
  );
}

/** Which sensor a warning is about, where a place has several. */
function sensorNames(crew: CrewState, { warnings }: Card): (warning: CrewWarningView) => string | undefined {
  const several = new Set(warnings.map(({ subject }) => subject.sensorId)).size > 1;
  return ({ subject: { sensorId } }) =>
    several ? (crew.list.value?.sensors.find(({ id }) => id === sensorId)?.name ?? sensorId) : undefined;
}

/** What this person can take, and what they can say is done; nothing of what waits to be sent. */
function toDo(crew: CrewState, { warnings }: Card): { free: CrewWarningView[]; mine: CrewWarningView[] } {
  const me = crew.me.value?.name;
  if (!crew.mayAct.value || me === undefined) return { free: [], mine: [] };
  const ending = crew.waiting.value.filter(({ action }) => action === "close" || action === "return");
  const over = new Set(ending.map(({ alertId }) => alertId));
  const open = warnings.filter(({ id }) => !over.has(id));
  return {
    free: open.filter((one) => holderOf(one) === undefined || isOfCrew(crew, one)),
    mine: open.filter((one) => holderOf(one) === me),
  };
}

/** Given to a crew of this person, and nobody has begun. */
const isOfCrew = (crew: CrewState, { assignee, handling }: CrewWarningView): boolean =>
  assignee !== undefined && handling !== "in-progress" && crew.list.value?.crews?.includes(assignee) === true;

function MapLink({ card: { place }, name }: { card: Card; name: string }) {
  const t = messages.value.crew;
  if (place?.lat === undefined || place.lon === undefined) return null;
  const device = deviceOf(navigator.userAgent, matchMedia("(pointer: coarse)").matches);
  const elsewhere = device === "other" ? ({ target: "_blank", rel: "noreferrer" } as const) : {};
  return (
    <a
      class="button"
      href={mapLink({ lat: place.lat, lon: place.lon }, name, device)}
      {...elsewhere}
      aria-label={t.openMapOf(name)}
    >
      {t.openMap}
    </a>
  );
}

const YEAR_DAYS = 365;

/** What is wrong in one sentence, since when, how long it will last, who has it. */
function WarningItem({ crew, warning }: { crew: CrewState; warning: CrewWarningView }) {
  const { crew: t, words } = messages.value;
  const { id, severity, verdict, counted } = warning;
  const told = tell(warning);
  return (
    <li class="crew-warning stack">
      <p class="crew-title cluster">
        <SeverityMark severity={severity} />
        <a href={`/alerts/${encodeURIComponent(id)}`}>{told.title}</a>
      </p>
      <p>{told.explanation}</p>
      {verdict?.is === "sensor-fault" && (
        <p>
          <strong>{words.verdict[verdict.is]}</strong> {told.verdict}
        </p>
      )}
      <GivenWith warning={warning} />
      <p class="crew-facts cluster">
        <Since at={warning.startedAt} now={crew.now.value} />
        {counted !== undefined && <span>{t.counted(counted)}</span>}
        <DaysLeft warning={warning} now={crew.now.value} />
        <Holder crew={crew} warning={warning} />
      </p>
    </li>
  );
}

function GivenWith({ warning }: { warning: CrewWarningView }) {
  const given = givenWith(warning);
  if (!given) return null;
  return (
    <p class="note">
      <strong>{messages.value.crew.givenBy(given.by)}:</strong> {given.words}
    </p>
  );
}

function Since({ at, now }: { at: string; now: number }) {
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={`${formatTime(time, now)} (${zone.value}) · ${formatUtc(time)}`}>
      {messages.value.crew.since(formatAgo(time, now))}
    </time>
  );
}

function DaysLeft({ warning: { expected }, now }: { warning: CrewWarningView; now: number }) {
  const t = messages.value.crew;
  if (!expected) return null;
  const [best, from, to] = [expected.at, expected.from, expected.to].map((at) => daysUntil(at, now));
  const text = best! > YEAR_DAYS ? t.overAYear : t.daysLeft(best!);
  return (
    <strong>
      {text}
      {from! < to! && ` (${t.between(from!, Math.min(to!, YEAR_DAYS))})`}
    </strong>
  );
}

function Holder({ crew, warning }: { crew: CrewState; warning: CrewWarningView }) {
  const t = messages.value.crew;
  if (crew.waiting.value.some(({ alertId }) => alertId === warning.id)) return <span class="chip">{t.waits}</span>;
  const holder = holderOf(warning);
  if (holder === undefined) return null;
  return <span class="chip">{holder === crew.me.value?.name ? t.youHave : t.has(holder)}</span>;
}
