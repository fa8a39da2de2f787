import { useState } from "preact/hooks";
import type { CredentialView, DeviceView, GatewayView } from "../../contract/account.ts";
import type { SensorView } from "../../contract/reading.ts";
import { KINDS } from "../../model/kinds.ts";
import { request } from "../api/client.ts";
import { sensors, sensorsLoaded } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { CheckField, SelectField, TextField } from "../parts/fields.tsx";
import { EditForm, typed, typedList, typedTags, wrongAt } from "../parts/forms.tsx";
import { AdminTable } from "../parts/table.tsx";
import { user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { AdminSection, AskOnce, ShownOnce, useAll } from "./parts.tsx";

/** What may send: sensors with a password of their own, and gateways that speak for others. */
export function Devices() {
  return (
    <>
      <Sensors />
      <Gateways />
    </>
  );
}

export function Sensors() {
  const { admin: t } = messages.value;
  const devices = useAll<DeviceView>("/devices");
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<CredentialView>();
  const [going, setGoing] = useState<string>();

  async function add(body: Readonly<Record<string, unknown>>): Promise<void> {
    const credential = await request<CredentialView>("POST", "/devices", body);
    setMade(credential);
    setAdding(false);
    devices.reload();
    const path = `/sensors/${encodeURIComponent(credential.username)}`;
    const sensor = await request<SensorView>("GET", path);
    sensors.value = new Map(sensors.peek()).set(sensor.id, sensor);
  }

  async function remove(id: string, sensorToo: boolean): Promise<void> {
    await request("DELETE", `/devices/${encodeURIComponent(id)}${sensorToo ? "?removeSensor=true" : ""}`);
    devices.reload();
    if (!sensorToo) return;
    const left = new Map(sensors.peek());
    left.delete(id);
    sensors.value = left;
  }

  const withPassword = new Set(devices.items?.map(({ sensorId }) => sensorId));
  return (
    <AdminSection
      {...{ title: t.sensors, hint: t.sensorsHint, problem: devices.problem, loading: !devices.items }}
      add={adding ? undefined : t.addSensor}
      onAdd={() => {
        setMade(undefined);
        setAdding(true);
      }}
    >
      {adding && <SensorForm onAdd={add} onCancel={() => setAdding(false)} />}
      {made && <ShownOnce title={t.sensorAdded(made.username)} credential={made} onDone={() => setMade(undefined)} />}
      {devices.items && sensorsLoaded.value && <SensorTable {...{ withPassword, onRemove: setGoing }} />}
      {going && <AskSensor id={going} onYes={(too) => remove(going, too)} onClose={() => setGoing(undefined)} />}
    </AdminSection>
  );
}

type AskSensorProps = {
  readonly id: string;
  readonly onYes: (sensorToo: boolean) => Promise<void>;
  readonly onClose: () => void;
};

function AskSensor({ id, onYes, onClose }: AskSensorProps) {
  const { admin: t } = messages.value;
  const [too, setToo] = useState(false);
  return (
    <AskOnce
      {...{ question: t.removeSensor(id), hint: t.removeSensorHint, action: t.remove, onClose }}
      onYes={() => onYes(too)}
    >
      <label class="check">
        <input type="checkbox" checked={too} onChange={(event) => setToo(event.currentTarget.checked)} />
        <span>{t.removeSensorToo}</span>
      </label>
    </AskOnce>
  );
}

/** More rows than that nobody reads; who looks for one, searches. */
const ROWS_MAX = 100;

type SensorTableProps = {
  readonly withPassword: ReadonlySet<string>;
  readonly onRemove: (id: string) => void;
};

export function SensorTable({ withPassword, onRemove }: SensorTableProps) {
  const { admin: t } = messages.value;
  const [wanted, setWanted] = useState("");
  const all = [...sensors.value.values()];
  const found = all.filter((sensor) => fits(sensor, wanted.trim().toLowerCase()));
  const shown = found.slice(0, ROWS_MAX);
  if (all.length === 0) return <p class="note">{t.none}</p>;
  return (
    <>
      <label class="field admin-search">
        <span>{t.search}</span>
        <input type="search" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
      </label>
      <AdminTable
        {...{ label: t.sensors, columns: [t.sensor, t.kind, t.district, t.access, t.lastSeen], actions: t.remove }}
      >
        {shown.map((sensor) => (
          <Row key={sensor.id} sensor={sensor} own={withPassword.has(sensor.id)} onRemove={onRemove} />
        ))}
      </AdminTable>
      {shown.length < all.length && (
        <p class="quiet" role="status">
          {t.shownOf(shown.length, all.length)}
        </p>
      )}
    </>
  );
}

type RowProps = { readonly sensor: SensorView; readonly own: boolean; readonly onRemove: (id: string) => void };

function Row({ sensor, own, onRemove }: RowProps) {
  const { admin: t, words } = messages.value;
  const { id, name, kind, district, lastSeen } = sensor;
  return (
    <tr>
      <th scope="row">
        <a href={`/sensors/${encodeURIComponent(id)}`}>{id}</a>
        {name && <small class="quiet"> {name}</small>}
      </th>
      <td>{words.kind[kind]}</td>
      <td>{districtName(district)}</td>
      <td>{own ? t.ownPassword : t.viaGateway}</td>
      <td>{lastSeen ? <Moment at={lastSeen} /> : t.never}</td>
      <td class="admin-buttons">
        {own && (
          <button type="button" class="button quiet" aria-label={`${t.remove}: ${id}`} onClick={() => onRemove(id)}>
            {t.remove}
          </button>
        )}
      </td>
    </tr>
  );
}

function fits({ id, name = "", district }: SensorView, wanted: string): boolean {
  return wanted === "" || `${id} ${name} ${district}`.toLowerCase().includes(wanted);
}

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

export function Gateways() {
  const { admin: t } = messages.value;
  const { items, problem, reload } = useAll<GatewayView>("/gateways");
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<CredentialView>();
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

type GatewayTableProps = { readonly gateways: readonly GatewayView[]; readonly onRemove: (name: string) => void };

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
