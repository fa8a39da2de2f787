import { useState } from "preact/hooks";
import type { Figures } from "../../../model/backtest.ts";
import type { RuleData } from "../../../model/rule.ts";
import { ApiProblem } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { Refusal, textOf, WordsField } from "../../parts/forms.tsx";
import { useAttempt } from "../../parts/use-attempt.ts";
import { navigate } from "../../shell/router.ts";
import { sayProblem } from "../../words/problems.ts";
import { type RuleView, ruleHref, saveRule, trialIdOf } from "../rules-api.ts";
import { Conflict } from "./conflict.tsx";
import type { Draft } from "./draft.ts";
import type { RuleHistory } from "./history.ts";

type SaveFormProps = {
  readonly draft: Draft;
  readonly history: RuleHistory;
  /** The rules there are, to see whether a trial is running already. */
  readonly known: ReadonlyMap<string, RuleView>;
};

/** With a reason, and with what history says: as a trial beside the present rule, or in its place. */
export function SaveForm({ draft, history, known }: SaveFormProps) {
  const t = messages.value.ruleEditor;
  const { busy, problem, attempt } = useAttempt();
  const [untried, setUntried] = useState(false);
  const rule = draft.rule.value;
  const present = draft.present.value;
  const figures = figuresOf(history, rule);
  const unchanged = present !== undefined && !draft.dirty.value;
  const mayTry = present?.mode === "live";
  const [choice, setChoice] = useState<"try" | "place">("try");
  const how = mayTry ? choice : "place";
  const conflict = problem instanceof ApiProblem && problem.status === 409;

  async function save(reason: string): Promise<void> {
    const because = { reason, ...(figures ? { figures } : {}) };
    const trial = trialIdOf(rule!.id);
    const saved = how === "try" ? { ...rule!, id: trial, mode: "shadow" as const } : rule!;
    const over = how === "try" ? known.get(trial)?.version : present?.version;
    if (!(await attempt(() => saveRule(saved, because, over)))) return;
    draft.forget();
    navigate(ruleHref(saved.id));
  }

  return (
    <form
      class="panel save"
      aria-label={t.save}
      onSubmit={(event) => {
        event.preventDefault();
        void save(textOf(new FormData(event.currentTarget as HTMLFormElement), "reason"));
      }}
    >
      <h2>{t.save}</h2>
      {mayTry && <HowToSave {...{ id: present.id, how, setChoice, running: known.get(trialIdOf(present.id)) }} />}
      {rule && how === "place" && <p class="note">{sayEffect(rule, present)}</p>}
      <WordsField label={t.reason} name="reason" hint={t.reasonHint} oneLine problem={problem} />
      {rule && !figures && !unchanged && (
        <label class="check">
          <input type="checkbox" checked={untried} onChange={(event) => setUntried(event.currentTarget.checked)} />
          {t.untried}
        </label>
      )}
      {conflict ? (
        <Conflict draft={draft} said={sayProblem(problem)} />
      ) : (
        <Refusal problem={problem} known={["reason"]} />
      )}
      <div class="buttons">
        <button type="submit" class="button primary" disabled={busy || !rule || unchanged || !(figures || untried)}>
          {how === "try" ? t.saveTrial : t.saveNow}
        </button>
        <a class="button quiet" href={present ? ruleHref(present.id) : "/rules"}>
          {t.cancel}
        </a>
      </div>
    </form>
  );
}

type HowProps = {
  readonly id: string;
  readonly how: "try" | "place";
  readonly setChoice: (how: "try" | "place") => void;
  /** A trial that is there already. */
  readonly running: RuleView | undefined;
};

function HowToSave({ id, how, setChoice, running }: HowProps) {
  const t = messages.value.ruleEditor;
  const choices = [
    ["try", t.asTrial, t.asTrialHint(trialIdOf(id))],
    ["place", t.inPlace, t.inPlaceHint],
  ] as const;
  return (
    <fieldset class="save-how">
      <legend>{t.how}</legend>
      {choices.map(([value, label, hint]) => (
        <label key={value} class="check">
          <input type="radio" name="how" checked={how === value} onChange={() => setChoice(value)} />
          <span>
            {label}
            <small class="quiet">{hint}</small>
          </span>
        </label>
      ))}
      {how === "try" && running && (
        <p class="note">
          {t.trialRuns(running.changed?.by ?? "")} <a href={ruleHref(running.id)}>{running.id}</a>
        </p>
      )}
    </fieldset>
  );
}

/** Only of exactly this rule: what was tried before the last change says nothing of it. */
function figuresOf({ comparison }: RuleHistory, rule: RuleData | undefined): Figures | undefined {
  const found = comparison.value;
  if (!found || found.rule !== rule) return undefined;
  const { alerts, alertsPerDay, minutesFiring, retracted } = found.after.figures;
  return { alerts, alertsPerDay, minutesFiring, retracted };
}

function sayEffect(rule: RuleData, present: RuleView | undefined): string {
  const t = messages.value.ruleEditor;
  if (rule.mode === "shadow") return present?.mode === "live" ? t.goesQuiet : t.staysShadow;
  return present === undefined || present.mode === "shadow" ? t.goesLive : t.atOnce;
}
