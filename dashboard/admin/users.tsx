import { useState } from "preact/hooks";
import type { CredentialView, UserView } from "../../contract/account.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { SelectField, TextField } from "../parts/fields.tsx";
import { EditForm, typed, wrongAt } from "../parts/forms.tsx";
import { AdminTable } from "../parts/table.tsx";
import { user as me } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { AdminSection, AskOnce, ShownOnce, useAll } from "./parts.tsx";

/** People and programs that may sign in. */
export function Users() {
  const { admin: t } = messages.value;
  const { items, problem, reload } = useAll<UserView>("/users");
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<CredentialView>();
  const [going, setGoing] = useState<UserView>();

  async function add(name: string, role: string): Promise<void> {
    setMade(await request("POST", "/users", { name, role }));
    setAdding(false);
    reload();
  }

  return (
    <AdminSection
      {...{ title: t.tabs.users, hint: t.usersHint, problem, loading: !items }}
      add={adding ? undefined : t.addUser}
      onAdd={() => {
        setMade(undefined);
        setAdding(true);
      }}
    >
      {adding && <UserForm onAdd={add} onCancel={() => setAdding(false)} />}
      {made && (
        <ShownOnce
          title={t.userAdded(made.username)}
          hint={t.passwordOnce}
          secret={{ label: t.password, value: made.password }}
          onDone={() => setMade(undefined)}
        />
      )}
      {items && <UserTable users={items} onRemove={setGoing} />}
      {going && (
        <AskOnce
          {...{ question: t.removeUser(going.username), hint: t.removeUserHint, action: t.remove }}
          onYes={async () => {
            await request("DELETE", `/users/${encodeURIComponent(going.username)}`);
            reload();
          }}
          onClose={() => setGoing(undefined)}
        />
      )}
    </AdminSection>
  );
}

function UserTable({ users, onRemove }: { users: readonly UserView[]; onRemove: (user: UserView) => void }) {
  const { admin: t, words } = messages.value;
  return (
    <AdminTable label={t.tabs.users} columns={[t.name, t.role, t.added]} actions={t.remove}>
      {users.map((user) => (
        <tr key={user.username}>
          <th scope="row">{user.username}</th>
          <td>{words.role[user.role]}</td>
          <td>
            <Moment at={user.createdAt} as="time" /> <span class="quiet">{t.by(user.createdBy)}</span>
          </td>
          <td class="admin-buttons">
            {user.username === me.value?.name ? (
              <span class="quiet">{t.you}</span>
            ) : (
              <button
                type="button"
                class="button quiet"
                aria-label={`${t.remove}: ${user.username}`}
                onClick={() => onRemove(user)}
              >
                {t.remove}
              </button>
            )}
          </td>
        </tr>
      ))}
    </AdminTable>
  );
}

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
