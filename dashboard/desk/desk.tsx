import "./desk.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import { HandoverButton } from "../handover/button.tsx";
import { districts } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check } from "../parts/fields.tsx";
import { LazyDialogButton } from "../parts/lazy.tsx";
import { Dialog, Fact } from "../parts/show.tsx";
import { badge, sound } from "../shell/preferences.ts";
import { mayHandle } from "../shell/session.ts";
import { districtName } from "../words/words.ts";
import { AlertList, FilterBar, ListHead } from "./alert-list.tsx";
import { CityMap } from "./city-map.tsx";
import { createDesk, type Desk } from "./desk-state.ts";

/** `/`: the city on the left, what needs someone on the right. */
export function DeskPage() {
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
        <div class="desk-extras cluster">
          <LazyDialogButton class="quiet small" load={async () => (await import("../views/saved.tsx")).SavedViews}>
            {t.savedFilters}
          </LazyDialogButton>
          <HandoverButton />
        </div>
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

/** The districts as buttons over the map: the same colours, and for those who cannot point at a map. */
function Districts({ desk }: { desk: Desk }) {
  const t = messages.value;
  const chosen = desk.filters.value.district;
  const marks = desk.ofDistrict.value;
  return (
    <ul class="districts" aria-label={t.desk.districts}>
      {districts.value.map((id) => {
        const { severity, count = 0, quieted = 0 } = marks.get(id) ?? {};
        const words = [
          severity && t.desk.districtState(t.words.severity[severity]),
          quieted > 0 && t.desk.districtQuieted(quieted),
        ].filter(Boolean);
        return (
          <li key={id}>
            <button
              type="button"
              class={`district ${severity ?? (quieted > 0 ? "quieted" : "calm")}`}
              aria-pressed={chosen === id}
              onClick={() => desk.setFilters({ district: chosen === id ? "" : id })}
            >
              {districtName(id)} {severity && <b>{count}</b>}
              {quieted > 0 && <i title={t.desk.districtQuieted(quieted)}>{quieted}</i>}
              <span class="hidden"> {words.join(", ") || t.words.noAlerts}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** The keys, and how one is told of new critical alerts. */
function Help({ onClose }: { onClose: () => void }) {
  const { desk: t, shell } = messages.value;
  const settings = [
    [sound, t.sound],
    [badge, t.badge],
  ] as const;
  return (
    <Dialog title={t.help} class="help" onClose={onClose}>
      {(close) => (
        <>
          <dl>
            {t.helpKeys.map(([key, what]) => (
              <Fact key={key} name={<kbd>{key}</kbd>}>
                {what}
              </Fact>
            ))}
          </dl>
          <h2>{t.notify}</h2>
          {settings.map(([setting, text]) => (
            <Check
              key={text}
              label={text}
              checked={setting.value}
              onChange={(on) => {
                setting.value = on;
              }}
            />
          ))}
          <Button onClick={close}>{shell.close}</Button>
        </>
      )}
    </Dialog>
  );
}

/** The keys of the desk; none while someone types, or together with Ctrl, Alt or the like. Returns how to stop. */
function listenToKeys(desk: Desk, showHelp: () => void): () => void {
  const keys: Readonly<Record<string, () => unknown>> = {
    j: () => desk.move(1),
    k: () => desk.move(-1),
    x: () => mayHandle.peek() && desk.current.peek() && desk.toggle(desk.current.peek()!),
    a: () => mayHandle.peek() && void acknowledge(desk),
    n: desk.refresh,
    "/": () => document.querySelector<HTMLElement>("#desk-search")?.focus(),
    "?": showHelp,
    Enter: desk.openCurrent,
  };

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target as HTMLElement;
    const typing = target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]");
    if (event.key === "Escape" && target.id === "desk-search") return target.blur();
    if (typing || (event.key === "Enter" && target !== document.body)) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

async function acknowledge(desk: Desk): Promise<void> {
  const selected = [...desk.selected.peek()];
  const current = desk.current.peek();
  if (selected.length > 0) await desk.acknowledge(selected);
  else if (current !== undefined) await desk.acknowledge([current]);
}
