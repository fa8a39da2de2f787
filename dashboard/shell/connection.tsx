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
