import { useState } from "preact/hooks";
import type { RegisterImportView } from "../../contract/register.ts";
import { sendFile } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { Problem } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";

type ImportProps = {
  /** Sensors were added or changed. */
  readonly onDone: () => void;
  readonly onClose: () => void;
};

/** Looked at by the service before anything is changed; the very file that was looked at is what is taken in. */
type Looked = { readonly file: File; readonly content: Blob; readonly found: RegisterImportView };

const MISTAKES_SHOWN = 100;

/** The register from a CSV file: what it would change, or every mistake with its line; then all of it or nothing. */
export function RegisterImport({ onDone, onClose }: ImportProps) {
  const { register: t } = messages.value.admin;
  const { busy, problem, attempt } = useAttempt();
  const [looked, setLooked] = useState<Looked>();
  const [done, setDone] = useState<RegisterImportView>();

  async function look(file: File): Promise<void> {
    setLooked(undefined);
    setDone(undefined);
    // Its bytes as they are now: a spreadsheet may save it again meanwhile.
    const content = new Blob([await file.arrayBuffer()]);
    setLooked({ file, content, found: await sendFile("/register?dryRun=true", content, "text/csv") });
  }

  async function take({ file, content }: Looked): Promise<void> {
    const taken: RegisterImportView = await sendFile("/register", content, "text/csv");
    if (!taken.applied) return setLooked({ file, content, found: taken });
    setLooked(undefined);
    setDone(taken);
    onDone();
  }

  return (
    <section class="panel stack" aria-label={t.importCsv}>
      <h3>{t.importCsv}</h3>
      <p class="quiet">{t.importColumns}</p>
      <label class="field">
        <span>{t.file}</span>
        <input
          type="file"
          accept=".csv,text/csv,text/plain"
          disabled={busy}
          onChange={({ currentTarget: { files } }) => files?.[0] && void attempt(() => look(files[0]!))}
        />
      </label>
      <Problem of={problem} />
      {looked && <Preview {...looked} busy={busy} onTake={() => void attempt(() => take(looked))} />}
      {done && <Taken done={done} />}
      <div>
        <Button disabled={busy} onClick={onClose}>
          {t.close}
        </Button>
      </div>
    </section>
  );
}

function Preview({ file, found, busy, onTake }: Looked & { readonly busy: boolean; readonly onTake: () => void }) {
  const { register: t } = messages.value.admin;
  const { added, changed, unchanged, mistakes, mistakesInAll } = found;
  if (mistakesInAll === 0)
    return (
      <div class="stack" role="status">
        <p>
          {file.name}: {t.wouldChange(added, changed, unchanged)}
        </p>
        {added + changed > 0 && (
          <div>
            <Button class="primary" disabled={busy} onClick={onTake}>
              {t.takeIn(added + changed)}
            </Button>
          </div>
        )}
      </div>
    );
  return (
    <div class="stack">
      <p class="wrong" role="alert">
        {file.name}: {t.mistakes(mistakesInAll)}
      </p>
      <Table
        label={t.mistakes(mistakesInAll)}
        columns={[t.line, t.column, t.mistake]}
        rows={mistakes.slice(0, MISTAKES_SHOWN).map(({ line, column, detail }, i) => ({
          key: String(i),
          cells: [line, column ?? "", detail],
        }))}
      />
      {mistakesInAll > MISTAKES_SHOWN && (
        <p class="quiet">{messages.value.admin.shownOf(MISTAKES_SHOWN, mistakesInAll)}</p>
      )}
    </div>
  );
}

/** Passwords are shown this once: they are saved by whoever is to type them into devices. */
function Taken({ done: { added, changed, passwords } }: { readonly done: RegisterImportView }) {
  const { register: t } = messages.value.admin;
  const text = ["username,password", ...passwords.map(({ username, password }) => `${username},${password}`)];
  return (
    <div class="stack" role="status">
      <p class="note">{t.taken(added, changed)}</p>
      {passwords.length > 0 && (
        <p>
          <a
            class="button primary"
            download="passwords.csv"
            href={`data:text/csv;charset=utf-8,${encodeURIComponent(`${text.join("\r\n")}\r\n`)}`}
          >
            {t.savePasswords(passwords.length)}
          </a>{" "}
          <span class="quiet">{t.shownOnce}</span>
        </p>
      )}
    </div>
  );
}
