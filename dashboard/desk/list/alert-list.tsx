import { useEffect, useRef, useState } from "preact/hooks";
import { alerts, alertsLoaded, loadFailed } from "../../live/live.ts";
import { messages } from "../../messages/messages.ts";
import { sayProblem } from "../../words/problems.ts";
import type { Desk } from "../desk-state.ts";
import { AlertRow } from "./alert-row.tsx";
import { windowOf } from "./window.ts";

/** Every row is as high as this, see `.row` in desk.css: places can be computed, and nothing jumps. */
export const ROW_PX = 84;

/** Thousands of alerts, of which only those in sight are in the document. */
export function AlertList({ desk }: { desk: Desk }) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const shown = desk.shown.value;
  const known = alerts.value;
  const { first, last } = windowOf(view, ROW_PX, shown.length);
  useHold(desk, box);
  useFollowCurrent(desk, box);

  useEffect(() => {
    const element = box.current!;
    const look = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);

  return (
    <div class="rows-frame">
      <NewPill desk={desk} onShow={() => box.current?.scrollTo({ top: 0 })} />
      <div class="rows" ref={box}>
        {shown.length === 0 && <Nothing desk={desk} />}
        <ul style={{ height: `${shown.length * ROW_PX}px` }}>
          {shown.slice(first, last).map((id, i) => {
            const alert = known.get(id);
            const place = { top: (first + i) * ROW_PX, at: first + i + 1, of: shown.length };
            return alert && <AlertRow key={id} {...{ desk, alert, place }} />;
          })}
        </ul>
      </div>
    </div>
  );
}

/** The list stands still while someone points at it, has the focus in it, or reads further down. */
function useHold(desk: Desk, box: { current: HTMLDivElement | null }): void {
  useEffect(() => {
    const element = box.current!;
    // With the pill, which would otherwise go as soon as one reaches for it.
    const frame = element.parentElement!;
    const look = () => {
      desk.held.value = element.scrollTop > 0 || frame.matches(":hover") || frame.contains(document.activeElement);
    };
    // The focus has moved when the event's own turn is over.
    const lookSoon = () => void setTimeout(look);
    const changes = ["scroll", "pointerover", "pointerleave", "focusin", "focusout"] as const;
    for (const name of changes) frame.addEventListener(name, lookSoon, { passive: true, capture: true });
    look();
    return () => changes.forEach((name) => void frame.removeEventListener(name, lookSoon, { capture: true }));
  }, [desk, box]);
}

/** `j` and `k` bring the row into sight and the focus to it. */
function useFollowCurrent(desk: Desk, box: { current: HTMLDivElement | null }): void {
  const moves = desk.moves.value;
  useEffect(() => {
    const current = moves === 0 ? undefined : desk.current.peek();
    const index = current === undefined ? -1 : desk.shown.peek().indexOf(current);
    const element = box.current!;
    if (index < 0) return;
    const top = index * ROW_PX;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW_PX > element.scrollTop + element.clientHeight)
      element.scrollTop = top + ROW_PX - element.clientHeight;
    // The row may come into the document only with the next frame; by then another key may have moved on.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => rowLink(element, current!)?.focus({ preventScroll: true }));
    });
    return () => cancelAnimationFrame(frame);
  }, [moves, desk, box]);
}

const rowLink = (list: HTMLElement, id: string) => list.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"] a`);

/** New alerts wait here instead of pushing the rows under the pointer. */
function NewPill({ desk, onShow }: { desk: Desk; onShow: () => void }) {
  const t = messages.value.desk;
  const count = desk.fresh.value.length;
  if (!desk.stale.value) return null;
  function show(): void {
    desk.refresh();
    onShow();
  }
  return (
    <button type="button" class="button primary pill" onClick={show}>
      {count > 0 ? t.newOnes(count) : t.changedOnes}
    </button>
  );
}

function Nothing({ desk }: { desk: Desk }) {
  const { desk: t, shell } = messages.value;
  const open = desk.open.value.length;
  if (!alertsLoaded.value && !loadFailed.value) return <p class="quiet loading">{shell.loading}</p>;
  const [title, text] = loadFailed.value
    ? [t.loadFailed, sayProblem(loadFailed.value)]
    : open > 0
      ? [t.emptyFilteredTitle, t.emptyFilteredText(open)]
      : [t.emptyTitle, t.emptyText];
  return (
    <div class="message">
      <h2>{title}</h2>
      <p class="quiet">{text}</p>
    </div>
  );
}
