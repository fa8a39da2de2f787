import { batch, computed, effect, signal } from "@preact/signals";
import { send } from "../api/client.ts";
import { alerts, alertsComplete, incidents, isOpen, sensors } from "../live/live.ts";
import { navigate, query, setQuery } from "../shell/router.ts";
import { user } from "../shell/session.ts";
import { titleOf } from "../words/tell.ts";
import { describeProblem } from "../words/words.ts";
import {
  byUrgency,
  type Filters,
  fits,
  isExplained,
  markBy,
  NO_FILTERS,
  readFilters,
  rowsOf,
  writeFilters,
} from "./list.ts";

const AT_ONCE = 4;
const OUTCOME_MS = 5_000;

/** What a bulk acknowledgement came to. `refused`: the service's sentences, which name who was first. */
export type Outcome = { readonly done: number; readonly refused: readonly string[] };

/** Everything the desk shows and remembers while it is open. `dispose` when it closes. */
export function createDesk() {
  const filters = computed(() => readFilters(query.value));
  const open = computed(() => [...alerts.value.values()].filter((one) => isOpen(one) && !isExplained(one)));
  const about = { me: user.peek()?.name, sensorName: (id: string) => sensors.value.get(id)?.name, titleOf };
  /** What the list should show, in its order. */
  const rows = computed(() => {
    const fitting = [...alerts.value.values()].filter((one) => fits(one, filters.value, about));
    return rowsOf(fitting.sort(byUrgency));
  });
  /** Incidents that are open to their alerts. */
  const opened = signal<ReadonlySet<string>>(new Set());
  const wanted = computed(() =>
    rows.value.flatMap(({ id, alerts: some }) => (opened.value.has(id) ? [id, ...some.map((one) => one.id)] : [id])),
  );
  /** The alerts of each row that stands for several. */
  const membersOf = computed(
    () => new Map(rows.value.flatMap((row) => (row.alerts.length > 1 ? [[row.id, row.alerts]] : []))),
  );
  /** What it shows: the same, except while someone points at it, has the focus in it, or has scrolled down. */
  const shown = signal<readonly string[]>([]);
  const held = signal(false);
  const fresh = computed(() => {
    const there = new Set(shown.value);
    return wanted.value.filter((id) => !there.has(id));
  });
  const stale = computed(() => fresh.value.length > 0 || wanted.value.length !== shown.value.length);
  const selected = signal<ReadonlySet<string>>(new Set());
  const current = signal<string | undefined>(undefined);
  /** Counts the moves by key: then the list follows the current row. */
  const moves = signal(0);
  const outcome = signal<Outcome | undefined>(undefined);
  const ofSensor = computed(() => markBy(open.value, ({ subject }) => subject.sensorId));
  const ofDistrict = computed(() => markBy(open.value, ({ subject }) => subject.district));

  let praise: ReturnType<typeof setTimeout> | undefined;

  let filtersBefore = filters.peek();
  const dispose = effect(() => {
    const changed = filters.value !== filtersBefore;
    filtersBefore = filters.value;
    if (held.value && alertsComplete.value && !changed) return;
    shown.value = wanted.value;
  });

  function refresh(): void {
    shown.value = wanted.peek();
  }

  function setFilters(change: Partial<Filters>): void {
    setQuery(writeFilters({ ...filters.peek(), ...change }));
  }

  function toggle(id: string, on = !selected.peek().has(id)): void {
    const next = new Set(selected.peek());
    if (on) next.add(id);
    else next.delete(id);
    selected.value = next;
  }

  /** Opens an incident to its alerts, or closes it; at once, whatever holds the list. */
  function expand(id: string): void {
    const next = new Set(opened.peek());
    if (!next.delete(id)) next.add(id);
    batch(() => {
      opened.value = next;
      shown.value = wanted.value;
    });
  }

  /** Acknowledges what is open among these; a few requests at a time. Of an incident all alerts, also those not shown. */
  async function acknowledge(ids: readonly string[]): Promise<void> {
    const isWhole = (id: string) => membersOf.peek().has(id);
    const whole = ids.filter(isWhole);
    const within = new Set(
      whole.flatMap((id) =>
        membersOf
          .peek()
          .get(id)!
          .map((one) => one.id),
      ),
    );
    const single = ids.filter((id) => !within.has(id) && alerts.peek().get(id)?.handling === "open");
    const todo = [...whole, ...single];
    const refused: string[] = [];
    let done = 0;
    async function work(): Promise<void> {
      for (let id = todo.shift(); id !== undefined; id = todo.shift()) {
        try {
          const changed = isWhole(id)
            ? (await send("POST", `/incidents/${encodeURIComponent(id)}/acknowledge`, {})).members
            : [await send("POST", `/alerts/${encodeURIComponent(id)}/acknowledge`, {})];
          // The stream says the same in a moment; who pressed sees it at once.
          const next = new Map(alerts.peek());
          for (const alert of changed) if (next.has(alert.id)) next.set(alert.id, alert);
          alerts.value = next;
          done += 1;
        } catch (error) {
          const title = incidents.peek().get(id)?.lead.title ?? alerts.peek().get(id)?.rule.title;
          refused.push(`${title ?? id}: ${describeProblem(error)}`);
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    batch(() => {
      outcome.value = { done, refused };
      selected.value = new Set();
    });
    clearTimeout(praise);
    // What went well need not be read.
    if (refused.length === 0) praise = setTimeout(() => (outcome.value = undefined), OUTCOME_MS);
  }

  return {
    filters,
    open,
    shown,
    held,
    fresh,
    stale,
    selected,
    current,
    moves,
    outcome,
    ofSensor,
    ofDistrict,
    refresh,
    setFilters,
    toggle,
    membersOf,
    opened,
    expand,
    acknowledge,
    dispose,
    clearFilters: () => setQuery(writeFilters(NO_FILTERS)),
    /** `j` and `k`: the row `step` further down; the first one where none is current. */
    move(step: number): void {
      const ids = shown.peek();
      const at = current.peek() === undefined ? -1 : ids.indexOf(current.peek()!);
      const next = ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + step))];
      if (next === undefined) return;
      current.value = next;
      moves.value += 1;
    },
    openCurrent(): void {
      const id = current.peek();
      const lead = id === undefined ? undefined : (incidents.peek().get(id)?.lead.alert ?? id);
      if (lead) navigate(`/alerts/${encodeURIComponent(lead)}`);
    },
  };
}

export type Desk = ReturnType<typeof createDesk>;
