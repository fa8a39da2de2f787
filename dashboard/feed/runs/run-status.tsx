import { messages } from "../../messages/messages.ts";
import { useAttempt } from "../../parts/use-attempt.ts";
import { user } from "../../shell/session.ts";
import { sayProblem } from "../../words/problems.ts";
import { Moment } from "../../words/time.tsx";
import { formatCount } from "../numbers.ts";
import type { FollowedRuns, RunView } from "./runs-state.ts";

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
