export type Cell = string | number | undefined;

/** Columns as wide as they need to be; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [header, ...rows.map((row) => row.map((cell) => (cell === undefined ? "-" : String(cell))))];
  const widths = header.map((_, i) => Math.max(...texts.map((row) => row[i]?.length ?? 0)));
  const right = header.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"));
  return texts
    .map((row) =>
      row
        .map((text, i) => (right[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** What a person reads, or with `--json` what a program reads. */
export function show(options: { readonly json?: boolean }, value: unknown, text: () => string): void {
  console.log(options.json ? JSON.stringify(value) : text());
}
