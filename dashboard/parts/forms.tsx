import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { sayProblem } from "../words/words.ts";

export type FormProps = {
  readonly busy: boolean;
  readonly problem: unknown;
  readonly onCancel: () => void;
};

type WordsFormProps = FormProps & {
  readonly label: string;
  /** As the service calls it, so that it can say what is wrong with it. */
  readonly name: string;
  readonly hint?: string;
  readonly optional?: boolean;
  readonly oneLine?: true;
  readonly submitLabel: string;
  readonly onSubmit: (words: string) => void;
};

/** One field of words: a note, a reason, a name. */
export function WordsForm({ busy, problem, onCancel, submitLabel, onSubmit, ...field }: WordsFormProps) {
  return (
    <Form
      {...{ busy, problem, onCancel, submitLabel }}
      known={[field.name]}
      onSubmit={(data) => onSubmit(textOf(data, field.name))}
    >
      <WordsField {...field} problem={problem} />
    </Form>
  );
}

export const textOf = (data: FormData, name: string) => String(data.get(name) ?? "").trim();

type BareFormProps = FormProps & {
  readonly submitLabel: string;
  /** Fields that say what is wrong with them themselves. */
  readonly known: readonly string[];
  readonly onSubmit: (data: FormData) => void;
  readonly children: ComponentChildren;
};

/** What every form of an action needs: focus when it opens, Escape, what is wrong, send and cancel. */
export function Form({ busy, problem, known, onCancel, submitLabel, onSubmit, children }: BareFormProps) {
  const t = messages.value.alert;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>("textarea, select, input")?.focus(), []);
  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(new FormData(event.currentTarget as HTMLFormElement));
      }}
      onKeyDown={(event) => event.key === "Escape" && onCancel()}
    >
      {children}
      <Refusal problem={problem} known={known} />
      <div class="buttons">
        <button type="submit" class="button primary" disabled={busy}>
          {submitLabel}
        </button>
        <button type="button" class="button quiet" onClick={onCancel}>
          {t.cancel}
        </button>
      </div>
    </form>
  );
}

/** What is refused, with every ground that no field says itself. */
export function Refusal({ problem, known }: { problem: unknown; known: readonly string[] }) {
  if (problem === undefined) return null;
  const errors = problem instanceof ApiProblem ? problem.errors : [];
  const others = errors.filter(({ pointer }) => !known.includes(pointer.slice(1)));
  if (errors.length > 0 && others.length === 0) return null;
  return (
    <div class="wrong" role="alert">
      <p>{sayProblem(problem)}</p>
      {others.map(({ pointer, detail }) => (
        <p key={pointer + detail}>{detail}</p>
      ))}
    </div>
  );
}

type WordsFieldProps = Pick<WordsFormProps, "label" | "name" | "hint" | "optional" | "oneLine"> & {
  readonly problem: unknown;
};

export function WordsField({ label, name, hint, optional, oneLine, problem }: WordsFieldProps) {
  const id = useId();
  const wrong = problem instanceof ApiProblem ? problem.at(name) : undefined;
  const attributes = {
    ...{ id, name, required: !optional, maxLength: oneLine ? 500 : 2_000 },
    "aria-invalid": wrong === undefined ? undefined : true,
    "aria-describedby": [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ") || undefined,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {oneLine ? <input type="text" autocomplete="off" {...attributes} /> : <textarea rows={3} {...attributes} />}
      {hint && (
        <small id={`${id}-hint`} class="quiet">
          {hint}
        </small>
      )}
      {wrong && (
        <small id={`${id}-wrong`} class="wrong" role="alert">
          {wrong}
        </small>
      )}
    </div>
  );
}

type EditFormProps = {
  readonly title: string;
  readonly submitLabel: string;
  /** The parts of the body whose fields say themselves what is wrong with them. */
  readonly fields: readonly string[];
  /** Throws what is wrong; after it went well the form is closed by who opened it. */
  readonly onSubmit: (data: FormData) => Promise<void>;
  readonly onCancel: () => void;
  /** The fields, each of which shows its part of the problem. */
  readonly children: (problem: unknown) => ComponentChildren;
};

/** A form to add or change something: focus when it opens and where it is wrong, Escape, send and cancel. */
export function EditForm({ title, submitLabel, fields, onSubmit, onCancel, children }: EditFormProps) {
  const id = useId();
  const { busy, problem, attempt } = useAttempt();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>("input, select, textarea")?.focus(), []);
  useEffect(() => {
    if (problem === undefined) return;
    const wrong = form.current?.querySelector<HTMLElement>("[aria-invalid]");
    // A button that was disabled for a moment has lost the focus.
    (wrong ?? form.current?.querySelector<HTMLElement>("[type=submit]"))?.focus();
  }, [problem]);
  const said = saidBelow(problem, fields);
  return (
    <form
      ref={form}
      class="panel admin-form"
      aria-labelledby={id}
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget as HTMLFormElement);
        void attempt(() => onSubmit(data));
      }}
      onKeyDown={(event) => event.key === "Escape" && onCancel()}
    >
      <h3 id={id}>{title}</h3>
      <div class="admin-fields">{children(problem)}</div>
      {said !== "" && (
        <p class="wrong" role="alert">
          {said}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class="button primary" disabled={busy}>
          {submitLabel}
        </button>
        <button type="button" class="button quiet" onClick={onCancel}>
          {messages.value.alert.cancel}
        </button>
      </div>
    </form>
  );
}

/** What no field says: all of it, or what is left. */
function saidBelow(problem: unknown, fields: readonly string[]): string {
  if (problem === undefined) return "";
  const isSaid = fields.some((field) => wrongAt(problem, field) !== undefined);
  return (isSaid ? restOf(problem, fields) : [sayProblem(problem)]).join(" ");
}

/** What was typed, without spaces around it; undefined for nothing. */
export function typed(data: FormData, name: string): string | undefined {
  return String(data.get(name) ?? "").trim() || undefined;
}

/** "a, b": the parts; undefined for nothing. */
export function typedList(data: FormData, name: string): string[] | undefined {
  const parts = (typed(data, name) ?? "").split(/[\s,]+/).filter((part) => part !== "");
  return parts.length > 0 ? parts : undefined;
}

/** "owner=parks, pole=12": name and value; undefined for nothing. */
export function typedTags(data: FormData, name: string): Readonly<Record<string, string>> | undefined {
  const parts = (typed(data, name) ?? "").split(",").filter((part) => part.trim() !== "");
  if (parts.length === 0) return undefined;
  const pairs = parts.map((part) => {
    const at = part.indexOf("=");
    return at < 0 ? ([part.trim(), ""] as const) : ([part.slice(0, at).trim(), part.slice(at + 1).trim()] as const);
  });
  return Object.fromEntries(pairs);
}

/** What the service says of one of these parts of the body, or of something inside it: `quietHours`, `matchers/district`. */
export function wrongAt(problem: unknown, ...parts: readonly string[]): string | undefined {
  if (!(problem instanceof ApiProblem)) return undefined;
  const found = problem.errors.find(({ pointer }) => parts.some((part) => isWithin(pointer, part)));
  return found?.detail;
}

/** What it says that none of the form's fields shows. */
export function restOf(problem: unknown, fields: readonly string[]): readonly string[] {
  if (!(problem instanceof ApiProblem)) return [];
  const others = problem.errors.filter(({ pointer }) => !fields.some((field) => isWithin(pointer, field)));
  return others.map(({ pointer, detail }) => (pointer === "" ? detail : `${pointer.slice(1)}: ${detail}`));
}

const isWithin = (pointer: string, part: string) => pointer === `/${part}` || pointer.startsWith(`/${part}/`);

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
