import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiProblem, eachPage } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { Message } from "../../shell/message.tsx";
import type { PageProps } from "../../shell/pages.ts";
import { query, setQuery } from "../../shell/router.ts";
import { sayProblem } from "../../words/problems.ts";
import { writeRuleYaml } from "../rule-yaml.ts";
import { dataOf, loadRule, type RuleView, ruleHref } from "../rules-api.ts";
import { describeRule } from "../sentence.ts";
import { type Draft, openDraft } from "./draft.ts";
import { openHistory } from "./history.ts";
import { HistoryPanel } from "./history-panel.tsx";
import { SaveForm } from "./save-form.tsx";
import { TEMPLATES, templateYaml } from "./templates.ts";
import { useUnsavedWarning } from "./unsaved.ts";
import { YamlEditor } from "./yaml-editor.tsx";
import "../rules.css";
import "../rule.css";
import "./editor.css";

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
