import { useId } from "preact/hooks";

type FieldProps = {
  readonly label: string;
  readonly name: string;
  readonly type?: "text" | "password";
  readonly hint?: string;
  readonly optional?: true;
  /** What browsers fill in by themselves (`autocomplete`). */
  readonly complete?: string;
  /** What is wrong with it, said beside it. */
  readonly wrong?: string | undefined;
};

/** One line of a form, with its label, its hint and what is wrong with it. */
export function Field({ label, name, type = "text", hint, optional, complete = "off", wrong }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...{ id, name }}
        // The types want one shape for each type of input.
        type={type as "text"}
        required={!optional}
        autocomplete={complete}
        spellcheck={false}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={described || undefined}
      />
      {hint && (
        <small id={`${id}-hint`} class="quiet">
          {hint}
        </small>
      )}
      {wrong && (
        <small id={`${id}-wrong`} class="wrong">
          {wrong}
        </small>
      )}
    </div>
  );
}
