import { messages } from "../messages/messages.ts";
import { Fact } from "../parts/fact.tsx";
import { Moment } from "../words/time.tsx";
import { type RuleView, ruleHref } from "./rules-api.ts";
import { sayRuleLimit } from "./sentence.ts";

/** Where its limit comes from, whom it tells, what it keeps quiet, where it stands. */
export function RuleFacts({ rule }: { rule: RuleView }) {
  const { rules: t, ruleWords, words } = messages.value;
  const { source, inhibits = [], advice, changed } = rule;
  const limit = sayRuleLimit(rule);
  return (
    <dl class="facts panel" aria-label={t.facts}>
      {limit !== undefined && <Fact name={t.limit}>{limit}</Fact>}
      <Fact name={t.source}>
        {source.url === undefined ? (
          source.text
        ) : (
          <a href={source.url} target="_blank" rel="noreferrer">
            {source.text}
          </a>
        )}
      </Fact>
      <Fact name={t.tells}>
        {rule.mode === "shadow" ? t.tellsNobody : `${words.audience[rule.audience]} (${words.severity[rule.severity]})`}
      </Fact>
      {advice !== undefined && <Fact name={t.advice}>{advice}</Fact>}
      {inhibits.length > 0 && (
        <Fact name={t.inhibits}>
          <ul class="rule-inhibits">
            {inhibits.map((one) => (
              <li key={one.rule}>
                <a href={ruleHref(one.rule)}>{one.rule}</a>{" "}
                {ruleWords.where(typeof one.where === "string" ? one.where : one.where.tag)}
              </li>
            ))}
          </ul>
        </Fact>
      )}
      <Fact name={t.file}>{rule.file ?? t.noFile}</Fact>
      <Fact name={t.version}>
        <code>{rule.version}</code>
      </Fact>
      {changed && (
        <Fact name={t.changedBy}>
          {changed.by}, <Moment at={changed.at} />: {changed.reason}
        </Fact>
      )}
    </dl>
  );
}
