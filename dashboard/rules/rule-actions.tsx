import { useState } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { WordsForm } from "../parts/forms.tsx";
import { useAttempt } from "../parts/use-attempt.ts";
import { navigate } from "../shell/router.ts";
import type { OpenRule } from "./rule-state.ts";
import { dataOf, promoteRule, type RuleView, removeRule, ruleHref, saveRule } from "./rules-api.ts";

type Action = "promote" | "replace" | "remove";

/** From shadow to live, a trial in the place of its rule, back to the file: each with a reason. */
export function RuleActions({ open, rule }: { open: OpenRule; rule: RuleView }) {
  const t = messages.value.rules;
  const { busy, problem, attempt } = useAttempt();
  const [asked, setAsked] = useState<Action>();
  const original = open.original.value;
  const actions = actionsOf(rule, original);
  if (actions.length === 0) return null;

  async function run(action: Action, reason: string): Promise<void> {
    const done = await attempt(() => act(action, rule, original, reason));
    if (!done) return;
    setAsked(undefined);
    if (action === "replace") navigate(ruleHref(original!.id));
    else if (action === "remove" && rule.file === undefined) navigate("/rules");
    else await open.reload();
  }

  return (
    <section class="panel actions" aria-label={t.actions}>
      {original && rule.mode === "shadow" && <p>{t.trialOf(original.id)}</p>}
      <div class="buttons">
        {actions.map((action) => (
          <button
            key={action}
            type="button"
            class="button"
            aria-expanded={asked === action}
            onClick={() => setAsked(asked === action ? undefined : action)}
          >
            {labelOf(action, rule, original)}
          </button>
        ))}
      </div>
      {asked && (
        <WordsForm
          key={asked}
          {...{ busy, problem, label: t.reason, name: "reason", hint: hintOf(asked, rule, original), oneLine: true }}
          submitLabel={labelOf(asked, rule, original)}
          onSubmit={(reason) => void run(asked, reason)}
          onCancel={() => setAsked(undefined)}
        />
      )}
    </section>
  );
}

/** A change that stands in a file goes back to it; what stands in none goes; what was never changed has nothing to undo. */
function actionsOf(rule: RuleView, original: RuleView | undefined): Action[] {
  const shadow = rule.mode === "shadow";
  return [
    ...(shadow && original ? (["replace"] as const) : []),
    ...(shadow && !original ? (["promote"] as const) : []),
    ...(rule.changed ? (["remove"] as const) : []),
  ];
}

async function act(action: Action, rule: RuleView, original: RuleView | undefined, reason: string): Promise<void> {
  if (action === "promote") return promoteRule(rule.id, { reason }, rule.version);
  if (action === "remove") return removeRule(rule.id, reason, rule.version);
  // The rule first: should the second step fail, there is a trial too many, which tells nobody.
  await saveRule({ ...dataOf(rule), id: original!.id, mode: "live" }, { reason }, original!.version);
  await removeRule(rule.id, reason, rule.version);
}

function labelOf(action: Action, rule: RuleView, original: RuleView | undefined): string {
  const t = messages.value.rules;
  if (action === "replace") return t.replace(original!.id);
  if (action === "promote") return t.promote;
  return rule.file === undefined ? t.remove : t.toFile;
}

function hintOf(action: Action, rule: RuleView, original: RuleView | undefined): string {
  const t = messages.value.rules;
  if (action === "replace") return t.replaceHint(original!.id);
  if (action === "promote") return rule.shadow ? t.promoteHint(rule.shadow.alerts) : t.promoteLive;
  return rule.file === undefined ? t.removeHint : t.toFileHint;
}
