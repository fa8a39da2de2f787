import { useState } from "preact/hooks";
import type { AlertView } from "../api/alerts.ts";
import { messages } from "../messages/messages.ts";
import { WordsForm } from "../parts/forms.tsx";
import { useAttempt } from "../parts/use-attempt.ts";
import { user } from "../shell/session.ts";
import { sayProblem } from "../words/problems.ts";
import type { FollowedAlert } from "./alert-state.ts";
import { SilenceForm } from "./silence-form.tsx";

type Open = "close" | "comment" | "assign" | "silence" | undefined;

/** What one can do with an alert as it is now. Someone may have been faster: then the service says who, and so does this. */
export function Actions({ followed, alert }: { followed: FollowedAlert; alert: AlertView }) {
  const t = messages.value.alert;
  const { busy, problem, attempt } = useAttempt();
  const [open, setOpen] = useState<Open>();
  const [silenced, setSilenced] = useState(false);
  const closed = alert.handling === "closed";
  const maySilence = user.value?.role === "operator" || user.value?.role === "admin";

  const press = (action: string) => void attempt(() => followed.act(action));
  async function submit(work: () => Promise<void>): Promise<void> {
    if (await attempt(work)) setOpen(undefined);
  }
  const toggle = (form: Open) => setOpen(open === form ? undefined : form);

  return (
    <section class="panel actions" aria-label={t.actions}>
      <div class="buttons">
        {alert.handling === "open" && (
          <button type="button" class="button primary" disabled={busy} onClick={() => press("acknowledge")}>
            {t.acknowledge}
          </button>
        )}
        {!closed && alert.handling !== "in-progress" && (
          <button type="button" class="button" disabled={busy} onClick={() => press("start")}>
            {t.start}
          </button>
        )}
        {!closed && <FormButton form="close" label={t.close} {...{ open, toggle }} />}
        {closed && (
          <button type="button" class="button" disabled={busy} onClick={() => press("reopen")}>
            {t.reopen}
          </button>
        )}
        {!closed && <FormButton form="assign" label={t.assign} {...{ open, toggle }} />}
        <FormButton form="comment" label={t.comment} {...{ open, toggle }} />
        {maySilence && <FormButton form="silence" label={t.silence} {...{ open, toggle }} />}
      </div>
      {problem !== undefined && open === undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      {silenced && (
        <p class="note" role="status">
          {t.silenced}
        </p>
      )}
      {(open === "close" || open === "comment") && (
        <WordsForm
          key={open}
          {...{ busy, problem, label: t.note, name: "note", hint: t.noteHint, optional: open === "close" }}
          submitLabel={open === "close" ? t.close : t.send}
          onSubmit={(note) => void submit(() => followed.act(open, note ? { note } : {}))}
          onCancel={() => setOpen(undefined)}
        />
      )}
      {open === "assign" && (
        <WordsForm
          {...{ busy, problem, label: t.assignee, name: "assignee", oneLine: true }}
          submitLabel={t.assign}
          onSubmit={(assignee) => void submit(() => followed.act("assign", { assignee }))}
          onCancel={() => setOpen(undefined)}
        />
      )}
      {open === "silence" && (
        <SilenceForm
          {...{ busy, problem }}
          onSubmit={(forMs, reason) =>
            void submit(async () => {
              await followed.silence(forMs, reason);
              setSilenced(true);
            })
          }
          onCancel={() => setOpen(undefined)}
        />
      )}
    </section>
  );
}

type FormButtonProps = { form: Open; label: string; open: Open; toggle: (form: Open) => void };

function FormButton({ form, label, open, toggle }: FormButtonProps) {
  return (
    <button type="button" class="button" aria-expanded={open === form} onClick={() => toggle(form)}>
      {label}
    </button>
  );
}
