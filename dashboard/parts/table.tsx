import type { ComponentChildren } from "preact";

type TableProps = {
  readonly label: string;
  /** Heads of the columns. */
  readonly columns: readonly string[];
  /** The head of a last column of buttons: for those who hear the page. */
  readonly actions?: string;
  readonly children: ComponentChildren;
};

/** A wide table scrolls by itself, and by the keyboard. */
export function AdminTable({ label, columns, actions, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
    <section class="admin-scroll" tabIndex={0} aria-label={label}>
      <table class="admin-table">
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            {actions && (
              <th scope="col">
                <span class="hidden">{actions}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
