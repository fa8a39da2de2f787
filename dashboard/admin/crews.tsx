import type { AssigneesView, CrewView } from "../../contract/crew.ts";
import { KINDS } from "../../model/kinds.ts";
import { request, send } from "../api/client.ts";
import { districts } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Check, Field, Group, typed } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { useLoaded } from "../parts/state.tsx";
import { buttons, Table } from "../parts/table.tsx";
import { districtName } from "../words/words.ts";
import { Managed, RowButton, useManaged } from "./parts.tsx";
import { Removed } from "./removed.tsx";

/** Who works together, where and with what. */
export function Crews() {
  const { admin: t, words } = messages.value;
  const list = useManaged<CrewView>("/crews");
  const { found } = useLoaded((signal) => request<AssigneesView>("GET", "/assignees", undefined, signal));
  const edited = list.open === "new" ? undefined : list.open;

  async function save(data: FormData): Promise<void> {
    const chosen = (name: string) => data.getAll(name).map(String);
    const id = edited?.id ?? typed(data, "id") ?? "";
    await send("PUT", `/crews/${encodeURIComponent(id)}`, {
      members: chosen("members"),
      districts: chosen("districts"),
      kinds: chosen("kinds") as CrewView["kinds"],
    });
    list.done();
  }

  const sayAll = (all: readonly string[], say: (one: string) => string) => all.map(say).join(", ") || t.crewAll;
  return (
    <Managed
      title={t.crews}
      hint={t.crewsHint}
      list={list}
      add={t.addCrew}
      ask={({ id }) => ({
        question: t.removeCrew(id),
        hint: `${t.removeCrewHint} ${messages.value.editing.canUndo}`,
        path: `/crews/${encodeURIComponent(id)}`,
      })}
    >
      {list.open && (
        <Form
          key={edited?.id}
          class="panel"
          title={edited ? t.changeCrew(edited.id) : t.addCrew}
          submitLabel={edited ? t.save : t.add}
          onSubmit={save}
          onCancel={list.close}
        >
          {!edited && <Field label={t.crewName} name="id" hint={t.idHint} required />}
          <Group legend={t.crewMembers} part="members" class="checks" hint={t.crewMembersHint}>
            {(found?.people ?? []).map(({ name }) => (
              <Check key={name} name="members" value={name} label={name} on={edited?.members.includes(name) === true} />
            ))}
          </Group>
          <Group legend={t.crewDistricts} part="districts" class="checks" hint={t.crewNone}>
            {districts.value.map((one) => (
              <Check
                key={one}
                name="districts"
                value={one}
                label={districtName(one)}
                on={edited?.districts.includes(one) === true}
              />
            ))}
          </Group>
          <Group legend={t.crewKinds} part="kinds" class="checks" hint={t.crewNone}>
            {KINDS.map((one) => (
              <Check
                key={one}
                name="kinds"
                value={one}
                label={words.kind[one]}
                on={edited?.kinds.includes(one) === true}
              />
            ))}
          </Group>
        </Form>
      )}
      <Removed among={["crew"]} round={list.items} onUndone={list.reload} />
      {list.items && list.items.length > 0 && (
        <Table
          label={t.crews}
          columns={[t.crewName, t.crewMembers, t.crewDistricts, t.crewKinds, buttons(t.remove)]}
          rows={list.items.map((crew) => ({
            key: crew.id,
            cells: [
              crew.id,
              crew.members.join(", ") || "–",
              sayAll(crew.districts, districtName),
              crew.kinds.map((one) => words.kind[one]).join(", ") || t.crewAll,
              <>
                <RowButton text={t.change} about={crew.id} onPress={() => list.setOpen(crew)} />
                <RowButton text={t.remove} about={crew.id} onPress={() => list.setGoing(crew)} />
              </>,
            ],
          }))}
        />
      )}
    </Managed>
  );
}
