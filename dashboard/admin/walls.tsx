import { useState } from "preact/hooks";
import type { AddedWallDisplayView, WallDisplayView } from "../../contract/wall.ts";
import { send } from "../api/client.ts";
import { districts } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Check, Field, Group, typed } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { buttons, numbers, Table } from "../parts/table.tsx";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { Managed, OneTimeSecret, RowButton, useManaged } from "./parts.tsx";

/** Screens on walls, each with an address of its own. */
export function Walls() {
  const { wall: t, admin } = messages.value;
  const list = useManaged<WallDisplayView>("/wall-displays");
  const [made, setMade] = useState<AddedWallDisplayView>();

  async function add(data: FormData): Promise<void> {
    const asked = { id: typed(data, "id") ?? "", name: typed(data, "name") ?? "" };
    setMade(await send("POST", "/wall-displays", { ...asked, districts: data.getAll("districts").map(String) }));
    list.done();
  }

  return (
    <Managed
      title={t.displays}
      hint={t.displaysHint}
      list={list}
      add={t.add}
      onAdd={() => setMade(undefined)}
      ask={({ id, name }) => ({
        question: t.ask(name),
        hint: t.askHint,
        action: t.revoke,
        path: `/wall-displays/${encodeURIComponent(id)}`,
      })}
    >
      {list.open && (
        <Form class="panel" title={t.add} submitLabel={admin.add} onSubmit={add} onCancel={list.close}>
          <Field label={t.id} name="id" hint={admin.idHint} required />
          <Field label={t.name} name="name" required maxLength={100} />
          <Group legend={t.districts} part="districts" class="checks" hint={t.districtsHint}>
            {districts.value.map((one) => (
              <Check key={one} name="districts" value={one} label={districtName(one)} />
            ))}
          </Group>
        </Form>
      )}
      {made && (
        <OneTimeSecret
          title={t.added(made.name)}
          hint={t.once}
          secrets={[[t.address, `${location.origin}/wall#${made.token}`]]}
          onDone={() => setMade(undefined)}
        />
      )}
      {list.items && list.items.length > 0 && (
        <Table
          label={t.displays}
          columns={[t.name, t.districts, ...numbers(t.open), t.used, admin.added, buttons(t.revoke)]}
          rows={list.items.map((one) => ({
            key: one.id,
            cells: [
              one.name,
              one.districts.map(districtName).join(", ") || t.whole,
              one.open,
              one.usedAt ? <Moment at={one.usedAt} /> : t.never,
              <>
                <Moment at={one.createdAt} /> {admin.by(one.createdBy)}
              </>,
              <RowButton text={t.revoke} about={one.name} onPress={() => list.setGoing(one)} />,
            ],
          }))}
        />
      )}
    </Managed>
  );
}
