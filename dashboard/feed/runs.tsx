import { useEffect, useMemo, useState } from "preact/hooks";
import type { RunView } from "../../contract/simulation.ts";
import type { ScenarioName } from "../../model/simulation.ts";
import { request, send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check, Field, Group } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Problem } from "../parts/state.tsx";
import { mayManage, user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
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
      <Problem of={problem.value} />
      {simulations.value && recordings.value && (
        <>
          <div class="halves">
            <section class="stack">
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
            <section class="stack">
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
const WHAT_ID = "feed-what";
const SPEEDS = ["max", "1", "10", "60"] as const;

type RunFormProps = {
  readonly followed: FollowedRuns;
  /** "scenario:storm" or "recording:noon". */
  readonly chosen: string;
  readonly choose: (what: string) => void;
};

function RunForm({ followed, chosen, choose }: RunFormProps) {
  const t = messages.value.feed.runs;
  const [kind, name] = chosen.split(":") as ["scenario" | "recording", string];
  const recordings = followed.recordings.value?.items ?? [];

  async function submit(data: FormData): Promise<void> {
    const speed = String(data.get("speed"));
    const districts = data.getAll("district").map(String);
    const what = kind === "scenario" ? { scenario: name } : { recording: name };
    await followed.act(() =>
      send("POST", "/simulations", {
        ...what,
        speed: speed === "max" ? speed : Number(speed),
        districts: kind === "scenario" && districts.length > 0 ? districts : undefined,
      }),
    );
  }

  return (
    <Form submitLabel={t.start} onSubmit={submit}>
      <Field id={WHAT_ID} label={t.what} name="what" value={chosen} onChoose={choose}>
        <optgroup label={t.scenarios}>
          {followed.simulations.value?.scenarios.map((one) => (
            <option key={one} value={`scenario:${one}`}>
              {t.names[one]}
            </option>
          ))}
        </optgroup>
        {recordings.length > 0 && (
          <optgroup label={t.recordings}>
            {recordings.map((one) => (
              <option key={one.name} value={`recording:${one.name}`}>
                {one.name}
              </option>
            ))}
          </optgroup>
        )}
      </Field>
      <p class="quiet">{kind === "scenario" ? t.tells[name as ScenarioName] : ""}</p>
      <Field
        label={t.speed}
        name="speed"
        hint={t.speedHint}
        value={SPEEDS[0]}
        options={SPEEDS.map((one) => [one, t.speeds[one]] as const)}
      />
      {kind === "scenario" && <Districts districts={followed.simulations.value?.districts ?? []} />}
    </Form>
  );
}

function Districts({ districts }: { districts: readonly string[] }) {
  const t = messages.value.feed.runs;
  return (
    <Group legend={t.districts} hint={t.districtsHint} class="checks">
      {districts.map((district) => (
        <Check key={district} name="district" value={district} label={districtName(district)} />
      ))}
    </Group>
  );
}

const nameOf = ({ scenario, recording }: RunView): string =>
  scenario ? messages.value.feed.runs.names[scenario] : (recording ?? "");

/** What runs now, how far it is, and how to stop it. */
function CurrentRun({ run, followed }: { run: RunView; followed: FollowedRuns }) {
  const t = messages.value.feed.runs;
  const { busy, problem, attempt } = useAttempt();
  return (
    <div class="panel">
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
          <Button
            disabled={busy}
            onClick={() => void attempt(() => followed.act(() => request("DELETE", `/simulations/${run.id}`)))}
          >
            {t.stop}
          </Button>
        </div>
      )}
      <Problem of={problem} />
    </div>
  );
}

function LastRun({ run }: { run: RunView }) {
  const t = messages.value.feed.runs;
  const { ended } = run;
  if (!ended) return null;
  const { report } = ended;
  return (
    <div class="panel" role="status">
      <h3>
        {t.last}: {nameOf(run)}
      </h3>
      <p>
        <span class={`health ${ended.how === "failed" ? "failed" : "ok"}`}>{t.ended[ended.how]}</span>{" "}
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
