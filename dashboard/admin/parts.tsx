import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { CredentialView } from "../../contract/account.ts";
import { WEEKDAYS, type Weekday } from "../../model/silence.ts";
import { eachPage } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { CheckField } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { sayProblem } from "../words/words.ts";

type SectionProps = {
  readonly title: string;
  readonly hint: string;
  /** What the button to add something says; without it there is none. */
  readonly add?: string | undefined;
  readonly onAdd?: () => void;
  /** Of loading the list. */
  readonly problem?: unknown;
  readonly loading: boolean;
  readonly children: ComponentChildren;
};

/** One kind of thing to administer: heading, a button to add one, and the list or why there is none. */
export function AdminSection({ title, hint, add, onAdd, problem, loading, children }: SectionProps) {
  return (
    <section class="admin-section">
      <div class="section-head">
        <h2>{title}</h2>
        {add && (
          <button type="button" class="button" onClick={onAdd}>
            {add}
          </button>
        )}
      </div>
      <p class="quiet">{hint}</p>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      {children}
      {loading && problem === undefined && <p class="quiet">{messages.value.shell.loading}</p>}
    </section>
  );
}

type AskProps = {
  /** Names what goes. */
  readonly question: string;
  readonly hint: string;
  readonly action: string;
  readonly onYes: () => Promise<void>;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
};

/** Before something goes for good: asks once. The safe answer has the focus. */
export function AskOnce({ question, hint, action, onYes, onClose, children }: AskProps) {
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  const { busy, problem, attempt } = useAttempt();
  useEffect(() => box.current?.showModal(), []);
  const close = () => box.current?.close();

  async function doIt(): Promise<void> {
    if (!(await attempt(onYes))) return;
    close();
    // The button that asked is gone with its row.
    document.querySelector<HTMLElement>("main h1")?.focus();
  }

  return (
    <dialog ref={box} class="panel admin-ask" aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{question}</h2>
      <p>{hint}</p>
      {children}
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      <div class="buttons">
        <button type="button" class="button" onClick={close}>
          {messages.value.alert.cancel}
        </button>
        <button type="button" class="button danger" disabled={busy} onClick={() => void doIt()}>
          {action}
        </button>
      </div>
    </dialog>
  );
}

type ShownOnceProps = {
  readonly title: string;
  readonly hint?: string;
  /** Name and password of a device: both are typed somewhere else. */
  readonly credential?: CredentialView;
  /** Or one secret with its name. */
  readonly secret?: Secret;
  readonly onDone: () => void;
};

type Secret = { readonly label: string; readonly value: string };

/** What the service tells once and never again: a password, a key. It stays until someone says that they have it. */
export function ShownOnce({ title, hint, credential, secret, onDone }: ShownOnceProps) {
  const t = messages.value.admin;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="panel admin-secret">
      <h3 ref={heading} tabIndex={-1}>
        {title}
      </h3>
      <p>{hint ?? t.credentialHint}</p>
      {credential && (
        <>
          <SecretLine label={t.username} value={credential.username} />
          <SecretLine label={t.password} value={credential.password} />
        </>
      )}
      {secret && <SecretLine {...secret} />}
      <div class="buttons">
        <button type="button" class="button" onClick={onDone}>
          {t.haveIt}
        </button>
      </div>
    </section>
  );
}

function SecretLine({ label, value }: Secret) {
  const t = messages.value.admin;
  const id = useId();
  const line = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);

  async function copy(): Promise<void> {
    line.current?.select();
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // Without https there is no clipboard for scripts; the old way still works, and the text is selected.
      document.execCommand("copy");
    }
    setCopied(true);
  }

  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="admin-copy">
        <input
          ref={line}
          id={id}
          type="text"
          readOnly
          value={value}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="button" aria-label={`${t.copy}: ${label}`} onClick={() => void copy()}>
          {t.copy}
        </button>
      </div>
      <small role="status" class="quiet">
        {copied ? t.copied : ""}
      </small>
    </div>
  );
}

type DaysProps = {
  readonly hint?: string;
  readonly wrong?: string | undefined;
  readonly chosen?: readonly Weekday[] | undefined;
};

/** Days of the week to tick; in the form's data they are `days`. */
export function DaysField({ hint, wrong, chosen = [] }: DaysProps) {
  const { admin: t } = messages.value;
  return (
    <fieldset class="admin-days" aria-invalid={wrong ? true : undefined}>
      <legend>{t.days}</legend>
      {WEEKDAYS.map((day) => (
        <CheckField key={day} name="days" value={day} label={t.weekdays[day]} on={chosen.includes(day)} />
      ))}
      {hint && <small class="quiet">{hint}</small>}
      {wrong && <small class="wrong">{wrong}</small>}
    </fieldset>
  );
}

/** Where this browser is: nearly always where the city is. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A whole list of the service, with a way to ask again: what was there stays until the new one is. */
export function useAll<T>(path: string) {
  const [items, setItems] = useState<readonly T[] | undefined>();
  const [problem, setProblem] = useState<unknown>();
  const [round, setRound] = useState(0);

  useEffect(() => {
    const leaving = new AbortController();
    const all: T[] = [];
    eachPage<T>(path, (page) => void all.push(...page), leaving.signal).then(
      () => {
        setItems(all);
        setProblem(undefined);
      },
      (error) => leaving.signal.aborted || setProblem(error),
    );
    return () => leaving.abort();
  }, [path, round]);

  return { items, problem, reload: () => setRound((former) => former + 1) };
}
