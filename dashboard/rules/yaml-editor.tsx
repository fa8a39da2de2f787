import { autocompletion, type CompletionContext } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, type Text } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { effect, type Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import type { Mistake } from "./rules-api.ts";
import { completionsAt, type Schema } from "./yaml-completion.ts";

type YamlEditorProps = {
  readonly text: Signal<string>;
  readonly mistakes: readonly Mistake[];
  /** How the check went, in words. */
  readonly status: string;
  /** What it is, where it is no rule: of its fields nothing is known. */
  readonly of?: { readonly yaml: string; readonly keys: string };
};

/** CodeMirror with the rules' schema; what is wrong is marked in the text and listed below it. */
export function YamlEditor({ text, mistakes, status, of }: YamlEditorProps) {
  const { goTo: goToWords, ...rule } = messages.value.ruleEditor;
  const t = { ...(of ?? rule), goTo: goToWords };
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | undefined>(undefined);

  useLayoutEffect(() => {
    // In a shadow tree, because there CodeMirror adopts its style sheets; in the document it would write <style>
    // elements, which the page's policy refuses.
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: "open" });
    const view = new EditorView({
      parent: root,
      root,
      doc: text.peek(),
      extensions: [of ? EDITING : [EDITING, COMPLETING], tell(text)],
    });
    editor.current = view;
    // At once and not with the next rendering, which would bring back what was there before the last keys.
    const stop = effect(() => {
      const { doc } = view.state;
      if (doc.toString() !== text.value) view.dispatch({ changes: { from: 0, to: doc.length, insert: text.value } });
    });
    return () => {
      stop();
      view.destroy();
    };
  }, []);

  useEffect(() => {
    const effects = naming.reconfigure(
      EditorView.contentAttributes.of({ "aria-label": t.yaml, "aria-description": t.keys }),
    );
    editor.current!.dispatch({ effects });
  }, [t.yaml, t.keys]);

  useEffect(() => {
    const view = editor.current!;
    view.dispatch(
      setDiagnostics(
        view.state,
        mistakes.map((one) => diagnosticOf(view.state.doc, one)),
      ),
    );
    view.contentDOM.setAttribute("aria-invalid", String(mistakes.length > 0));
  }, [mistakes]);

  function goTo(mistake: Mistake): void {
    const view = editor.current!;
    view.dispatch({ selection: { anchor: offsetOf(view.state.doc, mistake) }, scrollIntoView: true });
    view.focus();
  }

  return (
    <section class="yaml-editor stack" aria-label={t.yaml}>
      <div ref={host} />
      <p class="cluster spread">
        <span role="status" class={mistakes.length > 0 ? "wrong" : ""}>
          {status}
        </span>
        <small class="quiet">{t.keys}</small>
      </p>
      {mistakes.length > 0 && (
        <ul class="yaml-mistakes">
          {mistakes.map((mistake) => (
            <li key={`${mistake.line}:${mistake.column} ${mistake.message}`}>
              <button type="button" title={t.goTo} onClick={() => goTo(mistake)}>
                <b>
                  {mistake.line}:{mistake.column}
                </b>{" "}
                {mistake.message}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The label and the hint, which change with the language. */
const naming = new Compartment();

const tell = (text: Signal<string>) =>
  EditorView.updateListener.of(({ docChanged, state }) => {
    if (docChanged) text.value = state.doc.toString();
  });

/** Tab indents, but nobody is locked in: after Escape it leaves the text, until something is typed. */
const leavable = [
  keymap.of([
    {
      key: "Escape",
      run: (view) => {
        view.setTabFocusMode(true);
        return false;
      },
    },
    indentWithTab,
  ]),
  EditorView.updateListener.of(({ docChanged, view }) => docChanged && view.setTabFocusMode(false)),
  EditorView.domEventHandlers({ blur: (_event, view) => view.setTabFocusMode(false) }),
];

let schema: Promise<Schema> | undefined;
/** Asked for once; where it cannot be had, nothing is completed. */
async function complete({ state, pos, explicit }: CompletionContext) {
  schema ??= request<Schema>("GET", "/schemas/rules").catch(() => {
    schema = undefined;
    return {};
  });
  const found = completionsAt(await schema, state.doc.toString(), pos);
  return found && (explicit || found.from < pos) ? { ...found, validFor: /^[\w-]*$/ } : null;
}

const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: [tags.comment, tags.separator, tags.punctuation], color: "var(--quiet)" },
]);

const LOOKS = EditorView.theme({
  "&": {
    border: "var(--line-width) solid var(--line-strong)",
    borderRadius: "var(--radius)",
    background: "var(--surface)",
    color: "var(--text)",
  },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "var(--small)", lineHeight: "20px" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
  ".cm-gutters": { border: "0", background: "transparent", color: "var(--quiet)" },
  ".cm-tooltip": { border: "var(--line-width) solid var(--line)", background: "var(--raised)", color: "var(--text)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "var(--small)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "4px 8px", lineHeight: "20px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--critical)" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--critical)",
    textDecorationSkipInk: "none",
  },
});

const EDITING = [
  yaml(),
  indentUnit.of("  "),
  EditorState.tabSize.of(2),
  // What was pasted may hold tabs; YAML does not take them.
  EditorView.clipboardInputFilter.of((text) => text.replaceAll("\t", "  ")),
  EditorView.lineWrapping,
  lineNumbers(),
  history(),
  lintGutter(),
  leavable,
  keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
  naming.of([]),
  syntaxHighlighting(COLOURS),
  LOOKS,
];

const COMPLETING = autocompletion({
  override: [complete],
  icons: false,
  activateOnCompletion: ({ type }) => type === "property",
});

/** The offset of a line and column that count from 1; at the end of what is shorter. */
export function offsetOf(doc: Text, { line, column }: Pick<Mistake, "line" | "column">): number {
  const { from, to } = doc.line(Math.min(line, doc.lines));
  return Math.min(from + column - 1, to);
}

/** The word that stands there, or all of a line that ends before. */
function diagnosticOf(doc: Text, mistake: Mistake): Diagnostic {
  const from = offsetOf(doc, mistake);
  const { to, text, ...line } = doc.lineAt(from);
  const [word = ""] = /^\S+/.exec(text.slice(from - line.from)) ?? [];
  const { message } = mistake;
  return word === ""
    ? { from: line.from, to, severity: "error", message }
    : { from, to: from + word.length, severity: "error", message };
}
