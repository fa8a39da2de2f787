import { useEffect, useState } from "preact/hooks";
import type { AuditCheckView, AuditEntryView } from "../../contract/account.ts";
import type { PageOf } from "../../contract/common.ts";
import { DAY_MS } from "../../model/time.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { Loading, Problem } from "../parts/state.tsx";
import { Choice, Filters, Table } from "../parts/table.tsx";
import { language } from "../shell/preferences.ts";
import { query, setQuery } from "../shell/router.ts";
import { user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { fromLocalInput } from "../words/zone.ts";
import { Section } from "./parts.tsx";

const PAGE = 50;

const KINDS = ["user", "device", "gateway", "sensor", "district", "target", "crew", "rule", "mapping"]
  .concat(["silence", "alert", "incident", "correction", "calibration", "quarantine", "session", "auth", "audit"])
  .sort();

/** Asked at most so often for one page: each looks through many entries. */
const ASKED_MAX = 50;

/** Who did what, page by page, narrowed by what stands in the address. */
export function Audit() {
  const { admin: t, editing } = messages.value;
  const [entries, setEntries] = useState<readonly AuditEntryView[]>();
  const [next, setNext] = useState<string>();
  const { busy, problem, attempt } = useAttempt();
  const asked = query.value;
  const filter = new URLSearchParams();
  for (const name of ["text", "what", "by"]) if (asked.get(name)) filter.set(name, asked.get(name)!);
  // Whole days of the city are asked for.
  const [since, until] = [asked.get("since"), asked.get("until")];
  if (since) filter.set("from", new Date(fromLocalInput(`${since}T00:00`)).toISOString());
  if (until) filter.set("to", new Date(fromLocalInput(`${dayAfter(until)}T00:00`)).toISOString());
  const wanted = filter.toString();

  /** A page with a filter may be short of entries: asks on until it is full, or the log is at its end. */
  async function load(cursor?: string): Promise<void> {
    const found: AuditEntryView[] = [];
    let at = cursor;
    for (let i = 0; i < ASKED_MAX; i += 1) {
      const place = at === undefined ? "" : `&cursor=${encodeURIComponent(at)}`;
      const page = await request<PageOf<AuditEntryView>>(
        "GET",
        `/audit?limit=${PAGE - found.length}${place}&${wanted}`,
      );
      found.push(...page.items);
      at = page.next;
      if (at === undefined || found.length >= PAGE) break;
    }
    setEntries((former = []) => (cursor === undefined ? found : [...former, ...found]));
    setNext(at);
  }
  useEffect(() => {
    const timer = setTimeout(() => void attempt(() => load()), entries ? TYPING_MS : 0);
    return () => clearTimeout(timer);
  }, [wanted]);

  const exportOf = (format: string) =>
    `/api/v1/audit/export?format=${format}${format === "csv" ? `&locale=${language.value}` : ""}&${wanted}`;
  return (
    <Section title={t.tabs.audit} hint={t.auditHint}>
      <Filters
        text={asked.get("text") ?? ""}
        label={t.search}
        hint={t.search}
        onText={(text) => setQuery({ text: text.trim() || undefined })}
      >
        <Choice
          label={t.what}
          value={asked.get("what")?.replace(".", "")}
          among={KINDS}
          say={(one) => one}
          onChoose={(one) => setQuery({ what: one && `${one}.` })}
        />
        <DayInput label={t.from} value={since} onChange={(day) => setQuery({ since: day })} />
        <DayInput label={t.until} value={until} onChange={(day) => setQuery({ until: day })} />
      </Filters>
      <p class="cluster">
        {(["csv", "ndjson"] as const).map((format) => (
          <a key={format} class="button" href={exportOf(format)} download={`audit.${format}`}>
            {editing.exportAs(format.toUpperCase())}
          </a>
        ))}
      </p>
      <Problem of={problem} />
      {user.value?.role === "admin" && <Verify />}
      {!entries && problem === undefined && <Loading />}
      {entries?.length === 0 && <p class="note">{editing.noEntries}</p>}
      {entries && entries.length > 0 && (
        <Table
          label={t.tabs.audit}
          columns={[
            t.at,
            t.who,
            { head: t.what, class: "mono" },
            ...[t.about, t.detail].map((head) => ({ head, class: "admin-words" })),
          ]}
          rows={entries.map(({ id, at, by, what, target, detail }) => ({
            key: id,
            cells: [
              <Moment at={at} as="time" />,
              <button type="button" class="link" onClick={() => setQuery({ by: asked.get("by") ? undefined : by })}>
                {by}
              </button>,
              what,
              target,
              detail,
            ],
          }))}
        />
      )}
      {next !== undefined && (
        <p>
          <Button disabled={busy} onClick={() => void attempt(() => load(next))}>
            {t.more}
          </Button>
        </p>
      )}
    </Section>
  );
}

const TYPING_MS = 250;

/** The next date, whatever the clocks do on either. */
const dayAfter = (day: string) => new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);

type DayProps = {
  readonly label: string;
  readonly value: string | null;
  readonly onChange: (day: string | undefined) => void;
};

const DayInput = ({ label, value, onChange }: DayProps) => (
  <label class="audit-day cluster">
    <span>{label}</span>
    <input type="date" value={value ?? ""} onChange={(event) => onChange(event.currentTarget.value || undefined)} />
  </label>
);

function Verify() {
  const { admin: t } = messages.value;
  const { busy, problem, attempt } = useAttempt();
  const [result, setResult] = useState<AuditCheckView>();
  return (
    <div class="cluster">
      <Button
        disabled={busy}
        onClick={() => void attempt(async () => setResult(await request<AuditCheckView>("GET", "/audit/verify")))}
      >
        {t.verify}
      </Button>
      <Problem of={problem} />
      <p role="status" class={result?.intact === false ? "wrong" : ""}>
        {result && (result.intact ? t.intact(result.entries) : t.broken(result.brokenAt ?? 0))}
      </p>
    </div>
  );
}
