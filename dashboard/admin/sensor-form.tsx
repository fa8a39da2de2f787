import { useRef, useState } from "preact/hooks";
import type { GatewayView, NewDevice } from "../../contract/account.ts";
import type { DistrictView } from "../../contract/district.ts";
import type { SensorView } from "../../contract/reading.ts";
import type { SensorChange } from "../../contract/register.ts";
import { KINDS } from "../../model/kinds.ts";
import type { Draft } from "../api/client.ts";
import { districts, sensors } from "../live/live.ts";
import type { LatLon } from "../map/leaflet.ts";
import { PlacePicker } from "../map/place-picker.tsx";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed, typedTags } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { loadAll, useLoaded } from "../parts/state.tsx";
import { districtName } from "../words/words.ts";
import { fromLocalInput, toLocalInput } from "../words/zone.ts";

type Sent = { readonly onSubmit: (data: FormData) => Promise<void>; readonly onCancel: () => void };

/** All of a sensor that people say, with its place on a map. */
export function SensorForm({ sensor, ...form }: Sent & { readonly sensor?: SensorView | undefined }) {
  const { admin: t, words, editing } = messages.value;
  const { replaces, gateway } = sensor ?? {};
  const since = replaces && toLocalInput(Date.parse(replaces.from));
  return (
    <Form
      class="panel"
      title={sensor ? t.register.changeTitle(sensor.id) : t.addSensor}
      submitLabel={sensor ? t.register.save : t.add}
      {...form}
    >
      <div class="fields">
        {!sensor && <Field label={t.sensorId} name="sensorId" hint={t.idHint} required />}
        {!sensor && (
          <Field
            label={t.kind}
            name="kind"
            value="air"
            options={KINDS.map((kind) => [kind, words.kind[kind]] as const)}
          />
        )}
        <DistrictField value={sensor?.district} hint={sensor ? t.register.moveHint : undefined} />
        <Field label={t.displayName} name="name" value={sensor?.name} hint={t.optional} />
        <Field
          label={t.intervalS}
          name="intervalS"
          type="number"
          value={sensor?.intervalS?.toString()}
          hint={t.intervalHint}
        />
        <Field
          label={t.tags}
          name="tags"
          value={sensor && tagsText(sensor.tags)}
          hint={sensor ? t.register.tagsHint : t.tagsHint}
        />
        {sensor && <GatewayField value={gateway} />}
        {sensor && (
          <Field
            label={t.register.replaces}
            name="replaces"
            value={replaces?.sensorId}
            hint={t.register.replacesHint}
            among={sameKind(sensor)}
          />
        )}
        {sensor && (
          <Field
            label={t.register.replacesFrom}
            name="replacesFrom"
            type="datetime-local"
            value={since}
            hint={t.register.replacesFromHint}
          />
        )}
      </div>
      <PlaceFields lat={sensor?.lat} lon={sensor?.lon} title={editing.place} />
    </Form>
  );
}

/** Suggestions: more than that nobody looks through. */
const AMONG_MAX = 500;
const sameKind = ({ id, kind, district }: SensorView) =>
  [...sensors.value.values()]
    .filter((one) => one.id !== id && one.kind === kind && one.district === district)
    .slice(0, AMONG_MAX)
    .map((one) => one.id);

const OTHER = "+";

/** One of the districts there are, or a new one. */
export function DistrictField({
  value,
  hint,
}: {
  readonly value?: string | undefined;
  readonly hint?: string | undefined;
}) {
  const { admin: t, editing } = messages.value;
  const { found } = useLoaded((signal) => loadAll<DistrictView>("/districts", signal));
  const known = [...new Set([...districts.value, ...(found ?? []).map((one) => one.district)])];
  const [chosen, setChosen] = useState(value);
  const isNew = known.length === 0 || chosen === OTHER;
  return (
    <>
      {known.length > 0 && (
        <Field
          label={t.district}
          name={isNew ? "-" : "district"}
          part={isNew ? "-" : "district"}
          hint={hint}
          value={chosen ?? known[0]}
          options={[...known.map((one) => [one, districtName(one)] as const), [OTHER, editing.newDistrict] as const]}
          onChoose={setChosen}
        />
      )}
      {isNew && (
        <Field label={known.length > 0 ? editing.newDistrictId : t.district} name="district" hint={t.idHint} required />
      )}
    </>
  );
}

function GatewayField({ value }: { readonly value: string | undefined }) {
  const { admin: t, editing } = messages.value;
  const { found } = useLoaded((signal) => loadAll<GatewayView>("/gateways", signal));
  // Those that sensors were enrolled through and that have no password any more are known as well.
  const spoken = [...sensors.value.values()].flatMap(({ gateway }) => gateway ?? []);
  const known = new Set([...(found ?? []).map(({ username }) => username), ...spoken, ...(value ? [value] : [])]);
  return (
    <Field
      key={known.size}
      label={t.register.gateway}
      name="gateway"
      hint={t.register.gatewayHint}
      value={value}
      options={[["", editing.noGateway], ...[...known].sort().map((one) => [one, one] as const)]}
    />
  );
}

type PlaceProps = { readonly lat: number | undefined; readonly lon: number | undefined; readonly title: string };

/** The place typed and on the map: each follows the other. */
function PlaceFields({ lat, lon, title }: PlaceProps) {
  const { admin: t, editing } = messages.value;
  const box = useRef<HTMLFieldSetElement>(null);
  const [place, setPlace] = useState<LatLon | undefined>(
    lat === undefined || lon === undefined ? undefined : { lat, lon },
  );
  const field = (name: string) => box.current?.querySelector<HTMLInputElement>(`input[name=${name}]`);

  function read(): void {
    const [typedLat, typedLon] = [field("lat")?.value ?? "", field("lon")?.value ?? ""];
    const [newLat, newLon] = [Number(typedLat), Number(typedLon)];
    const isPlace = typedLat !== "" && typedLon !== "" && Math.abs(newLat) <= 90 && Math.abs(newLon) <= 180;
    setPlace(isPlace ? { lat: newLat, lon: newLon } : undefined);
  }

  function write(to: LatLon | undefined): void {
    for (const [name, value] of [
      ["lat", to?.lat],
      ["lon", to?.lon],
    ] as const) {
      const input = field(name);
      if (input) input.value = value === undefined ? "" : String(value);
    }
    setPlace(to);
  }

  return (
    <fieldset class="place-fields stack" ref={box} onInput={read}>
      <legend>{title}</legend>
      <div class="fields">
        <Field label={t.lat} name="lat" type="number" value={lat?.toString()} hint={t.optional} />
        <Field label={t.lon} name="lon" type="number" value={lon?.toString()} hint={t.optional} />
      </div>
      <PlacePicker place={place} onPick={write} />
      {place && (
        <div>
          <Button class="quiet" onClick={() => write(undefined)}>
            {editing.noPlace}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

export function newSensorOf(data: FormData): Draft<NewDevice> {
  const text = (name: string) => typed(data, name);
  const number = (name: string) => (text(name) === undefined ? undefined : Number(text(name)));
  return {
    sensorId: text("sensorId"),
    kind: text("kind"),
    district: text("district"),
    name: text("name"),
    lat: number("lat"),
    lon: number("lon"),
    intervalS: number("intervalS"),
    tags: typedTags(data, "tags"),
  };
}

const tagsText = (tags: Readonly<Record<string, string>>) =>
  Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");

/** Only what is other than before: so that two people who change two things do not undo each other's. */
export function changeOf(sensor: SensorView, data: FormData): Draft<SensorChange> {
  const text = (name: string) => typed(data, name) ?? null;
  const number = (name: string) => (text(name) === null ? null : Number(text(name)));
  const tags = typedTags(data, "tags") ?? {};
  const gone = Object.keys(sensor.tags).filter((key) => tags[key] === undefined);
  const news = Object.entries(tags).filter(([key, value]) => sensor.tags[key] !== value);
  const replaces = text("replaces");
  const from = typed(data, "replacesFrom");
  const since = from === undefined ? undefined : fromLocalInput(from);
  const isLinked = replaces !== (sensor.replaces?.sensorId ?? null);
  const isDated = from !== (sensor.replaces && toLocalInput(Date.parse(sensor.replaces.from)));
  return {
    ...other("name", text("name"), sensor.name),
    ...other("district", text("district") ?? undefined, sensor.district),
    ...other("lat", number("lat"), sensor.lat),
    ...other("lon", number("lon"), sensor.lon),
    ...other("intervalS", number("intervalS"), sensor.intervalS),
    ...other("gateway", text("gateway"), sensor.gateway),
    ...(gone.length + news.length > 0 && {
      tags: { ...Object.fromEntries(gone.map((key) => [key, null])), ...Object.fromEntries(news) },
    }),
    ...((isLinked || (replaces !== null && isDated)) && { replaces }),
    ...(replaces !== null && (isLinked || isDated) && since !== undefined && Number.isFinite(since)
      ? { replacesFrom: new Date(since).toISOString() }
      : {}),
  };
}

const other = <T,>(name: string, now: T | null | undefined, before: T | undefined) =>
  now === undefined || now === (before ?? null) ? {} : { [name]: now };
