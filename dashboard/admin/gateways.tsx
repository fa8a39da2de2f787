import { useState } from "preact/hooks";
import type { CredentialView, GatewayView } from "../../contract/account.ts";
import { send } from "../api/client.ts";
import { districts } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Check, Field, Group, typed, typedList } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { buttons, Table } from "../parts/table.tsx";
import { user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { Managed, NewCredential, RowButton, useManaged } from "./parts.tsx";
import { Removed } from "./removed.tsx";
import { Rotate } from "./rotate.tsx";

/** Devices that speak for others. */
export function Gateways() {
  const { admin: t, editing } = messages.value;
  const list = useManaged<GatewayView>("/gateways");
  const [made, setMade] = useState<CredentialView>();
  const [rotating, setRotating] = useState<string>();
  const edited = list.open === "new" ? undefined : list.open;

  async function save(data: FormData): Promise<void> {
    const chosen = [...data.getAll("districts").map(String), ...(typedList(data, "others") ?? [])];
    // The box is there for admins only: whoever does not see it, changes nothing of it.
    const mayImport = user.value?.role === "admin" ? data.has("mayImport") : undefined;
    if (edited)
      await send("PATCH", `/gateways/${encodeURIComponent(edited.username)}`, { districts: chosen, mayImport });
    else
      setMade(
        await send("POST", "/gateways", {
          name: typed(data, "name"),
          districts: chosen,
          mayImport,
        }),
      );
    list.done();
  }

  return (
    <Managed
      title={t.gateways}
      hint={t.gatewaysHint}
      list={list}
      add={t.addGateway}
      onAdd={() => setMade(undefined)}
      ask={({ username }) => ({
        question: t.removeGateway(username),
        hint: `${t.removeGatewayHint} ${editing.canUndo}`,
        path: `/gateways/${encodeURIComponent(username)}`,
      })}
    >
      {list.open && (
        <Form
          key={edited?.username ?? ""}
          class="panel"
          title={edited ? editing.changeGateway(edited.username) : t.addGateway}
          submitLabel={edited ? t.save : t.add}
          onSubmit={save}
          onCancel={list.close}
        >
          {!edited && <Field label={t.name} name="name" hint={t.idHint} required />}
          <DistrictsField chosen={edited?.districts ?? []} />
          {user.value?.role === "admin" && (
            <Check label={t.mayImport} name="mayImport" on={edited?.mayImport === true} />
          )}
        </Form>
      )}
      {made && <NewCredential title={t.gatewayAdded(made.username)} made={made} onDone={() => setMade(undefined)} />}
      <Removed among={["gateway"]} round={list.items} onUndone={list.reload} />
      {rotating !== undefined && (
        <Rotate what="gateways" name={rotating} onDone={list.reload} onClose={() => setRotating(undefined)} />
      )}
      {list.items?.length === 0 && <p class="note">{t.none}</p>}
      {list.items && list.items.length > 0 && (
        <Table
          label={t.gateways}
          columns={[t.name, t.districts, t.added, buttons(editing.edit)]}
          rows={list.items.map((gateway) => ({
            key: gateway.username,
            cells: [
              gateway.username,
              <>
                {gateway.districts.map(districtName).join(", ")}{" "}
                {gateway.mayImport && <span class="chip">{t.mayImport}</span>}{" "}
                {gateway.formerUntil && <span class="chip">{editing.twoPasswords}</span>}
              </>,
              <>
                <Moment at={gateway.createdAt} as="time" /> <span class="quiet">{t.by(gateway.createdBy)}</span>
              </>,
              <div class="row-buttons">
                <RowButton text={t.change} about={gateway.username} onPress={() => list.setOpen(gateway)} />
                <RowButton
                  text={editing.rotate}
                  about={gateway.username}
                  onPress={() => setRotating(gateway.username)}
                />
                <RowButton text={t.remove} about={gateway.username} onPress={() => list.setGoing(gateway)} />
              </div>,
            ],
          }))}
        />
      )}
    </Managed>
  );
}

/** Those where there are sensors to tick, others to type: a gateway may be the first there. */
function DistrictsField({ chosen }: { readonly chosen: readonly string[] }) {
  const { admin: t, editing } = messages.value;
  const known = districts.value;
  const others = chosen.filter((one) => !known.includes(one));
  return (
    <>
      {known.length > 0 && (
        <Group legend={t.districts} part="-" class="checks">
          {known.map((one) => (
            <Check key={one} name="districts" value={one} label={districtName(one)} on={chosen.includes(one)} />
          ))}
        </Group>
      )}
      <Field
        label={known.length > 0 ? editing.otherDistricts : t.districts}
        name="others"
        part="districts"
        value={others.join(", ")}
        hint={t.districtsHint}
      />
    </>
  );
}
