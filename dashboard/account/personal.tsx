import "./personal.css";
import { useState } from "preact/hooks";
import type { PersonalNotifyView, PersonalWishes } from "../../contract/personal-notify.ts";
import { SEVERITIES } from "../../model/alert.ts";
import { request, send } from "../api/client.ts";
import { districts } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check, Field, Group, typed } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Loading, Problem, useLoaded } from "../parts/state.tsx";
import { language } from "../shell/preferences.ts";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { canPush, setUpBrowser } from "./browser-push.ts";

const PATH = "/session/notifications";

/** Of which alerts one is told oneself, when, and how. */
export function PersonalNotify() {
  const t = messages.value.personal;
  const { found, problem, reload } = useLoaded((signal) => request<PersonalNotifyView>("GET", PATH, undefined, signal));
  return (
    <section class="stack personal">
      <h2>{t.title}</h2>
      <p class="quiet">{t.hint}</p>
      <Problem of={problem} />
      {!found && problem === undefined && <Loading />}
      {found && <Browsers found={found} onChange={reload} />}
      {found && <Wishes key={JSON.stringify(found.wishes)} found={found} onSaved={reload} />}
      {found && <Test found={found} onTested={reload} />}
    </section>
  );
}

type Props = { readonly found: PersonalNotifyView };

function Browsers({ found, onChange }: Props & { readonly onChange: () => void }) {
  const t = messages.value.personal;
  const { busy, problem, attempt } = useAttempt();
  const [refused, setRefused] = useState<"denied" | "failed" | undefined>();

  async function add(): Promise<void> {
    setRefused(undefined);
    await attempt(async () => {
      const outcome = await setUpBrowser(found.publicKey);
      if (typeof outcome === "string") return setRefused(outcome);
      await send("POST", "/session/browsers", { ...outcome, label: browserName() });
      if (!found.wishes.push) await send("PUT", PATH, { ...found.wishes, push: true });
      onChange();
    });
  }

  return (
    <div class="stack">
      <h3>{t.browsers}</h3>
      {found.browsers.length > 0 && (
        <ul class="personal-browsers">
          {found.browsers.map(({ id, label, service, createdAt }) => (
            <li key={id}>
              <span>
                {label} <small class="quiet">{service}</small> <Moment at={createdAt} />
              </span>
              <Button
                class="quiet"
                aria-label={`${t.forget}: ${label}`}
                onClick={() =>
                  void attempt(async () => {
                    await request("DELETE", `/session/browsers/${id}`);
                    onChange();
                  })
                }
              >
                {t.forget}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {canPush() ? (
        <div>
          <Button disabled={busy} onClick={() => void add()}>
            {t.addBrowser}
          </Button>
        </div>
      ) : (
        <p class="note">{t.cannotPush}</p>
      )}
      {refused && (
        <p class="wrong" role="alert">
          {refused === "denied" ? t.denied : t.failed}
        </p>
      )}
      <Problem of={problem} />
    </div>
  );
}

/** "Chrome, Android": what its owner knows it by. */
function browserName(): string {
  const agent = navigator.userAgent;
  const browser = ["Firefox", "Edg", "OPR", "Chrome", "Safari"].find((one) => agent.includes(one)) ?? "Browser";
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find((one) => agent.includes(one)) ?? "";
  return [browser, system].filter(Boolean).join(", ");
}

const WHERE = ["all", "mine", "some"] as const;

function Wishes({ found, onSaved }: Props & { readonly onSaved: () => void }) {
  const { personal: t, words, admin } = messages.value;
  const { wishes, canMail } = found;
  const [where, setWhere] = useState<string>(wishes.mine ? "mine" : wishes.districts ? "some" : "all");
  const [saved, setSaved] = useState(false);

  async function save(data: FormData): Promise<void> {
    setSaved(false);
    const some = data.getAll("districts").map(String);
    const [from, to, mail] = [typed(data, "from"), typed(data, "to"), typed(data, "mail")];
    const asked: PersonalWishes = {
      onCall: data.has("onCall"),
      push: data.has("push"),
      ...(mail ? { mail } : {}),
      severityMin: SEVERITIES.find((one) => one === data.get("severityMin")) ?? "warning",
      mine: where === "mine",
      ...(where === "some" && some.length > 0 ? { districts: some } : {}),
      ...(from && to ? { quietHours: { from, to } } : {}),
      language: language.value,
    };
    await send("PUT", PATH, asked);
    setSaved(true);
    onSaved();
  }

  return (
    <Form title={t.wishes} submitLabel={admin.save} onSubmit={save}>
      <Check name="onCall" label={t.onCall} on={wishes.onCall} />
      <Check name="push" label={t.push} on={wishes.push} />
      {canMail ? (
        <Field label={t.mail} name="mail" value={wishes.mail} hint={t.mailHint} complete="email" />
      ) : (
        <p class="quiet">{t.noMail}</p>
      )}
      <Field
        label={admin.severityMin}
        name="severityMin"
        value={wishes.severityMin}
        options={SEVERITIES.toReversed().map((one) => [one, words.severity[one]] as const)}
      />
      <Field
        label={t.where}
        name="where"
        value={where}
        options={WHERE.map((one) => [one, t.whereOf[one]] as const)}
        onChoose={setWhere}
      />
      {where === "some" && (
        <Group legend={t.whereOf.some} part="districts" class="checks">
          {districts.value.map((one) => (
            <Check
              key={one}
              name="districts"
              value={one}
              label={districtName(one)}
              on={wishes.districts?.includes(one) === true}
            />
          ))}
        </Group>
      )}
      <Group legend={t.quiet} part="quietHours" hint={t.quietHint} class="personal-quiet">
        <Field label={t.from} name="from" type="time" part="quietHours/from" value={wishes.quietHours?.from} />
        <Field label={t.to} name="to" type="time" part="quietHours/to" value={wishes.quietHours?.to} />
      </Group>
      {saved && (
        <p class="note" role="status">
          {t.saved}
        </p>
      )}
    </Form>
  );
}

function Test({ found, onTested }: Props & { readonly onTested: () => void }) {
  const t = messages.value.personal;
  const { busy, problem, attempt } = useAttempt();
  const [said, setSaid] = useState<string | undefined>();
  const { push, mail } = found.state;

  async function test(): Promise<void> {
    setSaid(undefined);
    await attempt(async () => {
      const result = await send("POST", `${PATH}/test`, {});
      const all = [result.push, result.mail].filter((one) => one !== undefined);
      setSaid(all.every(({ sent }) => sent) ? t.sent : all.flatMap(({ error }) => error ?? []).join("; "));
      onTested();
    });
  }

  return (
    <div class="stack">
      <div>
        <Button disabled={busy || (!push && !mail)} onClick={() => void test()}>
          {t.test}
        </Button>
      </div>
      <p role="status">{said ?? (!push && !mail ? t.nothing : "")}</p>
      <Problem of={problem} />
      {[push, mail].map((one, i) =>
        one?.lastError ? (
          <p key={i} class="wrong">
            {i === 0 ? t.push : t.mail}: {one.lastError}
          </p>
        ) : null,
      )}
    </div>
  );
}
