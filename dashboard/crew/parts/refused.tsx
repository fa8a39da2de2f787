import { useRef } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { clock, formatTime } from "../../words/time.tsx";
import type { CrewState } from "../crew-state.ts";
import type { Deed } from "../list/crew-list.ts";
import type { Item, Refusal } from "../queue/item.ts";

/** What came to nothing, and why: it stays, through reloads, until someone has read it. */
export function Refused({ crew }: { crew: CrewState }) {
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
      <div role="alert" class="crew-refusals" ref={box}>
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
    <div class="crew-refused">
      <h2>{t.refusedTitles[action]}</h2>
      <p>
        <strong>{title}</strong>, {place}
      </p>
      <p>{sayRefusal(refusal, item.user)}</p>
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
      <div class="crew-buttons">
        {note !== undefined && action !== "comment" && (
          <button type="button" class="button" onClick={() => void crew.sendNote(item)}>
            {t.sendNote}
          </button>
        )}
        <button type="button" class="button primary" onClick={remove}>
          {t.understood}
        </button>
      </div>
    </div>
  );
}

function sayRefusal(refusal: Refusal, me: string): string {
  const t = messages.value.crew;
  if (refusal.why === "refused") return refusal.said;
  if (refusal.why === "conflict") return refusal.deed ? sayDeed(refusal.deed, me, refusal.said) : refusal.said;
  return refusal.at === undefined ? t.endedSometime : t.ended(formatTime(Date.parse(refusal.at), clock.value));
}

/** In the language of the page; the service's own sentence for what it does not know. */
function sayDeed({ what, by, at, note }: Deed, me: string, said: string): string {
  const t = messages.value.crew;
  const who = by === me ? t.you : (by ?? "");
  const time = formatTime(Date.parse(at), clock.value);
  if (what === "assigned") return t.conflict.assigned(who, time, /^to ([\w-]+)/.exec(note ?? "")?.[1] ?? "");
  const say = t.conflict[what as Exclude<keyof typeof t.conflict, "assigned">];
  return say ? say(who, time) : said;
}
