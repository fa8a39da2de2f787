import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { CredentialView } from "../../contract/account.ts";
import { WEEKDAYS, type Weekday } from "../../model/time.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check, Group } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { Dialog } from "../parts/show.tsx";
import { Loading, loadAll, Problem, useLoaded } from "../parts/state.tsx";

/** A list of things to administer: which of them is changed or added in a form, and which is about to go. */
export function useManaged<T>(path: string) {
  const { found: items, problem, reload } = useLoaded((signal) => loadAll<T>(path, signal), [path]);
  const [open, setOpen] = useState<T | "new">();
  const [going, setGoing] = useState<T>();
  const close = () => setOpen(undefined);
  return {
    items,
    problem,
    reload,
    open,
    setOpen,
    going,
    setGoing,
    close,
    /** It is added or changed. */
    done(): void {
      close();
      reload();
    },
  };
}

type Managed<T> = ReturnType<typeof useManaged<T>>;
type Ask = { readonly question: string; readonly hint: string; readonly action?: string; readonly path: string };

type SectionProps<T> = {
  readonly title: string;
  readonly hint: string;
  readonly list: Managed<T>;
  /** What the button to add something says. */
  readonly add: string;
  readonly onAdd?: () => void;
  /** Asked before one goes for good. `path` is deleted then. */
  readonly ask: (one: T) => Ask;
  readonly onGone?: (one: T) => void;
  /** What else is asked with it. */
  readonly askMore?: ComponentChildren;
  readonly children: ComponentChildren;
};

/** One kind of thing to administer: heading, a button to add one, and the list or why there is none. */
export function Managed<T>({ title, hint, list, add, onAdd, ask, onGone, askMore, children }: SectionProps<T>) {
  const { items, problem, reload, open, setOpen, going, setGoing } = list;
  return (
    <Section
      title={title}
      hint={hint}
      action={
        !open && (
          <Button
            onClick={() => {
              onAdd?.();
              setOpen("new");
            }}
          >
            {add}
          </Button>
        )
      }
    >
      <Problem of={problem} />
      {children}
      {!items && problem === undefined && <Loading />}
      {going !== undefined && (
        <ConfirmDialog
          {...ask(going)}
          onGone={() => {
            onGone?.(going);
            reload();
          }}
          onClose={() => setGoing(undefined)}
        >
          {askMore}
        </ConfirmDialog>
      )}
    </Section>
  );
}

type PlainProps = Pick<SectionProps<unknown>, "title" | "hint" | "children"> & { readonly action?: ComponentChildren };

export function Section({ title, hint, action, children }: PlainProps) {
  return (
    <section class="admin-section stack">
      <div class="section-head">
        <h2>{title}</h2>
        {action}
      </div>
      <p class="quiet">{hint}</p>
      {children}
    </section>
  );
}

type AskProps = Ask & {
  readonly method?: "DELETE" | "POST";
  readonly onGone: (answer: unknown) => void;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
};

/** Before something goes for good: asks once. The safe answer has the focus. */
export function ConfirmDialog({
  question,
  hint,
  action = messages.value.admin.remove,
  path,
  method = "DELETE",
  onGone,
  onClose,
  children,
}: AskProps) {
  const { busy, problem, attempt } = useAttempt();

  async function doIt(close: () => void): Promise<void> {
    const body = method === "POST" ? {} : undefined;
    if (!(await attempt(async () => onGone(await request(method, path, body))))) return;
    close();
    // The button that asked is gone with its row.
    document.querySelector<HTMLElement>("main h1")?.focus();
  }

  return (
    <Dialog title={question} onClose={onClose}>
      {(close) => (
        <>
          <p>{hint}</p>
          {children}
          <Problem of={problem} />
          <div class="cluster">
            <Button onClick={close}>{messages.value.alert.cancel}</Button>
            <Button class="danger" disabled={busy} onClick={() => void doIt(close)}>
              {action}
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

/** The button of a row, which says to those who hear the page what it is about. */
export function RowButton({ text, about, onPress }: { text: string; about: string; onPress: () => void }) {
  return (
    <Button class="quiet" aria-label={`${text}: ${about}`} onClick={onPress}>
      {text}
    </Button>
  );
}

type NewCredentialProps = { readonly title: string; readonly made: CredentialView; readonly onDone: () => void };

/** Name and password of a device: both are typed somewhere else. */
export function NewCredential({ title, made: { username, password }, onDone }: NewCredentialProps) {
  const { admin: t } = messages.value;
  const secrets = [[t.username, username] as const, [t.password, password] as const];
  return <OneTimeSecret title={title} hint={t.credentialHint} secrets={secrets} onDone={onDone} />;
}

type ShownOnceProps = {
  readonly title: string;
  readonly hint: string;
  readonly secrets: readonly (readonly [label: string, value: string])[];
  readonly onDone: () => void;
};

/** What the service tells once and never again: a password, a key. It stays until someone says that they have kept it. */
export function OneTimeSecret({ title, hint, secrets, onDone }: ShownOnceProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="panel admin-secret">
      <h3 ref={heading} tabIndex={-1}>
        {title}
      </h3>
      <p>{hint}</p>
      {secrets.map(([label, value]) => (
        <Secret key={label} label={label} value={value} />
      ))}
      <div>
        <Button onClick={onDone}>{messages.value.admin.stored}</Button>
      </div>
    </section>
  );
}

function Secret({ label, value }: { label: string; value: string }) {
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
      <div class="admin-copy cluster">
        <input
          ref={line}
          id={id}
          type="text"
          readOnly
          value={value}
          onFocus={(event) => event.currentTarget.select()}
        />
        <Button aria-label={`${t.copy}: ${label}`} onClick={() => void copy()}>
          {t.copy}
        </Button>
      </div>
      <small role="status" class="quiet">
        {copied ? t.copied : ""}
      </small>
    </div>
  );
}

type DaysProps = { readonly part: string; readonly hint?: string; readonly chosen?: readonly Weekday[] | undefined };

/** Days of the week to tick; in the form's data they are `days`. */
export function DaysField({ part, hint, chosen = [] }: DaysProps) {
  const { admin: t } = messages.value;
  return (
    <Group legend={t.days} part={part} hint={hint} class="checks">
      {WEEKDAYS.map((day) => (
        <Check key={day} name="days" value={day} label={t.weekdays[day]} on={chosen.includes(day)} />
      ))}
    </Group>
  );
}
