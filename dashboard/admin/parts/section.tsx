import type { ComponentChildren } from "preact";
import { messages } from "../../messages/messages.ts";
import { sayProblem } from "../../words/problems.ts";

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
