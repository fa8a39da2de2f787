import { batch, computed, effect, signal } from "@preact/signals";
import type { RulesCheckView, RuleView } from "../../contract/rule.ts";
import type { RuleData } from "../../model/rule.ts";
import { messages } from "../messages/messages.ts";
import { describeProblem } from "../words/words.ts";
import { writeRuleYaml } from "./rule-yaml.ts";
import { checkYaml, dataOf, type Mistake } from "./rules-api.ts";

const PAUSE_MS = 300;

/**
 * A rule while somebody edits it: its text, checked as they type. The text is also kept in this tab, so that a session that
 * ends under one's hands takes nothing along. `close` when its page closes.
 */
export function openDraft(key: string, base: RuleView | undefined, template: string) {
  const present = signal(base);
  const text = signal(kept(key) ?? template);
  /** Without changes it is this. */
  const start = signal(template);
  const wasKept = signal(text.peek() !== template);
  const checked = signal<{ readonly text: string; readonly view: RulesCheckView } | undefined>(undefined);
  const problem = signal<unknown>(undefined);

  const dirty = computed(() => text.value !== start.value);
  const mistakes = computed<readonly Mistake[]>(() => {
    const view = checked.value?.view;
    if (!view) return [];
    return view.ok ? ownMistakes(view.found, text.value, present.value?.id) : view.mistakes;
  });
  /** The rule as the service understands it; undefined while it is not checked, or not right. */
  const rule = computed<RuleData | undefined>(() => {
    const view = checked.value;
    return view?.view.ok && view.text === text.value && mistakes.value.length === 0 ? view.view.found[0] : undefined;
  });
  const status = computed(() => {
    const t = messages.value.ruleEditor;
    if (problem.value !== undefined) return t.notChecked(describeProblem(problem.value));
    if (checked.value?.text !== text.value) return t.checking;
    return mistakes.value.length === 0 ? t.right : t.mistakes(mistakes.value.length);
  });

  const stopChecking = effect(() => {
    const asked = text.value;
    const over = new AbortController();
    const timer = setTimeout(() => void check(asked, over.signal), checked.peek() ? PAUSE_MS : 0);
    return () => {
      clearTimeout(timer);
      over.abort();
    };
  });
  const stopKeeping = effect(() => keep(key, dirty.value ? text.value : undefined));

  async function check(asked: string, over: AbortSignal): Promise<void> {
    try {
      const view = await checkYaml(asked, over);
      batch(() => {
        problem.value = undefined;
        checked.value = { text: asked, view };
      });
    } catch (error) {
      if (!over.aborted) problem.value = error;
    }
  }

  /** Somebody else was faster: theirs is what mine is laid over. `theirText`: and mine is given up. */
  function rebase(next: RuleView, give: "up" | "on"): void {
    batch(() => {
      present.value = next;
      start.value = writeRuleYaml(dataOf(next));
      if (give === "up") text.value = start.value;
    });
  }

  return {
    present,
    text,
    start,
    dirty,
    wasKept,
    mistakes,
    rule,
    status,
    rebase,
    /** It is saved, or given up. */
    forget(): void {
      keep(key, undefined);
      start.value = text.peek();
    },
    discard(): void {
      wasKept.value = false;
      text.value = start.peek();
    },
    close(): void {
      stopChecking();
      stopKeeping();
    },
  };
}

export type Draft = ReturnType<typeof openDraft>;

/** What the check does not know: that this is about one rule, and which. */
function ownMistakes(found: readonly RuleData[], text: string, id: string | undefined): readonly Mistake[] {
  const t = messages.value.ruleEditor;
  if (found.length !== 1) return [{ line: 1, column: 1, message: t.oneRule(found.length) }];
  if (id === undefined || found[0]!.id === id) return [];
  const before = text.slice(0, text.search(/^[ -]*id:/m)).split("\n");
  return [{ line: before.length, column: 5, message: t.sameId(id) }];
}

function kept(key: string): string | undefined {
  try {
    return sessionStorage.getItem(`rule ${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(key: string, text: string | undefined): void {
  try {
    if (text === undefined) sessionStorage.removeItem(`rule ${key}`);
    else sessionStorage.setItem(`rule ${key}`, text);
  } catch {
    // Without a place to keep it the page works as well.
  }
}
