import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import type { Mistake } from "./rules-api.ts";

type YamlEditorProps = {
  readonly text: string;
  readonly mistakes: readonly Mistake[];
  /** How the check went, in words. */
  readonly status: string;
  readonly onText: (text: string) => void;
};

/** A plain text field with line numbers; what is wrong stands beside its line. */
export function YamlEditor({ text, mistakes, status, onText }: YamlEditorProps) {
  const t = messages.value.ruleEditor;
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const lines = text.split("\n").length;

  function goTo({ line, column }: Mistake): void {
    const offset = offsetOf(text, line, column);
    field.current?.focus();
    field.current?.setSelectionRange(offset, offset);
  }

  return (
    <section class="yaml-editor" aria-label={t.yaml}>
      <label for={id} class="hidden">
        {t.yaml}
      </label>
      <div class="yaml-lines">
        <Gutter lines={lines} mistakes={mistakes} />
        <textarea
          ref={field}
          id={id}
          rows={lines + 1}
          wrap="off"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          aria-describedby={`${id}-hint ${id}-status`}
          aria-invalid={mistakes.length > 0 || undefined}
          value={text}
          onInput={(event) => onText(withoutTabs(event.currentTarget))}
          onKeyDown={useKeys()}
        />
        <Notes mistakes={mistakes} onGoTo={goTo} />
      </div>
      <p class="yaml-foot">
        <span id={`${id}-status`} role="status" class={mistakes.length > 0 ? "wrong" : ""}>
          {status}
        </span>
        <small id={`${id}-hint`} class="quiet">
          {t.keys}
        </small>
      </p>
    </section>
  );
}

function Gutter({ lines, mistakes }: { lines: number; mistakes: readonly Mistake[] }) {
  const wrong = new Set(mistakes.map(({ line }) => line));
  return (
    <div class="yaml-gutter" aria-hidden="true">
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class={wrong.has(i + 1) ? "wrong" : undefined}>
          {i + 1}
        </span>
      ))}
    </div>
  );
}

const LINE_PX = 20;
const TOP_PX = 8;

/** Each at the height of its line, or below the one before it; on a narrow screen below the text. */
function Notes({ mistakes, onGoTo }: { mistakes: readonly Mistake[]; onGoTo: (mistake: Mistake) => void }) {
  const t = messages.value.ruleEditor;
  const list = useRef<HTMLUListElement>(null);
  const [tops, setTops] = useState<readonly number[]>([]);
  const sorted = mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);
  useLayoutEffect(() => {
    let free = 0;
    const found = [...(list.current?.children ?? [])].map((item, i) => {
      const top = Math.max(free, TOP_PX + (sorted[i]!.line - 1) * LINE_PX);
      free = top + (item as HTMLElement).offsetHeight + 4;
      return top;
    });
    setTops(found);
  }, [mistakes]);
  return (
    <ul ref={list} class="yaml-notes">
      {sorted.map((mistake, i) => (
        <li key={`${mistake.line}:${mistake.column} ${mistake.message}`} style={{ top: `${tops[i] ?? 0}px` }}>
          <button type="button" title={t.goTo} onClick={() => onGoTo(mistake)}>
            <b>
              {mistake.line}:{mistake.column}
            </b>{" "}
            {mistake.message}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Tab indents, but nobody is locked in: after Escape it goes on as everywhere. */
function useKeys() {
  const free = useRef(false);
  useEffect(() => {
    free.current = false;
  }, []);
  return (event: KeyboardEvent) => {
    const field = event.currentTarget as HTMLTextAreaElement;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const selection = { text: field.value, start: field.selectionStart, end: field.selectionEnd };
    if (event.key === "Escape") free.current = true;
    else if (event.key === "Tab" && !free.current) {
      event.preventDefault();
      apply(field, (event.shiftKey ? outdent : indent)(selection));
    } else if (event.key === "Enter") {
      event.preventDefault();
      apply(field, newLine(selection));
    } else if (event.key !== "Shift") free.current = false;
  };
}

/** By the browser's own command, because only that can be undone with its undo. */
function apply(field: HTMLTextAreaElement, { from, to, insert, start, end }: Edit): void {
  field.setSelectionRange(from, to);
  if (from !== to || insert !== "") {
    const done = document.execCommand(insert === "" ? "delete" : "insertText", false, insert);
    if (!done) {
      field.setRangeText(insert, from, to, "end");
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
  }
  field.setSelectionRange(start, end);
}

/** What was pasted may hold tabs; YAML does not take them. */
function withoutTabs(field: HTMLTextAreaElement): string {
  if (!field.value.includes("\t")) return field.value;
  const caret = field.value.slice(0, field.selectionStart).replaceAll("\t", "  ").length;
  field.value = field.value.replaceAll("\t", "  ");
  field.setSelectionRange(caret, caret);
  return field.value;
}

/** What is selected in a text, by offsets. */
type Selection = { readonly text: string; readonly start: number; readonly end: number };
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
