import { useState } from "preact/hooks";
import { request } from "../../api/client.ts";
import type { SensorView } from "../../api/sensors.ts";
import { sensors, sensorsLoaded } from "../../live/live.ts";
import { messages } from "../../messages/messages.ts";
import { AskOnce } from "../parts/ask-once.tsx";
import { AdminSection } from "../parts/section.tsx";
import { type Credential, ShownOnce } from "../parts/shown-once.tsx";
import { useAll } from "../parts/use-all.ts";
import { SensorForm } from "./sensor-form.tsx";
import { SensorTable } from "./sensor-table.tsx";

type Device = { readonly username: string; readonly sensorId: string };

export function Sensors() {
  const { admin: t } = messages.value;
  const devices = useAll<Device>("/devices");
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<Credential>();
  const [going, setGoing] = useState<string>();

  async function add(body: Readonly<Record<string, unknown>>): Promise<void> {
    const credential = await request<Credential>("POST", "/devices", body);
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
