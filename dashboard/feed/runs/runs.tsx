import { useEffect, useMemo, useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { mayManage, user } from "../../shell/session.ts";
import { sayProblem } from "../../words/problems.ts";
import { RecordForm } from "./record-form.tsx";
import { RecordingTable } from "./recording-table.tsx";
import { RunForm, WHAT_ID } from "./run-form.tsx";
import { CurrentRun, LastRun } from "./run-status.tsx";
import { followRuns } from "./runs-state.ts";

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
