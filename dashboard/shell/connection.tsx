import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { connection, lostSince } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { clock, formatTime } from "../words/time.tsx";
import { pageAt } from "./pages.ts";
import { path } from "./router.ts";
import { user } from "./session.ts";

/** The small mark in the header: is what I see now? */
export function ConnectionMark() {
  const t = messages.value.shell;
  const state = connection.value;
  if (pageAt(path.value)?.page.opensOffline) return null;
  return (
    <span class={`connection ${state}`} role="status">
      {state === "live" ? t.live : state === "lost" ? t.lost : t.connecting}
    </span>
  );
}

/** A line across the page while nothing comes: nobody should mistake an old picture for a quiet city. */
export function ConnectionBanner() {
  if (connection.value !== "lost" || !user.value || pageAt(path.value)?.page.opensOffline) return null;
  const since = formatTime(lostSince.value ?? clock.value, clock.value);
  return (
    <p class="banner" role="alert">
      {messages.value.shell.lostSince(since)}
    </p>
  );
}

type Part = { readonly part: string; readonly state: string };
const STATE_EVERY_MS = 10_000;
/** The parts that make what one sees later or other than it seems. */
const TOLD = { rules: "rulesBehind", clock: "clockBack" } as const;
const troubled = signal<readonly (keyof typeof TOLD)[]>([]);

/** What `/readyz` says of them. Not to be reached is said by `ConnectionBanner`. */
async function askState(): Promise<void> {
  if (document.hidden || !user.value) return;
  try {
    const { parts } = (await (await fetch("/readyz")).json()) as { parts: readonly Part[] };
    const isIn = (name: string): name is keyof typeof TOLD => Object.hasOwn(TOLD, name);
    troubled.value = parts.flatMap(({ part, state }) => (state !== "ok" && isIn(part) ? [part] : []));
  } catch {
    troubled.value = [];
  }
}

/** A line across the page while alerts come late, or times are not what they seem. */
export function ServiceBanner() {
  const who = user.value?.name;
  useEffect(() => {
    if (who === undefined) return;
    void askState();
    const timer = setInterval(() => void askState(), STATE_EVERY_MS);
    return () => clearInterval(timer);
  }, [who]);
  if (troubled.value.length === 0 || !user.value || pageAt(path.value)?.page.opensOffline) return null;
  return (
    <p class="banner" role="status">
      {troubled.value.map((part) => messages.value.shell[TOLD[part]]).join(" ")}
    </p>
  );
}
