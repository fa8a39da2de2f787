import type { AlertView } from "../../contract/alert.ts";
import type { PageOf } from "../../contract/common.ts";
import type { RuleChangeView, RuleStatsView, RuleView, SpansView } from "../../contract/rule.ts";
import "./rules.css";
import { signal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { request } from "../api/client.ts";
import { onAlertNews } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { describePercent, describeRate, describeRule, describeRuleLimit } from "../messages/rule-words.ts";
import { Button } from "../parts/fields.tsx";
import { useAttempt, WordsForm } from "../parts/forms.tsx";
import { Code, Fact, Figures, SeverityMark } from "../parts/show.tsx";
import { Absent, Problem } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import type { PageProps } from "../shell/router.ts";
import { navigate } from "../shell/router.ts";
import { mayManage } from "../shell/session.ts";
import { clock, formatTime, Moment } from "../words/time.tsx";
import { describeMs } from "../words/words.ts";
import { ModeChip } from "./mode-chip.tsx";
import { writeRuleYaml } from "./rule-yaml.ts";
import { dataOf, editHref, loadRule, promoteRule, removeRule, ruleHref, saveRule, triedBy } from "./rules-api.ts";

/** `/rules/:id`: what a rule says, on what ground, how it does, and who made it so. */
export function RulePage({ params }: PageProps) {
  const id = params.id!;
  const open = useMemo(() => openRule(id), [id]);
  useEffect(() => open.close, [open]);

  const t = messages.value;
  const rule = open.rule.value;
  const problem = open.problem.value;
  if (!rule || problem !== undefined) {
    const link = { href: "/rules", text: t.rules.title };
    return <Absent problem={problem} missing={t.rules.notFound} link={link} onRetry={() => void open.load()} />;
  }
  return <Loaded open={open} rule={rule} />;
}

function Loaded({ open, rule }: { open: OpenRule; rule: RuleView }) {
  const t = messages.value;
  return (
    <div class="rules page">
      <header class={`page-head stack ${rule.state === "error" ? "critical" : rule.mode}`}>
        <p class="rule-name cluster">
          <SeverityMark severity={rule.severity} />
          <code>{rule.id}</code>
          <ModeChip rule={rule} />
          <span class="chip">{t.words.audience[rule.audience]}</span>
          <span class="chip">{t.rules.kinds[rule.kind]}</span>
        </p>
        <h1 tabIndex={-1}>{rule.title}</h1>
        <p class="sentence">{describeRule(rule)}</p>
        {rule.state === "error" && (
          <div class="alarm cluster" role="alert">
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
      <div class="columns">
        <div class="stack">
          {rule.stats && <RuleFigures stats={rule.stats} />}
          <RuleAlerts open={open} rule={rule} />
          <RuleVersions open={open} rule={rule} />
          <section>
            <h2>{t.rules.yaml}</h2>
            <Code text={writeRuleYaml(dataOf(rule))} label={t.rules.yaml} />
          </section>
        </div>
        <aside class="stack">
          {mayManage.value && <RuleActions open={open} rule={rule} />}
          <RuleFacts rule={rule} />
        </aside>
      </div>
    </div>
  );
}

type Action = "promote" | "replace" | "remove";

/** From shadow to live, a trial in the place of its rule, back to the file: each with a reason. */
function RuleActions({ open, rule }: { open: OpenRule; rule: RuleView }) {
  const t = messages.value.rules;
  const [asked, setAsked] = useState<Action>();
  const original = open.original.value;
  const actions = actionsOf(rule, original);
  if (actions.length === 0) return null;

  async function run(action: Action, reason: string): Promise<void> {
    await act(action, rule, original, reason);
    setAsked(undefined);
    if (action === "replace") navigate(ruleHref(original!.id));
    else if (action === "remove" && rule.file === undefined) navigate("/rules");
    else await open.reload();
  }

  return (
    <section class="panel actions" aria-label={t.actions}>
      {original && rule.mode === "shadow" && <p>{t.trialOf(original.id)}</p>}
      <div class="cluster">
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
          label={t.reason}
          name="reason"
          hint={hintOf(asked, rule, original)}
          oneLine
          submitLabel={labelOf(asked, rule, original)}
          onSubmit={(reason) => run(asked, reason)}
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

/** Where its limit comes from, whom it tells, what it keeps quiet, where it stands. */
function RuleFacts({ rule }: { rule: RuleView }) {
  const { rules: t, ruleWords, words } = messages.value;
  const { source, levels = [], inhibits = [], advice, changed } = rule;
  const limit = describeRuleLimit(rule);
  return (
    <dl class="facts panel" aria-label={t.facts}>
      {limit !== undefined && <Fact name={t.limit}>{limit}</Fact>}
      <Fact name={t.source}>
        {[source, ...levels.flatMap((level) => level.source ?? [])].map(({ url, text }) => (
          <div key={text}>
            {url === undefined ? (
              text
            ) : (
              <a href={url} target="_blank" rel="noreferrer">
                {text}
              </a>
            )}
          </div>
        ))}
      </Fact>
      <Fact name={t.tells}>
        {rule.mode === "shadow" ? t.tellsNobody : `${words.audience[rule.audience]} (${words.severity[rule.severity]})`}
      </Fact>
      {advice !== undefined && <Fact name={t.advice}>{advice}</Fact>}
      {inhibits.length > 0 && (
        <Fact name={t.inhibits}>
          <ul>
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

/** How it did, in the last 30 days. */
function RuleFigures({ stats }: { stats: RuleStatsView }) {
  const t = messages.value.rules;
  const { reviews, precision } = stats;
  return (
    <section>
      <h2>{t.last30}</h2>
      <Figures
        rows={[
          [t.alertsRaised, stats.alerts],
          [t.perDay, describeRate(stats.alertsPerDay)],
          precision === undefined
            ? [t.precision, t.notJudged]
            : [t.precision, describePercent(precision), t.judged(reviews.right, reviews.wrong)],
          [t.suppressed, stats.suppressed, stats.flaps > 0 ? t.flapped(stats.flaps) : undefined],
          [t.retracted, stats.retracted],
          [t.toAcknowledge, describeTook(stats.acknowledge)],
          [t.toResolve, describeTook(stats.resolve)],
        ]}
      />
    </section>
  );
}

function describeTook(spans: SpansView | undefined): string {
  const t = messages.value.rules;
  if (!spans) return t.none;
  return spans.count === 1 ? describeMs(spans.medianMs) : t.took(describeMs(spans.medianMs), describeMs(spans.p90Ms));
}

/** What it said last; of a shadow, what it would have said. */
function RuleAlerts({ open, rule }: { open: OpenRule; rule: RuleView }) {
  const t = messages.value;
  const page = open.alerts.value;
  const title = rule.mode === "shadow" ? t.rules.shadowAlerts : t.rules.alerts;
  if (!page) return null;
  return (
    <section>
      <h2>{title}</h2>
      {page.items.length === 0 ? (
        <p class="quiet">{t.rules.noAlerts}</p>
      ) : (
        <Table
          label={title}
          class="tall"
          columns={[t.rules.alert, t.rules.began, t.rules.ended]}
          rows={page.items.map(({ id, explanation, startedAt, resolvedAt, state }) => ({
            key: id,
            cells: [
              <a href={`/alerts/${encodeURIComponent(id)}`}>{explanation}</a>,
              <Moment at={startedAt} as="time" />,
              resolvedAt === undefined ? t.words.state[state] : <Moment at={resolvedAt} as="time" />,
            ],
          }))}
        />
      )}
      {page.next !== undefined && <p class="quiet">{t.rules.newest(ALERTS_SHOWN)}</p>}
    </section>
  );
}

/** Who changed it, when, why and on what ground; the newest first. */
function RuleVersions({ open, rule }: { open: OpenRule; rule: RuleView }) {
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
          <Version key={change.id} change={change} rule={rule} onBack={open.reload} />
        ))}
        {page.items.length > 0 && page.next === undefined && rule.file !== undefined && (
          <li class="quiet">{t.asInFile(rule.file)}</li>
        )}
      </ol>
      {page.next !== undefined && (
        <Button disabled={busy} onClick={() => void attempt(open.loadVersions)}>
          {t.older}
        </Button>
      )}
    </section>
  );
}

type VersionProps = {
  readonly change: RuleChangeView;
  readonly rule: RuleView;
  readonly onBack: () => Promise<void>;
};

function Version({ change, rule, onBack }: VersionProps) {
  const { rules: t, editing } = messages.value;
  const { at, by, what, reason, version, data, figures } = change;
  const { busy, problem, attempt } = useAttempt();
  const when = formatTime(Date.parse(at), clock.value);
  const title = t.olderVersion(when);

  /** It is a change like any other: with a reason, in the list of versions, and can be taken back the same way. */
  async function goBack(): Promise<void> {
    await saveRule({ ...data!, id: rule.id }, { reason: editing.backReason(when, by) }, rule.version);
    await onBack();
  }

  return (
    <li>
      <p>
        <strong>{by}</strong> {t.what[what]}, <Moment at={at} as="time" /> (<Moment at={at} />)
      </p>
      <p class="rule-reason">{reason}</p>
      {figures && <p class="quiet">{t.figures(figures.alerts, describeRate(figures.alertsPerDay))}</p>}
      {data && (
        <details>
          <summary>
            {title} <code>{version}</code>
          </summary>
          <Code text={writeRuleYaml(data)} label={title} />
        </details>
      )}
      {data && mayManage.value && version !== rule.version && (
        <Button disabled={busy} aria-label={editing.backTo(when)} onClick={() => void attempt(goBack)}>
          {editing.backToThis}
        </Button>
      )}
      <Problem of={problem} />
    </li>
  );
}

const ALERTS_SHOWN = 20;
const VERSIONS_PAGE = 20;

/** One rule with its alerts and versions, while its page is open. `close` when it closes. */
function openRule(id: string) {
  const rule = signal<RuleView | undefined>(undefined);
  const problem = signal<unknown>(undefined);
  const alerts = signal<PageOf<AlertView> | undefined>(undefined);
  const versions = signal<PageOf<RuleChangeView> | undefined>(undefined);
  /** The rule that this one is a trial of. */
  const original = signal<RuleView | undefined>(undefined);
  const over = new AbortController();
  const { signal: leaving } = over;

  async function load(): Promise<void> {
    problem.value = undefined;
    try {
      const found = await loadRule(id, leaving);
      rule.value = found;
      await Promise.all([loadAlerts(found), loadVersions(), loadOriginal()]);
    } catch (error) {
      if (!leaving.aborted) problem.value = error;
    }
  }

  async function loadAlerts({ mode }: Pick<RuleView, "mode">): Promise<void> {
    const query = new URLSearchParams({
      rule: id,
      limit: String(ALERTS_SHOWN),
      ...(mode === "shadow" ? { mode } : {}),
    });
    alerts.value = await request<PageOf<AlertView>>("GET", `/alerts?${query}`, undefined, leaving);
  }

  async function loadVersions(): Promise<void> {
    const shown = versions.peek();
    const query = new URLSearchParams({ limit: String(VERSIONS_PAGE) });
    if (shown?.next !== undefined) query.set("cursor", shown.next);
    const page = await request<PageOf<RuleChangeView>>("GET", `${ruleHref(id)}/versions?${query}`, undefined, leaving);
    versions.value = shown?.next === undefined ? page : { ...page, items: [...shown.items, ...page.items] };
  }

  async function loadOriginal(): Promise<void> {
    const tried = triedBy(id);
    if (tried === undefined) return;
    original.value = await loadRule(tried, leaving).catch(() => undefined);
  }

  /** After a change: all of it anew. */
  async function reload(): Promise<void> {
    versions.value = undefined;
    await load();
  }

  const stop = onAlertNews(({ alert }) => {
    const mode = rule.peek()?.mode;
    if (alert.rule.id === id && mode) void loadAlerts({ mode }).catch(() => {});
  });
  void load();

  return {
    id,
    rule,
    problem,
    alerts,
    versions,
    original,
    load,
    loadVersions,
    reload,
    close(): void {
      over.abort();
      stop();
    },
  };
}

type OpenRule = ReturnType<typeof openRule>;
