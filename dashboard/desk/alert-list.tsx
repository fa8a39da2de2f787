import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { AlertView } from "../../contract/alert.ts";
import { AUDIENCES, returnedIn, SEVERITIES } from "../../model/alert.ts";
import {
  alerts,
  alertsComplete,
  alertsLoaded,
  districts,
  incidents,
  isOpen,
  loadFailed,
  sensors,
} from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check } from "../parts/fields.tsx";
import { SeverityMark } from "../parts/show.tsx";
import { Loading } from "../parts/state.tsx";
import { Choice, Filters } from "../parts/table.tsx";
import { mayHandle } from "../shell/session.ts";
import { describeImpact } from "../words/impact.ts";
import { tell } from "../words/tell.ts";
import { Moment } from "../words/time.tsx";
import { describeProblem, districtName } from "../words/words.ts";
import type { Desk } from "./desk-state.ts";
import { ALERT_KINDS, holderOf, isExplained, quietedBy, WHO, windowOf } from "./list.ts";

/** Every row is as high as this, see `.row` in desk.css: places can be computed, and nothing jumps. */
const ROW_PX = 84;

/** What people keep quiet has a heading of its own, see `.rows-heading`. */
const HEADING_PX = 36;

/** From which row on there is only what people keep quiet: it stands at the end of the list. */
function quietedFrom(desk: Desk, shown: readonly string[]): number {
  let from = shown.length;
  while (from > 0 && isQuietedRow(desk, shown[from - 1]!)) from -= 1;
  return from;
}

function isQuietedRow({ membersOf }: Desk, id: string): boolean {
  const some = membersOf.value.get(id) ?? [alerts.value.get(id)].filter((one) => one !== undefined);
  return some.length > 0 && some.every((one) => quietedBy(one) !== undefined);
}

/** Thousands of alerts, of which only those in sight are in the document. */
export function AlertList({ desk }: { desk: Desk }) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const shown = desk.shown.value;
  const known = alerts.value;
  const { first, last } = windowOf(view, ROW_PX, shown.length);
  const quieted = quietedFrom(desk, shown);
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
        <ul style={{ height: `${shown.length * ROW_PX + (quieted < shown.length ? HEADING_PX : 0)}px` }}>
          {quieted >= first && quieted < last && (
            <li class="rows-heading" style={{ top: `${quieted * ROW_PX}px` }}>
              <h2>{messages.value.desk.quietedOnes(shown.length - quieted)}</h2>
            </li>
          )}
          {shown.slice(first, last).map((id, i) => {
            const alert = known.get(id);
            const below = first + i >= quieted ? HEADING_PX : 0;
            const place = { top: (first + i) * ROW_PX + below, at: first + i + 1, of: shown.length };
            if (alert) return <AlertRow key={id} desk={desk} alert={alert} place={place} />;
            const members = desk.membersOf.value.get(id);
            return members && <IncidentRow key={id} desk={desk} id={id} members={members} place={place} />;
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
    const shown = desk.shown.peek();
    const top = index * ROW_PX + (index >= quietedFrom(desk, shown) ? HEADING_PX : 0);
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
    <Button class="primary pill" onClick={show}>
      {count > 0 ? t.newOnes(count) : t.changedOnes}
    </Button>
  );
}

function Nothing({ desk }: { desk: Desk }) {
  const t = messages.value.desk;
  const open = desk.open.value.length;
  if (!alertsLoaded.value && !loadFailed.value) return <Loading />;
  const [title, text] = loadFailed.value
    ? [t.loadFailed, describeProblem(loadFailed.value)]
    : open > 0
      ? [t.emptyFilteredTitle, t.emptyFilteredText(open)]
      : [t.emptyTitle, t.emptyText];
  return (
    <div class="message stack">
      <h2>{title}</h2>
      <p class="quiet">{text}</p>
    </div>
  );
}

type RowProps = {
  readonly desk: Desk;
  readonly alert: AlertView;
  /** Pixels from the top, and which of how many. */
  readonly place: { readonly top: number; readonly at: number; readonly of: number };
};

type RowFrameProps = Pick<RowProps, "desk" | "place"> & {
  readonly id: string;
  readonly severity: AlertView["severity"];
  readonly class: string;
  readonly title: string;
  /** The alert that is opened, and where it is; on hover, of which sensor. */
  readonly href: string;
  readonly where: string;
  readonly whereTitle?: string | undefined;
  readonly since: string;
  readonly sentence: string;
  /** Before the sentence. */
  readonly opener?: ComponentChildren;
  /** Who has it, or what to press. */
  readonly end: ComponentChildren;
};

/** What every row has: a box to select it, how bad it is, where, what in one sentence, since when, who has it. */
function RowFrame({
  desk,
  place,
  id,
  severity,
  title,
  href,
  where,
  whereTitle,
  since,
  sentence,
  ...more
}: RowFrameProps) {
  const t = messages.value.desk;
  const state = [
    severity,
    desk.current.value === id ? "current" : "",
    desk.selected.value.has(id) ? "selected" : "",
    more.class,
  ].join(" ");
  return (
    <li
      class={`row ${state}`}
      style={{ top: `${place.top}px` }}
      data-id={id}
      aria-setsize={place.of}
      aria-posinset={place.at}
      onFocusIn={() => (desk.current.value = id)}
    >
      {mayHandle.value && (
        <label class="target">
          <input
            type="checkbox"
            aria-label={t.select(title)}
            checked={desk.selected.value.has(id)}
            onChange={() => desk.toggle(id)}
          />
        </label>
      )}
      <SeverityMark severity={severity} />
      <div class="row-text">
        <p class="row-title">
          <a href={href}>{title}</a>{" "}
          <span class="quiet" title={whereTitle}>
            {where}
          </span>
        </p>
        <p class="row-sentence" title={sentence}>
          {more.opener} {sentence}
        </p>
      </div>
      <div class="row-end">
        <span class="quiet">
          <span class="hidden">{t.since}</span> <Moment at={since} />
        </span>
        {more.end}
      </div>
    </li>
  );
}

const addressOf = (id: string) => `/alerts/${encodeURIComponent(id)}`;

/** Several alerts of one cause: the one that says best what is wrong, what is concerned, and who has all of it. */
function IncidentRow({
  desk,
  id,
  members,
  place,
}: Omit<RowProps, "alert"> & { id: string; members: readonly AlertView[] }) {
  const t = messages.value.desk;
  const incident = incidents.value.get(id);
  const lead = members.find((one) => one.id === incident?.lead.alert) ?? members[0]!;
  const worst = members.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  const told = tell(lead);
  const isQuieted = members.every((one) => !isOpen(one) || quietedBy(one) !== undefined);
  const todo = members.find((one) => one.handling === "open" && one.assignee === undefined);
  return (
    <RowFrame
      desk={desk}
      place={place}
      id={id}
      severity={worst.severity}
      class={`incident ${members.some(isOpen) ? "" : "ended"} ${isQuieted ? "quieted" : ""}`}
      title={told.title}
      href={addressOf(lead.id)}
      where={placeOf({ ...lead, subject: { district: lead.subject.district } } as AlertView)}
      since={incident?.startedAt ?? lead.startedAt}
      sentence={incident ? describeImpact(incident.impact) : told.explanation}
      opener={
        <>
          <button
            type="button"
            class="chip row-open"
            aria-expanded={desk.opened.value.has(id)}
            onClick={() => desk.expand(id)}
          >
            {t.ofIncident(members.length)}
          </button>{" "}
          <ReturnedChip alert={members.find(({ timeline }) => returnedIn(timeline)) ?? lead} />
        </>
      }
      end={
        isQuieted && quietedBy(lead) ? (
          <QuietedChip alert={lead} />
        ) : todo && mayHandle.value ? (
          <AcknowledgeButton desk={desk} id={id} />
        ) : (
          <Who desk={desk} alert={todo ?? lead} />
        )
      }
    />
  );
}

const rank = ({ severity }: AlertView) => SEVERITIES.indexOf(severity);

/** One alert: how bad, where, what in one sentence, since when, who has it. */
function AlertRow({ desk, alert, place }: RowProps) {
  const { id, severity, startedAt, incident } = alert;
  const { title, explanation } = tell(alert);
  const isMember = incident !== undefined && desk.opened.value.has(incident);
  return (
    <RowFrame
      desk={desk}
      place={place}
      id={id}
      severity={severity}
      class={`${isOpen(alert) ? "" : "ended"} ${quietedBy(alert) ? "quieted" : ""} ${isMember ? "member" : ""}`}
      title={title}
      href={addressOf(id)}
      where={placeOf(alert)}
      whereTitle={sensorOf(alert)}
      since={startedAt}
      sentence={explanation}
      opener={<ReturnedChip alert={alert} />}
      end={
        quietedBy(alert) && alert.handling === "open" ? (
          <QuietedChip alert={alert} />
        ) : (
          <Who desk={desk} alert={alert} />
        )
      }
    />
  );
}

/** Of an alert, or of all alerts of an incident. */
const AcknowledgeButton = ({ desk, id }: { desk: Desk; id: string }) => (
  <Button class="small" aria-label={messages.value.desk.acknowledge} onClick={() => void desk.acknowledge([id])}>
    <span>{messages.value.desk.acknowledge}</span>
  </Button>
);

/** "Centre", or what else the rule watches. The sensor is in the sentence already. */
function placeOf({ subject: { district, gateway, tag, sensorId } }: AlertView): string {
  const place = district === undefined ? undefined : districtName(district);
  return [place, gateway, tag && `${tag.name} ${tag.value}`].filter(Boolean).join(", ") || (sensorId ?? "");
}

/** "Air station Market Square". */
function sensorOf({ subject: { sensorId } }: AlertView): string | undefined {
  return sensorId === undefined ? undefined : (sensors.value.get(sensorId)?.name ?? sensorId);
}

/** That nobody is told of it, and why: people silenced it, or work there. */
export function QuietedChip({ alert }: { alert: AlertView }) {
  const by = quietedBy(alert);
  return by ? <span class="chip quieted-chip">{messages.value.words.quieted[by]}</span> : null;
}

/** A crew was there and could not do it: it waits for somebody who decides. */
function ReturnedChip({ alert: { timeline } }: { alert: AlertView }) {
  const returned = returnedIn(timeline);
  if (!returned) return null;
  return (
    <span class="chip returned-chip" title={returned.note}>
      {messages.value.desk.returned}
    </span>
  );
}

function Who({ desk, alert }: { desk: Desk; alert: AlertView }) {
  const { desk: t, words } = messages.value;
  if (alert.state !== "firing") return <span class="chip">{words.state[alert.state]}</span>;
  if (isExplained(alert)) return <span class="chip">{words.suppressed}</span>;
  if (alert.handling === "open" && alert.assignee === undefined) {
    if (!mayHandle.value) return <span class="quiet">{t.nobodyYet}</span>;
    return <AcknowledgeButton desk={desk} id={alert.id} />;
  }
  return (
    <span class="who">
      <span class="quiet">{words.handling[alert.handling]}</span> <b>{holderOf(alert)}</b>
    </span>
  );
}

/** What the list is narrowed to. Every change is in the address at once. */
export function FilterBar({ desk }: { desk: Desk }) {
  const { desk: t, words } = messages.value;
  const filters = desk.filters.value;
  return (
    <Filters
      id="desk-search"
      text={filters.text}
      label={t.search}
      hint={t.searchHint}
      onText={(text) => desk.setFilters({ text })}
    >
      <Severities desk={desk} />
      <div class="choices cluster">
        <Choice
          label={t.kind}
          value={filters.kind}
          among={ALERT_KINDS}
          say={(one) => words.kind[one]}
          onChoose={(kind) => desk.setFilters({ kind })}
        />
        <Choice
          label={t.district}
          value={filters.district}
          among={districts.value}
          say={districtName}
          onChoose={(district) => desk.setFilters({ district })}
        />
        <Choice
          label={t.audience}
          value={filters.audience}
          among={AUDIENCES}
          say={(one) => words.audience[one]}
          onChoose={(audience) => desk.setFilters({ audience })}
        />
        <Choice
          label={t.who}
          value={filters.who}
          among={WHO}
          say={(one) => (one === "me" ? t.mine : t.nobody)}
          onChoose={(who) => desk.setFilters({ who })}
        />
      </div>
    </Filters>
  );
}

/** One switch for each severity, with how many there are; none pressed is all of them. */
function Severities({ desk }: { desk: Desk }) {
  const { desk: t, words } = messages.value;
  const { severities } = desk.filters.value;
  const open = desk.open.value;
  // A part of a count is a wrong one.
  const isWhole = alertsComplete.value || loadFailed.value !== undefined;
  return (
    <fieldset class="severities">
      <legend class="hidden">{t.severity}</legend>
      {SEVERITIES.toReversed().map((severity) => {
        const on = severities.has(severity);
        const next = new Set(severities);
        if (on) next.delete(severity);
        else next.add(severity);
        return (
          <button
            key={severity}
            type="button"
            class="button"
            aria-pressed={on}
            title={words.severity[severity]}
            onClick={() => desk.setFilters({ severities: next })}
          >
            <SeverityMark severity={severity} />
            {isWhole ? open.filter((alert) => alert.severity === severity).length : "…"}
          </button>
        );
      })}
    </fieldset>
  );
}

/** How many, what is new, what is selected. Its height does not change with what it says. */
export function ListHead({ desk, onHelp }: { desk: Desk; onHelp: () => void }) {
  const t = messages.value.desk;
  const selected = [...desk.selected.value];
  const shown = desk.shown.value;
  const filtered = Object.values(desk.filters.value).some((one) => (one instanceof Set ? one.size > 0 : one));
  return (
    <div class="list-head">
      {mayHandle.value && shown.length > 0 && <SelectAll desk={desk} />}
      {selected.length > 0 ? (
        <>
          <strong>{t.selected(selected.length)}</strong>
          <Button class="primary" onClick={() => void desk.acknowledge(selected)}>
            {t.acknowledgeAll(selected.length)}
          </Button>
        </>
      ) : (
        <span class="quiet" role="status">
          {alertsComplete.value || loadFailed.value
            ? t.count(alertsIn(desk, shown), desk.open.value.length)
            : messages.value.shell.loading}
        </span>
      )}
      {filtered && selected.length === 0 && (
        <Button class="quiet" onClick={desk.clearFilters}>
          {t.clear}
        </Button>
      )}
      <Check
        label={t.suppressedToo}
        checked={desk.filters.value.suppressed}
        onChange={(suppressed) => desk.setFilters({ suppressed })}
      />
      <button type="button" class="button quiet help-button" aria-label={t.help} title={t.help} onClick={onHelp}>
        ?
      </button>
      <OutcomeNote desk={desk} />
    </div>
  );
}

/** An incident and its alerts, where it is open to them, count once. */
function alertsIn({ membersOf }: Desk, shown: readonly string[]): number {
  const ids = shown.flatMap((id) => membersOf.value.get(id)?.map((one) => one.id) ?? [id]);
  return new Set(ids).size;
}

function SelectAll({ desk }: { desk: Desk }) {
  const t = messages.value.desk;
  const shown = desk.shown.value;
  const all = shown.every((id) => desk.selected.value.has(id));
  const label = all ? t.selectNone : t.selectAll;
  return (
    <label class="target" title={label}>
      <input
        type="checkbox"
        aria-label={label}
        checked={all}
        onChange={() => {
          desk.selected.value = new Set(all ? [] : shown);
        }}
      />
    </label>
  );
}

/** What an acknowledgement came to: how many, and who was faster. */
function OutcomeNote({ desk }: { desk: Desk }) {
  const { desk: t, shell } = messages.value;
  const outcome = desk.outcome.value;
  if (!outcome) return null;
  const { done, refused } = outcome;
  return (
    <div class="panel outcome" role="status">
      {done > 0 && <p>{t.acknowledged(done)}</p>}
      {refused.length > 0 && (
        <>
          <p class="wrong">{t.notAcknowledged(refused.length)}</p>
          <ul>
            {refused.slice(0, 5).map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </>
      )}
      <Button onClick={() => (desk.outcome.value = undefined)}>{shell.close}</Button>
    </div>
  );
}
