import { useState } from "preact/hooks";
import { ApiProblem, request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Field } from "../parts/fields.tsx";
import { user } from "../shell/session.ts";
import { sayProblem } from "../words/words.ts";

/** Who one is here, and a password of one's own. */
export function AccountPage() {
  const { account: t, words, pages } = messages.value;
  const [problem, setProblem] = useState<unknown>();
  const [changed, setChanged] = useState(false);
  const who = user.value!;
  const wrong = problem instanceof ApiProblem ? problem : undefined;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const { current, next } = Object.fromEntries(new FormData(form));
    setProblem(undefined);
    setChanged(false);
    try {
      await request("PUT", "/session/password", { current, next });
      form.reset();
      setChanged(true);
    } catch (error) {
      setProblem(error);
    }
  }

  return (
    <div class="narrow">
      <h1 tabIndex={-1}>{pages.account}</h1>
      <p>{t.who(who.name, words.role[who.role])}</p>
      <h2>{t.passwordTitle}</h2>
      <form onSubmit={(event) => void submit(event as unknown as SubmitEvent)}>
        <input type="text" name="username" autocomplete="username" value={who.name} hidden readOnly />
        <Field
          label={t.current}
          name="current"
          type="password"
          complete="current-password"
          wrong={wrong?.at("current")}
        />
        <Field
          label={t.next}
          name="next"
          type="password"
          hint={t.nextHint}
          complete="new-password"
          wrong={wrong?.at("next")}
        />
        {problem !== undefined && !wrong?.errors.length && (
          <p class="wrong" role="alert">
            {sayProblem(problem)}
          </p>
        )}
        {changed && (
          <p class="note" role="status">
            {t.changed}
          </p>
        )}
        <button type="submit" class="button primary">
          {t.change}
        </button>
      </form>
    </div>
  );
}
