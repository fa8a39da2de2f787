import { messages } from "../messages/messages.ts";
import { useAttempt } from "../parts/use-attempt.ts";
import { clock, formatTime, Moment } from "../words/time.tsx";
import { Yaml } from "./rule.tsx";
import type { OpenRule } from "./rule-state.ts";
import { sayRate } from "./rule-table.tsx";
import { writeRuleYaml } from "./rule-yaml.ts";
import type { ChangeView, RuleView } from "./rules-api.ts";

/** Who changed it, when, why and on what ground; the newest first. */
export function RuleVersions({ open, rule }: { open: OpenRule; rule: RuleView }) {
  const { rules: t } = messages.value;
  const { busy, attempt } = useAttempt();
  const page = open.versions.value;
  if (!page) return null;
  return (
    <section>
      <h2>{t.versions}</h2>
      {page.items.length === 0 && <p class="quiet">{t.noVersions}</p>}
      <ol class="rule-versions">
        {page.items.map((change) => (
          <Version key={change.id} change={change} />
        ))}
        {page.items.length > 0 && page.next === undefined && rule.file !== undefined && (
          <li class="quiet">{t.asInFile(rule.file)}</li>
        )}
      </ol>
      {page.next !== undefined && (
        <button type="button" class="button" disabled={busy} onClick={() => void attempt(open.loadVersions)}>
          {t.older}
        </button>
      )}
    </section>
  );
}

function Version({ change }: { change: ChangeView }) {
  const { rules: t } = messages.value;
  const { at, by, what, reason, version, data, figures } = change;
  const title = t.olderVersion(formatTime(Date.parse(at), clock.value));
  return (
    <li>
      <p>
        <strong>{by}</strong> {t.what[what]}, <Moment at={at} as="time" /> (<Moment at={at} />)
      </p>
      <p class="rule-reason">{reason}</p>
      {figures && <p class="quiet">{t.figures(figures.alerts, sayRate(figures.alertsPerDay))}</p>}
      {data && (
        <details>
          <summary>
            {title} <code>{version}</code>
          </summary>
          <Yaml text={writeRuleYaml(data)} label={title} />
        </details>
      )}
    </li>
  );
}
