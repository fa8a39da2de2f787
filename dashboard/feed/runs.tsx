import { useEffect, useId, useMemo, useState } from "preact/hooks";
import type { RunView } from "../../contract/simulation.ts";
import type { ScenarioName } from "../../model/simulation.ts";
import { messages } from "../messages/messages.ts";
import { useAttempt } from "../parts/forms.tsx";
import { mayManage, user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { districtName, sayProblem } from "../words/words.ts";
import { formatCount } from "./formats.ts";
import { RecordForm, RecordingTable } from "./recordings.tsx";
import { type FollowedRuns, followRuns } from "./runs-state.ts";

/** Scenarios and recordings: to see the service at work without waiting for the city. */
export function Runs() {
  const t = messages.value.feed.runs;
  const followed = useMemo(followRuns, []);
  useEffect(() => followed.close, [followed]);
  const [chosen, choose] = useState("scenario:ordinary-day");
  const { simulations, recordings, problem } = followed;
  const running = simulations.value?.current;

  function replay(name: string): void {
    choose(`recording:${name}`);
    document.getElementById(WHAT_ID)?.focus();
  }

  return (
    <>
      <p class="quiet">{t.intro}</p>
      {problem.value !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem.value)}
        </p>
      )}
      {simulations.value && recordings.value && (
        <>
          <div class="feed-columns">
            <section class="feed-section">
              <h2>{t.start}</h2>
              {running ? (
                <CurrentRun run={running} followed={followed} />
              ) : simulations.value.refused !== undefined ? (
                <p class="note">{t.off}</p>
              ) : user.value?.role !== "admin" ? (
                <p class="note">{t.onlyAdmins}</p>
              ) : (
                <RunForm followed={followed} chosen={chosen} choose={choose} />
              )}
              {!running && simulations.value.last && <LastRun run={simulations.value.last} />}
            </section>
            <section class="feed-section">
              <h2>{t.record}</h2>
              {mayManage.value ? <RecordForm followed={followed} /> : <p class="note">{t.onlyOperators}</p>}
            </section>
          </div>
          <RecordingTable followed={followed} items={recordings.value.items} replay={running ? undefined : replay} />
        </>
      )}
    </>
  );
}

/** The field that says what to start, for those who jump there. */
export const WHAT_ID = "feed-what";
const SPEEDS = ["max", "1", "10", "60"] as const;

type RunFormProps = {
  readonly followed: FollowedRuns;
  /** "scenario:storm" or "recording:noon". */
  readonly chosen: string;
  readonly choose: (what: string) => void;
};

export function RunForm({ followed, chosen, choose }: RunFormProps) {
  const t = messages.value.feed.runs;
  const { busy, problem, attempt } = useAttempt();
  const [kind, name] = chosen.split(":") as ["scenario" | "recording", string];

  function submit(form: HTMLFormElement): void {
    const data = new FormData(form);
    const speed = String(data.get("speed"));
    const districts = data.getAll("district").map(String);
    void attempt(() =>
      followed.act("POST", "/simulations", {
        [kind]: name,
        speed: speed === "max" ? "max" : Number(speed),
        ...(kind === "scenario" && districts.length > 0 ? { districts } : {}),
      }),
    );
  }

  return (
    <form
      class="feed-form"
      onSubmit={(event) => {
        event.preventDefault();
        submit(event.currentTarget);
      }}
    >
      <WhatField {...{ followed, chosen, choose }} />
      <p class="quiet">{kind === "scenario" ? t.tells[name as ScenarioName] : ""}</p>
      <SpeedField />
      {kind === "scenario" && <Districts districts={followed.simulations.value?.districts ?? []} />}
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      <button type="submit" class="button primary" disabled={busy}>
        {t.start}
      </button>
    </form>
  );
}

function WhatField({ followed, chosen, choose }: RunFormProps) {
  const t = messages.value.feed.runs;
  const recordings = followed.recordings.value?.items ?? [];
  return (
    <div class="field">
      <label for={WHAT_ID}>{t.what}</label>
      <select id={WHAT_ID} value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
        <optgroup label={t.scenarios}>
          {followed.simulations.value?.scenarios.map((name) => (
            <option key={name} value={`scenario:${name}`}>
              {t.names[name]}
            </option>
          ))}
        </optgroup>
        {recordings.length > 0 && (
          <optgroup label={t.recordings}>
            {recordings.map(({ name }) => (
              <option key={name} value={`recording:${name}`}>
                {name}
              </option>
            ))}
          </optgroup>
        )}
      </select>
    </div>
  );
}

function SpeedField() {
  const t = messages.value.feed.runs;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{t.speed}</label>
      <select id={id} name="speed" aria-describedby={`${id}-hint`}>
        {SPEEDS.map((speed) => (
          <option key={speed} value={speed}>
            {t.speeds[speed]}
          </option>
        ))}
      </select>
      <small id={`${id}-hint`} class="quiet">
        {t.speedHint}
      </small>
    </div>
  );
}

function Districts({ districts }: { districts: readonly string[] }) {
  const t = messages.value.feed.runs;
  return (
    <fieldset class="feed-choices">
      <legend>{t.districts}</legend>
      {districts.map((district) => (
        <label key={district} class="check">
          <input type="checkbox" name="district" value={district} /> {districtName(district)}
        </label>
      ))}
      <small class="quiet">{t.districtsHint}</small>
    </fieldset>
  );
}

const nameOf = ({ scenario, recording }: RunView): string =>
  scenario ? messages.value.feed.runs.names[scenario] : (recording ?? "");

/** What runs now, how far it is, and how to stop it. */
export function CurrentRun({ run, followed }: { run: RunView; followed: FollowedRuns }) {
  const t = messages.value.feed.runs;
  const { busy, problem, attempt } = useAttempt();
  return (
    <div class="panel feed-run">
      <h3>{t.running(nameOf(run))}</h3>
      <progress aria-label={t.phases[run.phase]} max={Math.max(run.total, 1)} value={run.done} />
      <p>
        {t.phases[run.phase]}
        {run.total > 0 && ` · ${t.progress(formatCount(run.done), formatCount(run.total))}`}
      </p>
      <p class="quiet">
        {t.by(run.by)} · {t.until}: <Moment at={run.endsAt} as="time" />
      </p>
      {user.value?.role === "admin" && (
        <div>
          <button
            type="button"
            class="button"
            disabled={busy}
            onClick={() => void attempt(() => followed.act("DELETE", `/simulations/${run.id}`))}
          >
            {t.stop}
          </button>
        </div>
      )}
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
    </div>
  );
}

export function LastRun({ run }: { run: RunView }) {
  const t = messages.value.feed.runs;
  const { ended } = run;
  if (!ended) return null;
  const { report } = ended;
  return (
    <div class="panel feed-run" role="status">
      <h3>
        {t.last}: {nameOf(run)}
      </h3>
      <p>
        <span class={`feed-health ${ended.how === "failed" ? "failed" : "ok"}`}>{t.ended[ended.how]}</span>{" "}
        <Moment at={ended.at} as="time" />
        {ended.reason && `: ${ended.reason}`}
      </p>
      {report && (
        <p>
          {t.report(
            formatCount(report.sent),
            formatCount(report.stored),
            formatCount(report.duplicates + report.quarantined),
          )}{" "}
          {t.alertsRaised(report.alertsRaised)}
        </p>
      )}
      <p class="quiet">
        {t.by(run.by)} · {t.removedSoon}
      </p>
    </div>
  );
}
