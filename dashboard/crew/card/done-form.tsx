import { useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { Form, textOf, WordsField } from "../../parts/forms.tsx";
import type { Warning } from "../list/crew-list.ts";

type DoneFormProps = {
  readonly name: string;
  readonly warnings: readonly Warning[];
  /** Of the sensor, where that is not clear from the place. */
  readonly nameOf: (warning: Warning) => string | undefined;
  readonly onDone: (done: readonly Warning[], note: string | undefined) => void;
  readonly onCancel: () => void;
};

/** What was done, in a few words, and which of the warnings of this place it settles. */
export function DoneForm({ name, warnings, nameOf, onDone, onCancel }: DoneFormProps) {
  const t = messages.value.crew;
  const [none, setNone] = useState(false);

  function submit(data: FormData): void {
    const done = warnings.length === 1 ? warnings : warnings.filter(({ id }) => data.getAll("which").includes(id));
    if (done.length === 0) setNone(true);
    else onDone(done, textOf(data, "note") || undefined);
  }

  return (
    <div class="crew-done">
      <Form
        {...{ busy: false, problem: undefined, known: [], onCancel, submitLabel: t.done }}
        onSubmit={(data) => submit(data)}
      >
        {warnings.length > 1 && (
          <fieldset aria-describedby={none ? "crew-none" : undefined}>
            <legend>{t.which}</legend>
            {warnings.map((warning) => (
              <label key={warning.id} class="check">
                <input type="checkbox" name="which" value={warning.id} defaultChecked onChange={() => setNone(false)} />
                {[warning.rule.title, nameOf(warning)].filter(Boolean).join(", ")}
              </label>
            ))}
            {none && (
              <small id="crew-none" class="wrong" role="alert">
                {t.whichNone}
              </small>
            )}
          </fieldset>
        )}
        <WordsField label={t.note} name="note" hint={t.noteHint} optional problem={undefined} />
        <span class="hidden">{name}</span>
      </Form>
    </div>
  );
}
