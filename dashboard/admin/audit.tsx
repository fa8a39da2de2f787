import { useEffect, useState } from "preact/hooks";
import type { AuditCheckView, AuditEntryView } from "../../contract/account.ts";
import type { PageOf } from "../../contract/common.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { Loading, Problem } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { Section } from "./parts.tsx";

const PAGE = 50;

/** Who did what, page by page. */
export function Audit() {
  const { admin: t } = messages.value;
  const [entries, setEntries] = useState<readonly AuditEntryView[]>();
  const [next, setNext] = useState<string>();
  const { busy, problem, attempt } = useAttempt();

  async function load(cursor?: string): Promise<void> {
    const at = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await request<PageOf<AuditEntryView>>("GET", `/audit?limit=${PAGE}${at}`);
    setEntries((former = []) => (cursor === undefined ? page.items : [...former, ...page.items]));
    setNext(page.next);
  }
  useEffect(() => void attempt(() => load()), []);

  return (
    <Section title={t.tabs.audit} hint={t.auditHint}>
      <Problem of={problem} />
      {user.value?.role === "admin" && <Verify />}
      {!entries && problem === undefined && <Loading />}
      {entries && (
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
            cells: [<Moment at={at} as="time" />, by, what, target, detail],
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
