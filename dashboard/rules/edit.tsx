import type { RuleView } from "../../contract/rule.ts";
import "./rules.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Figures } from "../../model/backtest.ts";
import type { RuleData } from "../../model/rule.ts";
import { ApiProblem, eachPage } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Refusal, textOf, useAttempt, WordsField } from "../parts/forms.tsx";
import { Message } from "../parts/state.tsx";
import type { PageProps } from "../shell/router.ts";
import { guardLeaving, navigate, query, setQuery } from "../shell/router.ts";
import { sayProblem } from "../words/words.ts";
import { type Draft, openDraft } from "./draft.ts";
import { openHistory, type RuleHistory } from "./history.ts";
import { HistoryPanel } from "./history-panel.tsx";
import { describeRule } from "./rule-words.tsx";
import { TEMPLATES, templateYaml, writeRuleYaml } from "./rule-yaml.ts";
import { dataOf, loadRule, ruleHref, saveRule, trialIdOf } from "./rules-api.ts";
import { YamlEditor } from "./yaml-editor.tsx";

/** `/rules/:id/edit`: a copy of a rule, tried on history before it is saved. */
export function EditRulePage({ params }: PageProps) {
  const id = params.id!;
  const t = messages.value;
  const [rule, setRule] = useState<RuleView | undefined>();
  const [problem, setProblem] = useState<unknown>();
  useEffect(() => {
    const leaving = new AbortController();
    setRule(undefined);
    setProblem(undefined);
    loadRule(id, leaving.signal).then(setRule, (error) => leaving.signal.aborted || setProblem(error));
    return () => leaving.abort();
  }, [id]);
  if (problem instanceof ApiProblem && problem.status === 404)
    return <Message title={t.rules.notFound} link={{ href: "/rules", text: t.rules.title }} />;
  if (problem !== undefined) return <Message title={sayProblem(problem)} />;
  if (!rule) return <p class="quiet loading">{t.shell.loading}</p>;
  return <Editor key={rule.id} name={rule.id} base={rule} template={writeRuleYaml(dataOf(rule))} />;
}

/** `/new-rule?from=…`: from a template. */
export function NewRulePage() {
  const t = messages.value.ruleEditor;
  const from = TEMPLATES.find((one) => one === query.value.get("from")) ?? TEMPLATES[0];
  // In the words of the language it was opened in: what somebody has typed since does not change with it.
  const template = useMemo(() => templateYaml(from, t.newTitle, t.newSource), [from]);
  return <Editor key={from} name={`new ${from}`} template={template} />;
}

type EditorProps = { readonly name: string; readonly base?: RuleView; readonly template: string };

function Editor({ name, base, template }: EditorProps) {
  const t = messages.value.ruleEditor;
  const draft = useMemo(() => openDraft(name, base, template), []);
  const history = useMemo(openHistory, []);
  const known = useKnownRules();
  useEffect(
    () => () => {
      draft.close();
      history.stop();
    },
    [],
  );
  useUnsavedWarning(() => draft.dirty.peek());

  const rule = draft.rule.value;
  return (
    <div class="rules rule-edit">
      <header class="rule-edit-head">
        <h1 tabIndex={-1}>{base ? t.title(base.title) : t.newRule}</h1>
        {base ? <a href={ruleHref(base.id)}>{t.back}</a> : <Templates draft={draft} />}
      </header>
      {draft.wasKept.value && (
        <p class="note kept">
          {t.kept}
          <button type="button" class="button" onClick={draft.discard}>
            {t.discard}
          </button>
        </p>
      )}
      <YamlEditor
        text={draft.text.value}
        mistakes={draft.mistakes.value}
        status={draft.status.value}
        onText={(text) => {
          draft.text.value = text;
        }}
      />
      {rule && (
        <p class="rule-words" aria-live="polite">
          {describeRule(rule)}
        </p>
      )}
      <HistoryPanel draft={draft} history={history} />
      <SaveForm draft={draft} history={history} known={known} />
    </div>
  );
}

/** A link for each: it is a place of its own, and unsaved changes are asked for as ever. */
function Templates({ draft }: { draft: Draft }) {
  const t = messages.value.ruleEditor;
  const from = query.value.get("from") ?? TEMPLATES[0];
  return (
    <label class="field templates">
      <span>{t.template}</span>
      <select
        value={from}
        onChange={(event) => {
          if (draft.dirty.peek() && !confirm(t.leave)) event.currentTarget.value = from;
          else {
            draft.forget();
            setQuery({ from: event.currentTarget.value });
          }
        }}
      >
        {TEMPLATES.map((one) => (
          <option key={one} value={one}>
            {t.templates[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

function useKnownRules(): ReadonlyMap<string, RuleView> {
  const [known, setKnown] = useState<ReadonlyMap<string, RuleView>>(new Map());
  useEffect(() => {
    const leaving = new AbortController();
    const found = new Map<string, RuleView>();
    const take = (some: readonly RuleView[]) => {
      for (const one of some) found.set(one.id, one);
    };
    eachPage<RuleView>("/rules", take, leaving.signal).then(
      () => setKnown(found),
      () => {},
    );
    return () => leaving.abort();
  }, []);
  return known;
}

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

/** Somebody else changed the rule meanwhile: who and why, what it is now, and which of the two shall go on. */
export function Conflict({ draft, said }: { draft: Draft; said: string }) {
  const t = messages.value.ruleEditor;
  const id = draft.present.peek()?.id;
  const [theirs, setTheirs] = useState<RuleView | undefined>();
  useEffect(() => {
    if (id === undefined) return;
    const leaving = new AbortController();
    loadRule(id, leaving.signal).then(setTheirs, () => {});
    return () => leaving.abort();
  }, [id, said]);
  const isOld = theirs !== undefined && theirs.version !== draft.present.value?.version;
  return (
    <div class="conflict" role="alert">
      <p>
        <strong>{said}</strong>
      </p>
      {isOld && (
        <>
          <div class="buttons">
            <button type="button" class="button" onClick={() => draft.rebase(theirs, "up")}>
              {t.takeTheirs}
            </button>
            <button type="button" class="button" onClick={() => draft.rebase(theirs, "on")}>
              {t.keepMine}
            </button>
          </div>
          <details>
            <summary>{t.theirs}</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard */}
            <section class="yaml" tabIndex={0} aria-label={t.theirs}>
              <pre>{writeRuleYaml(dataOf(theirs))}</pre>
            </section>
          </details>
        </>
      )}
    </div>
  );
}

/** Asks before anybody leaves with unsaved changes: by closing the tab, by a link, or back and forward. */
export function useUnsavedWarning(isDirty: () => boolean): void {
  useEffect(() => {
    const openGate = guardLeaving(() => !isDirty() || confirm(messages.peek().ruleEditor.leave));
    function onUnload(event: BeforeUnloadEvent): void {
      if (isDirty()) event.preventDefault();
    }
    addEventListener("beforeunload", onUnload);
    return () => {
      openGate();
      removeEventListener("beforeunload", onUnload);
    };
  }, []);
}
