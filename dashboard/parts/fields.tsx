import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

type Common = {
  readonly label: string;
  readonly name: string;
  readonly hint?: string | undefined;
  /** What is wrong with it, said beside it. */
  readonly wrong?: string | undefined;
};

type TextProps = Common & {
  readonly value?: string | undefined;
  readonly type?: "text" | "number" | "url" | "time" | "datetime-local";
  readonly required?: boolean;
  readonly among?: readonly string[];
};

/** One line of text; `among` are suggestions, not limits. */
export function TextField({ label, name, hint, wrong, value, type = "text", required, among }: TextProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...{ id, name, required, defaultValue: value, ...described(id, hint, wrong) }}
        {...(type === "number" ? { step: "any" } : {})}
        {...(among ? { list: `${id}-among` } : {})}
        type={type as "text"}
        autocomplete="off"
        spellcheck={false}
      />
      {among && (
        <datalist id={`${id}-among`}>
          {among.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
      <Said {...{ id, hint, wrong }} />
    </div>
  );
}

type SelectProps = Common & {
  readonly value?: string | undefined;
  /** Value and text; "" is no choice. */
  readonly options: readonly (readonly [string, string])[];
  readonly onChoose?: (value: string) => void;
};

export function SelectField({ label, name, hint, wrong, value, options, onChoose }: SelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        {...{ id, name, ...described(id, hint, wrong) }}
        onChange={(event) => onChoose?.(event.currentTarget.value)}
      >
        {options.map(([one, text]) => (
          <option key={one} value={one} selected={one === (value ?? "")}>
            {text}
          </option>
        ))}
      </select>
      <Said {...{ id, hint, wrong }} />
    </div>
  );
}

type CheckProps = { readonly label: string; readonly name: string; readonly value?: string; readonly on?: boolean };

export function CheckField({
  label,
  name,
  value,
  on,
  onChange,
}: CheckProps & { readonly onChange?: (on: boolean) => void }) {
  return (
    <label class="check">
      <input
        {...{ name, value, defaultChecked: on }}
        type="checkbox"
        onChange={(event) => onChange?.(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

type GroupProps = {
  readonly legend: string;
  readonly wrong?: string | undefined;
  readonly children: ComponentChildren;
};

/** Fields that belong together. */
export function FieldGroup({ legend, wrong, children }: GroupProps) {
  return (
    <fieldset class="admin-group">
      <legend>{legend}</legend>
      {children}
      {wrong && <small class="wrong">{wrong}</small>}
    </fieldset>
  );
}

function described(id: string, hint: string | undefined, wrong: string | undefined) {
  const by = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ");
  return { "aria-invalid": wrong ? true : undefined, "aria-describedby": by || undefined };
}

function Said({ id, hint, wrong }: { id: string; hint?: string | undefined; wrong?: string | undefined }) {
  return (
    <>
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
    </>
  );
}

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
