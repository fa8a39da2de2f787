import { useEffect, useMemo, useState } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { createDesk } from "./desk-state.ts";
import "./desk.css";
import "./list/list.css";
import "./map/map.css";
import { Districts } from "./districts.tsx";
import { Help } from "./help.tsx";
import { listenToKeys } from "./keys.ts";
import { AlertList } from "./list/alert-list.tsx";
import { FilterBar } from "./list/filter-bar.tsx";
import { ListHead } from "./list/list-head.tsx";
import { CityMap } from "./map/city-map.tsx";

/** `/`: the city on the left, what needs someone on the right. */
export function Desk() {
  const t = messages.value.desk;
  const desk = useMemo(createDesk, []);
  const [help, setHelp] = useState(false);
  /** On a phone there is room for one of the two. */
  const [mapFirst, setMapFirst] = useState(false);

  useEffect(() => {
    const stop = listenToKeys(desk, () => setHelp(true));
    return () => {
      stop();
      desk.dispose();
    };
  }, [desk]);

  return (
    <div class={`desk ${mapFirst ? "map-first" : ""}`}>
      <h1 class="hidden" tabIndex={-1}>
        {t.title}
      </h1>
      <section class="desk-map" aria-label={t.districts}>
        <CityMap desk={desk} />
        <Districts desk={desk} />
      </section>
      <section class="desk-list" aria-label={t.list}>
        <FilterBar desk={desk} />
        <ListHead desk={desk} onHelp={() => setHelp(true)} />
        <AlertList desk={desk} />
      </section>
      <button type="button" class="button primary desk-switch" onClick={() => setMapFirst(!mapFirst)}>
        {mapFirst ? t.showList : t.showMap}
      </button>
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}
