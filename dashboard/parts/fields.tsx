import { type ComponentChildren, type ComponentProps, createContext } from "preact";
import { useContext, useEffect, useId } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";

/** What the service refused of a form, and which parts of its body have a field that says so itself. */
export type Refused = { readonly problem: unknown; readonly fields: Set<string> };
export const FormContext = createContext<Refused>({ problem: undefined, fields: new Set() });

export const isWithin = (pointer: string, part: string) => pointer === `/${part}` || pointer.startsWith(`/${part}/`);

/** What is wrong with this part of the body (`quietHours`, `matchers/district`), unless a field inside of it says so. */
function useWrong(part: string): string | undefined {
  const { problem, fields } = useContext(FormContext);
  useEffect(() => {
    fields.add(part);
    return () => void fields.delete(part);
  }, [fields, part]);
  if (!(problem instanceof ApiProblem)) return undefined;
  const inner = [...fields].filter((one) => one.startsWith(`${part}/`));
  const own = problem.errors.filter(({ pointer }) => !inner.some((one) => isWithin(pointer, one)));
  return own.find(({ pointer }) => isWithin(pointer, part))?.detail;
}

/** Value and text, and the language of the text where it is not the page's; "" is no choice. */
/** What does something here; what sends a form is in `Form`. `class`: primary, danger, quiet … of `.button`. */
export const Button = ({ class: look = "", ...more }: ComponentProps<"button"> & { readonly class?: string }) => (
  <button type="button" class={`button ${look}`} {...more} />
);

export type Option = readonly [value: string, text: string, lang?: string];

type FieldProps = {
  readonly label: string;
  readonly name: string;
  /** The part of the body it fills, where that is not called as the field. */
  readonly part?: string;
  readonly hint?: string | undefined;
  /** What is wrong with it, where the page knows that itself. */
  readonly wrong?: string | undefined;
  readonly value?: string | undefined;
  readonly required?: boolean;
  readonly type?: "text" | "password" | "number" | "url" | "time" | "datetime-local" | "search";
  /** What browsers fill in by themselves (`autocomplete`). */
  readonly complete?: string;
  /** Suggestions, not limits. */
  readonly among?: readonly string[];
  /** More than one: a text of several lines. */
  readonly lines?: number;
  readonly maxLength?: number;
  /** One of these is chosen. `children` instead, where they come in groups. */
  readonly options?: readonly Option[];
  readonly children?: ComponentChildren;
  /** With it, `value` is what is chosen now; without, what is chosen at first. */
  readonly onChoose?: (value: string) => void;
  readonly id?: string;
  readonly class?: string;
};

/** One line of a form: a text, a choice, a time … with its label, its hint and what is wrong with it. */
export function Field(props: FieldProps) {
  const { label, name, part = name, hint, value, required, lines, among, options, children, onChoose } = props;
  const own = useId();
  const id = props.id ?? own;
  const refused = useWrong(part);
  const wrong = props.wrong ?? refused;
  const attributes = {
    id,
    name,
    required,
    maxLength: props.maxLength,
    "aria-invalid": wrong ? true : undefined,
    "aria-describedby": [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ") || undefined,
  };
  const { type = "text", complete = "off" } = props;
  return (
    <div class={`field ${props.class ?? ""}`}>
      <label for={id}>{label}</label>
      {options || children ? (
        <select
          {...attributes}
          {...(onChoose ? { value } : {})}
          onChange={(event) => onChoose?.(event.currentTarget.value)}
        >
          {children ??
            options!.map(([one, text, lang]) => (
              <option key={one} value={one} lang={lang} selected={one === (value ?? "")}>
                {text}
              </option>
            ))}
        </select>
      ) : lines ? (
        <textarea {...attributes} rows={lines} defaultValue={value} />
      ) : (
        <input
          {...attributes}
          {...(type === "number" ? { step: "any" } : {})}
          {...(among ? { list: `${id}-among` } : {})}
          // The types want one shape for each type of input.
          type={type as "text"}
          defaultValue={value}
          autocomplete={complete}
          spellcheck={false}
        />
      )}
      {among && (
        <datalist id={`${id}-among`}>
          {among.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
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

type CheckProps = {
  readonly label: ComponentChildren;
  readonly name?: string;
  readonly value?: string;
  readonly type?: "checkbox" | "radio";
  /** How it is at first; or `checked`: how it is now. */
  readonly on?: boolean;
  readonly checked?: boolean;
  readonly onChange?: (on: boolean) => void;
};

export function Check({ label, name, value, type = "checkbox", on, checked, onChange }: CheckProps) {
  return (
    <label class="check">
      <input
        type={type}
        name={name}
        value={value}
        {...(checked === undefined ? { defaultChecked: on } : { checked })}
        onChange={(event) => onChange?.(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

type GroupProps = {
  readonly legend: string;
  readonly part?: string;
  readonly hint?: string | undefined;
  readonly wrong?: string | undefined;
  readonly class?: string;
  readonly children: ComponentChildren;
};

/** Fields that belong together. */
export function Group({ legend, part = "-", hint, wrong: own, class: more = "", children }: GroupProps) {
  const id = useId();
  const refused = useWrong(part);
  const wrong = own ?? refused;
  return (
    <fieldset class={`group ${more}`} aria-invalid={wrong ? true : undefined} aria-describedby={wrong ? id : undefined}>
      <legend>{legend}</legend>
      {children}
      {hint && <small class="quiet">{hint}</small>}
      {wrong && (
        <small class="wrong" id={id}>
          {wrong}
        </small>
      )}
    </fieldset>
  );
}

type TabsProps<T extends string | number> = {
  readonly legend: string;
  readonly name: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, text: string])[];
  readonly onChoose: (value: T) => void;
};

/** One of a few, all of them in sight. */
export function Tabs<T extends string | number>({ legend, name, value, options, onChoose }: TabsProps<T>) {
  return (
    <fieldset class="tabs">
      <legend class="hidden">{legend}</legend>
      {options.map(([one, text]) => (
        <label key={one}>
          <input type="radio" name={name} checked={value === one} onChange={() => onChoose(one)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
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
