import { useState } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { Field, Tabs, typed } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { session, signIn, wasSignedIn } from "./session.ts";

/** In place of any page that needs someone: after signing in, that page is there. */
export function SignIn() {
  const t = messages.value.signIn;
  const [way, setWay] = useState<"password" | "token">("password");

  async function submit(data: FormData): Promise<void> {
    const said = (name: string) => typed(data, name) ?? "";
    await signIn(way === "token" ? { token: said("token") } : { user: said("user"), password: said("password") });
  }

  return (
    <div class="sign-in stack box">
      <h1 tabIndex={-1}>{t.title}</h1>
      {wasSignedIn.value && <p class="note">{t.ended}</p>}
      <Tabs
        legend={t.title}
        name="way"
        value={way}
        onChoose={setWay}
        options={[
          ["password", t.withPassword],
          ["token", t.withToken],
        ]}
      />
      <Form key={way} submitLabel={t.submit} onSubmit={submit}>
        {way === "token" ? (
          <Field label={t.token} name="token" type="password" hint={t.tokenHint} required />
        ) : (
          <>
            <Field label={t.name} name="user" complete="username" required />
            <Field
              label={t.password}
              name="password"
              type="password"
              hint={t.passwordHint}
              required
              complete="current-password"
            />
          </>
        )}
      </Form>
      {session.value?.publicPage && <a href="/city">{t.toCity}</a>}
    </div>
  );
}
