import type { ComponentChildren } from "preact";
import { messages } from "../messages/messages.ts";

/** The head of a column; with the class that its cells have, too. `hidden`: for those who hear the page. */
export type Column =
  | string
  | {
      readonly head: ComponentChildren;
      readonly class?: string | undefined;
      readonly hidden?: true;
      readonly sorted?: "ascending" | "descending" | undefined;
      /** Said again in each cell, where rows are blocks. */
      readonly name?: string;
    };

export type TableRow = {
  readonly key: string | number;
  /** One for each column; the first is the head of the row. */
  readonly cells: readonly ComponentChildren[];
  readonly class?: string | undefined;
};

type TableProps = {
  readonly label: string;
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
  /** Of the frame around it. */
  readonly class?: string;
};

/** A table in a frame: one that is wide or long scrolls by itself, and by the keyboard. */
export function Table({ label, columns, rows, class: more = "" }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
    <section class={`table box ${more}`} tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((column, i) => (
              <th key={i} scope="col" class={of(column).class} aria-sort={of(column).sorted}>
                {typeof column === "string" ? column : <Head {...column} />}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} class={row.class}>
              {row.cells.map((cell, i) =>
                i === 0 ? (
                  <th key={i} scope="row" class={of(columns[0]!).class}>
                    {cell}
                  </th>
                ) : (
                  <td key={i} class={of(columns[i]!).class} data-name={of(columns[i]!).name}>
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const of = (column: Column) => (typeof column === "string" ? NOTHING : column);
const NOTHING: Partial<Exclude<Column, string>> = {};
const Head = ({ head, hidden }: Exclude<Column, string>) => (hidden ? <span class="hidden">{head}</span> : head);

export const numbers = (...heads: readonly string[]): Column[] => heads.map((head) => ({ head, class: "number" }));

/** A column of buttons. */
export const buttons = (head: string): Column => ({ head, class: "actions", hidden: true });

type FiltersProps = {
  readonly text: string;
  readonly label: string;
  readonly hint: string;
  readonly wrong?: string | undefined;
  readonly id?: string;
  readonly onText: (text: string) => void;
  readonly children: ComponentChildren;
};

/** What a list is narrowed to: words, and some choices. Every change is in the address at once. */
export function Filters({ text, label, hint, wrong, id, onText, children }: FiltersProps) {
  return (
    <search class="filters cluster" aria-label={messages.value.desk.filters}>
      <input
        id={id}
        type="search"
        aria-label={label}
        placeholder={hint}
        value={text}
        spellcheck={false}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={wrong && "filters-wrong"}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      {children}
      {wrong && (
        <small class="wrong" id="filters-wrong" role="alert">
          {wrong}
        </small>
      )}
    </search>
  );
}

type ChoiceProps<T extends string> = {
  readonly label: string;
  readonly value: T | undefined;
  readonly among: readonly T[];
  readonly say: (one: T) => string;
  readonly onChoose: (one: T | undefined) => void;
};

/** A small select that says its own label while nothing is chosen. */
export function Choice<T extends string>({ label, value, among, say, onChoose }: ChoiceProps<T>) {
  return (
    <select
      class={`choice ${value ? "chosen" : ""}`}
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => onChoose(among.find((one) => one === event.currentTarget.value))}
    >
      <option value="">{`${label}: ${messages.value.desk.any}`}</option>
      {among.map((one) => (
        <option key={one} value={one}>
          {say(one)}
        </option>
      ))}
    </select>
  );
}
