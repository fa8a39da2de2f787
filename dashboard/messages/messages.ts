import { effect, signal } from "@preact/signals";
import { type Language, language } from "../shell/preferences.ts";
import { en, type Messages } from "./en.ts";

const LOAD: Readonly<Record<Language, () => Promise<Messages>>> = {
  en: async () => en,
  de: async () => (await import("./de.ts")).de,
  es: async () => (await import("./es.ts")).es,
};

/** The sentences of the language chosen. In a component: `const t = messages.value`. */
export const messages = signal<Messages>(en);

/** Follows the choice of language; resolves when the first one is there. */
export async function followLanguage(): Promise<void> {
  messages.value = await LOAD[language.peek()]();
  effect(() => {
    const wanted = language.value;
    void LOAD[wanted]().then((loaded) => {
      if (language.peek() === wanted) messages.value = loaded;
    });
  });
}
