import { signal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { AlertView } from "../../contract/alert.ts";
import type { IncidentAction, IncidentActionAsk, IncidentDetailView } from "../../contract/incident.ts";
import { request, send } from "../api/client.ts";
import { onIncidentNews, sensors } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { NoteForm, useAttempt } from "../parts/forms.tsx";
import { SeverityMark } from "../parts/show.tsx";
import { Problem } from "../parts/state.tsx";
import { mayHandle } from "../shell/session.ts";
import { describeImpact } from "../words/impact.ts";
import { tell } from "../words/tell.ts";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { AssignForm } from "./assign.tsx";

/** The incident of an alert, followed while its page is open. */
function followIncident(id: string) {
  const incident = signal<IncidentDetailView | undefined>(undefined);
  const over = new AbortController();
  const path: `/incidents/${string}` = `/incidents/${encodeURIComponent(id)}`;
  let again = false;
  let busy = false;

  /** News come in bursts: one question at a time, and one more where something came meanwhile. */
  async function load(): Promise<void> {
    again = true;
    if (busy) return;
    busy = true;
    while (again && !over.signal.aborted) {
      again = false;
      try {
        incident.value = await request<IncidentDetailView>("GET", path, undefined, over.signal);
      } catch {
        // Away, or part of no incident any more: what was known stays until the alert says so.
      }
    }
    busy = false;
  }
  void load();
  const stop = onIncidentNews((news) => {
    if (news.incident.id === incident.peek()?.id || news.incident.id === id) void load();
  });

  async function act(action: IncidentAction, body: IncidentActionAsk = {}): Promise<void> {
    incident.value = await send("POST", `${path}/${action}`, body);
  }

  return {
    incident,
    act,
    close(): void {
      over.abort();
      stop();
    },
  };
}

/** All alerts of one cause, and what is done about all of them at once. */
export function Incident({ id, alert }: { id: string; alert: AlertView }) {
  const t = messages.value.alert;
  const followed = useMemo(() => followIncident(id), [id]);
  useEffect(() => followed.close, [followed]);
  const incident = followed.incident.value;
  if (!incident) return null;
  return (
    <section class="panel stack incident" aria-labelledby="incident-title">
      <h2 id="incident-title">{t.incident}</h2>
      <p>
        <strong>{describeImpact(incident.impact)}</strong>
        <br />
        <span class="quiet">{t.incidentOf(incident.alerts, incident.firing)}</span>
      </p>
      <ul class="incident-members">
        {incident.members.map((one) => (
          <li key={one.id} class={one.state === "firing" ? "" : "quiet"} aria-current={one.id === alert.id}>
            <SeverityMark severity={one.severity} />
            <span>
              {one.id === alert.id ? (
                <strong>{tell(one).title}</strong>
              ) : (
                <a href={`/alerts/${encodeURIComponent(one.id)}`}>{tell(one).title}</a>
              )}{" "}
              <span class="quiet">
                {subjectOf(one)}
                {one.id === incident.lead.alert && `, ${t.incidentLead}`}
              </span>
            </span>
            <span class="quiet">
              {one.state === "firing" ? <Moment at={one.startedAt} /> : messages.value.words.state[one.state]}
            </span>
          </li>
        ))}
      </ul>
      {mayHandle.value && <IncidentActions followed={followed} incident={incident} about={alert} />}
      {incident.timeline.length > 0 && (
        <>
          <h3>{t.incidentTimeline}</h3>
          <ol class="timeline">
            {incident.timeline.map((entry, i) => (
              <li key={`${i} ${entry.what}`} class="people">
                <Moment at={entry.at} as="time" />
                <div>
                  <strong>{t.what[entry.what] ?? entry.what}</strong>
                  {entry.by !== undefined && ` ${t.by(entry.by)}`}
                  {entry.note !== undefined && <p>{entry.note}</p>}
                </div>
              </li>
            ))}
          </ol>
        </>
      )}
      {incident.linked.length > 0 && (
        <>
          <h3>{t.incidentLinked}</h3>
          <ul>
            {incident.linked.map(({ id: other, lead, district }) => (
              <li key={other}>
                <a href={`/alerts/${encodeURIComponent(lead.alert)}`}>{lead.title}</a> {districtName(district)}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function subjectOf({ subject: { sensorId, gateway, tag, district } }: AlertView): string {
  if (sensorId !== undefined) return sensors.value.get(sensorId)?.name ?? sensorId;
  return gateway ?? (tag ? `${tag.name} ${tag.value}` : districtName(district ?? ""));
}

type IncidentActionsProps = {
  readonly followed: ReturnType<typeof followIncident>;
  readonly incident: IncidentDetailView;
  /** Crews that work there and know it come first. */
  readonly about: AlertView;
};

/** What one can do about all of it. The single alert's own actions stand above. */
function IncidentActions({ followed, incident, about }: IncidentActionsProps) {
  const t = messages.value.alert;
  const { busy, problem, attempt } = useAttempt();
  const [open, setOpen] = useState<"assign" | "close" | "comment">();
  const close = () => setOpen(undefined);
  const toggle = (form: NonNullable<typeof open>, label: string) => (
    <Button aria-expanded={open === form} onClick={() => setOpen(open === form ? undefined : form)}>
      {label}
    </Button>
  );
  return (
    <div class="actions stack">
      <div class="cluster">
        {incident.handling === "open" && (
          <button
            type="button"
            class="button primary"
            disabled={busy}
            onClick={() => void attempt(() => followed.act("acknowledge"))}
          >
            {t.incidentAcknowledge}
          </button>
        )}
        {incident.handling !== "closed" && toggle("assign", t.incidentAssign)}
        {incident.handling !== "closed" && toggle("close", t.incidentClose)}
        {toggle("comment", t.incidentComment)}
      </div>
      {!open && <Problem of={problem} />}
      {open === "assign" && (
        <AssignForm
          about={about}
          assignee={incident.assignee}
          onCancel={close}
          onSubmit={async (to) => {
            await followed.act("assign", to);
            // Who hands it on has seen it.
            if (incident.handling === "open") await followed.act("acknowledge").catch(() => {});
            close();
          }}
        />
      )}
      {(open === "close" || open === "comment") && (
        <NoteForm
          doing={open}
          name="incident-note"
          onCancel={close}
          submitLabel={open === "close" ? t.incidentClose : t.send}
          onSubmit={(note) => followed.act(open, note).then(close)}
        />
      )}
    </div>
  );
}
