import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { sensors } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { districtName } from "../words/units.ts";
import type { Desk } from "./desk-state.ts";

/** "district-2" before "district-10". */
const inOrder = new Intl.Collator("en", { numeric: true }).compare;

/** The districts as buttons over the map: the same colours, and for those who cannot point at a map. */
export function Districts({ desk }: { desk: Desk }) {
  const t = messages.value;
  const names = useMemo(
    () => computed(() => [...new Set([...sensors.value.values()].map((one) => one.district))].sort(inOrder)),
    [],
  );
  const chosen = desk.filters.value.district;
  const worst = desk.worstOfDistrict.value;
  return (
    <ul class="districts" aria-label={t.desk.districts}>
      {names.value.map((id) => {
        const found = worst.get(id);
        const words = found ? t.desk.districtState(t.words.severity[found.severity]) : t.words.noAlerts;
        return (
          <li key={id}>
            <button
              type="button"
              class={`district ${found?.severity ?? "calm"}`}
              aria-pressed={chosen === id}
              onClick={() => desk.setFilters({ district: chosen === id ? "" : id })}
            >
              {districtName(id)} {found && <b>{found.count}</b>}
              <span class="hidden"> {words}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
