import { useState } from "preact/hooks";
import type { CredentialView, DeviceView } from "../../contract/account.ts";
import type { PageOf } from "../../contract/common.ts";
import type { SensorFaultsView, SensorView } from "../../contract/reading.ts";
import { request, send } from "../api/client.ts";
import { loadSensors, sensors, sensorsLoaded } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { loadAll, Problem, useLoaded } from "../parts/state.tsx";
import { buttons, Table } from "../parts/table.tsx";
import { language } from "../shell/preferences.ts";
import { Moment } from "../words/time.tsx";
import { districtName, metricLabel } from "../words/words.ts";
import { Gateways } from "./gateways.tsx";
import { ConfirmDialog, Managed, NewCredential, RowButton, Section, useManaged } from "./parts.tsx";
import { RegisterImport } from "./register-import.tsx";
import { Removed } from "./removed.tsx";
import { Rotate } from "./rotate.tsx";
import { changeOf, newSensorOf, SensorForm } from "./sensor-form.tsx";

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
  const { admin: t, editing } = messages.value;
  const list = useManaged<DeviceView>("/devices");
  const [edited, setEdited] = useState<SensorView>();
  const [advice, setAdvice] = useState<readonly string[]>([]);
  const [rotating, setRotating] = useState<string>();
  const [retiring, setRetiring] = useState<string>();
  const gone = useLoaded((signal) => loadAll<SensorView>("/sensors?retired=true", signal), [list.items]);
  const [made, setMade] = useState<CredentialView>();
  const [importing, setImporting] = useState(false);

  async function add(data: FormData): Promise<void> {
    const credential = await send("POST", "/devices", newSensorOf(data));
    setMade(credential);
    list.done();
    const sensor = await request<SensorView>("GET", `/sensors/${encodeURIComponent(credential.username)}`);
    keep(sensor);
  }

  async function change(data: FormData): Promise<void> {
    const changed = await send("PATCH", `/sensors/${encodeURIComponent(edited!.id)}`, changeOf(edited!, data));
    const { advice, ...sensor } = changed;
    keep(sensor);
    setAdvice(advice);
    setEdited(undefined);
  }

  function forget(id: string): void {
    const left = new Map(sensors.peek());
    left.delete(id);
    sensors.value = left;
    list.reload();
  }

  function undone(): void {
    list.reload();
    void loadSensors().catch(() => {}); // the list as it was stays
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
        hint: `${t.removeSensorHint} ${editing.canUndo}`,
        action: editing.revoke,
        path: `/devices/${encodeURIComponent(sensorId)}`,
      })}
    >
      {list.open && <SensorForm onSubmit={add} onCancel={list.close} />}
      {edited && <SensorForm key={edited.id} sensor={edited} onSubmit={change} onCancel={() => setEdited(undefined)} />}
      <div role="status" class={advice.length > 0 ? "note" : "hidden"}>
        {advice.map((one) => (
          <p key={one}>{one}</p>
        ))}
      </div>
      {made && <NewCredential title={t.sensorAdded(made.username)} made={made} onDone={() => setMade(undefined)} />}
      {rotating !== undefined && (
        <Rotate what="devices" name={rotating} onDone={list.reload} onClose={() => setRotating(undefined)} />
      )}
      {retiring !== undefined && (
        <ConfirmDialog
          question={editing.retireSensor(retiring)}
          hint={`${editing.retireSensorHint} ${editing.canUndo}`}
          path={`/sensors/${encodeURIComponent(retiring)}`}
          onGone={() => forget(retiring)}
          onClose={() => setRetiring(undefined)}
        />
      )}
      <Removed among={["sensor", "device"]} round={list.items} onUndone={undone} />
      {importing ? (
        <RegisterImport onDone={undone} onClose={() => setImporting(false)} />
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
          onChange={(sensor) => {
            setAdvice([]);
            setEdited(sensor);
          }}
          onRotate={setRotating}
          onRevoke={list.setGoing}
          onRemove={setRetiring}
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

/** More rows than that nobody reads; who looks for one, searches. */
const ROWS_MAX = 100;

type SensorTableProps = {
  /** Those with a password of their own. */
  readonly devices: ReadonlyMap<string, DeviceView>;
  readonly onChange: (sensor: SensorView) => void;
  readonly onRotate: (id: string) => void;
  readonly onRevoke: (device: DeviceView) => void;
  readonly onRemove: (id: string) => void;
};

function SensorTable({ devices, onChange, onRotate, onRevoke, onRemove }: SensorTableProps) {
  const { admin: t, words, editing } = messages.value;
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
        columns={[t.sensor, t.kind, t.district, t.access, t.lastSeen, buttons(editing.edit)]}
        rows={shown.map((sensor) => {
          const { id, name, kind, district, lastSeen } = sensor;
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
              <>
                {device ? t.ownPassword : t.viaGateway}
                {device?.formerUntil && <span class="chip">{editing.twoPasswords}</span>}
              </>,
              lastSeen ? <Moment at={lastSeen} /> : t.never,
              <div class="row-buttons">
                <RowButton text={t.change} about={id} onPress={() => onChange(sensor)} />
                {device && <RowButton text={editing.rotate} about={id} onPress={() => onRotate(id)} />}
                {device && <RowButton text={editing.revoke} about={id} onPress={() => onRevoke(device)} />}
                <RowButton text={t.remove} about={id} onPress={() => onRemove(id)} />
              </div>,
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

function keep(sensor: SensorView): void {
  sensors.value = new Map(sensors.peek()).set(sensor.id, sensor);
}

function fits({ id, name = "", district }: SensorView, wanted: string): boolean {
  return wanted === "" || `${id} ${name} ${district}`.toLowerCase().includes(wanted);
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
