import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import type { Mistake } from "../rules-api.ts";
import { type Edit, indent, newLine, offsetOf, outdent } from "./indent.ts";
import "./editor.css";

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
