import { useId } from "preact/hooks";
import type { ScenarioName } from "../../../model/simulation.ts";
import { messages } from "../../messages/messages.ts";
import { useAttempt } from "../../parts/use-attempt.ts";
import { sayProblem } from "../../words/problems.ts";
import { districtName } from "../../words/units.ts";
import type { FollowedRuns } from "./runs-state.ts";

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
