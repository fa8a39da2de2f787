import { useState } from "preact/hooks";
import type { CredentialView, UserView } from "../../contract/account.ts";
import { send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Field, typed } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { buttons, Table } from "../parts/table.tsx";
import { user as me } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { Crews } from "./crews.tsx";
import { Managed, OneTimeSecret, RowButton, useManaged } from "./parts.tsx";

const ROLES = ["viewer", "crew", "operator", "admin"] as const;

/** Who may sign in, and who works together. */
export function People() {
  return (
    <>
      <Users />
      <Crews />
    </>
  );
}

/** People and programs that may sign in. */
function Users() {
  const { admin: t, words } = messages.value;
  const list = useManaged<UserView>("/users");
  const [made, setMade] = useState<CredentialView>();

  async function add(data: FormData): Promise<void> {
    setMade(await send("POST", "/users", { name: typed(data, "name"), role: typed(data, "role") }));
    list.done();
  }

  return (
    <Managed
      title={t.tabs.users}
      hint={t.usersHint}
      list={list}
      add={t.addUser}
      onAdd={() => setMade(undefined)}
      ask={({ username }) => ({
        question: t.removeUser(username),
        hint: t.removeUserHint,
        path: `/users/${encodeURIComponent(username)}`,
      })}
    >
      {list.open && (
        <Form class="panel" title={t.addUser} submitLabel={t.add} onSubmit={add} onCancel={list.close}>
          <div class="fields">
            <Field label={t.name} name="name" hint={t.idHint} required />
            <Field
              label={t.role}
              name="role"
              hint={t.roleHint}
              value="viewer"
              options={ROLES.map((role) => [role, words.role[role]] as const)}
            />
          </div>
        </Form>
      )}
      {made && (
        <OneTimeSecret
          title={t.userAdded(made.username)}
          hint={t.passwordOnce}
          secrets={[[t.password, made.password]]}
          onDone={() => setMade(undefined)}
        />
      )}
      {list.items && (
        <Table
          label={t.tabs.users}
          columns={[t.name, t.role, t.added, buttons(t.remove)]}
          rows={list.items.map((user) => ({
            key: user.username,
            cells: [
              user.username,
              words.role[user.role],
              <>
                <Moment at={user.createdAt} as="time" /> <span class="quiet">{t.by(user.createdBy)}</span>
              </>,
              user.username === me.value?.name ? (
                <span class="quiet">{t.you}</span>
              ) : (
                <RowButton text={t.remove} about={user.username} onPress={() => list.setGoing(user)} />
              ),
            ],
          }))}
        />
      )}
    </Managed>
  );
}
