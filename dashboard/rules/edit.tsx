import type { FiguresView, RuleView } from "../../contract/rule.ts";
import "./rules.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { RuleData } from "../../model/rule.ts";
import { ApiProblem } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { describeRule } from "../messages/rule-words.ts";
import { Button, Check, Field, Group, typed } from "../parts/fields.tsx";
import { Form, useUnsavedWarning, VersionConflict } from "../parts/forms.tsx";
import { Absent, loadAll, useLoaded } from "../parts/state.tsx";
import type { PageProps } from "../shell/router.ts";
import { navigate, query, setQuery } from "../shell/router.ts";
import { describeProblem } from "../words/words.ts";
import { type Draft, openDraft } from "./draft.ts";
import { openHistory, type RuleHistory } from "./history.ts";
import { HistoryPanel } from "./history-panel.tsx";
import { TEMPLATES, templateYaml, writeRuleYaml } from "./rule-yaml.ts";
import { dataOf, loadRule, ruleHref, saveRule, trialIdOf } from "./rules-api.ts";
import { YamlEditor } from "./yaml-editor.tsx";

/** `/rules/:id/edit`: a copy of a rule, tried on history before it is saved. */
export function EditRulePage({ params }: PageProps) {
  const id = params.id!;
  const t = messages.value.rules;
  const { found: rule, problem } = useLoaded((signal) => loadRule(id, signal), [id]);
  if (rule?.id !== id || problem !== undefined)
    return <Absent problem={problem} missing={t.notFound} link={{ href: "/rules", text: t.title }} />;
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
  const { found: known = NONE } = useLoaded(async (signal) => {
    return new Map((await loadAll<RuleView>("/rules", signal)).map((one) => [one.id, one]));
  });
  useEffect(
    () => () => {
      draft.close();
      history.stop();
    },
    [],
  );
  useUnsavedWarning(() => draft.dirty.peek(), t.leave);

  const rule = draft.rule.value;
  return (
    <div class="rules page">
      <header class="cluster spread">
        <h1 tabIndex={-1}>{base ? t.title(base.title) : t.newRule}</h1>
        {base ? <a href={ruleHref(base.id)}>{t.back}</a> : <Templates draft={draft} />}
      </header>
      {draft.wasKept.value && (
        <p class="note cluster spread">
          {t.kept}
          <Button onClick={draft.discard}>{t.discard}</Button>
        </p>
      )}
      <YamlEditor text={draft.text} mistakes={draft.mistakes.value} status={draft.status.value} />
      {rule && (
        <p class="sentence" aria-live="polite">
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
  // Rendered anew, the field says again what is open.
  const [, restore] = useState({});
  return (
    <Field
      label={t.template}
      name="template"
      value={from}
      options={TEMPLATES.map((one) => [one, t.templates[one]] as const)}
      onChoose={(chosen) => {
        if (draft.dirty.peek() && !confirm(t.leave)) return restore({});
        draft.forget();
        setQuery({ from: chosen });
      }}
    />
  );
}

const NONE: ReadonlyMap<string, RuleView> = new Map();

type SaveFormProps = {
  readonly draft: Draft;
  readonly history: RuleHistory;
  /** The rules there are, to see whether a trial is running already. */
  readonly known: ReadonlyMap<string, RuleView>;
};

/** With a reason, and with what history says: as a trial beside the present rule, or in its place. */
function SaveForm({ draft, history, known }: SaveFormProps) {
  const t = messages.value.ruleEditor;
  const [untried, setUntried] = useState(false);
  const rule = draft.rule.value;
  const present = draft.present.value;
  const figures = figuresOf(history, rule);
  const unchanged = present !== undefined && !draft.dirty.value;
  const mayTry = present?.mode === "live";
  const [choice, setChoice] = useState<"try" | "place">("try");
  const how = mayTry ? choice : "place";

  async function save(data: FormData): Promise<void> {
    const because = { reason: typed(data, "reason") ?? "", ...(figures ? { figures } : {}) };
    const trial = trialIdOf(rule!.id);
    const saved = how === "try" ? { ...rule!, id: trial, mode: "shadow" as const } : rule!;
    const over = how === "try" ? known.get(trial)?.version : present?.version;
    await saveRule(saved, because, over);
    draft.forget();
    navigate(ruleHref(saved.id));
  }

  const isConflict = (problem: unknown) => problem instanceof ApiProblem && problem.status === 409;
  return (
    <Form
      class="panel"
      label={t.save}
      submitLabel={how === "try" ? t.saveTrial : t.saveNow}
      onSubmit={save}
      disabled={!rule || unchanged || !(figures || untried)}
      explain={(problem) => isConflict(problem) && <Conflict draft={draft} said={describeProblem(problem)} />}
      more={
        <a class="button quiet" href={present ? ruleHref(present.id) : "/rules"}>
          {t.cancel}
        </a>
      }
    >
      <h2>{t.save}</h2>
      {mayTry && (
        <HowToSave id={present.id} how={how} setChoice={setChoice} running={known.get(trialIdOf(present.id))} />
      )}
      {rule && how === "place" && <p class="note">{describeEffect(rule, present)}</p>}
      <Field label={t.reason} name="reason" hint={t.reasonHint} required maxLength={500} />
      {rule && !figures && !unchanged && <Check label={t.untried} checked={untried} onChange={setUntried} />}
    </Form>
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
    <Group legend={t.how} class="checks column">
      {choices.map(([value, label, hint]) => (
        <Check
          key={value}
          type="radio"
          name="how"
          value={value}
          checked={how === value}
          onChange={() => setChoice(value)}
          label={
            <>
              {label}
              <small class="quiet">{hint}</small>
            </>
          }
        />
      ))}
      {how === "try" && running && (
        <p class="note">
          {t.trialRuns(running.changed?.by ?? "")} <a href={ruleHref(running.id)}>{running.id}</a>
        </p>
      )}
    </Group>
  );
}

/** Only of exactly this rule: what was tried before the last change says nothing of it. */
function figuresOf({ comparison }: RuleHistory, rule: RuleData | undefined): FiguresView | undefined {
  const found = comparison.value;
  if (!found || found.rule !== rule) return undefined;
  const { alerts, alertsPerDay, minutesFiring, retracted } = found.after.figures;
  return { alerts, alertsPerDay, minutesFiring, retracted };
}

function describeEffect(rule: RuleData, present: RuleView | undefined): string {
  const t = messages.value.ruleEditor;
  if (rule.mode === "shadow") return present?.mode === "live" ? t.goesQuiet : t.staysShadow;
  return present === undefined || present.mode === "shadow" ? t.goesLive : t.atOnce;
}

/** Somebody else changed the rule meanwhile: who and why, what it is now, and which of the two shall go on. */
function Conflict({ draft, said }: { draft: Draft; said: string }) {
  const t = messages.value.ruleEditor;
  const id = draft.present.peek()?.id;
  const { found: theirs } = useLoaded(
    async (signal) => (id === undefined ? undefined : loadRule(id, signal)),
    [id, said],
  );
  const isOld = theirs !== undefined && theirs.version !== draft.present.value?.version;
  return (
    <VersionConflict
      said={said}
      theirs={isOld ? { text: writeRuleYaml(dataOf(theirs)), label: t.theirs } : undefined}
      take={t.takeTheirs}
      onTake={() => theirs && draft.rebase(theirs, "up")}
      keep={t.keepMine}
      onKeep={() => theirs && draft.rebase(theirs, "on")}
    />
  );
}
