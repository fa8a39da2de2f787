import "./sensors.css";
import { computed, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { SensorView } from "../../contract/reading.ts";
import type { FavouritesView } from "../../contract/views.ts";
import { SEVERITIES, type Severity } from "../../model/alert.ts";
import { KINDS } from "../../model/kinds.ts";
import { request } from "../api/client.ts";
import { markBy } from "../desk/list.ts";
import { alerts, districts, sensors, sensorsLoaded } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check } from "../parts/fields.tsx";
import { LazyDialogButton } from "../parts/lazy.tsx";
import { SeverityMark } from "../parts/show.tsx";
import { Loading, Problem } from "../parts/state.tsx";
import { Choice, Filters, Table } from "../parts/table.tsx";
import { query, setQuery } from "../shell/router.ts";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { groupsOf, sensorsFor } from "./groups.ts";

/** Rows of a group that are shown before somebody asks for more, and then. */
const ROWS_FIRST = 50;
const ROWS_MORE = 500;
const followed = signal<ReadonlySet<string> | undefined>(undefined);
const marks = computed(() => markBy(alerts.value.values(), ({ subject }) => subject.sensorId));

/** `/sensors`: all of them, by district, kind or tag, those one follows first. */
export function SensorsPage() {
  const t = messages.value.sensorsPage;
  const [problem, setProblem] = useState<unknown>();
  useEffect(() => {
    request<FavouritesView>("GET", "/favourites").then(({ items }) => {
      followed.value = new Set(items);
    }, setProblem);
  }, []);
  const filters = query.value;
  const own = followed.value ?? new Set<string>();
  const found = sensorsFor([...sensors.value.values()], {
    text: filters.get("q") ?? "",
    district: filters.get("district") ?? undefined,
    kind: filters.get("kind") ?? undefined,
    fits: ({ id }) =>
      (filters.get("followed") !== "yes" || own.has(id)) && (filters.get("open") !== "yes" || marks.value.has(id)),
  });
  const by = filters.get("group") ?? "district";

  return (
    <div class="sensors page">
      <h1 tabIndex={-1}>{t.title}</h1>
      <p class="quiet">
        {t.hint} <a href="/compare">{t.compare}</a>
      </p>
      <Asked by={by} />
      <Problem of={problem} />
      {!sensorsLoaded.value && <Loading />}
      {sensorsLoaded.value && found.length === 0 && <p class="note">{t.nothing}</p>}
      {groupsOf(found, by).map(([value, some]) => (
        <Group key={`${by} ${value}`} by={by} value={value} sensors={some} onProblem={setProblem} />
      ))}
    </div>
  );
}

function Asked({ by }: { by: string }) {
  const { sensorsPage: t, desk, words } = messages.value;
  const filters = query.value;
  const tags = [...new Set([...sensors.value.values()].flatMap(({ tags: own }) => Object.keys(own)))].sort();
  const ways = ["none", "district", "kind", ...tags.map((name) => `tag:${name}`)];
  const say = (way: string) => (way.startsWith("tag:") ? t.tag(way.slice(4)) : t.groups[way as keyof typeof t.groups]);
  return (
    <Filters text={filters.get("q") ?? ""} label={t.search} hint={t.searchHint} onText={(q) => setQuery({ q })}>
      <Choice
        label={desk.district}
        value={filters.get("district") ?? undefined}
        among={districts.value}
        say={districtName}
        onChoose={(district) => setQuery({ district })}
      />
      <Choice
        label={desk.kind}
        value={KINDS.find((one) => one === filters.get("kind"))}
        among={KINDS}
        say={(one) => words.kind[one]}
        onChoose={(kind) => setQuery({ kind })}
      />
      <label class="cluster">
        {t.group}
        <select class="choice" value={by} onChange={(event) => setQuery({ group: event.currentTarget.value })}>
          {ways.map((one) => (
            <option key={one} value={one}>
              {say(one)}
            </option>
          ))}
        </select>
      </label>
      <Check
        label={t.followed}
        checked={filters.get("followed") === "yes"}
        onChange={(on) => setQuery({ followed: on ? "yes" : undefined })}
      />
      <Check
        label={t.onlyOpen}
        checked={filters.get("open") === "yes"}
        onChange={(on) => setQuery({ open: on ? "yes" : undefined })}
      />
      <LazyDialogButton class="" load={async () => (await import("../views/saved.tsx")).SavedViews}>
        {desk.savedFilters}
      </LazyDialogButton>
    </Filters>
  );
}

type GroupProps = {
  readonly by: string;
  readonly value: string;
  readonly sensors: readonly SensorView[];
  readonly onProblem: (problem: unknown) => void;
};

function Group({ by, value, sensors: some, onProblem }: GroupProps) {
  const { sensorsPage: t, words } = messages.value;
  const [rows, setRows] = useState(ROWS_FIRST);
  const worst = marks.value;
  const own = followed.value;
  const names: Readonly<Record<string, string>> = {
    none: t.title,
    district: districtName(value),
    kind: words.kind[value as keyof typeof words.kind],
  };
  const title = names[by] ?? (value || t.noValue);
  const rank = ({ id }: SensorView) =>
    (own?.has(id) ? SEVERITIES.length + 1 : 0) + SEVERITIES.indexOf(worst.get(id)?.severity as Severity);
  const sorted = some.toSorted((a, b) => rank(b) - rank(a) || (a.id < b.id ? -1 : 1));
  const open = some.filter(({ id }) => worst.has(id)).length;
  return (
    <section class="stack">
      <h2>
        {title} <small class="quiet">{t.count(some.length, open)}</small>
      </h2>
      <Table
        label={title}
        columns={[t.sensor, { head: t.star, class: "star", hidden: true }, t.kind, t.district, t.state, t.last]}
        rows={sorted.slice(0, rows).map(({ id, name, kind, district, latest }) => ({
          key: id,
          cells: [
            <>
              <a href={`/sensors/${encodeURIComponent(id)}`}>{name ?? id}</a>
              {name && <small class="quiet sensors-id">{id}</small>}
            </>,
            <Star id={id} name={name ?? id} onProblem={onProblem} />,
            words.kind[kind],
            districtName(district),
            <State severity={worst.get(id)?.severity} />,
            latest ? <Moment at={latest.measuredAt} /> : "–",
          ],
        }))}
      />
      {some.length > rows && (
        <p>
          <Button onClick={() => setRows(rows + ROWS_MORE)}>{t.more(Math.min(ROWS_MORE, some.length - rows))}</Button>
        </p>
      )}
    </section>
  );
}

function State({ severity }: { severity: Severity | undefined }) {
  const { sensorsPage: t, words } = messages.value;
  if (!severity) return <span class="quiet">{t.calm}</span>;
  return (
    <span class="sensors-state">
      <SeverityMark severity={severity} /> <span aria-hidden="true">{words.severity[severity]}</span>
    </span>
  );
}

type StarProps = { readonly id: string; readonly name: string; readonly onProblem: (problem: unknown) => void };

/** Followed or not, at once; put back where the service says no. */
function Star({ id, name, onProblem }: StarProps) {
  const t = messages.value.sensorsPage;
  const on = followed.value?.has(id) ?? false;

  function put(follow: boolean): void {
    const next = new Set(followed.peek());
    if (follow) next.add(id);
    else next.delete(id);
    followed.value = next;
  }

  async function toggle(): Promise<void> {
    put(!on);
    try {
      const path = `/favourites/${encodeURIComponent(id)}`;
      await (on ? request("DELETE", path) : request("PUT", path, {}));
    } catch (error) {
      put(on);
      onProblem(error);
    }
  }

  return (
    <button
      type="button"
      class={`button quiet star ${on ? "on" : ""}`}
      aria-pressed={on}
      aria-label={t.follow(name)}
      disabled={!followed.value}
      onClick={() => void toggle()}
    >
      {on ? "★" : "☆"}
    </button>
  );
}
