import { useId, useState } from "preact/hooks";
import { isId } from "../../../model/ids.ts";
import { messages } from "../../messages/messages.ts";
import { Field } from "../../parts/field.tsx";
import { useAttempt } from "../../parts/use-attempt.ts";
import { sayProblem } from "../../words/problems.ts";
import { Moment } from "../../words/time.tsx";
import { formatBytes, formatCount } from "../numbers.ts";
import type { FollowedRuns, RecordingsView } from "./runs-state.ts";

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
