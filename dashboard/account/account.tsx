import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { send } from "../api/client.ts";
import { loadMessages, messages } from "../messages/messages.ts";
import { Field } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { Problem } from "../parts/state.tsx";
import { user } from "../shell/session.ts";

/** Who one is here, and a password of one's own. */
export function AccountPage() {
  const { account: t, words, pages } = messages.value;
  const [changed, setChanged] = useState(false);
  const who = user.value!;

  async function submit(data: FormData, form: HTMLFormElement): Promise<void> {
    setChanged(false);
    await send("PUT", "/session/password", { current: String(data.get("current")), next: String(data.get("next")) });
    form.reset();
    setChanged(true);
  }

  return (
    <div class="narrow stack">
      <h1 tabIndex={-1}>{pages.account}</h1>
      <p>{t.who(who.name, words.role[who.role])}</p>
      <h2>{t.passwordTitle}</h2>
      <Form submitLabel={t.change} onSubmit={submit}>
        <input type="text" name="username" autocomplete="username" value={who.name} hidden readOnly />
        <Field label={t.current} name="current" type="password" complete="current-password" required />
        <Field label={t.next} name="next" type="password" hint={t.nextHint} complete="new-password" required />
        {changed && (
          <p class="note" role="status">
            {t.changed}
          </p>
        )}
      </Form>
      <Personal />
    </div>
  );
}

/** Fetched with its words once the page is there. */
function Personal() {
  const [found, setFound] = useState<{ readonly Part: ComponentType } | undefined>();
  const [problem, setProblem] = useState<unknown>();
  useEffect(() => {
    Promise.all([import("./personal.tsx"), loadMessages()]).then(
      ([{ PersonalNotify }]) => setFound({ Part: PersonalNotify }),
      setProblem,
    );
  }, []);
  return found ? <found.Part /> : <Problem of={problem} />;
}
