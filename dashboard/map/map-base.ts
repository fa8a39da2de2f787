import { messages } from "../messages/messages.ts";
import { language, theme } from "../shell/preferences.ts";
import { session } from "../shell/session.ts";
import type { MapBase } from "./leaflet.ts";

/** What every map of the page is opened with. */
export function mapBase(): MapBase {
  return { view: session.peek()?.map, words: messages.peek().map, language: language.peek() };
}

/** Calls when the colours are others; returns how to stop. */
export function onTheme(recolour: () => void): () => void {
  let isFirst = true;
  const stop = theme.subscribe(() => {
    if (!isFirst) requestAnimationFrame(recolour);
    isFirst = false;
  });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", recolour);
  return () => {
    stop();
    dark.removeEventListener("change", recolour);
  };
}
