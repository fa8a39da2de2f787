import { useEffect, useMemo, useState } from "preact/hooks";
import { AUDIENCES } from "../../model/alert.ts";
import { eachPage } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Choice } from "../parts/choice.tsx";
import { Message } from "../shell/message.tsx";
import { query, setQuery } from "../shell/router.ts";
import { mayManage } from "../shell/session.ts";
import { metricLabel } from "../words/units.ts";
import { applyFilters, MODES, RULE_KINDS, RULE_STATES, type RuleFilters, readFilters } from "./filters.ts";
import { RuleTable } from "./rule-table.tsx";
import type { RuleView } from "./rules-api.ts";
import { sayWhen } from "./sentence.ts";
import "./rules.css";

/** `/rules`: what the service listens for, and how well each rule does. */
export function RulesPage() {
  const t = messages.value;
  const [rules, setRules] = useState<readonly RuleView[] | undefined>();
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    if (failed) return;
    const leaving = new AbortController();
    const found: RuleView[] = [];
    const take = (some: readonly RuleView[]) => void found.push(...some);
    eachPage<RuleView>("/rules", take, leaving.signal).then(
      () => setRules(found),
      () => leaving.signal.aborted || setFailed(true),
    );
    return () => leaving.abort();
  }, [failed]);

  if (failed) return <Message title={t.rules.failed} action={t.shell.retry} onAction={() => setFailed(false)} />;
  return (
    <div class="rules">
      <div class="section-head">
        <h1 tabIndex={-1}>{t.rules.title}</h1>
        {mayManage.value && (
          <a class="button" href="/new-rule">
            {t.rules.newRule}
          </a>
        )}
      </div>
      {rules ? <Loaded rules={rules} /> : <p class="quiet loading">{t.shell.loading}</p>}
    </div>
  );
}

function Loaded({ rules }: { rules: readonly RuleView[] }) {
  const t = messages.value.rules;
  const filters = readFilters(query.value);
  const words = useMemo(() => new Map(rules.map((rule) => [rule.id, wordsOf(rule)])), [rules, messages.value]);
  const shown = applyFilters(rules, filters, ({ id }) => words.get(id)!.search);
  const broken = rules.filter(({ state }) => state === "error").length;
  return (
    <>
      {broken > 0 && (
        <p class="rules-broken" role="alert">
          {t.broken(broken)}
          {filters.state !== "error" && (
            <button type="button" class="button" onClick={() => setQuery({ state: "error" })}>
              {t.showBroken}
            </button>
          )}
        </p>
      )}
      <FilterBar filters={filters} />
      <p class="quiet" role="status">
        {t.count(shown.length, rules.length)}
      </p>
      {shown.length === 0 ? (
        <div class="rules-empty">
          <p>{t.emptyTitle}</p>
          <button
            type="button"
            class="button"
            onClick={() => setQuery({ q: "", kind: "", for: "", mode: "", state: "" })}
          >
            {t.clear}
          </button>
        </div>
      ) : (
        <RuleTable rules={shown} filters={filters} sentenceOf={({ id }) => words.get(id)!.sentence} />
      )}
    </>
  );
}

function wordsOf(rule: RuleView): { readonly sentence: string; readonly search: string } {
  const sentence = sayWhen(rule);
  return { sentence, search: `${sentence} ${rule.metric ?? ""} ${metricLabel(rule.metric ?? "")}` };
}

function FilterBar({ filters }: { filters: RuleFilters }) {
  const { rules: t, words } = messages.value;
  return (
    <search class="rules-filters" aria-label={t.filters}>
      <input
        type="search"
        aria-label={t.search}
        placeholder={t.searchHint}
        value={filters.text}
        onInput={(event) => setQuery({ q: event.currentTarget.value })}
      />
      <div class="choices">
        <Choice
          {...{ label: t.kind, any: t.any, value: filters.kind, among: RULE_KINDS }}
          say={(one) => t.kinds[one]}
          onChoose={(kind) => setQuery({ kind })}
        />
        <Choice
          {...{ label: t.audience, any: t.any, value: filters.audience, among: AUDIENCES }}
          say={(one) => words.audience[one]}
          onChoose={(audience) => setQuery({ for: audience })}
        />
        <Choice
          {...{ label: t.mode, any: t.any, value: filters.mode, among: MODES }}
          say={(one) => t.modes[one]}
          onChoose={(mode) => setQuery({ mode })}
        />
        <Choice
          {...{ label: t.state, any: t.any, value: filters.state, among: RULE_STATES }}
          say={(one) => t.states[one]}
          onChoose={(state) => setQuery({ state })}
        />
      </div>
    </search>
  );
}
