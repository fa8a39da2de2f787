import { useEffect, useMemo } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { SeverityMark } from "../parts/severity.tsx";
import { Message } from "../shell/message.tsx";
import type { PageProps } from "../shell/pages.ts";
import { mayManage } from "../shell/session.ts";
import { sayProblem } from "../words/problems.ts";
import { ModeChip } from "./mode-chip.tsx";
import { RuleActions } from "./rule-actions.tsx";
import { RuleAlerts } from "./rule-alerts.tsx";
import { RuleFacts } from "./rule-facts.tsx";
import { RuleFigures } from "./rule-figures.tsx";
import { type OpenRule, openRule } from "./rule-state.ts";
import { RuleVersions } from "./rule-versions.tsx";
import { writeRuleYaml } from "./rule-yaml.ts";
import { dataOf, editHref, type RuleView } from "./rules-api.ts";
import { describeRule } from "./sentence.ts";
import "./rules.css";
import "./rule.css";

/** `/rules/:id`: what a rule says, on what ground, how it does, and who made it so. */
export function RulePage({ params }: PageProps) {
  const id = params.id!;
  const open = useMemo(() => openRule(id), [id]);
  useEffect(() => open.close, [open]);

  const t = messages.value;
  const rule = open.rule.value;
  const problem = open.problem.value;
  if (problem instanceof ApiProblem && problem.status === 404)
    return <Message title={t.rules.notFound} link={{ href: "/rules", text: t.rules.title }} />;
  if (problem !== undefined)
    return <Message title={sayProblem(problem)} action={t.shell.retry} onAction={() => void open.load()} />;
  return rule ? <Loaded open={open} rule={rule} /> : <p class="quiet loading">{t.shell.loading}</p>;
}

function Loaded({ open, rule }: { open: OpenRule; rule: RuleView }) {
  const t = messages.value;
  return (
    <div class="rules rule-page">
      <header class={`rule-head ${rule.state === "error" ? "broken" : rule.mode}`}>
        <p class="rule-name">
          <SeverityMark severity={rule.severity} />
          <code>{rule.id}</code>
          <ModeChip rule={rule} />
          <span class="chip">{t.words.audience[rule.audience]}</span>
          <span class="chip">{t.rules.kinds[rule.kind]}</span>
        </p>
        <h1 tabIndex={-1}>{rule.title}</h1>
        <p class="rule-words">{describeRule(rule)}</p>
        {rule.state === "error" && (
          <div class="rules-broken" role="alert">
            <p>{rule.failure}</p>
            <p>{t.rules.outOfUseHint}</p>
          </div>
        )}
        {mayManage.value && (
          <p>
            <a class="button primary" href={editHref(rule.id)}>
              {t.rules.edit}
            </a>
          </p>
        )}
      </header>
      <div class="rule-columns">
        <div class="rule-main">
          {rule.stats && <RuleFigures stats={rule.stats} />}
          <RuleAlerts open={open} rule={rule} />
          <RuleVersions open={open} rule={rule} />
          <section>
            <h2>{t.rules.yaml}</h2>
            <Yaml text={writeRuleYaml(dataOf(rule))} label={t.rules.yaml} />
          </section>
        </div>
        <aside class="rule-side">
          {mayManage.value && <RuleActions open={open} rule={rule} />}
          <RuleFacts rule={rule} />
        </aside>
      </div>
    </div>
  );
}

/** A wide line scrolls by itself, and by the keyboard. */
export function Yaml({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
    <section class="yaml" tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  );
}
