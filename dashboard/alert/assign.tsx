import type { AlertView } from "../../contract/alert.ts";
import type { AssigneesView, CrewView } from "../../contract/crew.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Field, typed } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { Loading, Problem, useLoaded } from "../parts/state.tsx";

type AssignProps = {
  /** What it is about: crews that work there and know it come first. */
  readonly about: Pick<AlertView, "kind" | "subject">;
  readonly assignee?: string | undefined;
  readonly onSubmit: (to: { assignee: string; note?: string }) => Promise<void>;
  readonly onCancel: () => void;
};

/** Gives work to a crew or to a person, with a note for them. */
export function AssignForm({ about, assignee, onSubmit, onCancel }: AssignProps) {
  const { alert: t, words } = messages.value;
  const { found, problem } = useLoaded((signal) => request<AssigneesView>("GET", "/assignees", undefined, signal));
  if (!found) return problem === undefined ? <Loading /> : <Problem of={problem} />;
  const fitting = found.crews.filter((crew) => fits(crew, about));
  const groups = [
    [t.fittingCrews, fitting.map(({ id }) => [id, id] as const)],
    [t.otherCrews, found.crews.filter((crew) => !fitting.includes(crew)).map(({ id }) => [id, id] as const)],
    [t.people, found.people.map(({ name, role }) => [name, `${name} (${words.role[role]})`] as const)],
  ] as const;
  return (
    <Form
      submitLabel={t.assign}
      onCancel={onCancel}
      onSubmit={(data) => {
        const note = typed(data, "note");
        return onSubmit({ assignee: typed(data, "assignee") ?? "", ...(note ? { note } : {}) });
      }}
    >
      <Field label={t.assignee} name="assignee" required>
        <option value="">{t.choose}</option>
        {groups
          .filter(([, options]) => options.length > 0)
          .map(([label, options]) => (
            <optgroup key={label} label={label}>
              {options.map(([id, text]) => (
                <option key={id} value={id} disabled={id === assignee}>
                  {text}
                </option>
              ))}
            </optgroup>
          ))}
      </Field>
      <Field label={t.note} name="note" hint={t.assignHint} lines={2} maxLength={2_000} />
    </Form>
  );
}

const fits = ({ districts, kinds }: CrewView, { kind, subject: { district } }: AssignProps["about"]): boolean =>
  (districts.length === 0 || (district !== undefined && districts.includes(district))) &&
  (kinds.length === 0 || kinds.some((one) => one === kind));
