import type { ComponentChildren } from "preact";
import { useContext, useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { guardLeaving } from "../shell/router.ts";
import { describeProblem } from "../words/words.ts";
import { Button, Field, FormContext, isWithin, typed } from "./fields.tsx";
import { Code } from "./show.tsx";

/** One request at a time, and what became of it: for buttons and forms. */
export function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();

  /** True if it went well. */
  async function attempt(work: () => Promise<void>): Promise<boolean> {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(error);
      return false;
    } finally {
      setBusy(false);
    }
  }

  return { busy, problem, attempt };
}

type FormProps = {
  /** Its heading, or, where there is none to see, its name. */
  readonly title?: string;
  readonly label?: string;
  readonly class?: string;
  readonly submitLabel: string;
  readonly disabled?: boolean;
  /** Throws what is wrong; after it went well, who opened the form closes it. */
  readonly onSubmit: (data: FormData, form: HTMLFormElement) => Promise<void> | void;
  /** Only of a form that a button has opened: it has the focus from the beginning, and Escape closes it. */
  readonly onCancel?: () => void;
  /** What stands in place of the usual words for a problem. */
  readonly explain?: (problem: unknown) => ComponentChildren;
  /** Beside the button that sends. */
  readonly more?: ComponentChildren;
  readonly children: ComponentChildren;
};

/** What every form needs: focus when it opens and where it is wrong, Escape, what is wrong, send and cancel. */
export function Form({ title, label, submitLabel, disabled, onSubmit, onCancel, explain, more, ...props }: FormProps) {
  const id = useId();
  const { busy, problem, attempt } = useAttempt();
  const form = useRef<HTMLFormElement>(null);
  const fields = useMemo(() => new Set<string>(), []);
  useEffect(() => {
    if (onCancel) form.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }, []);
  useEffect(() => {
    if (problem === undefined) return;
    const wrong = form.current?.querySelector<HTMLElement>("[aria-invalid]");
    // A button that was disabled for a moment has lost the focus.
    (wrong ?? form.current?.querySelector<HTMLElement>("[type=submit]"))?.focus();
  }, [problem]);
  return (
    <FormContext.Provider value={{ problem, fields }}>
      <form
        ref={form}
        class={`stack ${props.class ?? ""}`}
        aria-labelledby={title && id}
        aria-label={label}
        onSubmit={(event) => {
          event.preventDefault();
          const sent = event.currentTarget;
          void attempt(async () => onSubmit(new FormData(sent), sent));
        }}
        onKeyDown={(event) => event.key === "Escape" && onCancel?.()}
      >
        {title && <h3 id={id}>{title}</h3>}
        {props.children}
        {explain?.(problem) ?? <Refusal />}
        <div class="cluster">
          <button type="submit" class="button primary" disabled={busy || disabled}>
            {submitLabel}
          </button>
          {more}
          {onCancel && (
            <Button class="quiet" onClick={onCancel}>
              {messages.value.alert.cancel}
            </Button>
          )}
        </div>
      </form>
    </FormContext.Provider>
  );
}

/** What is refused, with every ground that no field says itself. */
function Refusal() {
  const { problem, fields } = useContext(FormContext);
  if (problem === undefined) return null;
  const errors = problem instanceof ApiProblem ? problem.errors : [];
  const others = errors.filter(({ pointer }) => ![...fields].some((part) => isWithin(pointer, part)));
  if (errors.length > 0 && others.length === 0) return null;
  return (
    <div class="wrong" role="alert">
      <p>{describeProblem(problem)}</p>
      {others.map(({ pointer, detail }) => (
        <p key={pointer + detail}>{pointer === "" ? detail : `${pointer.slice(1)}: ${detail}`}</p>
      ))}
    </div>
  );
}

type WordsFormProps = Pick<FormProps, "submitLabel" | "onCancel"> & {
  readonly label: string;
  /** As the service calls it, so that it can say what is wrong with it. */
  readonly name: string;
  readonly hint?: string;
  readonly optional?: boolean;
  readonly oneLine?: true;
  readonly onSubmit: (words: string) => Promise<void>;
};

/** One field of words: a note, a reason, a name. */
export function WordsForm({ label, name, hint, optional, oneLine, onSubmit, ...form }: WordsFormProps) {
  return (
    <Form {...form} onSubmit={(data) => onSubmit(typed(data, name) ?? "")}>
      <Field
        label={label}
        name={name}
        hint={hint}
        required={!optional}
        {...(oneLine ? { maxLength: 500 } : { maxLength: 2_000, lines: 3 })}
      />
    </Form>
  );
}

type NoteFormProps = Pick<FormProps, "onCancel"> & {
  /** What it says with the note: to end the work a note need not be there. */
  readonly doing: "close" | "comment";
  readonly submitLabel: string;
  readonly name?: string;
  readonly onSubmit: (note: { readonly note?: string }) => Promise<void>;
};

/** What someone found or did, said of an alert or of all alerts of an incident. */
export function NoteForm({ doing, name = "note", onSubmit, ...form }: NoteFormProps) {
  const t = messages.value.alert;
  return (
    <WordsForm
      {...form}
      key={doing}
      label={t.note}
      name={name}
      hint={t.noteHint}
      optional={doing === "close"}
      onSubmit={(note) => onSubmit(note ? { note } : {})}
    />
  );
}

/** Asks before anybody leaves with unsaved changes: by closing the tab, by a link, or back and forward. */
export function useUnsavedWarning(isDirty: () => boolean, question: string): void {
  useEffect(() => {
    const openGate = guardLeaving(() => !isDirty() || confirm(question));
    function onUnload(event: BeforeUnloadEvent): void {
      if (isDirty()) event.preventDefault();
    }
    addEventListener("beforeunload", onUnload);
    return () => {
      openGate();
      removeEventListener("beforeunload", onUnload);
    };
  }, [question]);
}

type VersionConflictProps = {
  /** Who changed it, and why. */
  readonly said: string;
  /** What it is now; undefined while nobody's is newer than what is edited here. */
  readonly theirs: { readonly text: string; readonly label: string } | undefined;
  readonly take: string;
  readonly onTake: () => void;
  readonly keep: string;
  readonly onKeep: () => void;
};

/** Somebody else changed it meanwhile: which of the two shall go on. */
export function VersionConflict({ said, theirs, take, onTake, keep, onKeep }: VersionConflictProps) {
  return (
    <div class="conflict stack" role="alert">
      <p>
        <strong>{said}</strong>
      </p>
      {theirs && (
        <>
          <div class="cluster">
            <Button onClick={onTake}>{take}</Button>
            <Button onClick={onKeep}>{keep}</Button>
          </div>
          <details>
            <summary>{theirs.label}</summary>
            <Code text={theirs.text} label={theirs.label} />
          </details>
        </>
      )}
    </div>
  );
}
