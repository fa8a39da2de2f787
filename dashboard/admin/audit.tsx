import { useEffect, useState } from "preact/hooks";
import type { AuditCheckView, AuditEntryView } from "../../contract/account.ts";
import type { PageOf } from "../../contract/common.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { useAttempt } from "../parts/forms.tsx";
import { AdminTable } from "../parts/table.tsx";
import { user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { sayProblem } from "../words/words.ts";
import { AdminSection } from "./parts.tsx";

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
    <AdminSection {...{ title: t.tabs.audit, hint: t.auditHint, problem, loading: !entries }}>
      {user.value?.role === "admin" && <Verify />}
      {entries && <AuditTable entries={entries} />}
      {next !== undefined && (
        <p>
          <button type="button" class="button" disabled={busy} onClick={() => void attempt(() => load(next))}>
            {t.more}
          </button>
        </p>
      )}
    </AdminSection>
  );
}

function AuditTable({ entries }: { entries: readonly AuditEntryView[] }) {
  const { admin: t } = messages.value;
  return (
    <AdminTable label={t.tabs.audit} columns={[t.at, t.who, t.what, t.about, t.detail]}>
      {entries.map(({ id, at, by, what, target, detail }) => (
        <tr key={id}>
          <th scope="row">
            <Moment at={at} as="time" />
          </th>
          <td>{by}</td>
          <td class="admin-code">{what}</td>
          <td>{target}</td>
          <td>{detail}</td>
        </tr>
      ))}
    </AdminTable>
  );
}

function Verify() {
  const { admin: t } = messages.value;
  const { busy, problem, attempt } = useAttempt();
  const [result, setResult] = useState<AuditCheckView>();
  const bad = problem !== undefined || result?.intact === false;
  return (
    <div class="admin-verify">
      <button
        type="button"
        class="button"
        disabled={busy}
        onClick={() => void attempt(async () => setResult(await request<AuditCheckView>("GET", "/audit/verify")))}
      >
        {t.verify}
      </button>
      <p role="status" class={bad ? "wrong" : ""}>
        {problem !== undefined && sayProblem(problem)}
        {result && (result.intact ? t.intact(result.entries) : t.broken(result.brokenAt ?? 0))}
      </p>
    </div>
  );
}
