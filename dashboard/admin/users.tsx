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
import { ConfirmDialog, Managed, OneTimeSecret, RowButton, useManaged } from "./parts.tsx";
import { Removed } from "./removed.tsx";

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

type Asked = { readonly doing: "reset" | "signOut"; readonly user: UserView };

/** People and programs that may sign in. */
function Users() {
  const { admin: t, words, editing } = messages.value;
  const list = useManaged<UserView>("/users");
  const [made, setMade] = useState<CredentialView & { readonly isReset?: true }>();
  const [asked, setAsked] = useState<Asked>();
  const [said, setSaid] = useState("");
  const edited = list.open === "new" ? undefined : list.open;

  async function save(data: FormData): Promise<void> {
    const [role, displayName] = [typed(data, "role"), typed(data, "displayName")];
    if (edited) await send("PATCH", `${pathOf(edited)}`, { ...(role && { role }), displayName: displayName ?? null });
    else setMade(await send("POST", "/users", { name: typed(data, "name"), role, displayName }));
    list.done();
  }

  function done({ doing, user }: Asked, answer: unknown): void {
    if (doing === "reset") setMade({ ...(answer as CredentialView), isReset: true });
    else setSaid(editing.signedOut(user.username));
    list.reload();
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
        hint: `${t.removeUserHint} ${editing.canUndo}`,
        path: `/users/${encodeURIComponent(username)}`,
      })}
    >
      {list.open && (
        <Form
          key={edited?.username ?? ""}
          class="panel"
          title={edited ? editing.changeUser(edited.username) : t.addUser}
          submitLabel={edited ? t.save : t.add}
          onSubmit={save}
          onCancel={list.close}
        >
          <div class="fields">
            {!edited && <Field label={editing.userName} name="name" hint={t.idHint} required />}
            <Field
              label={editing.displayName}
              name="displayName"
              value={edited?.displayName}
              hint={editing.displayNameHint}
            />
            {edited?.username !== me.value?.name && (
              <Field
                label={t.role}
                name="role"
                hint={t.roleHint}
                value={edited?.role ?? "viewer"}
                options={ROLES.map((role) => [role, words.role[role]] as const)}
              />
            )}
          </div>
        </Form>
      )}
      {made && (
        <OneTimeSecret
          title={made.isReset ? editing.resetDone(made.username) : t.userAdded(made.username)}
          hint={t.passwordOnce}
          secrets={[[t.password, made.password]]}
          onDone={() => setMade(undefined)}
        />
      )}
      <Removed among={["user"]} round={list.items} onUndone={list.reload} />
      <p role="status" class={said ? "note" : "hidden"}>
        {said}
      </p>
      {asked && (
        <ConfirmDialog
          {...questionOf(asked)}
          method="POST"
          onGone={(answer) => done(asked, answer)}
          onClose={() => setAsked(undefined)}
        />
      )}
      {list.items && (
        <Table
          label={t.tabs.users}
          columns={[editing.userName, t.role, t.added, buttons(editing.edit)]}
          rows={list.items.map((user) => ({
            key: user.username,
            cells: [
              <>
                {user.username}
                {user.displayName && <small class="quiet"> {user.displayName}</small>}
              </>,
              <>
                {words.role[user.role]}
                {user.sessions > 0 && <small class="quiet"> {editing.signedIn(user.sessions)}</small>}
              </>,
              <>
                <Moment at={user.createdAt} as="time" /> <span class="quiet">{t.by(user.createdBy)}</span>
              </>,
              <UserButtons
                user={user}
                onChange={() => list.setOpen(user)}
                onAsk={(doing) => {
                  setSaid("");
                  setAsked({ doing, user });
                }}
                onRemove={() => list.setGoing(user)}
              />,
            ],
          }))}
        />
      )}
    </Managed>
  );
}

type ButtonsProps = {
  readonly user: UserView;
  readonly onChange: () => void;
  readonly onAsk: (doing: Asked["doing"]) => void;
  readonly onRemove: () => void;
};

/** Nobody takes their own account away; their password they change themselves. */
function UserButtons({ user: { username, sessions }, onChange, onAsk, onRemove }: ButtonsProps) {
  const { admin: t, editing } = messages.value;
  const isMe = username === me.value?.name;
  return (
    <div class="row-buttons">
      {isMe && <span class="quiet">{t.you}</span>}
      <RowButton text={t.change} about={username} onPress={onChange} />
      {!isMe && sessions > 0 && <RowButton text={editing.signOut} about={username} onPress={() => onAsk("signOut")} />}
      {!isMe && <RowButton text={editing.reset} about={username} onPress={() => onAsk("reset")} />}
      {!isMe && <RowButton text={t.remove} about={username} onPress={onRemove} />}
    </div>
  );
}

const pathOf = ({ username }: UserView): `/users/${string}` => `/users/${encodeURIComponent(username)}`;

function questionOf({ doing, user }: Asked) {
  const { editing: t } = messages.value;
  return doing === "reset"
    ? { question: t.resetTitle(user.username), hint: t.resetHint, action: t.reset, path: `${pathOf(user)}/password` }
    : {
        question: t.signOutTitle(user.username),
        hint: t.signOutHint,
        action: t.signOut,
        path: `${pathOf(user)}/sign-out`,
      };
}
