import { batch, computed, effect, signal } from "@preact/signals";
import type { MappingView } from "../../contract/mapping.ts";
import { messages } from "../messages/messages.ts";
import { describeProblem } from "../words/words.ts";
import { type Mistake, type Shown, type Tried, tryYaml } from "./mappings-api.ts";

const PAUSE_MS = 250;
const NONE: readonly Mistake[] = [];

/**
 * A mapping while somebody edits it, beside a message: both are sent to be read after each pause, and what comes of it is
 * shown. Nothing is kept by the service. `close` when its page closes.
 */
export function openDraft(base: MappingView | undefined, template: string, shown: Shown | undefined) {
  const present = signal(base);
  const text = signal(template);
  const start = signal(base?.yaml ?? template);
  const message = signal<Shown | undefined>(shown);
  const found = signal<
    { readonly text: string; readonly message: Shown | undefined; readonly tried: Tried } | undefined
  >(undefined);
  const problem = signal<unknown>(undefined);

  const dirty = computed(() => text.value !== start.value);
  const mistakes = computed(() => found.value?.tried.mistakes ?? NONE);
  const isChecked = computed(() => found.value?.text === text.value);
  /** Of exactly this text and this message; undefined while they are on their way. */
  const tried = computed(() => {
    const answer = found.value;
    return answer?.text === text.value && answer.message === message.value ? answer.tried : undefined;
  });
  const status = computed(() => {
    const t = messages.value.mappings;
    if (problem.value !== undefined) return t.notChecked(describeProblem(problem.value));
    if (!isChecked.value) return t.checking;
    return mistakes.value.length === 0 ? t.right : t.mistakes(mistakes.value.length);
  });

  const stop = effect(() => {
    const asked = { text: text.value, message: message.value };
    const over = new AbortController();
    const timer = setTimeout(() => void read(asked, over.signal), found.peek() ? PAUSE_MS : 0);
    return () => {
      clearTimeout(timer);
      over.abort();
    };
  });

  async function read(asked: { text: string; message: Shown | undefined }, over: AbortSignal): Promise<void> {
    try {
      const answer = await tryYaml(asked.text, asked.message, over);
      batch(() => {
        problem.value = undefined;
        found.value = { ...asked, tried: answer };
      });
    } catch (error) {
      if (!over.aborted) problem.value = error;
    }
  }

  return {
    present,
    text,
    message,
    dirty,
    mistakes,
    tried,
    status,
    /** Ready to be saved. */
    isRight: computed(() => isChecked.value && mistakes.value.length === 0),
    /** What is in force now, whoever put it there. */
    rebase(next: MappingView, give: "up" | "on"): void {
      batch(() => {
        present.value = next;
        start.value = next.yaml ?? "";
        if (give === "up") text.value = start.value;
      });
    },
    close: stop,
  };
}

export type Draft = ReturnType<typeof openDraft>;
