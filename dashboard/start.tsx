import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/shell.css";
import { render } from "preact";
import { whenSignedOut } from "./api/client.ts";
import { startLive } from "./live/live.ts";
import { followLanguage } from "./messages/messages.ts";
import { App } from "./shell/app.tsx";
import { startNotifying } from "./shell/notify.tsx";
import { loadPage, pageAt } from "./shell/pages.ts";
import { keepPreferences } from "./shell/preferences.ts";
import { followLinks, path } from "./shell/router.ts";
import { forgetUser, loadSession } from "./shell/session.ts";

const PATIENCE_MS = 3_000;

/** Everything behind the first request, whose answer comes as `who`: see `main.ts`. */
export async function start(who: Promise<Response>): Promise<void> {
  keepPreferences();
  followLinks((pathname) => pageAt(pathname) !== undefined);
  whenSignedOut(() => forgetUser(true));
  // The crews' list has an answer of its own: thousands of alerts and sensors are too much for a bad connection.
  startLive(() => {
    const page = pageAt(path.value)?.page;
    return !page?.opensOffline && !page?.bare;
  });
  startNotifying();
  // The chunk of the page asked for comes while the service says who this is.
  const found = pageAt(path.peek())?.page;
  if (found) loadPage(found).catch(() => {}); // shown where it is used
  const known = loadSession(undefined, who).catch(() => {});
  // A line may be there and carry nothing: what opens without one does not wait for it.
  const patience = found?.opensOffline && new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  await Promise.all([followLanguage(), patience ? Promise.race([known, patience]) : known]);
  render(<App />, document.getElementById("page")!);
}
