import { useId } from "preact/hooks";
import { HOUR_MS } from "../../model/time.ts";
import { messages } from "../messages/messages.ts";
import { Form, type FormProps, textOf, WordsField } from "../parts/forms.tsx";

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
