import { effect, signal } from "@preact/signals";
import { type Language, language } from "../shell/preferences.ts";
import { first } from "./en/first.ts";
import type { Messages } from "./en.ts";

const LOAD: Readonly<Record<Language, () => Promise<Messages>>> = {
  en: async () => (await import("./en.ts")).en,
  de: async () => (await import("./de.ts")).de,
  es: async () => (await import("./es.ts")).es,
};

/**
 * The sentences of the language chosen. In a component: `const t = messages.value`. In English, those of a page that does
 * not say `fewWords` are there once `loadMessages` is done, which is before it opens.
 */
export const messages = signal<Messages>(first as Messages);

export async function loadMessages(): Promise<void> {
  const wanted = language.peek();
  const loaded = await LOAD[wanted]();
  if (language.peek() === wanted) messages.value = loaded;
}

/** Follows the choice of language; resolves when there is something to say. */
export async function followLanguage(): Promise<void> {
  let shown = language.peek();
  effect(() => {
    if (language.value === shown) return;
    shown = language.value;
    void loadMessages();
  });
  if (shown !== "en") await loadMessages();
}
