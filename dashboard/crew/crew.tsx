import type { DeedView } from "../../contract/alert.ts";
import "./crew.css";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { Button, Tabs } from "../parts/fields.tsx";
import { Loading, Message } from "../parts/state.tsx";
import { clock, formatAgo, formatTime } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { CardItem } from "./card.tsx";
import { type CrewState, createCrew } from "./crew-state.ts";
import { type Card, ORDERS, type Order } from "./list.ts";
import type { Item, Refusal } from "./queue.ts";
import { WorkSheet } from "./sheet.tsx";

/** So many cards are drawn at first: the rest when someone asks for it. */
const CARDS_STEP = 40;
const SECTIONS = ["mine", "free", "others"] as const;

/** `/crew`: what is wrong and where, for a phone beside a lamp post. */
export function CrewPage() {
  const t = messages.value;
  const crew = useMemo(createCrew, []);
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    registerWorker();
    return crew.close;
  }, [crew]);

  if (!crew.list.value) {
    const reach = crew.reach.value;
    if (reach === "asking") return <Loading />;
    const title = reach === "lost" ? t.crew.lostEmpty : t.crew.failed;
    return <Message title={title} action={t.shell.retry} onAction={() => void crew.refresh()} />;
  }
  return (
    <div class={`crew page ${printing ? "printing" : ""}`}>
      <div class="crew-head cluster">
        <h1 tabIndex={-1}>{t.crew.title}</h1>
        <span class="quiet">{t.crew.count(crew.cards.value.length)}</span>
        {crew.cards.value.length > 0 && (
          <Button class="crew-print" onClick={() => setPrinting(true)}>
            {t.crew.sheet}
          </Button>
        )}
      </div>
      {printing && <WorkSheet crew={crew} onPrinted={() => setPrinting(false)} />}
      <Freshness crew={crew} />
      <Refused crew={crew} />
      <Waiting crew={crew} />
      <ListControls crew={crew} />
      <Cards crew={crew} />
    </div>
  );
}

function Cards({ crew }: { crew: CrewState }) {
  const t = messages.value.crew;
  const [shown, setShown] = useState(CARDS_STEP);
  const cards = crew.cards.value;
  const left = crew.list.value?.left ?? 0;
  if (cards.length === 0) {
    return (
      <div class="message stack">
        <h2>{t.empty}</h2>
        <p class="quiet">{crew.district.value ? t.emptyFiltered : t.emptyText}</p>
      </div>
    );
  }
  const visible = SECTIONS.flatMap((whose) => cards.filter((card) => card.whose === whose)).slice(0, shown);
  return (
    <>
      {SECTIONS.map((whose) => (
        <Section key={whose} crew={crew} whose={whose} cards={visible.filter((card) => card.whose === whose)} />
      ))}
      {cards.length > shown && (
        <Button onClick={() => setShown(shown + CARDS_STEP)}>
          {t.more(Math.min(CARDS_STEP, cards.length - shown))}
        </Button>
      )}
      {left > 0 && <p class="quiet">{t.left(left)}</p>}
    </>
  );
}

function Section({ crew, whose, cards }: { crew: CrewState; whose: Card["whose"]; cards: readonly Card[] }) {
  const id = `crew-${whose}`;
  if (cards.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{messages.value.crew.sections[whose]}</h2>
      <ul class="stack">
        {cards.map((card) => (
          <CardItem key={card.key} crew={crew} card={card} />
        ))}
      </ul>
    </section>
  );
}

/** Is this how it is now, or how it was? The time is said once; how long ago that is goes on counting in silence. */
function Freshness({ crew }: { crew: CrewState }) {
  const t = messages.value.crew;
  const reach = crew.reach.value;
  const time = formatTime(crew.savedAt.value, clock.value);
  const { failed, lost, asking, upToDate: here } = t;
  const text = reach === "here" ? here : `${{ failed, lost, asking }[reach]} ${t.keptAt(time)}`;
  return (
    <div class={`crew-fresh cluster ${reach}`}>
      <p role="status">{text}</p>
      {reach !== "here" && <span>{formatAgo(crew.savedAt.value, clock.value)}</span>}
      {reach !== "asking" && <Button onClick={() => void crew.refresh()}>{t.refresh}</Button>}
    </div>
  );
}

/** What came to nothing, and why: it stays, through reloads, until someone has read it. */
function Refused({ crew }: { crew: CrewState }) {
  const refused = crew.queue.value?.refused.value ?? [];
  const box = useRef<HTMLDivElement>(null);
  return (
    <>
      {refused.length > 0 && (
        <button
          type="button"
          class="button crew-refused-count"
          onClick={() => box.current?.scrollIntoView({ block: "center" })}
        >
          {messages.value.crew.refusedCount(refused.length)}
        </button>
      )}
      <div role="alert" class="crew-refusals stack" ref={box}>
        {refused.map((item) => (
          <RefusedItem key={item.key} crew={crew} item={item} refusal={item.refusal!} />
        ))}
      </div>
    </>
  );
}

function RefusedItem({ crew, item, refusal }: { crew: CrewState; item: Item; refusal: Refusal }) {
  const t = messages.value.crew;
  const { key, action, title, place, note } = item;
  const remove = () => void crew.queue.value?.remove(key);
  const their = refusal.why === "conflict" && refusal.deed?.what !== "assigned" ? refusal.deed?.note : undefined;
  return (
    <div class="crew-refused card box">
      <h2>{t.refusedTitles[action]}</h2>
      <p>
        <strong>{title}</strong>, {place}
      </p>
      <p>{describeRefusal(refusal, item.user)}</p>
      {their !== undefined && (
        <p>
          {t.theirNote} <q>{their}</q>
        </p>
      )}
      {note !== undefined && (
        <p>
          {t.yourNote} <q>{note}</q>
        </p>
      )}
      <div class="crew-buttons cluster">
        {note !== undefined && action !== "comment" && (
          <Button onClick={() => void crew.sendNote(item)}>{t.sendNote}</Button>
        )}
        <Button class="primary" onClick={remove}>
          {t.understood}
        </Button>
      </div>
    </div>
  );
}

function describeRefusal(refusal: Refusal, me: string): string {
  const t = messages.value.crew;
  if (refusal.why === "refused") return refusal.said;
  if (refusal.why === "conflict") return refusal.deed ? describeAction(refusal.deed, me, refusal.said) : refusal.said;
  return refusal.at === undefined ? t.endedSometime : t.ended(formatTime(Date.parse(refusal.at), clock.value));
}

/** In the language of the page; the service's own sentence for what it does not know. */
function describeAction({ what, by, at, note }: DeedView, me: string, said: string): string {
  const t = messages.value.crew;
  const who = by === me ? t.you : (by ?? "");
  const time = formatTime(Date.parse(at), clock.value);
  if (what === "assigned") return t.conflict.assigned(who, time, /^to ([\w-]+)/.exec(note ?? "")?.[1] ?? "");
  const say = t.conflict[what as Exclude<keyof typeof t.conflict, "assigned">];
  return say ? say(who, time) : said;
}

/** What was pressed and has not reached the service yet. */
function Waiting({ crew }: { crew: CrewState }) {
  const t = messages.value.crew;
  const waiting = crew.waiting.value;
  if (crew.notKept.value) {
    return (
      <p class="crew-refused card box" role="alert">
        {t.notKept}
      </p>
    );
  }
  if (waiting.length === 0) return null;
  return (
    <section class="crew-waiting card box" aria-labelledby="crew-waiting">
      <h2 id="crew-waiting">{t.waitingTitle(waiting.length)}</h2>
      <p class="quiet">{crew.queue.value?.lasting ? t.waitingText : t.notLasting}</p>
      <ul>
        {waiting.map(({ key, action, title, place, note, photos = [], tries }) => (
          <li key={key}>
            <span>
              <strong>{t.actions[action]}</strong>: {title}, {place}
              {note !== undefined && <q>{note}</q>}
              {photos.length > 0 && <span class="quiet"> {t.withPhotos(photos.length)}</span>}
            </span>
            {tries === 0 && <Button onClick={() => void crew.queue.value?.remove(key)}>{t.undo}</Button>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** In which order, and where. */
function ListControls({ crew }: { crew: CrewState }) {
  const t = messages.value.crew;

  function choose(order: Order): void {
    crew.setOrder(order);
    if (order === "near") crew.locator.locate();
  }

  return (
    <div class="crew-steering stack">
      <Tabs
        legend={t.order}
        name="order"
        value={crew.order.value}
        onChoose={choose}
        options={ORDERS.map((order) => [order, t.orders[order]] as const)}
      />
      {crew.districts.value.length > 1 && (
        <select
          aria-label={t.district}
          value={crew.district.value}
          onChange={(event) => crew.setDistrict(event.currentTarget.value)}
        >
          <option value="">{t.allDistricts}</option>
          {crew.districts.value.map((one) => (
            <option key={one} value={one}>
              {districtName(one)}
            </option>
          ))}
        </select>
      )}
      <Locating crew={crew} />
    </div>
  );
}

function Locating({ crew }: { crew: CrewState }) {
  const t = messages.value.crew;
  const state = crew.locator.state.value;
  if (state === "off") return null;
  const text = { asking: t.locating, on: t.locateHint, denied: t.locateDenied, failed: t.locateFailed }[state];
  return (
    <p class="quiet" role="status">
      {text}
    </p>
  );
}

/** The page opens without a connection from now on. Browsers have workers for https and localhost only. */
function registerWorker(): void {
  navigator.serviceWorker?.register("/service-worker.js").catch(() => {}); // it works without, too
}
