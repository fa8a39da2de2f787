import { useId, useState } from "preact/hooks";
import type { RecordingsView } from "../../contract/simulation.ts";
import { isId } from "../../model/ids.ts";
import { messages } from "../messages/messages.ts";
import { Field } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { mayManage, user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { sayProblem } from "../words/words.ts";
import { formatBytes, formatCount } from "./formats.ts";
import type { FollowedRuns } from "./runs-state.ts";

const MINUTES = [10, 1, 60, 480];

/** Starts a recording of the live feed, or shows the one under way. */
export function RecordForm({ followed }: { followed: FollowedRuns }) {
  const now = followed.recordings.value?.current;
  return now ? <UnderWay now={now} followed={followed} /> : <StartForm followed={followed} />;
}

function StartForm({ followed }: { followed: FollowedRuns }) {
  const t = messages.value.feed.runs;
  const { busy, problem, attempt } = useAttempt();
  const [wrong, setWrong] = useState<{ name?: string; sensors?: string }>({});
  const id = useId();

  function submit(form: HTMLFormElement): void {
    const data = new FormData(form);
    const name = String(data.get("name")).trim();
    const sensors = String(data.get("sensors"))
      .split(/[\s,]+/)
      .filter(Boolean);
    const found = {
      ...(isId(name) ? {} : { name: t.nameHint }),
      ...(sensors.every(isId) ? {} : { sensors: t.nameHint }),
    };
    setWrong(found);
    if (Object.keys(found).length > 0) return;
    const minutes = Number(data.get("minutes"));
    void attempt(() =>
      followed.act("POST", "/recordings", { name, minutes, ...(sensors.length > 0 ? { sensors } : {}) }),
    );
  }

  return (
    <form
      class="feed-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit(event.currentTarget);
      }}
    >
      <Field label={t.name} name="name" hint={t.nameHint} wrong={wrong.name} />
      <Field label={t.sensors} name="sensors" hint={t.sensorsHint} wrong={wrong.sensors} optional />
      <div class="field">
        <label for={id}>{t.minutes}</label>
        <select id={id} name="minutes">
          {MINUTES.map((minutes) => (
            <option key={minutes} value={minutes}>
              {t.forMinutes(minutes)}
            </option>
          ))}
        </select>
      </div>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      <button type="submit" class="button primary" disabled={busy}>
        {t.recordStart}
      </button>
    </form>
  );
}

type UnderWayProps = { readonly now: NonNullable<RecordingsView["current"]>; readonly followed: FollowedRuns };

function UnderWay({ now, followed }: UnderWayProps) {
  const t = messages.value.feed.runs;
  const { busy, problem, attempt } = useAttempt();
  return (
    <div class="panel feed-run">
      <h3>{t.recordingNow(now.name)}</h3>
      <p>{t.recorded(formatCount(now.readings), formatBytes(now.bytes))}</p>
      {now.missed > 0 && <p class="wrong">{t.missed(formatCount(now.missed))}</p>}
      <p class="quiet">
        {t.by(now.by)} · {t.until}: <Moment at={now.endsAt} as="time" />
      </p>
      <div>
        <button
          type="button"
          class="button"
          disabled={busy}
          onClick={() => void attempt(() => followed.act("POST", `/recordings/${now.name}/stop`, {}))}
        >
          {t.recordStop}
        </button>
      </div>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
    </div>
  );
}

type TableProps = {
  readonly followed: FollowedRuns;
  readonly items: RecordingsView["items"];
  /** Missing while something runs. */
  readonly replay: ((name: string) => void) | undefined;
};

export function RecordingTable({ followed, items, replay }: TableProps) {
  const t = messages.value.feed.runs;
  const { busy, problem, attempt } = useAttempt();
  return (
    <section class="feed-section">
      <h2>{t.recordings}</h2>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      {items.length === 0 ? (
        <p class="quiet">{t.none}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
        <section class="feed-table" tabIndex={0} aria-label={t.recordings}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t.name}</th>
                <th scope="col" class="number">
                  {t.size}
                </th>
                <th scope="col" class="feed-made">
                  {t.made}
                </th>
                <th scope="col">
                  <span class="hidden">{t.actions}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <RecordingRow
                  key={item.name}
                  {...{ item, busy, replay }}
                  remove={() => void attempt(() => followed.act("DELETE", `/recordings/${item.name}`))}
                />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

type RowProps = {
  readonly item: RecordingsView["items"][number];
  readonly busy: boolean;
  readonly replay: TableProps["replay"];
  readonly remove: () => void;
};

function RecordingRow({ item: { name, bytes, at }, busy, replay, remove }: RowProps) {
  const t = messages.value.feed.runs;
  const [sure, setSure] = useState(false);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="number">{formatBytes(bytes)}</td>
      <td class="feed-made">
        <Moment at={at} as="time" />
      </td>
      <td class="feed-actions">
        {user.value?.role === "admin" && replay && (
          <button type="button" class="button" onClick={() => replay(name)}>
            {t.replay}
          </button>
        )}
        <a class="button" href={`/api/v1/recordings/${name}`} download={`${name}.ndjson`}>
          {t.download}
        </a>
        {mayManage.value && !sure && (
          <button type="button" class="button" onClick={() => setSure(true)}>
            {t.remove}
          </button>
        )}
        {sure && (
          <>
            <span>{t.removeSure(name)}</span>
            <button type="button" class="button" disabled={busy} onClick={remove}>
              {t.remove}
            </button>
            <button type="button" class="button quiet" onClick={() => setSure(false)}>
              {t.keep}
            </button>
          </>
        )}
      </td>
    </tr>
  );
}
