import { useState } from "preact/hooks";
import type { CredentialView, DeviceView, GatewayView, NewDevice } from "../../contract/account.ts";
import type { PageOf } from "../../contract/common.ts";
import type { SensorFaultsView, SensorView } from "../../contract/reading.ts";
import { KINDS } from "../../model/kinds.ts";
import { type Draft, request, send } from "../api/client.ts";
import { districts, loadSensors, sensors, sensorsLoaded } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check, Field, typed, typedList, typedTags } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { loadAll, Problem, useLoaded } from "../parts/state.tsx";
import { buttons, Table } from "../parts/table.tsx";
import { language } from "../shell/preferences.ts";
import { user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { districtName, metricLabel } from "../words/words.ts";
import { Managed, OneTimeSecret, RowButton, Section, useManaged } from "./parts.tsx";
import { RegisterImport } from "./register-import.tsx";

/** What may send: sensors with a password of their own, and gateways that speak for others. */
export function Devices() {
  return (
    <>
      <Sensors />
      <InVain />
      <Gateways />
    </>
  );
}

function Sensors() {
  const { admin: t } = messages.value;
  const list = useManaged<DeviceView>("/devices");
  const gone = useLoaded((signal) => loadAll<SensorView>("/sensors?retired=true", signal), [list.items]);
  const [made, setMade] = useState<CredentialView>();
  const [sensorToo, setSensorToo] = useState(false);
  const [importing, setImporting] = useState(false);

  async function add(data: FormData): Promise<void> {
    const credential = await send("POST", "/devices", sensorOf(data));
    setMade(credential);
    list.done();
    const sensor = await request<SensorView>("GET", `/sensors/${encodeURIComponent(credential.username)}`);
    sensors.value = new Map(sensors.peek()).set(sensor.id, sensor);
  }

  function forget({ sensorId }: DeviceView): void {
    if (!sensorToo) return;
    const left = new Map(sensors.peek());
    left.delete(sensorId);
    sensors.value = left;
  }

  return (
    <Managed
      title={t.sensors}
      hint={t.sensorsHint}
      list={list}
      add={t.addSensor}
      onAdd={() => setMade(undefined)}
      ask={({ sensorId }) => ({
        question: t.removeSensor(sensorId),
        hint: t.removeSensorHint,
        path: `/devices/${encodeURIComponent(sensorId)}${sensorToo ? "?removeSensor=true" : ""}`,
      })}
      askMore={<Check label={t.removeSensorToo} checked={sensorToo} onChange={setSensorToo} />}
      onGone={forget}
    >
      {list.open && <SensorForm onSubmit={add} onCancel={list.close} />}
      {made && <NewCredential title={t.sensorAdded(made.username)} made={made} onDone={() => setMade(undefined)} />}
      {importing ? (
        <RegisterImport
          onDone={() => {
            list.reload();
            void loadSensors().catch(() => {}); // the list as it was stays
          }}
          onClose={() => setImporting(false)}
        />
      ) : (
        <p class="cluster">
          <a class="button" href={`/api/v1/register?locale=${language.value}`} download="sensors.csv">
            {t.register.exportCsv}
          </a>
          <Button onClick={() => setImporting(true)}>{t.register.importCsv}</Button>
        </p>
      )}
      {list.items && sensorsLoaded.value && (
        <SensorTable
          devices={new Map(list.items.map((device) => [device.sensorId, device]))}
          onRemove={(device) => {
            setSensorToo(false);
            list.setGoing(device);
          }}
        />
      )}
      {gone.found && gone.found.length > 0 && (
        <details>
          <summary>
            {t.register.off}: {gone.found.length}
          </summary>
          <ul class="cluster">
            {gone.found.slice(0, ROWS_MAX).map(({ id }) => (
              <li key={id}>
                <a href={`/sensors/${encodeURIComponent(id)}`}>{id}</a>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Managed>
  );
}

type NewCredentialProps = { readonly title: string; readonly made: CredentialView; readonly onDone: () => void };

/** Name and password of a device: both are typed somewhere else. */
function NewCredential({ title, made: { username, password }, onDone }: NewCredentialProps) {
  const { admin: t } = messages.value;
  const secrets = [[t.username, username] as const, [t.password, password] as const];
  return <OneTimeSecret title={title} hint={t.credentialHint} secrets={secrets} onDone={onDone} />;
}

/** More rows than that nobody reads; who looks for one, searches. */
const ROWS_MAX = 100;

type SensorTableProps = {
  /** Those with a password of their own. */
  readonly devices: ReadonlyMap<string, DeviceView>;
  readonly onRemove: (device: DeviceView) => void;
};

function SensorTable({ devices, onRemove }: SensorTableProps) {
  const { admin: t, words } = messages.value;
  const [wanted, setWanted] = useState("");
  const all = [...sensors.value.values()];
  const shown = all.filter((sensor) => fits(sensor, wanted.trim().toLowerCase())).slice(0, ROWS_MAX);
  if (all.length === 0) return <p class="note">{t.none}</p>;
  return (
    <>
      <label class="field admin-search">
        <span>{t.search}</span>
        <input type="search" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
      </label>
      <Table
        label={t.sensors}
        columns={[t.sensor, t.kind, t.district, t.access, t.lastSeen, buttons(t.remove)]}
        rows={shown.map(({ id, name, kind, district, lastSeen }) => {
          const device = devices.get(id);
          return {
            key: id,
            cells: [
              <>
                <a href={`/sensors/${encodeURIComponent(id)}`}>{id}</a>
                {name && <small class="quiet"> {name}</small>}
              </>,
              words.kind[kind],
              districtName(district),
              device ? t.ownPassword : t.viaGateway,
              lastSeen ? <Moment at={lastSeen} /> : t.never,
              device && <RowButton text={t.remove} about={id} onPress={() => onRemove(device)} />,
            ],
          };
        })}
      />
      {shown.length < all.length && (
        <p class="quiet" role="status">
          {t.shownOf(shown.length, all.length)}
        </p>
      )}
    </>
  );
}

function fits({ id, name = "", district }: SensorView, wanted: string): boolean {
  return wanted === "" || `${id} ${name} ${district}`.toLowerCase().includes(wanted);
}

type FormProps = { readonly onSubmit: (data: FormData) => Promise<void>; readonly onCancel: () => void };

function SensorForm(form: FormProps) {
  const { admin: t, words } = messages.value;
  return (
    <Form class="panel" title={t.addSensor} submitLabel={t.add} {...form}>
      <div class="fields">
        <Field label={t.sensorId} name="sensorId" hint={t.idHint} required />
        <Field
          label={t.kind}
          name="kind"
          value="air"
          options={KINDS.map((kind) => [kind, words.kind[kind]] as const)}
        />
        <Field label={t.district} name="district" hint={t.idHint} required among={districts.value} />
        <Field label={t.displayName} name="name" hint={t.optional} />
        <Field label={t.lat} name="lat" type="number" hint={t.optional} />
        <Field label={t.lon} name="lon" type="number" hint={t.optional} />
        <Field label={t.intervalS} name="intervalS" type="number" hint={t.intervalHint} />
        <Field label={t.tags} name="tags" hint={t.tagsHint} />
      </div>
    </Form>
  );
}

function sensorOf(data: FormData): Draft<NewDevice> {
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

/** Sensors whose messages arrive and are refused, or that send fields nobody takes. */
function InVain() {
  const t = messages.value;
  const { found, problem } = useLoaded((signal) =>
    request<PageOf<SensorFaultsView>>("GET", `/quarantine/sensors?limit=${ROWS_MAX}`, undefined, signal),
  );
  if (found?.items.length === 0) return null;
  return (
    <Section title={t.admin.register.inVain} hint={t.admin.register.inVainHint}>
      <Problem of={problem} />
      <ul class="lines">
        {found?.items.map(({ sensorId, refused, notTaken }) => (
          <li key={sensorId}>
            <div>
              <a href={`/sensors/${encodeURIComponent(sensorId)}`}>{sensorId}</a>
              {refused.map(({ reason, metric, count, detail }) => (
                <p key={`${reason} ${metric}`} title={detail}>
                  {t.feed.reasons[reason]}
                  {metric && `: ${metricLabel(metric)}`} <span class="quiet">{t.admin.register.times(count)}</span>
                </p>
              ))}
              {notTaken.length > 0 && (
                <p>
                  {t.admin.register.alsoSends} {notTaken.map(({ name }) => name).join(", ")}
                </p>
              )}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Gateways() {
  const { admin: t } = messages.value;
  const list = useManaged<GatewayView>("/gateways");
  const [made, setMade] = useState<CredentialView>();

  async function add(data: FormData): Promise<void> {
    const mayImport = data.has("mayImport") || undefined;
    const districts = typedList(data, "districts") ?? [];
    setMade(await send("POST", "/gateways", { name: typed(data, "name"), districts, mayImport }));
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
        hint: t.removeGatewayHint,
        path: `/gateways/${encodeURIComponent(username)}`,
      })}
    >
      {list.open && (
        <Form class="panel" title={t.addGateway} submitLabel={t.add} onSubmit={add} onCancel={list.close}>
          <div class="fields">
            <Field label={t.name} name="name" hint={t.idHint} required />
            <Field label={t.districts} name="districts" hint={t.districtsHint} required />
            {user.value?.role === "admin" && <Check label={t.mayImport} name="mayImport" />}
          </div>
        </Form>
      )}
      {made && <NewCredential title={t.gatewayAdded(made.username)} made={made} onDone={() => setMade(undefined)} />}
      {list.items?.length === 0 && <p class="note">{t.none}</p>}
      {list.items && list.items.length > 0 && (
        <Table
          label={t.gateways}
          columns={[t.name, t.districts, t.added, buttons(t.remove)]}
          rows={list.items.map((gateway) => ({
            key: gateway.username,
            cells: [
              gateway.username,
              <>
                {gateway.districts.map(districtName).join(", ")}{" "}
                {gateway.mayImport && <span class="chip">{t.mayImport}</span>}
              </>,
              <>
                <Moment at={gateway.createdAt} as="time" /> <span class="quiet">{t.by(gateway.createdBy)}</span>
              </>,
              <RowButton text={t.remove} about={gateway.username} onPress={() => list.setGoing(gateway)} />,
            ],
          }))}
        />
      )}
    </Managed>
  );
}
