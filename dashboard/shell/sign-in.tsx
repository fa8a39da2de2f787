import { useState } from "preact/hooks";
import { ApiProblem } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Field } from "../parts/fields.tsx";
import { sayProblem } from "../words/words.ts";
import { session, signIn, wasSignedIn } from "./session.ts";

/** In place of any page that needs someone: after signing in, that page is there. */
export function SignIn() {
  const t = messages.value.signIn;
  const [withToken, setWithToken] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const said = (name: string) => String(given.get(name) ?? "").trim();
    setBusy(true);
    setProblem(undefined);
    await signIn(withToken ? { token: said("token") } : { user: said("user"), password: said("password") }).catch(
      setProblem,
    );
    setBusy(false);
  }

  const wrong = problem instanceof ApiProblem ? problem : undefined;
  return (
    <div class="sign-in">
      <h1 tabIndex={-1}>{t.title}</h1>
      {wasSignedIn.value && <p class="note">{t.ended}</p>}
      <fieldset class="tabs">
        <legend class="hidden">{t.title}</legend>
        {[false, true].map((token) => (
          <label key={String(token)}>
            <input type="radio" name="way" checked={withToken === token} onChange={() => setWithToken(token)} />
            <span>{token ? t.withToken : t.withPassword}</span>
          </label>
        ))}
      </fieldset>
      <form onSubmit={(event) => void submit(event as unknown as SubmitEvent)}>
        {withToken ? (
          <Field
            label={t.token}
            name="token"
            type="password"
            hint={t.tokenHint}
            complete="off"
            wrong={wrong?.at("token")}
          />
        ) : (
          <>
            <Field label={t.name} name="user" complete="username" wrong={wrong?.at("user")} />
            <Field
              {...{ label: t.password, name: "password", type: "password", hint: t.passwordHint }}
              complete="current-password"
              wrong={wrong?.at("password")}
            />
          </>
        )}
        {problem !== undefined && !wrong?.errors.length && (
          <p class="wrong" role="alert">
            {sayProblem(problem)}
          </p>
        )}
        <button type="submit" class="button primary" disabled={busy}>
          {t.submit}
        </button>
      </form>
      {session.value?.publicPage && <a href="/city">{t.toCity}</a>}
    </div>
  );
}
