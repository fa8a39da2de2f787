import { useState } from "preact/hooks";
import { REVIEWS, type Review } from "../../model/alert.ts";
import type { AlertView } from "../api/alerts.ts";
import { messages } from "../messages/messages.ts";
import { WordsForm } from "../parts/forms.tsx";
import { useAttempt } from "../parts/use-attempt.ts";
import { sayProblem } from "../words/problems.ts";
import type { FollowedAlert } from "./alert-state.ts";

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
