/** What is selected in a text, by offsets. */
export type Selection = { readonly text: string; readonly start: number; readonly end: number };
/** Replace `[from, to)` by `insert`, then select `[start, end)`. */
export type Edit = {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
  readonly start: number;
  readonly end: number;
};

const STEP = "  ";

/** Tab: two blanks at the caret, or before every selected line. YAML takes no tabs. */
export function indent({ text, start, end }: Selection): Edit {
  if (start === end) return { from: start, to: end, insert: STEP, start: start + 2, end: start + 2 };
  return eachLine({ text, start, end }, (line) => (line === "" ? line : STEP + line));
}

/** Shift+Tab: up to two blanks less at the beginning of every selected line. */
export function outdent(selection: Selection): Edit {
  return eachLine(selection, (line) => line.replace(/^ {1,2}/, ""));
}

function eachLine({ text, start, end }: Selection, change: (line: string) => string): Edit {
  const from = lineStart(text, start);
  const lines = text.slice(from, end).split("\n");
  const changed = lines.map(change);
  const insert = changed.join("\n");
  const grown = insert.length - (end - from);
  const first = changed[0]!.length - lines[0]!.length;
  return { from, to: end, insert, start: Math.max(from, start + first), end: Math.max(from, end + grown) };
}

/** Enter: the next line begins where this one does, one step further after a colon. */
export function newLine({ text, start, end }: Selection): Edit {
  const line = text.slice(lineStart(text, start), start);
  const [before] = /^ *(- )?/.exec(line)!;
  const blanks = " ".repeat(before.length) + (/:\s*$/.test(line) ? STEP : "");
  const caret = start + 1 + blanks.length;
  return { from: start, to: end, insert: `\n${blanks}`, start: caret, end: caret };
}

const lineStart = (text: string, offset: number): number => text.lastIndexOf("\n", offset - 1) + 1;

/** The offset of a line and column that count from 1. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split("\n").slice(0, line);
  const last = lines.pop() ?? "";
  return lines.reduce((sum, one) => sum + one.length + 1, 0) + Math.min(last.length, column - 1);
}
