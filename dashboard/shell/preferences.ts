import { effect, signal } from "@preact/signals";

export const THEMES = ["auto", "light", "dark", "contrast"] as const;
export type Theme = (typeof THEMES)[number];
export const LANGUAGES = ["en", "de", "es"] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = "lamppost";

type Kept = { theme?: Theme; language?: Language; sound?: boolean; badge?: boolean; crewOrder?: "urgent" | "near" };
const kept = read();

/** What someone set for this browser. It stays here: the service is not told. */
export const theme = signal<Theme>(THEMES.find((one) => one === kept.theme) ?? "auto");
export const language = signal<Language>(LANGUAGES.find((one) => one === kept.language) ?? ofBrowser());
/** Tell of new critical alerts by a sound, and by a number in the title. */
export const sound = signal(kept.sound === true);
export const badge = signal(kept.badge === true);
/** How the crews' list is ordered. */
export const crewOrder = signal<"urgent" | "near">(kept.crewOrder === "near" ? "near" : "urgent");

/** Writes changes down and puts the theme on the document. Call it once. */
export function keepPreferences(): void {
  effect(() => {
    const look = { theme: theme.value, language: language.value, crewOrder: crewOrder.value };
    const now: Kept = { ...look, sound: sound.value, badge: badge.value };
    document.documentElement.dataset.theme = now.theme;
    document.documentElement.lang = now.language ?? "en";
    try {
      localStorage.setItem(KEY, JSON.stringify(now));
    } catch {
      // A browser that keeps nothing still shows everything.
    }
  });
}

function read(): Kept {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Kept;
  } catch {
    return {};
  }
}

function ofBrowser(): Language {
  const wanted = navigator.languages.map((one) => one.slice(0, 2));
  return wanted.map((one) => LANGUAGES.find((known) => known === one)).find((one) => one !== undefined) ?? "en";
}
