import { useState } from "preact/hooks";
import { request } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { user } from "../../shell/session.ts";
import { Moment } from "../../words/time.tsx";
import { districtName } from "../../words/units.ts";
import { AskOnce } from "../parts/ask-once.tsx";
import { EditForm, typed, typedList } from "../parts/edit-form.tsx";
import { CheckField, TextField } from "../parts/fields.tsx";
import { AdminSection } from "../parts/section.tsx";
import { type Credential, ShownOnce } from "../parts/shown-once.tsx";
import { AdminTable } from "../parts/table.tsx";
import { useAll } from "../parts/use-all.ts";
import { wrongAt } from "../parts/wrong-at.ts";

type Gateway = {
  readonly username: string;
  readonly districts: readonly string[];
  readonly mayImport: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
};

export function Gateways() {
  const { admin: t } = messages.value;
  const { items, problem, reload } = useAll<Gateway>("/gateways");
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<Credential>();
  const [going, setGoing] = useState<string>();

  async function add(data: FormData): Promise<void> {
    const mayImport = data.has("mayImport") ? { mayImport: true } : {};
    const body = { name: typed(data, "name"), districts: typedList(data, "districts") ?? [], ...mayImport };
    setMade(await request("POST", "/gateways", body));
    setAdding(false);
    reload();
  }

  return (
    <AdminSection
      {...{ title: t.gateways, hint: t.gatewaysHint, problem, loading: !items }}
      add={adding ? undefined : t.addGateway}
      onAdd={() => {
        setMade(undefined);
        setAdding(true);
      }}
    >
      {adding && <GatewayForm onSubmit={add} onCancel={() => setAdding(false)} />}
      {made && <ShownOnce title={t.gatewayAdded(made.username)} credential={made} onDone={() => setMade(undefined)} />}
      {items?.length === 0 && <p class="note">{t.none}</p>}
      {items && items.length > 0 && <GatewayTable gateways={items} onRemove={setGoing} />}
      {going && (
        <AskOnce
          {...{ question: t.removeGateway(going), hint: t.removeGatewayHint, action: t.remove }}
          onYes={async () => {
            await request("DELETE", `/gateways/${encodeURIComponent(going)}`);
            reload();
          }}
          onClose={() => setGoing(undefined)}
        />
      )}
    </AdminSection>
  );
}

type GatewayFormProps = { readonly onSubmit: (data: FormData) => Promise<void>; readonly onCancel: () => void };

function GatewayForm({ onSubmit, onCancel }: GatewayFormProps) {
  const { admin: t } = messages.value;
  return (
    <EditForm {...{ title: t.addGateway, submitLabel: t.add, fields: ["name", "districts"], onSubmit, onCancel }}>
      {(problem) => (
        <>
          <TextField label={t.name} name="name" hint={t.idHint} required wrong={wrongAt(problem, "name")} />
          <TextField
            {...{ label: t.districts, name: "districts", hint: t.districtsHint, required: true }}
            wrong={wrongAt(problem, "districts")}
          />
          {user.value?.role === "admin" && <CheckField label={t.mayImport} name="mayImport" />}
        </>
      )}
    </EditForm>
  );
}

type GatewayTableProps = { readonly gateways: readonly Gateway[]; readonly onRemove: (name: string) => void };

function GatewayTable({ gateways, onRemove }: GatewayTableProps) {
  const { admin: t } = messages.value;
  return (
    <AdminTable label={t.gateways} columns={[t.name, t.districts, t.added]} actions={t.remove}>
      {gateways.map(({ username, districts, mayImport, createdAt, createdBy }) => (
        <tr key={username}>
          <th scope="row">{username}</th>
          <td>
            {districts.map(districtName).join(", ")} {mayImport && <span class="chip">{t.mayImport}</span>}
          </td>
          <td>
            <Moment at={createdAt} as="time" /> <span class="quiet">{t.by(createdBy)}</span>
          </td>
          <td class="admin-buttons">
            <button
              type="button"
              class="button quiet"
              aria-label={`${t.remove}: ${username}`}
              onClick={() => onRemove(username)}
            >
              {t.remove}
            </button>
          </td>
        </tr>
      ))}
    </AdminTable>
  );
}
