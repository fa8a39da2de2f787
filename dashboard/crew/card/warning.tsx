import { messages } from "../../messages/messages.ts";
import { SeverityMark } from "../../parts/severity.tsx";
import { formatAgo, formatTime, formatUtc } from "../../words/time.tsx";
import type { CrewState } from "../crew-state.ts";
import { daysUntil } from "../list/cards.ts";
import { holderOf, type Warning } from "../list/crew-list.ts";

const YEAR_DAYS = 365;

/** What is wrong in one sentence, since when, how long it will last, who has it. */
export function WarningItem({ crew, warning }: { crew: CrewState; warning: Warning }) {
  const { crew: t, words } = messages.value;
  const { id, rule, severity, explanation, verdict, counted } = warning;
  return (
    <li class="crew-warning">
      <p class="crew-title">
        <SeverityMark severity={severity} />
        <a href={`/alerts/${encodeURIComponent(id)}`}>{rule.title}</a>
      </p>
      <p>{explanation}</p>
      {verdict?.is === "sensor-fault" && (
        <p>
          <strong>{words.verdict[verdict.is]}</strong> {verdict.why}
        </p>
      )}
      <p class="crew-facts">
        <Since at={warning.startedAt} now={crew.now.value} />
        {counted !== undefined && <span>{t.counted(counted)}</span>}
        <DaysLeft warning={warning} now={crew.now.value} />
        <Holder crew={crew} warning={warning} />
      </p>
    </li>
  );
}

function Since({ at, now }: { at: string; now: number }) {
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={`${formatTime(time, now)} · ${formatUtc(time)}`}>
      {messages.value.crew.since(formatAgo(time, now))}
    </time>
  );
}

function DaysLeft({ warning: { expected }, now }: { warning: Warning; now: number }) {
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

function Holder({ crew, warning }: { crew: CrewState; warning: Warning }) {
  const t = messages.value.crew;
  if (crew.waiting.value.some(({ alertId }) => alertId === warning.id)) return <span class="chip">{t.waits}</span>;
  const holder = holderOf(warning);
  if (holder === undefined) return null;
  return <span class="chip">{holder === crew.me.value?.name ? t.youHave : t.has(holder)}</span>;
}
