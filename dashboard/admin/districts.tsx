import { useRef, useState } from "preact/hooks";
import type { DistrictView, NewDistrict, SavedDistrictView } from "../../contract/district.ts";
import { ApiProblem, send } from "../api/client.ts";
import { districts, loadDistrictNames } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Field, typed } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { loadAll } from "../parts/state.tsx";
import { buttons, numbers, Table } from "../parts/table.tsx";
import { districtName } from "../words/words.ts";
import { type Feature, featuresOf } from "./geojson.ts";
import { Managed, RowButton, useManaged } from "./parts.tsx";
import { Removed } from "./removed.tsx";

/** How districts are called, and where they end. */
export function Districts() {
  const { admin: t, editing } = messages.value;
  const list = useManaged<DistrictView>("/districts");
  const [saved, setSaved] = useState<SavedDistrictView>();
  const edited = list.open === "new" ? undefined : list.open;

  async function save(district: string, body: NewDistrict): Promise<void> {
    setSaved(await send("PUT", `/districts/${encodeURIComponent(district)}`, body));
    list.done();
    void loadDistrictNames();
  }

  function changed(): void {
    list.reload();
    void loadDistrictNames();
  }

  return (
    <Managed
      title={editing.districts}
      hint={editing.districtsHint}
      list={list}
      add={editing.addDistrict}
      onAdd={() => setSaved(undefined)}
      ask={({ district }) => ({
        question: editing.removeDistrict(districtName(district)),
        hint: `${editing.removeDistrictHint} ${editing.canUndo}`,
        path: `/districts/${encodeURIComponent(district)}`,
      })}
      onGone={() => void loadDistrictNames()}
    >
      {list.open && <DistrictForm key={edited?.district ?? ""} district={edited} onSave={save} onCancel={list.close} />}
      {saved && <Saved saved={saved} />}
      <Removed among={["district"]} round={list.items} onUndone={changed} />
      {list.items && (
        <Table
          label={editing.districts}
          columns={[t.district, editing.districtName, ...numbers(editing.sensorsIn), editing.outline, buttons(t.edit)]}
          rows={list.items.map((one) => ({
            key: one.district,
            cells: [
              one.district,
              one.name ?? <span class="quiet">{districtName(one.district)}</span>,
              one.sensors,
              one.hasOutline ? editing.hasOutline : <span class="quiet">{editing.noOutline}</span>,
              <div class="row-buttons">
                <RowButton
                  text={t.edit}
                  about={one.district}
                  onPress={() => {
                    setSaved(undefined);
                    list.setOpen(one);
                  }}
                />
                {(one.name ?? one.hasOutline) && (
                  <RowButton text={t.remove} about={one.district} onPress={() => list.setGoing(one)} />
                )}
              </div>,
            ],
          }))}
        />
      )}
    </Managed>
  );
}

function Saved({ saved: { inside, outside = [] } }: { readonly saved: SavedDistrictView }) {
  const { editing: t } = messages.value;
  const isWhole = inside === undefined;
  return (
    <p class="note" role="status">
      {isWhole ? t.savedName : t.savedDistrict(inside, inside + outside.length)}{" "}
      {outside.length > 0 && t.outside(outside.join(", "))}
    </p>
  );
}

type FormProps = {
  readonly district: DistrictView | undefined;
  readonly onSave: (district: string, body: NewDistrict) => Promise<void>;
  readonly onCancel: () => void;
};

function DistrictForm({ district, onSave, onCancel }: FormProps) {
  const { admin: t, editing } = messages.value;
  const [text, setText] = useState<string>();
  const [features, setFeatures] = useState<readonly Feature[]>();
  const [chosen, setChosen] = useState(0);
  const outline = useRef<HTMLDivElement>(null);
  const id = district?.district;

  async function former(): Promise<unknown> {
    const all = await loadAll<DistrictView>("/districts?outlines=true", new AbortController().signal);
    return all.find((one) => one.district === id)?.outline;
  }

  function look(written: string): void {
    setText(written);
    setFeatures(readFeatures(written));
    setChosen(0);
  }

  /** What was not touched stays. */
  async function outlineOf(): Promise<unknown> {
    if (text === undefined) return district?.hasOutline ? former() : undefined;
    if (text.trim() === "") return undefined;
    if (features === undefined) throw new ApiProblem(400, "", [{ pointer: "/outline", detail: editing.notJson }]);
    const feature = features[chosen];
    if (!feature) throw new ApiProblem(400, "", [{ pointer: "/outline", detail: editing.noFeature }]);
    return feature.geometry;
  }

  return (
    <Form
      class="panel"
      title={id === undefined ? editing.addDistrict : editing.editDistrict(districtName(id))}
      submitLabel={t.save}
      onCancel={onCancel}
      onSubmit={async (data) => {
        const name = typed(data, "name");
        const drawn = await outlineOf();
        const body = { ...(name !== undefined && { name }), ...(drawn !== undefined && { outline: drawn }) };
        await onSave(id ?? typed(data, "id") ?? "", body);
      }}
    >
      <div class="fields">
        {id === undefined && <Field label={t.district} name="id" hint={t.idHint} required among={districts.value} />}
        <Field label={editing.districtName} name="name" value={district?.name} hint={t.optional} />
      </div>
      <div ref={outline} class="stack" onInput={(event) => read(event.target, look)}>
        <Field label={editing.outlineText} name="outline" lines={6} hint={editing.outlineHint} />
        <label class="field">
          <span>{editing.outlineFile}</span>
          <input
            type="file"
            accept=".geojson,.json,application/geo+json,application/json"
            onChange={async ({ currentTarget: { files } }) => {
              const written = await files?.[0]?.text();
              const area = outline.current?.querySelector("textarea");
              if (written === undefined || !area) return;
              area.value = written.length > SHOWN_CHARS_MAX ? "" : written;
              look(written);
            }}
          />
        </label>
      </div>
      {features && features.length > 1 && (
        <Field
          label={editing.whichFeature}
          name="-"
          value={String(chosen)}
          options={features.map(({ name }, i) => [String(i), name ?? String(i + 1)] as const)}
          onChoose={(one) => setChosen(Number(one))}
        />
      )}
      {features?.[chosen] && <Sketch feature={features[chosen]} />}
    </Form>
  );
}

/** A text area with more is slow, and nobody reads it. */
const SHOWN_CHARS_MAX = 200_000;

const read = (target: EventTarget | null, look: (text: string) => void) =>
  target instanceof HTMLTextAreaElement && look(target.value);

function readFeatures(text: string): readonly Feature[] | undefined {
  try {
    return featuresOf(JSON.parse(text));
  } catch {
    return undefined; // said when it is sent
  }
}

const SKETCH_PX = 200;

/** What the outline looks like, north up: whether it is the right one is seen at once. */
function Sketch({ feature }: { readonly feature: Feature }) {
  const { editing: t } = messages.value;
  const { rings, box } = feature;
  // A degree of longitude is shorter than one of latitude.
  const squeeze = Math.cos((((box.south + box.north) / 2) * Math.PI) / 180);
  const width = Math.max((box.east - box.west) * squeeze, 1e-9);
  const height = Math.max(box.north - box.south, 1e-9);
  const scale = SKETCH_PX / Math.max(width, height);
  const at = ([lon, lat]: readonly number[]) =>
    `${(((lon ?? 0) - box.west) * squeeze * scale).toFixed(1)} ${((box.north - (lat ?? 0)) * scale).toFixed(1)}`;
  return (
    <svg
      class="district-sketch"
      role="img"
      aria-label={t.outline}
      viewBox={`-2 -2 ${(width * scale + 4).toFixed(1)} ${(height * scale + 4).toFixed(1)}`}
    >
      <path d={rings.map((ring) => `M${ring.map(at).join("L")}Z`).join("")} fill-rule="evenodd" />
    </svg>
  );
}
