import { useEffect, useRef, useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { districtName } from "../../words/units.ts";
import type { CrewState } from "../crew-state.ts";
import type { Card } from "../list/cards.ts";
import { holderOf, type Warning } from "../list/crew-list.ts";
import { sayDistance } from "../list/distance.ts";
import { deviceOf, mapLink } from "../list/map-link.ts";
import { DoneForm } from "./done-form.tsx";
import { WarningItem } from "./warning.tsx";

/** One place: where it is, everything that is wrong there, and what to press. */
export function CardItem({ crew, card }: { crew: CrewState; card: Card }) {
  const t = messages.value.crew;
  const [closing, setClosing] = useState(false);
  const buttons = useRef<HTMLDivElement>(null);
  // The button that was pressed is gone with what it did: who works by key goes on with the next one.
  useEffect(() => {
    if (crew.pressed.peek() !== card.key || closing) return;
    crew.pressed.value = undefined;
    buttons.current?.querySelector<HTMLElement>(".button:last-child")?.focus({ preventScroll: true });
  });
  const name = nameOf(card);
  function press(targets: readonly Warning[], action: "start" | "close", note?: string): void {
    crew.pressed.value = card.key;
    void crew.press(targets, action, name, note);
  }
  const { free, mine } = toDo(crew, card);
  const where = [card.district && districtName(card.district), card.distanceM && sayDistance(card.distanceM)];
  return (
    <li class={`crew-card ${card.severity}`}>
      <h3>{name}</h3>
      <p class="crew-where">
        {where.filter((one) => one && one !== name).join(" · ")}
        {card.place && card.place.lat === undefined && <span class="quiet"> · {t.unplaced}</span>}
      </p>
      <ul class="crew-warnings">
        {card.warnings.map((warning) => (
          <WarningItem key={warning.id} crew={crew} warning={warning} />
        ))}
      </ul>
      <Advice crew={crew} card={card} />
      {closing ? (
        <DoneForm
          {...{ name, warnings: [...mine, ...free], nameOf: sensorNames(crew, card) }}
          onCancel={() => {
            crew.pressed.value = card.key;
            setClosing(false);
          }}
          onDone={(done, note) => {
            setClosing(false);
            press(done, "close", note);
          }}
        />
      ) : (
        <div class="crew-buttons" ref={buttons}>
          <MapLink card={card} name={name} />
          {mine.length + free.length > 0 && (
            <button
              type="button"
              class={`button ${free.length === 0 ? "primary" : ""}`}
              aria-label={t.doneTitle(name)}
              onClick={() => setClosing(true)}
            >
              {t.done}
            </button>
          )}
          {free.length > 0 && (
            <button type="button" class="button primary" onClick={() => press(free, "start")}>
              {free.length > 1 ? t.takeAll(free.length) : t.take}
              <span class="hidden">: {name}</span>
            </button>
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
  const advice = [...new Set(card.warnings.flatMap(({ rule }) => known[rule.id] ?? []))];
  if (advice.length === 0) return null;
  return (
    <p class="crew-advice">
      <strong>{t.advice}:</strong> {advice.join(" ")}
    </p>
  );
}

/** Which sensor a warning is about, where a place has several. */
function sensorNames(crew: CrewState, { warnings }: Card): (warning: Warning) => string | undefined {
  const several = new Set(warnings.map(({ subject }) => subject.sensorId)).size > 1;
  return ({ subject: { sensorId } }) =>
    several ? (crew.list.value?.sensors.find(({ id }) => id === sensorId)?.name ?? sensorId) : undefined;
}

/** What this person can take, and what they can say is done; nothing of what waits to be sent. */
function toDo(crew: CrewState, { warnings }: Card): { free: Warning[]; mine: Warning[] } {
  const me = crew.me.value?.name;
  if (!crew.mayAct.value || me === undefined) return { free: [], mine: [] };
  const closing = new Set(crew.waiting.value.filter(({ action }) => action === "close").map(({ alertId }) => alertId));
  const open = warnings.filter(({ id }) => !closing.has(id));
  return {
    free: open.filter((one) => holderOf(one) === undefined),
    mine: open.filter((one) => holderOf(one) === me),
  };
}

/** The sensor's own name, or what else it is about. */
function nameOf({ place, warnings, district }: Card): string {
  const { sensorId, gateway, tag } = warnings[0]!.subject;
  const tagged = tag && `${tag.name} ${tag.value}`;
  return place?.name ?? sensorId ?? gateway ?? tagged ?? (district ? districtName(district) : warnings[0]!.rule.title);
}

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
