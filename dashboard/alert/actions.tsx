import { useRef, useState } from "preact/hooks";
import type { AlertView } from "../../contract/alert.ts";
import { REVIEWS, type Review } from "../../model/alert.ts";
import { HOUR_MS } from "../../model/time.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form, NoteForm, useAttempt, WordsForm } from "../parts/forms.tsx";
import { Problem, useLoaded } from "../parts/state.tsx";
import { mayManage } from "../shell/session.ts";
import type { FollowedAlert } from "./alert-state.ts";
import { AssignForm } from "./assign.tsx";

type ActionProps = { readonly followed: FollowedAlert; readonly alert: AlertView };

/** What one can do with an alert as it is now. Someone may have been faster: then the service says who, and so does this. */
export function Actions({ followed, alert }: ActionProps) {
  const t = messages.value.alert;
  const { busy, problem, attempt } = useAttempt();
  const [open, setOpen] = useState<"close" | "comment" | "assign" | "return" | "silence">();
  const [silenced, setSilenced] = useState(false);
  const more = useRef<HTMLDetailsElement>(null);
  const { handling } = alert;
  const closed = handling === "closed";
  const close = () => setOpen(undefined);

  const button = (action: "acknowledge" | "start" | "reopen", primary = "") => (
    <button
      type="button"
      class={`button ${primary}`}
      disabled={busy}
      onClick={() => void attempt(() => followed.act(action))}
    >
      {t[action]}
    </button>
  );
  const toggle = (form: NonNullable<typeof open>) => (
    <Button
      aria-expanded={open === form}
      onClick={() => {
        setOpen(open === form ? undefined : form);
        if (more.current) more.current.open = false;
      }}
    >
      {t[form]}
    </Button>
  );

  return (
    <section class="panel actions" aria-label={t.actions}>
      <div class="cluster">
        {handling === "open" && button("acknowledge", "primary")}
        {handling === "acknowledged" && button("start", "primary")}
        {closed && button("reopen")}
        {!closed && toggle("assign")}
        {!closed && toggle("close")}
        <details class="more" ref={more}>
          <summary class="button quiet">{t.more}</summary>
          <div class="panel stack">
            {handling === "open" && button("start")}
            {toggle("comment")}
            {!closed && alert.assignee !== undefined && toggle("return")}
            {mayManage.value && toggle("silence")}
          </div>
        </details>
      </div>
      {!open && <Problem of={problem} />}
      {silenced && (
        <p class="note" role="status">
          {t.silenced}
        </p>
      )}
      {(open === "close" || open === "comment") && (
        <NoteForm
          doing={open}
          onCancel={close}
          submitLabel={open === "close" ? t.close : t.send}
          onSubmit={(note) => followed.act(open, note).then(close)}
        />
      )}
      {open === "return" && (
        <WordsForm
          label={t.because}
          name="note"
          submitLabel={t.return}
          onCancel={close}
          onSubmit={(note) => followed.act("return", { note }).then(close)}
        />
      )}
      {open === "assign" && (
        <AssignForm
          about={alert}
          assignee={alert.assignee}
          onCancel={close}
          onSubmit={async (to) => {
            await followed.act("assign", to);
            // Who hands it on has seen it.
            if (alert.handling === "open") await followed.act("acknowledge").catch(() => {});
            close();
          }}
        />
      )}
      {open === "silence" && (
        <SilenceForm
          covers={followed.covers}
          onCancel={close}
          onSubmit={async (forMs, reason) => {
            await followed.silence(forMs, reason);
            setSilenced(true);
            close();
          }}
        />
      )}
    </section>
  );
}

const HOURS = [1, 4, 8, 24, 168];

type SilenceFormProps = {
  readonly covers: FollowedAlert["covers"];
  readonly onSubmit: (forMs: number, reason: string) => Promise<void>;
  readonly onCancel: () => void;
};

/** For how long nobody is told, and why: without a reason the next shift does not know. */
function SilenceForm({ covers, onSubmit, onCancel }: SilenceFormProps) {
  const t = messages.value.alert;
  const { found } = useLoaded(covers);
  return (
    <Form
      submitLabel={t.silence}
      onCancel={onCancel}
      onSubmit={(data) => onSubmit(Number(data.get("hours")) * HOUR_MS, typed(data, "reason") ?? "")}
    >
      <Field
        label={t.silenceFor}
        name="hours"
        value={String(HOURS[0])}
        options={HOURS.map((hours) => [String(hours), t.silenceHours(hours)] as const)}
      />
      <Field label={t.reason} name="reason" required maxLength={500} />
      <p class="quiet" role="status">
        {found && t.covers(found.sensors, found.openAlerts)}
      </p>
    </Form>
  );
}

/** "Was this alert right?" What people say here is what a rule is judged by. */
export function ReviewForm({ followed, alert }: ActionProps) {
  const t = messages.value.alert;
  const { busy, problem, attempt } = useAttempt();
  const [asking, setAsking] = useState<Review["is"] | undefined>();
  const { review } = alert;

  async function say(is: Review["is"], note?: string): Promise<void> {
    await followed.act("review", { verdict: is, ...(note ? { note } : {}) });
    setAsking(undefined);
  }

  return (
    <section class="panel">
      <h2>{t.review}</h2>
      <div class="cluster">
        {REVIEWS.map((is) => (
          <button
            key={is}
            type="button"
            class="button"
            disabled={busy}
            aria-pressed={review?.is === is}
            onClick={() => (is === "right" ? void attempt(() => say(is)) : setAsking(is))}
          >
            {t.reviews[is]}
          </button>
        ))}
      </div>
      {asking && (
        <WordsForm
          key={asking}
          label={t.reviewReason}
          name="note"
          submitLabel={t.reviews[asking]}
          onSubmit={(note) => say(asking, note)}
          onCancel={() => setAsking(undefined)}
        />
      )}
      {!asking && <Problem of={problem} />}
      {review && (
        <p class="quiet">
          {t.reviewed(t.reviews[review.is], review.by)}
          {review.note && `: ${review.note}`}
        </p>
      )}
    </section>
  );
}
