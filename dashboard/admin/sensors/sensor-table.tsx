import { useState } from "preact/hooks";
import type { SensorView } from "../../api/sensors.ts";
import { sensors } from "../../live/live.ts";
import { messages } from "../../messages/messages.ts";
import { Moment } from "../../words/time.tsx";
import { districtName } from "../../words/units.ts";
import { AdminTable } from "../parts/table.tsx";

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
