import { useEffect, useMemo } from "preact/hooks";
import { type AlertView, isOpen } from "../api/alerts.ts";
import { ApiProblem } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { SeverityMark } from "../parts/severity.tsx";
import { Message } from "../shell/message.tsx";
import type { PageProps } from "../shell/pages.ts";
import { mayHandle } from "../shell/session.ts";
import { sayProblem } from "../words/problems.ts";
import { Actions } from "./actions.tsx";
import { type FollowedAlert, followAlert } from "./alert-state.ts";
import { AroundIt } from "./around-it.tsx";
import { Evidence } from "./evidence.tsx";
import { Facts } from "./facts.tsx";
import { ReviewIt } from "./review-it.tsx";
import { Timeline } from "./timeline.tsx";
import "./alert.css";

/** `/alerts/:id`: why the service says this, and what people do about it. */
export function AlertPage({ params }: PageProps) {
  const id = params.id!;
  const followed = useMemo(() => followAlert(id), [id]);
  useEffect(() => followed.close, [followed]);

  const t = messages.value;
  const alert = followed.alert.value;
  const problem = followed.problem.value;
  if (problem instanceof ApiProblem && problem.status === 404) return <Message title={t.alert.notFound} />;
  if (!alert) return problem ? <Message title={sayProblem(problem)} /> : <p class="quiet loading">{t.shell.loading}</p>;
  return <Loaded followed={followed} alert={alert} />;
}

function Loaded({ followed, alert }: { followed: FollowedAlert; alert: AlertView }) {
  const t = messages.value.alert;
  return (
    <div class={`alert-page ${isOpen(alert) ? alert.severity : "calm"}`}>
      <Head alert={alert} />
      <div class="alert-columns">
        <div class="alert-main">
          {alert.metric !== undefined && alert.subject.sensorId !== undefined && (
            <AroundIt alert={alert} rule={followed.rule.value} />
          )}
          <Evidence alert={alert} />
          <section>
            <h2>{t.timeline}</h2>
            <Timeline entries={alert.timeline} />
          </section>
        </div>
        <aside class="alert-side">
          {mayHandle.value && <Actions followed={followed} alert={alert} />}
          <Facts alert={alert} rule={followed.rule.value} />
          {mayHandle.value && <ReviewIt followed={followed} alert={alert} />}
        </aside>
      </div>
    </div>
  );
}

function Head({ alert }: { alert: AlertView }) {
  const { words } = messages.value;
  const { severity, rule, state, handling, assignee, audience, verdict, suppressedBy } = alert;
  return (
    <header class="alert-head">
      <p class="alert-chips">
        <SeverityMark severity={severity} />
        <span class="chip">{words.state[state]}</span>
        <span class="chip">
          {words.handling[handling]}
          {assignee && `: ${assignee}`}
        </span>
        <span class="chip">{words.audience[audience]}</span>
        {verdict && verdict.is !== "event" && <span class="chip">{words.verdict[verdict.is]}</span>}
        {suppressedBy !== undefined && <span class="chip">{words.suppressed}</span>}
      </p>
      <h1 tabIndex={-1}>{rule.title}</h1>
      <p class="alert-sentence">{alert.explanation}</p>
    </header>
  );
}
