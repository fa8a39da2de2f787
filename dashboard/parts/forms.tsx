import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { sayProblem } from "../words/problems.ts";

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
