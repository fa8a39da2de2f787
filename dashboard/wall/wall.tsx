import "./wall.css";
import { useEffect, useState } from "preact/hooks";
import type { WallView } from "../../contract/wall.ts";
import { SEVERITIES } from "../../model/alert.ts";
import { type Connection, openEventStream } from "../live/event-stream.ts";
import { messages } from "../messages/messages.ts";
import { SeverityMark } from "../parts/show.tsx";
import { tell } from "../words/tell.ts";
import { clock, formatTime, Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";

const WORST_FIRST = SEVERITIES.toReversed();
/** What a large screen shows at once; the rest is a number. */
const ROWS = 10;

/** `/wall#<token>`: for a screen on a wall. What stands behind the # is never sent with the address, nor kept in a log. */
export function WallPage() {
  const { shown, connection, since, isRefused } = useWall();
  const { wall: t, pages } = messages.value;
  if (isRefused)
    return (
      <main class="wall">
        <h1 tabIndex={-1}>{t.refusedTitle}</h1>
        <p>{t.refusedHint}</p>
      </main>
    );
  const isLive = connection === "live" && shown !== undefined;
  return (
    <main class={`wall ${isLive ? "" : "dark"}`}>
      <header class="wall-head">
        <h1 tabIndex={-1}>{shown?.name ?? pages.wall}</h1>
        <p class={`wall-live ${isLive ? "on" : "off"}`} role="status">
          {isLive ? t.live : connection === "lost" ? t.notLive : t.connecting}
        </p>
        <p class="wall-clock">{formatTime(clock.value, clock.value)}</p>
      </header>
      {connection === "lost" && (
        <p class="wall-lost" role="alert">
          {t.since(formatTime(since, clock.value))}
        </p>
      )}
      {shown && <Board shown={shown} />}
    </main>
  );
}

function Board({ shown }: { shown: WallView }) {
  const { wall: t, words } = messages.value;
  const { counts, quieted, unacknowledged, districts, alerts, troubles } = shown;
  const all = counts.critical + counts.warning + counts.info;
  const rows = alerts.slice(0, ROWS);
  const beside = [
    unacknowledged > 0 && t.unacknowledged(unacknowledged),
    quieted > 0 && t.quieted(quieted),
    troubles.length > 0 && t.trouble,
  ].filter(Boolean);
  return (
    <>
      <dl class="wall-counts">
        {WORST_FIRST.map((severity) => (
          <div key={severity} class={counts[severity] > 0 ? severity : "none"}>
            <dt>{words.severity[severity]}</dt>
            <dd>{counts[severity]}</dd>
          </div>
        ))}
      </dl>
      {beside.length > 0 && <p>{beside.join(" · ")}</p>}
      <ul class="wall-districts">
        {districts.map(({ district, worst, open }) => (
          <li key={district} class={worst ?? "calm"}>
            {districtName(district)}
            {worst && (
              <>
                {" "}
                <b>{open[worst]}</b>
                <span class="hidden"> {words.severity[worst]}</span>
              </>
            )}
          </li>
        ))}
      </ul>
      {all === 0 && <p class="wall-calm">{t.calm}</p>}
      <ol class="wall-alerts">
        {rows.map((alert) => (
          <AlertLine key={alert.id} alert={alert} />
        ))}
      </ol>
      {all > rows.length && <p>{t.more(all - rows.length)}</p>}
    </>
  );
}

function AlertLine({ alert }: { alert: WallView["alerts"][number] }) {
  const { words, wall } = messages.value;
  const { title, explanation } = tell(alert);
  const { district, sensorId } = alert.subject;
  const who = alert.handling === "open" ? undefined : [words.handling[alert.handling], alert.assignee].filter(Boolean);
  return (
    <li class={alert.severity}>
      <p>
        <SeverityMark severity={alert.severity} />
        <strong>{title}</strong>
        <span>{district ? districtName(district) : sensorId}</span>
        <span class="wall-when">
          {wall.sinceAgo} <Moment at={alert.startedAt} as="time" />
          {who && ` · ${who.join(", ")}`}
        </span>
      </p>
      <p class="wall-why">{explanation}</p>
    </li>
  );
}

/** The stream brings all of it each time, so what is shown is whole or said to be old. */
function useWall() {
  const [shown, setShown] = useState<WallView | undefined>();
  const [connection, setConnection] = useState<Connection>("connecting");
  const [since, setSince] = useState(Date.now());
  const [isRefused, setRefused] = useState(false);
  useEffect(() => {
    const token = location.hash.slice(1);
    const stream = openEventStream(
      "/api/v1/wall/events",
      {
        onEvent({ event, data }) {
          if (event !== "wall") return;
          setShown(JSON.parse(data) as WallView);
          setSince(Date.now());
        },
        onConnection: setConnection,
        onOpen: () => {},
        onSignedOut: () => setRefused(true),
      },
      undefined,
      token === "" ? {} : { authorization: `Bearer ${token}` },
    );
    return () => stream.close();
  }, []);
  return { shown, connection, since, isRefused };
}
