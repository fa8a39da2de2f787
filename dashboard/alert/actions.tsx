import { useId, useState } from "preact/hooks";
import type { AlertView } from "../../contract/alert.ts";
import { REVIEWS, type Review } from "../../model/alert.ts";
import { HOUR_MS } from "../../model/time.ts";
import { messages } from "../messages/messages.ts";
import { Form, type FormProps, textOf, useAttempt, WordsField, WordsForm } from "../parts/forms.tsx";
import { user } from "../shell/session.ts";
import { sayProblem } from "../words/words.ts";
import type { FollowedAlert } from "./alert-state.ts";

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

/** "Was this alert right?" What people say here is what a rule is judged by. */
export function ReviewIt({ followed, alert }: { followed: FollowedAlert; alert: AlertView }) {
  const t = messages.value.alert;
  const { busy, problem, attempt } = useAttempt();
  const [asking, setAsking] = useState<Review["is"] | undefined>();
  const { review } = alert;

  async function say(is: Review["is"], note?: string): Promise<void> {
    const well = await attempt(() => followed.act("review", { verdict: is, ...(note ? { note } : {}) }));
    if (well) setAsking(undefined);
  }

  return (
    <section class="panel review">
      <h2>{t.review}</h2>
      <div class="buttons">
        {REVIEWS.map((is) => (
          <button
            key={is}
            type="button"
            class="button"
            disabled={busy}
            aria-pressed={review?.is === is}
            onClick={() => (is === "right" ? void say(is) : setAsking(is))}
          >
            {t.reviews[is]}
          </button>
        ))}
      </div>
      {asking && (
        <WordsForm
          key={asking}
          {...{ busy, problem, label: t.reviewReason, name: "note" }}
          submitLabel={t.reviews[asking]}
          onSubmit={(note) => void say(asking, note)}
          onCancel={() => setAsking(undefined)}
        />
      )}
      {problem !== undefined && !asking && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      {review && (
        <p class="quiet">
          {t.reviewed(t.reviews[review.is], review.by)}
          {review.note && `: ${review.note}`}
        </p>
      )}
    </section>
  );
}

const HOURS = [1, 4, 8, 24, 168];

/** For how long nobody is told, and why: without a reason the next shift does not know. */
export function SilenceForm({
  busy,
  problem,
  onCancel,
  onSubmit,
}: FormProps & { onSubmit: (forMs: number, reason: string) => void }) {
  const t = messages.value.alert;
  const id = useId();
  return (
    <Form
      {...{ busy, problem, onCancel, submitLabel: t.silence }}
      known={["reason"]}
      onSubmit={(data) => onSubmit(Number(data.get("hours")) * HOUR_MS, textOf(data, "reason"))}
    >
      <div class="field">
        <label for={id}>{t.silenceFor}</label>
        <select id={id} name="hours">
          {HOURS.map((hours) => (
            <option key={hours} value={hours}>
              {t.silenceHours(hours)}
            </option>
          ))}
        </select>
      </div>
      <WordsField label={t.reason} name="reason" oneLine problem={problem} />
    </Form>
  );
}
