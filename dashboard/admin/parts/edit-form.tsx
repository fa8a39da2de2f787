import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { useAttempt } from "../../parts/use-attempt.ts";
import { sayProblem } from "../../words/problems.ts";
import { restOf, wrongAt } from "./wrong-at.ts";

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
