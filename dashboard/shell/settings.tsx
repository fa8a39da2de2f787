import { useEffect, useRef } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { useAttempt } from "../parts/use-attempt.ts";
import { sayProblem } from "../words/problems.ts";
import { whenDismissed } from "./dismiss.ts";
import { LANGUAGES, language, THEMES, theme } from "./preferences.ts";
import { path } from "./router.ts";
import { signOut, user } from "./session.ts";

/** Who is signed in, how the page looks, which language. A `<details>`: open and close work without script. */
export function Settings() {
  const t = messages.value;
  const who = user.value;
  const box = useRef<HTMLDetailsElement>(null);
  const { problem, attempt } = useAttempt();

  // Closes whenever one goes elsewhere or leaves, hence the path and the name.
  useEffect(() => {
    const close = (byKey: boolean) => {
      if (!box.current?.open) return;
      box.current.open = false;
      if (byKey) box.current.querySelector("summary")?.focus();
    };
    close(false);
    return whenDismissed(() => box.current, close);
  }, [path.value, who?.name]);

  return (
    <details class="settings" ref={box}>
      <summary class="button quiet">
        <span class="cut">{who ? who.name : t.shell.settings}</span>
      </summary>
      <div class="panel">
        {who && <p class="quiet">{t.account.who(who.name, t.words.role[who.role])}</p>}
        <label class="field">
          <span>{t.shell.theme}</span>
          <select value={theme.value} onChange={(event) => (theme.value = choose(THEMES, event))}>
            {THEMES.map((one) => (
              <option key={one} value={one}>
                {t.shell.themes[one]}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{t.shell.language}</span>
          <select value={language.value} onChange={(event) => (language.value = choose(LANGUAGES, event))}>
            {LANGUAGES.map((one) => (
              <option key={one} value={one} lang={one}>
                {t.shell.languages[one]}
              </option>
            ))}
          </select>
        </label>
        {who && (
          <div class="panel-end">
            <a href="/account">{t.shell.account}</a>
            <button type="button" class="button" onClick={() => void attempt(signOut)}>
              {t.shell.signOut}
            </button>
          </div>
        )}
        {problem !== undefined && (
          <p class="wrong" role="alert">
            {sayProblem(problem)}
          </p>
        )}
      </div>
    </details>
  );
}

function choose<T extends string>(among: readonly T[], event: Event): T {
  const { value } = event.currentTarget as HTMLSelectElement;
  return among.find((one) => one === value) ?? among[0]!;
}
