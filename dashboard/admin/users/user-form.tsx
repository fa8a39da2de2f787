import { messages } from "../../messages/messages.ts";
import { EditForm, typed } from "../parts/edit-form.tsx";
import { SelectField, TextField } from "../parts/fields.tsx";
import { wrongAt } from "../parts/wrong-at.ts";

const ROLES = ["viewer", "crew", "operator", "admin"] as const;

type UserFormProps = {
  readonly onAdd: (name: string, role: string) => Promise<void>;
  readonly onCancel: () => void;
};

export function UserForm({ onAdd, onCancel }: UserFormProps) {
  const { admin: t, words } = messages.value;
  return (
    <EditForm
      {...{ title: t.addUser, submitLabel: t.add, fields: ["name", "role"], onCancel }}
      onSubmit={(data) => onAdd(typed(data, "name") ?? "", typed(data, "role") ?? "viewer")}
    >
      {(problem) => (
        <>
          <TextField label={t.name} name="name" hint={t.idHint} required wrong={wrongAt(problem, "name")} />
          <SelectField
            {...{ label: t.role, name: "role", hint: t.roleHint, wrong: wrongAt(problem, "role") }}
            options={ROLES.map((role) => [role, words.role[role]] as const)}
          />
        </>
      )}
    </EditForm>
  );
}
