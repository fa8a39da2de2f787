import { useEffect, useMemo, useState } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { Message } from "../shell/message.tsx";
import "./crew.css";
import { CardItem } from "./card/card.tsx";
import { type CrewState, createCrew } from "./crew-state.ts";
import type { Card } from "./list/cards.ts";
import { Freshness } from "./parts/freshness.tsx";
import { Refused } from "./parts/refused.tsx";
import { Steering } from "./parts/steering.tsx";
import { Waiting } from "./parts/waiting.tsx";
import { registerWorker } from "./worker/register.ts";

/** So many cards are drawn at first: the rest when someone asks for it. */
const CARDS_STEP = 40;
const SECTIONS = ["mine", "free", "others"] as const;

/** `/crew`: what is wrong and where, for a phone beside a lamp post. */
export function CrewPage() {
  const t = messages.value;
  const crew = useMemo(createCrew, []);
  useEffect(() => {
    registerWorker();
    return crew.close;
  }, [crew]);

  if (!crew.list.value) {
    const reach = crew.reach.value;
    if (reach === "asking") return <p class="quiet loading">{t.shell.loading}</p>;
    const title = reach === "lost" ? t.crew.lostEmpty : t.crew.failed;
    return <Message title={title} action={t.shell.retry} onAction={() => void crew.refresh()} />;
  }
  return (
    <div class="crew">
      <div class="crew-head">
        <h1 tabIndex={-1}>{t.crew.title}</h1>
        <span class="quiet">{t.crew.count(crew.cards.value.length)}</span>
      </div>
      <Freshness crew={crew} />
      <Refused crew={crew} />
      <Waiting crew={crew} />
      <Steering crew={crew} />
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
      <div class="crew-empty">
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
        <button type="button" class="button" onClick={() => setShown(shown + CARDS_STEP)}>
          {t.more(Math.min(CARDS_STEP, cards.length - shown))}
        </button>
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
      <ul class="crew-cards">
        {cards.map((card) => (
          <CardItem key={card.key} crew={crew} card={card} />
        ))}
      </ul>
    </section>
  );
}
