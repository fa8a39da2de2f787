import { KINDS } from "../../../model/kinds.ts";
import { sensors } from "../../live/live.ts";
import { messages } from "../../messages/messages.ts";
import { EditForm, typed, typedTags } from "../parts/edit-form.tsx";
import { SelectField, TextField } from "../parts/fields.tsx";
import { wrongAt } from "../parts/wrong-at.ts";

const FIELDS = ["sensorId", "kind", "district", "name", "lat", "lon", "intervalS", "tags"];

type SensorFormProps = {
  readonly onAdd: (body: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly onCancel: () => void;
};

export function SensorForm({ onAdd, onCancel }: SensorFormProps) {
  const { admin: t, words } = messages.value;
  const districts = [...new Set([...sensors.value.values()].map(({ district }) => district))].sort();
  return (
    <EditForm
      {...{ title: t.addSensor, submitLabel: t.add, fields: FIELDS, onCancel }}
      onSubmit={(data) => onAdd(sensorOf(data))}
    >
      {(problem) => {
        const field = (name: string) => ({ name, wrong: wrongAt(problem, name) });
        return (
          <>
            <TextField label={t.sensorId} hint={t.idHint} required {...field("sensorId")} />
            <SelectField
              {...{ label: t.kind, options: KINDS.map((kind) => [kind, words.kind[kind]] as const) }}
              {...field("kind")}
            />
            <TextField label={t.district} hint={t.idHint} required among={districts} {...field("district")} />
            <TextField label={t.displayName} hint={t.optional} {...field("name")} />
            <TextField label={t.lat} type="number" hint={t.optional} {...field("lat")} />
            <TextField label={t.lon} type="number" hint={t.optional} {...field("lon")} />
            <TextField label={t.intervalS} type="number" hint={t.intervalHint} {...field("intervalS")} />
            <TextField label={t.tags} hint={t.tagsHint} {...field("tags")} />
          </>
        );
      }}
    </EditForm>
  );
}

function sensorOf(data: FormData): Readonly<Record<string, unknown>> {
  const number = (name: string) => (typed(data, name) === undefined ? undefined : Number(typed(data, name)));
  return {
    sensorId: typed(data, "sensorId"),
    kind: typed(data, "kind"),
    district: typed(data, "district"),
    name: typed(data, "name"),
    lat: number("lat"),
    lon: number("lon"),
    intervalS: number("intervalS"),
    tags: typedTags(data, "tags"),
  };
}
